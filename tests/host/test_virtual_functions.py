# SPDX-License-Identifier: Apache-2.0
"""Finding what stands for a virtual function in the host, on cards that name it in different ways."""

from __future__ import annotations

import pytest

from os_vif.host import sysfs
from support.sysfs import Card, Netdev, build

PF0, PF1 = "0000:3b:00.0", "0000:3b:00.1"
VFS0 = ("0000:3b:00.2", "0000:3b:00.3")
VFS1 = ("0000:3b:01.2", "0000:3b:01.3")
SWITCH = "b4d9c8e7a6f50403"

#: mlx5, Linux 5.x: the representors are listed at the physical function, like the port to the wire.
MLX5 = Card(
    {PF0: VFS0},
    (
        Netdev("enp59s0f0np0", PF0, SWITCH, "p0"),
        Netdev("enp59s0f0npf0vf0", PF0, SWITCH, "pf0vf0"),
        Netdev("enp59s0f0npf0vf1", PF0, SWITCH, "pf0vf1"),
        Netdev("enp59s0f0v0", VFS0[0]),
        Netdev("enp59s0f0v1", VFS0[1]),
    ),
)
#: mlx5, Linux 4.x: just numbers, and the representors are virtual devices without a parent.
MLX5_NUMBERS = Card(
    {PF0: VFS0},
    (Netdev("ens1f0", PF0, SWITCH), Netdev("eth3", "", SWITCH, "0"), Netdev("eth4", "", SWITCH, "1")),
)
#: A smart NIC seen from its own processor: the names tell of the controller.
CONTROLLER = Card(
    {PF0: VFS0},
    (Netdev("p0", PF0, SWITCH, "p0"), Netdev("a", "", SWITCH, "c1pf0vf0"), Netdev("b", "", SWITCH, "c1pf0vf1")),
)
#: nfp and others.
VF_ONLY = Card(
    {PF0: VFS0},
    (Netdev("ens4np0", PF0, SWITCH, "p0"), Netdev("eth0", "", SWITCH, "vf0"), Netdev("eth1", "", SWITCH, "vf1")),
)
#: Two ports on one switch ("multiport e-switch"): only the physical function tells the representors apart.
TWO_PORTS = Card(
    {PF0: VFS0, PF1: VFS1},
    (
        Netdev("a0", PF0, SWITCH, "p0"),
        Netdev("a1", PF1, SWITCH, "p1"),
        Netdev("r00", PF0, SWITCH, "pf0vf0"),
        Netdev("r01", PF0, SWITCH, "pf0vf1"),
        Netdev("r10", PF1, SWITCH, "pf1vf0"),
        Netdev("r11", PF1, SWITCH, "pf1vf1"),
    ),
)
#: Somebody else's card with the same numbers.
ANOTHER = Card(
    {"0000:5e:00.0": ()}, (Netdev("other", "0000:5e:00.0", "ffff", "p0"), Netdev("aaa", "", "ffff", "pf0vf1"))
)


@pytest.mark.parametrize(
    ("card", "vf", "representor"),
    [
        (MLX5, VFS0[0], "enp59s0f0npf0vf0"),
        (MLX5, VFS0[1], "enp59s0f0npf0vf1"),
        (MLX5_NUMBERS, VFS0[1], "eth4"),
        (CONTROLLER, VFS0[1], "b"),
        (VF_ONLY, VFS0[0], "eth0"),
        (TWO_PORTS, VFS0[1], "r01"),
        (TWO_PORTS, VFS1[0], "r10"),
    ],
)
def test_the_representor_is_found(tmp_path, card, vf, representor):
    """Whatever the scheme of names, and with another card in the machine."""
    root = build(tmp_path, ANOTHER, card)
    assert sysfs.representor_of(vf, root) == representor


def test_a_virtual_function_knows_its_physical_function_and_number(tmp_path):
    """Which is what DPDK wants to be told."""
    root = build(tmp_path, TWO_PORTS)
    assert sysfs.physical_function_of(VFS0[0], root) == (PF0, 0)
    assert sysfs.physical_function_of(VFS1[1], root) == (PF1, 1)


def test_what_is_no_virtual_function_is_said(tmp_path):
    """A physical function, and an address where nothing is."""
    root = build(tmp_path, MLX5)
    for address in (PF0, "0000:ff:00.0"):
        with pytest.raises(LookupError, match=f"there is no virtual function at PCI address {address}"):
            sysfs.representor_of(address, root)


def test_a_card_in_legacy_mode_is_said(tmp_path):
    """It has virtual functions, and no representors."""
    root = build(tmp_path, Card({PF0: VFS0}, (Netdev("eth0", PF0), Netdev("eth1", VFS0[0]))))
    with pytest.raises(LookupError, match=f"function {VFS0[0]} is not in switchdev mode: {PF0} has no phys_switch_id"):
        sysfs.representor_of(VFS0[0], root)


def test_a_missing_representor_is_said(tmp_path):
    """The driver has not made it, or somebody has moved it to another network namespace."""
    root = build(tmp_path, Card({PF0: VFS0}, (Netdev("p0", PF0, SWITCH, "p0"), Netdev("r", "", SWITCH, "pf0vf0"))))
    with pytest.raises(LookupError, match=f"no device stands for virtual function {VFS0[1]} "):
        sysfs.representor_of(VFS0[1], root)


def test_the_netdev_at_an_address_is_found(tmp_path):
    """Or there is none."""
    root = build(tmp_path, MLX5)
    assert sysfs.netdev_of_pci(VFS0[1], root) == "enp59s0f0v1"
    assert sysfs.netdev_of_pci("0000:ff:00.0", root) is None
