# SPDX-License-Identifier: Apache-2.0
"""A caller that is not root plugs through the helper of oslo.privsep, which holds one capability."""

from __future__ import annotations

import pytest

from support import differences, vifs
from support.unprivileged import NOBODY, ONLY_NET_ADMIN, Service


@pytest.fixture
def client(netns):
    """Runs the client as nobody: client("plug,unplug", vif, how="helper-command")."""
    service = Service(netns, "vif_plug_linux_bridge")
    yield service
    service.close()


@pytest.mark.parametrize("how", ["helper-command", "root-helper"])
def test_an_unprivileged_caller_plugs_and_unplugs(netns, client, how):
    """The work is done by the helper, started the way that deployers configure; nothing is left of it."""
    before = netns.snapshot()
    vif = vifs.bridge("br0", mtu=1450)
    result = client("plug,plug", vif, how)
    assert (result["uid"], result["privileged"]) == (NOBODY, False)
    assert result["results"] == [{"helpers": [ONLY_NET_ADMIN]}] * 2
    assert [call[:3] for call in result["calls"]] == [
        ["privsep-helper", "--privsep_context", "vif_plug_linux_bridge.privsep.vif_plug"]
    ]
    assert netns.link("br0")["mtu"] == 1450
    assert "-A FORWARD -j os-vif-br0" in netns.run(["iptables-save"]).stdout
    assert client("unplug", vif, how)["results"] == [{"helpers": [ONLY_NET_ADMIN]}]
    assert differences(before, netns.snapshot()) == []


def test_a_refusal_of_the_kernel_comes_back_through_the_helper(netns, client):
    """Step, device and words are those that root would get, and the host is as it was."""
    netns.ip("link", "add", "eth9", "type", "veth", "peer", "name", "wire")
    before = netns.snapshot()
    vif = vifs.bridge("br0", bridge_interface="eth9", mtu=65535, filtering=True)
    netns.ip("link", "set", "eth9", "mtu", "1500")
    vif.network.should_provide_vlan = True
    vif.network.vlan = 7
    [result] = client("plug", vif)["results"]
    assert result["cause"] == "StepFailed"
    assert "Could not create vlan vlan7 for VLAN 7 on eth9 (device vlan7, VIF " in result["error"]
    assert differences(before, netns.snapshot()) == []


def test_a_helper_that_cannot_be_started_is_told_of(netns, client):
    """Nothing is touched, and the caller learns whose fault it is."""
    before = netns.snapshot()
    [result] = client("plug", vifs.bridge("br0"), command="/bin/false")["results"]
    assert "privsep helper command exited non-zero (1)" in result["error"]
    assert differences(before, netns.snapshot()) == []
