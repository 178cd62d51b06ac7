# SPDX-License-Identifier: Apache-2.0
"""Arguments of QEMU: what they are, what is refused, and that QEMU takes them."""

from __future__ import annotations

import shlex

import pytest

from os_vif import exception
from os_vif.hypervisors.driver import Guest
from os_vif.hypervisors.qemu.parts import CARDS
from os_vif.objects.network import Network
from os_vif.objects.vif import (
    VIFGeneric,
    VIFOpenVSwitch,
    VIFPortProfileOpenVSwitch,
    VIFVHostUser,
)
from os_vif.plugins.tap import TapPlugin
from support import plugging, vifs
from support.parts import require_tun

ID = vifs.identity(1)
MAC = "52:54:00:00:00:01"
SEVERAL = VIFPortProfileOpenVSwitch(multiqueue=True)
CARD = f"virtio-net-pci,id=nic-{ID},netdev=net-{ID},mac={MAC}"
TAP = f"tap,id=net-{ID},ifname=tap1,script=no,downscript=no"


def guest(**more):
    return Guest("guest", vifs.INSTANCE.uuid, **more)


def vhost_user(mode, **more):
    return VIFVHostUser(id=ID, address=MAC, mode=mode, path="/run/a,b", **more)


def switched(**profile):
    return VIFOpenVSwitch(id=ID, address=MAC, vif_name="tap1", port_profile=VIFPortProfileOpenVSwitch(**profile))


@pytest.mark.parametrize(
    ("vif", "wanted", "expected"),
    [
        (vifs.generic(), {}, ["-netdev", TAP, "-device", CARD]),
        (vifs.generic(network=Network(mtu=1450)), {}, ["-netdev", TAP, "-device", f"{CARD},host_mtu=1450"]),
        (
            vifs.generic(network=Network(mtu=1450)),
            {"model": "e1000"},
            ["-netdev", TAP, "-device", CARD.replace("virtio-net-pci", "e1000")],
        ),
        (
            vifs.generic(port_profile=SEVERAL),
            {"queues": 4},
            ["-netdev", f"{TAP},queues=4", "-device", f"{CARD},mq=on,vectors=10"],
        ),
        (switched(create_tap=True), {}, ["-netdev", TAP, "-device", CARD]),
        (
            vifs.generic(),
            {"options": {"bus": "port1", "romfile": "", "vectors": "0"}},
            ["-netdev", TAP, "-device", f"{CARD},bus=port1,romfile=,vectors=0"],
        ),
        (
            vhost_user("server"),
            {},
            [
                *("-chardev", f"socket,id=chr-{ID},path=/run/a,,b,server=on,wait=off"),
                *("-netdev", f"vhost-user,id=net-{ID},chardev=chr-{ID}", "-device", CARD),
            ],
        ),
        (
            vhost_user("client"),
            {"queues": 2},
            [
                *("-chardev", f"socket,id=chr-{ID},path=/run/a,,b"),
                *("-netdev", f"vhost-user,id=net-{ID},chardev=chr-{ID},queues=2"),
                *("-device", f"{CARD},mq=on,vectors=6"),
            ],
        ),
    ],
)
def test_the_arguments(driver, vif, wanted, expected):
    """As a list, and quoted for a shell."""
    rendering = driver.render(vif, guest(**wanted))
    assert (rendering.media, rendering.data) == ("arguments", expected)
    assert shlex.split(rendering.text) == expected


@pytest.mark.parametrize(
    ("vif", "wanted", "reason"),
    [
        (vifs.bridge("br0"), {}, "qemu knows no such interfaces."),
        (
            switched(create_port=True),
            {},
            "qemu opens a tap that is there, and nobody makes it (create_tap).",
        ),
        (VIFGeneric(id=ID), {}, "vif_name must be set, because it names the tap."),
        (vifs.generic(), {"queues": 2}, "2 queues are wanted, and its tap has one (multiqueue of the port profile)."),
        (
            vifs.generic(port_profile=SEVERAL),
            {},
            "one queue is wanted, and its tap has several (multiqueue of the port profile).",
        ),
        (
            vifs.generic(port_profile=SEVERAL),
            {"queues": 2, "model": "e1000"},
            "2 queues are wanted, and a card e1000 has one.",
        ),
        (vifs.generic(), {"model": "abacus"}, f"QEMU has no card abacus; it has {', '.join(sorted(CARDS))}."),
        (vifs.generic(), {"options": {"vectors": "few"}}, "the guest's option vectors must be a number, not 'few'."),
        (
            vhost_user("client"),
            {"shared_memory": False},
            "the guest's memory is not shared with other processes, which vhost-user needs.",
        ),
        (vhost_user("client"), {"model": "e1000"}, "vhost-user is for virtio; the guest is to see e1000."),
    ],
)
def test_what_qemu_cannot_take_is_refused(driver, vif, wanted, reason):
    """By the name of what is wrong with it."""
    with pytest.raises(exception.CannotRender) as caught:
        driver.render(vif, guest(**wanted))
    assert str(caught.value) == f"qemu cannot be given VIF {ID} ({type(vif).__name__}): {reason}"


def test_qemu_takes_every_card(driver, machine, netns, tmp_path, ask):
    """One of each that this QEMU has, in one machine."""
    require_tun()
    memory = ["-object", "memory-backend-memfd,id=ram,size=64M,share=on", "-machine", "memory-backend=ram"]
    known = {device["name"] for device in ask(machine(), "qom-list-types", implements="pci-device")}
    models = [model for model, name in sorted(CARDS.items()) if name in known]
    assert {"virtio", "e1000", "e1000e"} <= set(models)
    taps = [vifs.generic(f"tap{number}", number=number) for number in range(len(models))]
    plugging.PlugHost(netns, tmp_path, plugging.configured(TapPlugin)).plug(*taps)
    arguments = [
        word
        for vif, model in zip(taps, models, strict=True)
        for word in driver.render(vif, guest(model=model, options={"romfile": ""})).data
    ]
    path = machine(*memory, *arguments, kind="pc")
    cards = {child["name"]: child["type"] for child in ask(path, "qom-list", path="/machine/peripheral")}
    assert {f"nic-{vif.id}": f"child<{CARDS[model]}>" for vif, model in zip(taps, models, strict=True)}.items() <= (
        cards.items()
    )


@pytest.mark.parametrize(("share", "reason"), [("on", "ovs-unreachable"), ("off", "no-shared-memory")])
def test_a_running_guest_is_asked_for_its_memory(driver, machine, options, guest_at, share, reason):
    """With shared memory it is only Open vSwitch that is missing here."""
    require_tun()
    options("os_vif_ovs", ovsdb_connection="unix:/nowhere/db.sock")
    memory = ("-machine", "memory-backend=ram", "-object", f"memory-backend-memfd,id=ram,size=64M,share={share}")
    offer = driver.offer(guest_at(machine(*memory)), "host-1")
    withdrawn = {one.name: one.code for one in offer.withdrawn}
    assert withdrawn == {"vhostuser": reason, "ovs": "ovs-unreachable", "macvtap": "not-by-name"}
    assert [candidate.name for candidate in offer.candidates] == ["tap"]
    assert offer.hypervisor.startswith("qemu ")
    assert offer.migration_methods == ["live", "cold"]


def test_a_guest_that_does_not_run_is_taken_at_its_word(driver, options, guest_at):
    """There is nobody to ask."""
    require_tun()
    options("os_vif_ovs", ovsdb_connection="unix:/nowhere/db.sock")
    offer = driver.offer(guest_at("/nowhere/qmp", shared_memory=True), "host-1")
    assert offer.hypervisor == "qemu"
    assert [candidate.constraints.shared_memory for candidate in offer.candidates] == [True]
