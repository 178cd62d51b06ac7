# SPDX-License-Identifier: Apache-2.0
"""Configuration files that were written for earlier releases are read as they were."""

from __future__ import annotations

import pytest
from oslo_config import cfg

from os_vif.plugins.linux_bridge import LinuxBridgePlugin

GROUP = "os_vif_linux_bridge"


@pytest.fixture
def read(tmp_path):
    """Reads the text of a configuration file and returns the plugin's group."""

    def read(text):
        path = tmp_path / "nova.conf"
        path.write_text(text)
        conf = cfg.ConfigOpts()
        conf.register_opts(list(LinuxBridgePlugin.CONFIG_OPTS), group=GROUP)
        conf(["--config-file", str(path)], project="nova")
        return conf[GROUP]

    return read


def values(group):
    return {option.dest: group[option.dest] for option in LinuxBridgePlugin.CONFIG_OPTS}


DEFAULTS = {
    "use_ipv6": True,
    "iptables_top_regex": "",
    "iptables_bottom_regex": "",
    "iptables_drop_action": "DROP",
    "forward_bridge_interface": ["all"],
    "vlan_interface": None,
    "flat_interface": None,
    "network_device_mtu": 1500,
}

SETTINGS = """
use_ipv6 = false
iptables_top_regex = -i lo
iptables_bottom_regex = LOG
iptables_drop_action = REJECT
forward_bridge_interface = eth5
forward_bridge_interface = eth6
vlan_interface = eth7
flat_interface = eth8
network_device_mtu = 9000
"""

SET = {
    "use_ipv6": False,
    "iptables_top_regex": "-i lo",
    "iptables_bottom_regex": "LOG",
    "iptables_drop_action": "REJECT",
    "forward_bridge_interface": ["eth5", "eth6"],
    "vlan_interface": "eth7",
    "flat_interface": "eth8",
    "network_device_mtu": 9000,
}


def test_defaults_are_those_of_the_last_release_that_had_the_plugin(read):
    """Names and defaults as os-vif 4.3.0 lists them, but for use_ipv6: there its chains stay empty, and guests are
    without IPv6 where the host drops what it forwards."""
    assert values(read("")) == DEFAULTS


@pytest.mark.parametrize("group", [GROUP, "DEFAULT"])
def test_every_option_is_read_from_its_group_and_from_default(read, group):
    """nova-network had the options in [DEFAULT], and they still count there."""
    assert values(read(f"[{group}]\n{SETTINGS}")) == SET


def test_the_group_goes_before_default(read):
    """An option in both places has the value of its own group."""
    text = "[DEFAULT]\nflat_interface = eth1\n[os_vif_linux_bridge]\nflat_interface = eth2\n"
    assert read(text)["flat_interface"] == "eth2"


def test_an_mtu_that_no_device_can_have_is_refused_when_it_is_read(read):
    """Below 68 bytes IPv4 does not work; the kernel refuses it."""
    with pytest.raises(cfg.ConfigFileValueError, match="network_device_mtu"):
        values(read(f"[{GROUP}]\nnetwork_device_mtu = 67\n"))


def test_the_options_are_live():
    """A value overridden after the plugin was loaded counts for the next VIF."""
    plugin = LinuxBridgePlugin.load("linux_bridge")
    cfg.CONF.set_override("flat_interface", "eth3", group=GROUP)
    try:
        assert plugin.config.flat_interface == "eth3"
    finally:
        cfg.CONF.clear_override("flat_interface", group=GROUP)
    assert plugin.config.flat_interface is None
