# SPDX-License-Identifier: Apache-2.0
"""Who shares a bridge: VIFs of ours, ports of others, and bridges that are not ours at all."""

from __future__ import annotations

import pytest

from os_vif import exception
from support import differences, vifs


@pytest.fixture
def clean(host, wire):
    """The snapshot of a host with an interface that has an address."""
    host.ns.ip("address", "add", "10.1.0.5/24", "dev", wire)
    return host.ns.snapshot()


def two(**network):
    return [vifs.bridge("br0", number=number, **network) for number in (1, 2)]


def foreign_bridge(namespace, *options):
    """A bridge whose MTU and address were given to it: only such a one keeps them when ports come and go."""
    namespace.ip("link", "add", "br0", "address", "02:00:00:00:00:b0", "type", "bridge", *options)
    namespace.ip("link", "set", "br0", "mtu", "1400")


def test_the_last_one_out_removes_the_bridge(host, clean):
    """Two VIFs of a network: the bridge lives as long as one of them, whichever."""
    first, second = two(bridge_interface="eth9")
    host.plug(first)
    host.plug(second)
    both = host.ns.snapshot()
    host.unplug(first)
    assert differences(both, host.ns.snapshot()) == []
    host.unplug(second)
    assert differences(clean, host.ns.snapshot()) == []


def test_all_can_leave_together(host, clean):
    """One call for both VIFs removes the bridge once."""
    host.plug(*two(bridge_interface="eth9"))
    host.unplug(*two(bridge_interface="eth9"))
    assert differences(clean, host.ns.snapshot()) == []


def test_unplugging_again_does_nothing(host, clean):
    """Nova unplugs a VIF more often than it plugs it."""
    [vif, _] = two(bridge_interface="eth9")
    host.plug(vif)
    host.unplug(vif)
    assert list(host.unplug(vif)) == []
    assert differences(clean, host.ns.snapshot()) == []


def test_ports_of_others_keep_the_bridge(host, clean):
    """A port that somebody else added, a guest's tap that is still there say, keeps it, and the plan says so."""
    [vif, _] = two(bridge_interface="eth9")
    host.plug(vif)
    host.ns.ip("link", "add", "theirs", "type", "veth", "peer", "name", "other")
    host.ns.ip("link", "set", "theirs", "master", "br0")
    both = host.ns.snapshot()
    plan = host.unplug(vif)
    assert [note for note in plan.notes if note.startswith("bridge br0 stays")] == [
        "bridge br0 stays: bridge br0 still has port theirs"
    ]
    assert differences(both, host.ns.snapshot()) == []


def test_a_bridge_that_was_kept_goes_with_its_next_last_vif(host, clean):
    """What was kept for others' sake is not forgotten: the addresses still find their way back."""
    [vif, _] = two(bridge_interface="eth9")
    host.plug(vif)
    host.ns.ip("link", "add", "theirs", "type", "veth", "peer", "name", "other")
    host.ns.ip("link", "set", "theirs", "master", "br0")
    host.unplug(vif)
    host.ns.ip("link", "delete", "theirs")
    host.plug(vif)
    host.unplug(vif)
    assert differences(clean, host.ns.snapshot()) == []


def test_a_foreign_bridge_is_used_as_it_is(host, clean):
    """Only what traffic needs is done: it is brought up, and the interface joins it.

    os-vif 4.3.0 left it down as well, and changed its MTU along with the interface's.
    """
    foreign_bridge(host.ns, "forward_delay", "700", "mcast_snooping", "1")
    [vif, _] = two(bridge_interface="eth9", mtu=1450)
    before = host.ns.snapshot()
    host.plug(vif)
    now = host.ns.snapshot()
    assert host.ns.link("br0")["mtu"] == 1400
    assert host.ns.link("eth9")["master"] == "br0"
    assert "UP" in now["links"]["br0"]["flags"]
    assert now["links"]["br0"]["linkinfo"] == before["links"]["br0"]["linkinfo"]
    assert {key: now["sysctls"][key] for key in ("ipv4/br0", "ipv6/br0")} == {
        key: before["sysctls"][key] for key in ("ipv4/br0", "ipv6/br0")
    }
    assert "10.1.0.5" in str(now["addresses"]["br0"])


def test_a_foreign_bridge_is_left_as_it_was(host, clean):
    """With the last VIF, everything of ours goes, the interface and its addresses go home, and the bridge stays."""
    foreign_bridge(host.ns)
    before = host.ns.snapshot()
    first, second = two(bridge_interface="eth9", mtu=1450)
    host.plug(first)
    host.plug(second)
    host.unplug(first)
    host.unplug(second)
    # the kernel keeps a bridge's last port's limits of segmentation offload
    left = [line for line in differences(before, host.ns.snapshot()) if "tso_max_size" not in line]
    assert left == []


def test_a_bridge_that_an_administrator_has_made_and_furnished(host, wire):
    """The usual way by hand: the interface is in the bridge, which has the address. Nothing of that is touched."""
    host.ns.ip("link", "add", "br0", "type", "bridge")
    host.ns.ip("link", "set", "br0", "up")
    host.ns.ip("link", "set", wire, "master", "br0")
    host.ns.ip("address", "add", "10.1.0.5/24", "dev", "br0")
    [vif, _] = two(bridge_interface=wire, filtering=True)
    before = host.ns.snapshot()
    assert host.plan(vif) == []
    host.plug(vif)
    host.unplug(vif)
    assert differences(before, host.ns.snapshot()) == []


def test_a_bridge_of_ours_with_another_interface_is_not_split(host, wire):
    """Two networks that name one interface for two bridges: the second is refused, the first works on."""
    host.plug(vifs.bridge("br0", number=1, bridge_interface=wire))
    before = host.ns.snapshot()
    other = vifs.bridge("br1", number=2, bridge_interface=wire)
    with pytest.raises(exception.ForeignDevice) as caught:
        host.plug(other)
    assert str(caught.value) == ("Interface eth9 cannot lead out of the bridge br1: eth9 is a port of br0 already.")
    assert differences(before, host.ns.snapshot()) == []


def test_the_record_decides_what_is_taken_away(host, clean):
    """A network that changed its bridge since, or lost it, is unplugged from where it was plugged."""
    host.plug(vifs.bridge("br0", bridge_interface="eth9"))
    host.unplug(vifs.bridge("br5", should_provide_bridge=False))
    assert differences(clean, host.ns.snapshot()) == []
