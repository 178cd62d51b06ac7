# SPDX-License-Identifier: Apache-2.0
"""A fake host as those use it who test without privileges."""

from __future__ import annotations

import errno
import threading

import pytest

import os_vif
from os_vif import exception
from os_vif.plugging import current
from os_vif.testing import FakeHost, fake_host
from support import vifs


def test_plugging_needs_no_privileges():
    """A VIF plugged on a fake host leaves the devices that it leaves on a real one, and no trace once unplugged."""
    with fake_host() as host:
        before = host.snapshot()
        os_vif.plug(vifs.bridge("br0", mtu=1450), vifs.INSTANCE)
        assert host.links["br0"].up
        assert host.links["br0"].mtu == 1450
        assert host.links["br0"].sysctls["ipv6/disable_ipv6"] == "1"
        os_vif.unplug(vifs.bridge("br0", mtu=1450), vifs.INSTANCE)
        assert host.snapshot() == before


def test_a_bridge_takes_over_the_addresses_of_a_card():
    """The chain of names a user looks at: the card's bridge, and where its addresses and routes have gone."""
    with fake_host() as host:
        host.somebody.add_nic("eth0", addresses=["192.0.2.5/24"])
        host.somebody.add_route("eth0", "default", via="192.0.2.1")
        os_vif.plug(vifs.bridge("br0", bridge_interface="eth0"), vifs.INSTANCE)
        assert host.links["eth0"].master == "br0"
        assert [address["shown"] for address in host.links["br0"].addresses] == ["192.0.2.5/24"]
        assert [route["shown"] for route in host.links["br0"].routes] == ["default"]


def test_events_tell_every_change():
    """A second plug of the same VIF changes nothing, and that can be seen."""
    with fake_host() as host:
        os_vif.plug(vifs.generic("tap1"), vifs.INSTANCE)
        assert str(host.events[0]) == "tap.add tap1"
        host.events.clear()
        os_vif.plug(vifs.generic("tap1"), vifs.INSTANCE)
        assert host.events == []


def test_an_operation_can_be_made_to_fail():
    """The error names step, device, VIF and the kernel's words; the host is as it was; a second try succeeds."""
    with fake_host() as host:
        before = host.snapshot()
        host.fail_at("link.set", errno.ENOBUFS, device="tap1")
        with pytest.raises(exception.PlugException, match=r"tap1.*No buffer space available") as caught:
            os_vif.plug(vifs.generic("tap1", number=7), vifs.INSTANCE)
        assert vifs.identity(7) in str(caught.value)
        assert host.snapshot() == before
        os_vif.plug(vifs.generic("tap1", number=7), vifs.INSTANCE)
        assert host.links["tap1"].up


def test_operations_fail_by_number_and_as_often_as_asked():
    """The n-th operation from now on fails; one with ``times`` fails so many times; recover() ends it."""
    with fake_host() as host:
        host.fail_at(2, errno.ENOMEM)
        with pytest.raises(exception.PlugException, match="Cannot allocate memory"):
            os_vif.plug(vifs.generic(), vifs.INSTANCE)
        host.fail_at("tap.add", errno.EPERM, times=2, words="not today")
        for _ in range(2):
            with pytest.raises(exception.PlugException, match="not today"):
                os_vif.plug(vifs.generic(), vifs.INSTANCE)
        host.fail_at("tap.add", times=1000)
        host.recover()
        os_vif.plug(vifs.generic(), vifs.INSTANCE)
        assert "tap1" in host.links


def test_unprivileged():
    """A host on which we may do nothing says so."""
    with fake_host() as host:
        host.privileged = False
        with pytest.raises(exception.PlugException, match="Operation not permitted"):
            os_vif.plug(vifs.generic(), vifs.INSTANCE)


def test_a_reboot_takes_all_but_cards():
    """After a reboot the boot id is another, devices are gone, cards are there, down and without addresses."""
    host = FakeHost()
    host.somebody.add_nic("eth0", pci="0000:01:00.0", addresses=["192.0.2.5/24"])
    host.somebody.add("br9")
    before = host.boot_id()
    host.reboot()
    assert host.boot_id() != before
    assert sorted(host.links) == ["eth0", "lo"]
    assert not host.links["eth0"].up
    assert host.links["eth0"].addresses == []
    assert host.netdev_of_pci("0000:01:00.0") == "eth0"


def test_namespaces_are_apart_and_belong_to_threads():
    """What is done in one namespace is not seen in another, and each thread is where it went itself."""
    host = FakeHost()
    host.somebody.add("br-outside")
    seen: list[str] = []
    with host.inside("blue"):
        host.somebody.add("br-inside")
        thread = threading.Thread(target=lambda: seen.extend(host.links))
        thread.start()
        thread.join()
        assert sorted(host.links) == ["br-inside", "lo"]
        assert host.namespace() == "blue"
    assert sorted(seen) == ["br-outside", "lo"]
    assert host.namespace() == "initial"


def test_what_somebody_else_made_is_not_ours():
    """A foreign device is in the way of a VIF, and is not touched."""
    with fake_host() as host:
        host.somebody.add("tap1", "tun")
        before = host.snapshot()
        with pytest.raises(exception.PlugException, match="os-vif did not make it"):
            os_vif.plug(vifs.generic("tap1"), vifs.INSTANCE)
        assert host.snapshot() == before


def test_somebody_changes_things():
    """Removing, resizing and reconfiguring behind our back is seen by check() and put right by repair()."""
    with fake_host() as host:
        vif = vifs.bridge("br0", mtu=1450)
        os_vif.plug(vif, vifs.INSTANCE)
        plugged = host.snapshot()
        host.somebody.set("br0", mtu=1300, up=False)
        host.somebody.set_sysctl("br0", "ipv6/disable_ipv6", "0")
        assert not os_vif.check(vif, vifs.INSTANCE).ok
        os_vif.repair(vif, vifs.INSTANCE)
        assert host.snapshot() == plugged
        host.somebody.remove("br0")
        os_vif.repair(vif, vifs.INSTANCE)
        assert set(host.links) == {"lo", "br0"}
        assert [event.by for event in host.events if event.operation == "remove"] == ["somebody"]


def test_the_same_state_again_is_a_restart(tmp_path):
    """A second process, with the same state directory and host, knows what the first has plugged."""
    with fake_host(state=tmp_path) as host:
        os_vif.plug(vifs.generic(), vifs.INSTANCE)
    with fake_host(host, state=tmp_path):
        assert [record.vif_id for record in os_vif.records()] == [vifs.identity(1)]
        os_vif.unplug(vifs.generic(), vifs.INSTANCE)
    assert sorted(host.links) == ["lo"]


def test_what_was_used_before_is_used_again():
    """After the block, os_vif works on what it worked on before, also when the block ends with an error."""
    before = current.in_use()
    with pytest.raises(ZeroDivisionError), fake_host():
        _ = 1 / 0
    assert current.in_use() is before


def test_a_kind_of_device_that_the_kernel_lacks():
    """A host without VLAN support refuses VLAN devices in the kernel's words, and leaves nothing behind."""
    with fake_host(FakeHost(without=["vlan"])) as host:
        host.somebody.add_nic("eth0")
        before = host.snapshot()
        vif = vifs.bridge("br0", bridge_interface="eth0", should_provide_vlan=True, vlan=7)
        with pytest.raises(exception.PlugException, match="Unknown device type"):
            os_vif.plug(vif, vifs.INSTANCE)
        assert host.snapshot() == before


def test_vlan_devices():
    """VLAN devices, which not every test machine's kernel has: the device, its parent and its id."""
    with fake_host() as host:
        host.somebody.add_nic("eth0")
        os_vif.plug(vifs.bridge("br0", bridge_interface="eth0", should_provide_vlan=True, vlan=7), vifs.INSTANCE)
        assert host.links["vlan7"].parent == "eth0"
        assert host.links["vlan7"].options["vlan_id"] == 7
        assert host.links["vlan7"].master == "br0"
