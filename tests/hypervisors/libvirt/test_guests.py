# SPDX-License-Identifier: Apache-2.0
"""Guests of a real libvirt, on VIFs that are really plugged: packets, interfaces that come and go, and who lets go."""

from __future__ import annotations

import time

import pytest

from os_vif import exception
from os_vif.hypervisors.driver import Guest
from os_vif.objects.network import Network
from os_vif.objects.vif import VIFDirect, VIFPortProfileOpenVSwitch
from os_vif.plugins.linux_bridge import LinuxBridgePlugin
from os_vif.plugins.macvtap import MacvtapPlugin
from os_vif.plugins.ovs import OvsPlugin
from os_vif.plugins.tap import TapPlugin
from support import ovs_vifs, plugging, vifs

ANY = Guest(name="any", uuid=vifs.INSTANCE.uuid)
NETWORKS = ("10.0.1", "10.0.2", "10.0.3")


@pytest.fixture
def plugged(switch, tmp_path):
    """Plugs VIFs, each with its plugin; they are unplugged after the test."""
    plugins = {
        "linux_bridge": plugging.configured(LinuxBridgePlugin),
        "macvtap": plugging.configured(MacvtapPlugin),
        "tap": plugging.configured(TapPlugin),
        "ovs": plugging.configured(OvsPlugin, ovsdb_connection=switch.remote, ovs_vsctl_timeout=20),
    }
    done = []

    def plug(*what):
        for vif in what:
            host = plugging.PlugHost(switch.ns, tmp_path, plugins[vif.plugin])
            host.plug(vif)
            done.append((host, vif))

    def unplug(host, vif):
        host.unplug(vif)
        if "ovs" in host.engine.backends:
            host.engine.backends["ovs"].close()

    yield plug
    for host, vif in reversed(done):
        unplug(host, vif)


def known(guest):
    """A guest as the caller of the driver knows it."""
    return Guest(name=guest.name, uuid=guest.uuid)


def test_guests_on_a_linux_bridge_reach_each_other(libvirtd, plugged, driver):
    """libvirt puts a tap into the bridge that the plugin has made."""
    pair = [vifs.bridge("br1", number=number, mtu=1450) for number in (1, 2)]
    plugged(*pair)
    xml = [driver.render(vif, ANY).text for vif in pair]
    first = libvirtd.guest("one", xml[0], address="10.0.0.1/24")
    with first as one, libvirtd.guest("two", xml[1], address="10.0.0.2/24") as two:
        one.wait()
        two.wait()
        assert one.reaches("10.0.0.2")
        assert one.run("cat /sys/class/net/eth0/mtu").strip() == "1450"


def test_whoever_makes_port_and_tap_of_open_vswitch_the_guest_is_reached(libvirtd, plugged, driver, switch, ns):
    """Both by the plugin; the tap by libvirt; both by libvirt. One guest has all three; libvirt's tap goes with it."""
    ways = ({"create_port": True, "create_tap": True}, {"create_port": True}, {})
    three = [ovs_vifs.native(number=number, **way) for number, way in enumerate(ways, 1)]
    plugged(*three)
    for network in NETWORKS:
        ns.ip("address", "add", f"{network}.1/24", "dev", ovs_vifs.BRIDGE)
    ns.ip("link", "set", ovs_vifs.BRIDGE, "up")
    xml = [driver.render(vif, ANY).text for vif in three]
    with libvirtd.guest("one", *xml) as one:
        one.wait()
        for vif, network in zip(three, NETWORKS, strict=True):
            one.configure(str(vif.address), f"{network}.2/24")
            known = {name: row["ifindex"] for name, row in switch.rows("Interface").items()}
            there = {name: ns.link(name)["ifindex"] for name in known if name in ns.link_names()}
            assert one.reaches(f"{network}.1"), f"{network}: {known}, {there}\n{switch.vsctl('show')}"
        ids = [
            row["external_ids"]["iface-id"] for name, row in sorted(switch.rows("Interface").items()) if "tap" in name
        ]
        assert ids == [vif.port_profile.interface_id for vif in three]
    assert [name in ns.link_names() for name in map(ovs_vifs.tap, (1, 2, 3))] == [True, False, False]


def test_whoever_makes_a_macvtap_the_guest_is_reached(libvirtd, plugged, driver, ns, new_netns):
    """The plugin, or libvirt, which takes its own away with the guest."""
    outside = new_netns()
    ns.ip("link", "add", "wire", "type", "veth", "peer", "name", "far", "netns", outside.name)
    ns.ip("link", "set", "wire", "up")
    outside.ip("link", "set", "far", "up")
    network = Network(bridge_interface="wire")
    ours = vifs.direct("mvt1", network=network)
    theirs = VIFDirect(id=vifs.identity(2), plugin="noop", address="52:54:00:00:00:02", mode="bridge", network=network)
    plugged(ours)
    before = ns.link_names()
    with libvirtd.guest("one", *(driver.render(vif, ANY).text for vif in (ours, theirs))) as one:
        one.wait()
        for vif, prefix in ((ours, "10.0.1"), (theirs, "10.0.2")):
            one.configure(str(vif.address), f"{prefix}.2/24")
            outside.ip("address", "add", f"{prefix}.1/24", "dev", "far")
            assert one.reaches(f"{prefix}.1")
    assert ns.link_names() == before


def test_an_interface_comes_and_goes_while_the_guest_runs(libvirtd, plugged, driver, ns):
    """Packets flow through it; it is there at the next boot too. Giving and taking again does nothing."""
    first, second, third = vifs.bridge("br1"), vifs.generic("tap9", number=2), vifs.bridge("br1", number=3)
    second.address, second.network = "52:54:00:00:00:02", vifs.bridge("br1").network
    plugged(first, second, third)
    with (
        libvirtd.guest("one", driver.render(first, ANY).text, address="10.0.0.1/24") as one,
        libvirtd.guest("two", driver.render(third, ANY).text, address="10.0.9.2/24") as two,
    ):
        one.wait()
        two.wait()
        driver.attach(second, known(one))
        one.configure(str(second.address), "10.0.9.1/24")
        assert one.cards() == {str(first.address), str(second.address)}
        assert one.reaches("10.0.9.2")
        given = both(libvirtd)
        assert all("tap9" in xml for xml in given)
        driver.attach(second, known(one))
        assert both(libvirtd) == given
        driver.detach(second, known(one))
        assert one.cards() == {str(first.address)}
        taken = both(libvirtd)
        assert not any("tap9" in xml for xml in taken)
        driver.detach(second, known(one))
        assert both(libvirtd) == taken
        assert "tap9" in ns.link_names()  # the plugin's to remove


def test_a_check_sees_what_somebody_took_from_a_running_guest(libvirtd, plugged, driver):
    """By virsh, behind os-vif's back; a guest that does not run, or that nobody knows, is not judged."""
    vif = vifs.bridge("br1")
    plugged(vif)
    assert driver.check(vif, ANY) is None
    with libvirtd.guest("one", driver.render(vif, ANY).text) as one:
        one.wait()
        assert driver.check(vif, known(one)) == ()
        libvirtd.virsh("domif-setlink", "one", str(vif.address), "down")
        (cut,) = driver.check(vif, known(one))
        assert (cut.code, cut.mendable) == ("guest-link-down", False)
        assert cut.text == f"The link of {vif.address} is down in libvirt's guest one."
        assert cut.hint == f"`virsh domif-setlink one {vif.address} up`, or ask who took it down."
        libvirtd.virsh("domif-setlink", "one", str(vif.address), "up")
        assert driver.check(vif, known(one)) == ()
        libvirtd.virsh("detach-interface", "one", "bridge", "--mac", str(vif.address), "--live")
        while one.cards():
            time.sleep(0.1)
        (gone,) = driver.check(vif, known(one))
        assert (gone.code, gone.mendable) == ("guest-device-gone", True)
        assert gone.text == "libvirt's guest one has no such interface: it was taken from the guest there."
        driver.attach(vif, known(one))
        assert driver.check(vif, known(one)) == ()
    with libvirtd.defined("two") as two:
        assert driver.check(vif, known(two)) is None


def both(libvirtd):
    """What the guest has now, and what it will have at its next boot."""
    return [libvirtd.virsh("dumpxml", "one", *flags) for flags in ((), ("--inactive",))]


def test_a_running_guest_gets_as_many_queues_as_its_tap_was_made_for(libvirtd, plugged, driver):
    """Without KVM, where there is no vhost to be had: the driver sees what runs the guest."""
    profile = VIFPortProfileOpenVSwitch(interface_id=vifs.identity(1), multiqueue=True)
    vif = vifs.generic("tap9", port_profile=profile, network=vifs.bridge("br1").network)
    plugged(vif)
    with libvirtd.guest("one") as one:
        driver.attach(vif, Guest(name=one.name, uuid=one.uuid, queues=2))
        assert "<driver name='qemu' queues='2'/>" in libvirtd.virsh("dumpxml", "one")
        with pytest.raises(exception.CannotRender, match="its tap is made for several pairs of queues"):
            driver.attach(vif, known(one))


def test_a_guest_that_does_not_let_go_keeps_the_interface_until_it_does(libvirtd, plugged, new_driver):
    """A paused one does not hear that it is asked to. When it goes on it lets go, and detaching says so."""
    vif = vifs.bridge("br1")
    plugged(vif)
    driver = new_driver(uri=libvirtd.uri, detach_timeout=1)
    with libvirtd.guest("one", driver.render(vif, ANY).text) as one:
        one.wait()
        libvirtd.virsh("suspend", "one")
        with pytest.raises(exception.HotPlugFailed) as caught:
            driver.detach(vif, known(one))
        assert str(caught.value) == (
            f"libvirt did not detach interface {vif.id} of one: the guest did not let go of it within 1 seconds."
        )
        assert str(vif.address) in libvirtd.virsh("dumpxml", "one")
        libvirtd.virsh("resume", "one")
        new_driver(uri=libvirtd.uri).detach(vif, known(one))
        assert one.cards() == set()


def test_a_guest_that_does_not_run_gets_it_at_its_next_boot(libvirtd, plugged, driver):
    vif = vifs.bridge("br1")
    plugged(vif)
    with libvirtd.defined("one") as guest:
        driver.attach(vif, known(guest))
        driver.attach(vif, Guest(name="one", uuid=vifs.identity(99)))  # the name says it too
        assert libvirtd.virsh("dumpxml", "one").count(str(vif.address)) == 1
        driver.detach(vif, known(guest))
        driver.detach(vif, known(guest))
        assert str(vif.address) not in libvirtd.virsh("dumpxml", "one")


def test_a_guest_that_is_not_there_takes_nothing_and_has_let_go(driver, libvirtd):
    guest = Guest(name="nobody", uuid=vifs.INSTANCE.uuid)
    driver.detach(vifs.bridge("br1"), guest)
    with pytest.raises(exception.GuestNotFound) as caught:
        driver.attach(vifs.bridge("br1"), guest)
    reason = f"there is none of that name or UUID at {libvirtd.uri}."
    assert str(caught.value) == f"libvirt has no guest nobody: {reason}"


def test_what_libvirt_refuses_is_told_in_its_own_words(libvirtd, driver):
    """The bridge is missing: nobody has plugged the VIF."""
    with libvirtd.guest("one") as one:
        with pytest.raises(exception.HotPlugFailed) as caught:
            driver.attach(vifs.bridge("br-none"), known(one))
        assert "Cannot get interface MTU on 'br-none': No such device" in str(caught.value)
        assert not any("br-none" in xml for xml in both(libvirtd))


def test_a_guest_is_asked_for_its_memory_where_nobody_says(libvirtd, driver, switch, options):
    """By the XML of the one that is there; one that is not is told from one whose memory is its own."""
    options("os_vif_ovs", ovsdb_connection=switch.remote)

    def withdrawn(guest):
        return {lack.name: lack for lack in driver.offer(guest, "host1").withdrawn}

    with libvirtd.defined("one", shared_memory=True) as sharing, libvirtd.defined("two") as keeping:
        assert withdrawn(known(sharing))["vhostuser"].code == "no-dpdk"
        assert "vhostuser-noop" not in withdrawn(known(sharing))
        for guest, reason in (
            (known(keeping), "the guest's memory is not shared with other processes"),
            (ANY, "Nobody said whether any has that, and libvirt does not know it yet."),
        ):
            assert reason in withdrawn(guest)["vhostuser-noop"].reason
