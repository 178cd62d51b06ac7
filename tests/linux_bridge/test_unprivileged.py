# SPDX-License-Identifier: Apache-2.0
"""A caller that is not root plugs through the helper of oslo.privsep, which holds one capability."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from support import differences, missing, require, vifs
from support.privileges import Sudo

CLIENT = Path(__file__).with_name("unprivileged_client.py")
NOBODY = 65534
ONLY_NET_ADMIN = f"{1 << 12:016x}"


@pytest.fixture
def state_directory():
    """A state directory of nobody's; pytest's own are closed to others."""
    directory = tempfile.mkdtemp(prefix="os-vif-state-")
    os.chown(directory, NOBODY, NOBODY)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def client(netns, state_directory):
    """Runs the client as nobody: client("plug,unplug", vif, how="helper-command")."""
    require(module="oslo_privsep", package="oslo.privsep")
    if len(Path("/proc/self/uid_map").read_text().split()) != 3 or not _can_become(NOBODY):
        missing("there is no second user here (a user namespace with one user); run the tests as root")
    sudo = Sudo(netns)

    def run(actions, vif, how="helper-command", command=None):
        environment = {**os.environ, "OS_VIF_STATE_DIR": state_directory, "TMPDIR": state_directory}
        text = json.dumps(vif.obj_to_primitive())
        result = netns.python(CLIENT, NOBODY, how, command or sudo.command, actions, text, env=environment)
        return {**result, "calls": sudo.calls}

    yield run
    sudo.close()


def _can_become(uid):
    inside, _, count = (int(word) for word in Path("/proc/self/uid_map").read_text().split())
    return inside <= uid < inside + count


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
