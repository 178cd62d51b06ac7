# SPDX-License-Identifier: Apache-2.0
"""Virtual machines on the interfaces that the command gave them: from before they start, and while they run."""

from __future__ import annotations

import pytest

from support.commanded import Host, address, boot, configure
from support.parts import require_tun

BINDINGS = {"linux_bridge": "tap", "ovs": "ovs"}
PORT = ["-device", "pcie-root-port,id=port1,chassis=1"]


@pytest.fixture
def host(netns, tmp_path):
    require_tun()
    with Host("one", netns, tmp_path) as made:
        yield made


@pytest.mark.parametrize("switched_by", BINDINGS)
def test_two_virtual_machines_reach_each_other_and_get_more_interfaces(host, switched_by):
    """They are started with the arguments that the command printed, and nothing else of network."""
    before = host.traces()
    for number, network in enumerate(("blue", "green")):
        host.vif(
            "network", "create", network, "--cidr", f"10.0.{number}.0/24", "--mtu", "1400", "--switch", switched_by
        )
    first = [host.attach(name) for name in ("one", "two")]
    assert [attached["binding"] for attached in first] == [BINDINGS[switched_by]] * 2
    with boot(host, first[0], PORT) as one, boot(host, first[1], PORT) as two:
        one.wait()
        two.wait()
        assert one.run("cat /sys/class/net/eth0/mtu") == "1400\n"
        assert one.reaches(address(first[1]))
        second = []
        for name, guest in (("one", one), ("two", two)):
            second.append(host.attach(name, "--hot", "--endpoint", guest.qmp, network="green"))
            assert configure(guest, second[-1]) == "eth1"
        assert one.reaches(address(second[1]))
        assert two.reaches(address(first[0]))
        host.vif("detach", "one", "--network", "green")
        assert one.run("ls /sys/class/net").split() == ["eth0", "lo"]
        assert one.reaches(address(first[1]))
    # Of one that has ended, interfaces that came hot are taken like those that it was started with.
    host.vif("detach", "two", "--network", "green")
    for name in ("one", "two"):
        host.vif("detach", name, "--network", "blue")
    assert host.vif("network", "ports") == []
    assert host.traces() == before
