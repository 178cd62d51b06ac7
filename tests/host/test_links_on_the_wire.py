# SPDX-License-Identifier: Apache-2.0
"""What we read over rtnetlink, compared with what pyroute2 and `ip` read; what we write, read back by `ip`."""

from __future__ import annotations

import errno
import threading

import pytest

from os_vif.host.kernel import netlink, rtnetlink, tap_device
from os_vif.host.state.mark_form import DEVICE_GROUP
from support import require, require_tun

DEVICES = (
    ("link", "add", "br0", "mtu", "1400", "type", "bridge", "ageing_time", "1200", "forward_delay", "400"),
    ("link", "add", "va", "type", "veth", "peer", "name", "vb"),
    ("link", "set", "va", "master", "br0", "promisc", "on", "up", "alias", "some words"),
    ("link", "add", "mv", "link", "vb", "type", "macvtap", "mode", "vepa"),
    ("tuntap", "add", "dev", "t0", "mode", "tap", "multi_queue"),
)


@pytest.fixture
def furnished(netns):
    """A namespace with one device of each kind."""
    require_tun()
    for command in DEVICES:
        netns.ip(*command)
    return netns


@pytest.mark.parametrize("name", ["lo", "br0", "va", "vb", "mv", "t0"])
def test_a_device_is_read_as_pyroute2_reads_it(furnished, name):
    """Index, kind, MTU, MAC, flags, master, parent, group and alias agree with an independent reader."""
    require(module="pyroute2", package="pyroute2")
    with furnished.enter():
        ours = rtnetlink.get_link(name)
        theirs = _read_by_pyroute2(name)
    assert ours is not None
    assert {
        "index": ours.index,
        "kind": ours.kind,
        "mtu": ours.mtu,
        "mac": ours.mac,
        "up": ours.up,
        "promiscuous": ours.promiscuous,
        "master": ours.master,
        "parent": ours.parent,
        "group": ours.group,
        "alias": ours.alias,
    } == theirs


def _read_by_pyroute2(name):
    from pyroute2 import IPRoute

    with IPRoute() as route:
        (link,) = route.link("get", ifname=name)
    info = link.get_attr("IFLA_LINKINFO")
    return {
        "index": link["index"],
        "kind": (info.get_attr("IFLA_INFO_KIND") if info else None) or "",
        "mtu": link.get_attr("IFLA_MTU"),
        "mac": link.get_attr("IFLA_ADDRESS"),
        "up": bool(link["flags"] & 1),
        "promiscuous": bool(link["flags"] & 0x100),
        "master": link.get_attr("IFLA_MASTER") or 0,
        "parent": link.get_attr("IFLA_LINK") or 0,
        "group": link.get_attr("IFLA_GROUP"),
        "alias": link.get_attr("IFLA_IFALIAS") or "",
    }


def test_the_options_of_each_kind_are_read(furnished):
    """What is particular to a bridge, a macvtap and a tap is read in the kernel's units."""
    with furnished.enter():
        options = {name: rtnetlink.get_link(name).options for name in ("br0", "mv", "t0")}
    assert options["br0"] == {"forward_delay": 400, "ageing_time": 1200, "stp": 0, "mcast_snooping": 1}
    assert options["mv"] == {"mode": "vepa"}
    assert (options["t0"]["multi_queue"], options["t0"]["persist"]) == (1, 1)


def test_what_does_not_exist_is_none(netns):
    """Looking for a device that is not there is no error."""
    with netns.enter():
        assert rtnetlink.get_link("nosuch") is None
        assert rtnetlink.get_link_by_index(4711) is None


def test_ports_are_those_of_the_bridge_alone(furnished):
    """The kernel's filter by master is honoured."""
    with furnished.enter():
        bridge = rtnetlink.get_link("br0")
        assert [port.name for port in rtnetlink.ports_of(bridge.index)] == ["va"]
        assert {link.name for link in rtnetlink.all_links()} == {"lo", "br0", "va", "vb", "mv", "t0"}


def test_a_device_is_marked_by_the_message_that_creates_it(netns):
    """Group, MTU and MAC are there from the first moment, and the device is down."""
    with netns.enter():
        rtnetlink.add_link("br9", "bridge", group=DEVICE_GROUP, mac="02:00:00:00:00:09", mtu=1300)
    link = netns.link("br9")
    assert (link["group"], link["mtu"], link["address"]) == (str(DEVICE_GROUP), 1300, "02:00:00:00:00:09")
    assert "UP" not in link["flags"]


def test_both_ends_of_a_veth_pair_are_marked(netns):
    """The peer is created in the group too."""
    with netns.enter():
        rtnetlink.add_link("one", "veth", group=DEVICE_GROUP, peer="two")
    assert {netns.link(name)["group"] for name in ("one", "two")} == {str(DEVICE_GROUP)}


def test_the_kernel_refuses_in_its_own_words(netns):
    """An error has the errno, and the kernel's explanation where it gives one."""
    with netns.enter():
        rtnetlink.add_link("dup", "bridge", group=0)
        with pytest.raises(netlink.KernelError) as taken:
            rtnetlink.add_link("dup", "bridge", group=0)
        with pytest.raises(netlink.KernelError) as unknown:
            rtnetlink.add_link("odd", "nosuchkind", group=0)
    assert (taken.value.errno, str(taken.value)) == (errno.EEXIST, "File exists")
    assert (unknown.value.errno, str(unknown.value)) == (errno.EOPNOTSUPP, "Unknown device type")


def test_each_thread_speaks_with_its_own_namespace(new_netns):
    """A thread that moves to another namespace is not answered from the one it came from."""
    one, two = new_netns(), new_netns()
    one.ip("link", "add", "only-one", "type", "bridge")
    seen = {}

    def look():
        for namespace in (one, two, one):
            with namespace.enter():
                seen.setdefault(namespace.name, []).append(rtnetlink.get_link("only-one") is not None)

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(seen[one.name]) == {True}
    assert set(seen[two.name]) == {False}


def test_namespaces_are_told_apart(new_netns):
    """The kernel's cookie differs between two namespaces and stays the same in one."""
    one, two = new_netns(), new_netns()
    cookies = []
    for namespace in (one, two, one):
        with namespace.enter():
            cookies.append(netlink.conversation().namespace_cookie())
    assert cookies[0] == cookies[2] != cookies[1]


def test_a_tap_is_persistent_down_and_marked(netns):
    """The tap outlives the process that made it, and has what was asked for."""
    require_tun()
    with netns.enter():
        tap_device.create("tap9", device_group=DEVICE_GROUP, mtu=1442, multi_queue=True, owner=65534)
    link = netns.link("tap9")
    data = link["linkinfo"]["info_data"]
    assert (link["mtu"], link["group"]) == (1442, str(DEVICE_GROUP))
    assert (data["type"], data["persist"], data["multi_queue"], data["pi"]) == ("tap", True, True, False)
    assert str(data["user"]) in ("65534", "nobody")
    assert "UP" not in link["flags"]


def test_a_tap_whose_name_is_taken_is_refused(netns):
    """Somebody else's tap is not attached to, and stays as it is."""
    require_tun()
    netns.ip("tuntap", "add", "dev", "tap9", "mode", "tap")
    before = netns.snapshot()
    with netns.enter(), pytest.raises(OSError) as refused:
        tap_device.create("tap9", device_group=DEVICE_GROUP)
    assert (refused.value.errno, str(refused.value)) == (errno.EEXIST, "a tap named tap9 exists already")
    assert netns.snapshot() == before
