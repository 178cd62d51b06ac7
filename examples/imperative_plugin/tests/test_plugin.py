# SPDX-License-Identifier: Apache-2.0
"""What this plugin does, and how os-vif treats a plugin that does its work itself."""

from __future__ import annotations

import json
import subprocess
from importlib.metadata import entry_points

import pytest
from oslo_config import cfg

import os_vif
from os_vif import exception
from os_vif.loading import plugins
from os_vif.objects.instance_info import InstanceInfo
from os_vif.objects.network import Network
from os_vif.objects.vif import VIFBridge
from os_vif.plugging import current
from os_vif.testing import own_namespace

INSTANCE = InstanceInfo(uuid="5d1e6a2c-7a2e-4b8e-9d5e-3c1f0a9b8c7d", name="guest-1")
VIF_ID = "6d3ef0a5-6b9c-4c2d-9d1f-9f7c1f0c9c11"


@pytest.fixture(autouse=True)
def _host(monkeypatch, tmp_path):
    """A namespace with the bridge in it, and an os_vif that has just started."""
    monkeypatch.setenv("OS_VIF_STATE_DIR", str(tmp_path))
    with own_namespace():
        subprocess.run(["ip", "link", "add", "br-example", "type", "bridge"], check=True)
        current.use(None)
        yield
        current.use(None)


def make_vif(**fields):
    return VIFBridge(**{"id": VIF_ID, "plugin": "pair", "vif_name": "guest0", "bridge_name": "br-example"} | fields)


def test_it_was_loaded_by_its_entry_point():
    """os_vif found it as it finds any plugin, and has registered its options."""
    assert [point.value for point in entry_points(group="os_vif", name="pair")] == ["vif_plug_pair.plugin:PairPlugin"]
    assert type(plugins.plugin("pair")).__name__ == "PairPlugin"
    assert cfg.CONF.os_vif_pair.mtu == 1500


def shown(device):
    return json.loads(subprocess.run(["ip", "-j", "link", "show", device], capture_output=True, check=True).stdout)[0]


def test_the_pair_is_there():
    """Both ends are up, ours is a port of the bridge, and the MTU is the network's."""
    os_vif.plug(make_vif(network=Network(mtu=1400)), INSTANCE)
    assert shown("pr6d3ef0a5-6b9")["master"] == "br-example"
    assert shown("guest0")["mtu"] == 1400
    assert "UP" in shown("guest0")["flags"]


def test_the_option_is_live():
    """A value changed after loading is used by the next plug."""
    cfg.CONF.set_override("mtu", 1300, group="os_vif_pair")
    try:
        os_vif.plug(make_vif(), INSTANCE)
    finally:
        cfg.CONF.clear_override("mtu", group="os_vif_pair")
    assert shown("guest0")["mtu"] == 1300


def test_its_errors_reach_the_caller():
    """What the plugin raises becomes a PlugException with the cause's words, and the VIF stays on record."""
    with pytest.raises(exception.PlugException, match="nowhere"):
        os_vif.plug(make_vif(bridge_name="nowhere"), INSTANCE)
    assert [(record.vif_id, record.status) for record in os_vif.records()] == [(VIF_ID, "plugging")]
    os_vif.unplug(make_vif(bridge_name="nowhere"), INSTANCE)
    assert list(os_vif.records()) == []


def test_what_only_the_engine_can_do_is_refused_in_words():
    """There is no plan of what a plugin does by itself."""
    with pytest.raises(exception.InvalidRequest, match="does its work itself"):
        os_vif.plan(make_vif(), INSTANCE)
