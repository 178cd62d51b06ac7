# SPDX-License-Identifier: Apache-2.0
"""Interfaces given to virtual machines that run, and taken back; the guest itself is asked what it sees."""

from __future__ import annotations

import pytest
from oslo_config import cfg

from os_vif import exception
from os_vif.hypervisors.driver import Guest
from os_vif.objects.network import Network
from os_vif.objects.vif import VIFPortProfileOpenVSwitch
from os_vif.plugins.ovs import OvsPlugin
from os_vif.plugins.tap import TapPlugin
from support import ovs_vifs, plugging, vifs
from support.dpdk import DpdkSwitch
from support.guest import small


def tap(number=1, **more):
    network = Network(bridge="br0", should_provide_bridge=True, mtu=1450)
    return vifs.generic(f"tap{number}", number=number, network=network, **more)


def ids(*numbers):
    """What devices() tells of interfaces that are there."""
    identities = [vifs.identity(number) for number in numbers]
    return [f"nic-{identity}" for identity in identities], [f"net-{identity}" for identity in identities], []


def sees(guest, mac):
    """Waits until the guest has a card, and returns its name."""
    find = f"grep -l {mac} /sys/class/net/*/address"
    return guest.run(f"for try in $(seq 100); do {find} && break; sleep 0.1; done").split("/")[4]


@pytest.fixture
def taps(netns, tmp_path):
    """A host that makes taps in the bridge br0."""
    return plugging.PlugHost(netns, tmp_path, plugging.configured(TapPlugin))


def test_a_guest_on_a_linux_bridge_gets_a_second_card_and_gives_it_back(driver, taps, netns, boot, guest_at, devices):
    """Packets go through it; the first card stays where it is. Giving or taking again does nothing."""
    first, second = tap(1), tap(2)
    second.address = "52:54:00:00:00:02"
    taps.plug(first, second)
    netns.ip("address", "add", "10.0.0.254/24", "dev", "br0")
    running = boot(small.tap("tap1", mac="52:54:00:00:00:01"), address="10.0.1.1/24")
    guest = guest_at(running.qmp)
    for _ in range(2):
        driver.attach(second, guest)
        assert devices(running.qmp) == ids(2)
    name = sees(running, "52:54:00:00:00:02")
    assert name != "eth0"
    running.run(f"ip link set {name} up && ip address add 10.0.0.2/24 dev {name}")
    assert running.reaches("10.0.0.254")
    assert running.run(f"cat /sys/class/net/{name}/mtu").strip() == "1450"
    for _ in range(2):
        driver.detach(second, guest)
        assert devices(running.qmp) == ([], [], [])
    assert running.run("ls /sys/class/net").split() == ["eth0", "lo"]
    taps.unplug(second)


def test_several_queues_are_opened(driver, taps, netns, machine, guest_at):
    """As many as the guest wants, on a tap that was made for it."""
    vif = tap(port_profile=VIFPortProfileOpenVSwitch(multiqueue=True))
    taps.plug(vif)
    driver.attach(vif, guest_at(machine("-device", "pcie-root-port,id=port1,chassis=1"), queues=3))
    opened = netns.link("tap1")["linkinfo"]["info_data"]
    assert opened["numqueues"] + opened["numdisabled"] == 3  # all but one wait for the guest to enable them


@pytest.mark.parametrize("mode", ["server", "client"])
def test_a_guest_gets_a_vhost_user_card(driver, netns, tmp_path, boot, guest_at, devices, mode):
    """Whoever makes the socket; two of them reach each other through Open vSwitch with DPDK."""
    switch = DpdkSwitch(netns)
    try:
        host = plugging.PlugHost(netns, tmp_path, plugging.configured(OvsPlugin, ovsdb_connection=switch.remote))
        ends = [ovs_vifs.vhost_user(mode, number=number) for number in (1, 2)]
        running = [boot(wait=False) for _ in ends]
        for number, (guest, vif) in enumerate(zip(running, ends, strict=True), 1):
            vif.path = f"{switch.directory}/{vif.path.rpartition('/')[2]}"
            host.plug(vif)
            guest.wait()
            # Without MSI-X: QEMU 7.2 crashes with it when the processor is an emulated one.
            driver.attach(vif, guest_at(guest.qmp, options={"vectors": "0"}))
            name = sees(guest, str(vif.address))
            guest.run(f"ip link set {name} up && ip address add 10.0.0.{number}/24 dev {name}")
        assert running[0].reaches("10.0.0.2")
        driver.detach(ends[0], guest_at(running[0].qmp))
        assert devices(running[0].qmp) == ([], [], [])
        host.engine.backends["ovs"].close()
    finally:
        switch.close()


def test_a_card_that_came_with_the_machine_is_taken_too(driver, taps, boot, guest_at, devices):
    """render() and attach() call things by the same names."""
    vif = tap()
    taps.plug(vif)
    options = {"bus": "port1", "romfile": ""}
    rendering = driver.render(vif, Guest("guest", vifs.INSTANCE.uuid, options=options))
    running = boot(rendering.data)
    sees(running, "52:54:00:00:00:01")
    assert devices(running.qmp) == ids(1)
    driver.attach(vif, guest_at(running.qmp))
    driver.detach(vif, guest_at(running.qmp))
    assert devices(running.qmp) == ([], [], [])


def test_a_guest_that_does_not_let_go_is_told_of(driver, taps, machine, guest_at, devices):
    """It stands still. The card is there as before, and detaching can be repeated."""
    cfg.CONF.set_override("hot_plug_timeout", 1, group="os_vif_hypervisor_qemu")
    taps.plug(tap())
    path = machine("-device", "pcie-root-port,id=port1,chassis=1")
    driver.attach(tap(), guest_at(path))
    for _ in range(2):
        with pytest.raises(exception.HotPlugFailed) as caught:
            driver.detach(tap(), guest_at(path))
        assert str(caught.value) == (
            f"qemu did not detach interface {vifs.identity(1)} of guest: Gave up after 1 seconds while waiting for the"
            f" guest to let go of nic-{vifs.identity(1)} from QEMU's monitor {path}."
        )
        assert devices(path) == ids(1)
