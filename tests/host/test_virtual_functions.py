# SPDX-License-Identifier: Apache-2.0
"""Finding what stands for a virtual function in the host, on cards that name it in different ways."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from os_vif.host.kernel import sysfs
from support.sysfs import Card, Netdev, build

UPSTREAM = Path(__file__).parents[1] / "support" / "representors_upstream.py"

PF0, PF1 = "0000:03:00.0", "0000:03:00.1"
VFS0 = ("0000:03:00.2", "0000:03:00.3")
VFS1 = ("0000:03:01.2", "0000:03:01.3")
SWITCH, SECOND_SWITCH = "b4d9c8e7a6f50403", "b5d9c8e7a6f50403"

#: mlx5, Linux 5.x: the representors are listed at the physical function, like the port to the wire.
MLX5 = Card(
    {PF0: VFS0},
    (
        Netdev("enp3s0f0np0", PF0, SWITCH, "p0"),
        Netdev("enp3s0f0npf0vf0", PF0, SWITCH, "pf0vf0"),
        Netdev("enp3s0f0npf0vf1", PF0, SWITCH, "pf0vf1"),
        Netdev("en3f0pf0sf1", PF0, SWITCH, "pf0sf1"),
        Netdev("enp3s0f0v0", VFS0[0]),
        Netdev("enp3s0f0v1", VFS0[1]),
    ),
)
#: mlx5, Linux 4.x: just numbers, and the representors are virtual devices without a parent.
MLX5_NUMBERS = Card(
    {PF0: VFS0},
    (Netdev("ens1f0", PF0, SWITCH), Netdev("eth3", "", SWITCH, "0"), Netdev("eth4", "", SWITCH, "1")),
)
#: The same with two ports, each with a switch of its own.
MLX5_NUMBERS_TWICE = Card(
    {PF0: VFS0, PF1: VFS1},
    (
        Netdev("ens1f0", PF0, SWITCH),
        Netdev("ens1f1", PF1, SECOND_SWITCH),
        Netdev("eth3", "", SECOND_SWITCH, "1"),
        Netdev("eth4", "", SWITCH, "1"),
    ),
)
#: A smart NIC seen from its own processor: the names tell of the controller.
CONTROLLER = Card(
    {PF0: VFS0},
    (Netdev("p0", PF0, SWITCH, "p0"), Netdev("a", "", SWITCH, "c1pf0vf0"), Netdev("b", "", SWITCH, "c1pf0vf1")),
)
#: The same, with functions of the processor's own besides.
CONTROLLER_AND_OWN = Card(
    {PF0: VFS0},
    (
        Netdev("p0", PF0, SWITCH, "p0"),
        Netdev("pf0hpf", PF0, SWITCH, "c1pf0"),
        Netdev("hosts", PF0, SWITCH, "c1pf0vf1"),
        Netdev("own", PF0, SWITCH, "pf0vf1"),
    ),
)
VF_ONLY = Card(
    {PF0: VFS0},
    (Netdev("ens4np0", PF0, SWITCH, "p0"), Netdev("eth0", "", SWITCH, "vf0"), Netdev("eth1", "", SWITCH, "vf1")),
)
#: nfp: one physical function for several ports, and a representor of itself.
ONE_FUNCTION = Card(
    {PF0: VFS0},
    (
        Netdev("a1", PF0, SWITCH, "p1"),
        Netdev("b0", PF0, SWITCH, "p0"),
        Netdev("pf", "", SWITCH, "pf0"),
        Netdev("r1", "", SWITCH, "pf0vf1"),
    ),
)
#: Two ports on one switch ("multiport e-switch"): only the physical function tells the representors apart.
TWO_PORTS = Card(
    {PF0: VFS0, PF1: VFS1},
    (
        Netdev("a0", PF0, SWITCH, "p0"),
        Netdev("a1", PF1, SWITCH, "p1"),
        Netdev("r00", "", SWITCH, "pf0vf0"),
        Netdev("r01", "", SWITCH, "pf0vf1"),
        Netdev("r10", "", SWITCH, "pf1vf0"),
        Netdev("r11", "", SWITCH, "pf1vf1"),
    ),
)
#: The same, where the firmware counts physical functions in its own way: what is listed where decides.
TWO_PORTS_COUNTED_OTHERWISE = Card(
    {PF0: VFS0, PF1: VFS1},
    (
        Netdev("a0", PF0, SWITCH, "p0"),
        Netdev("a1", PF1, SWITCH, "p1"),
        Netdev("r01", PF0, SWITCH, "pf2vf1"),
        Netdev("r11", PF1, SWITCH, "pf3vf1"),
    ),
)
MANY = tuple(f"0000:03:{number // 8 + 2:02x}.{number % 8}" for number in range(12))
#: Numbers of two digits.
DOZEN = Card(
    {PF0: MANY},
    (Netdev("p0", PF0, SWITCH, "p0"), *(Netdev(f"r{number}", PF0, SWITCH, f"pf0vf{number}") for number in range(12))),
)
#: Somebody else's card with the same numbers.
ANOTHER = Card(
    {"0000:5e:00.0": ()}, (Netdev("other", "0000:5e:00.0", "ffff", "p0"), Netdev("aaa", "", "ffff", "pf0vf1"))
)

#: A card, the address of a virtual function, and what stands for it.
CASES = [
    (MLX5, VFS0[0], "enp3s0f0npf0vf0"),
    (MLX5, VFS0[1], "enp3s0f0npf0vf1"),
    (MLX5_NUMBERS, VFS0[1], "eth4"),
    (MLX5_NUMBERS_TWICE, VFS0[1], "eth4"),
    (MLX5_NUMBERS_TWICE, VFS1[1], "eth3"),
    (CONTROLLER, VFS0[1], "b"),
    (VF_ONLY, VFS0[0], "eth0"),
    (ONE_FUNCTION, VFS0[1], "r1"),
    (TWO_PORTS, VFS0[1], "r01"),
    (TWO_PORTS, VFS1[1], "r11"),
    (TWO_PORTS, VFS1[0], "r10"),
    (DOZEN, MANY[1], "r1"),
    (DOZEN, MANY[11], "r11"),
]
#: Where upstream finds none, or takes what the directory happens to list first.
BEYOND_UPSTREAM = [
    (CONTROLLER_AND_OWN, VFS0[1], "own"),
    (TWO_PORTS_COUNTED_OTHERWISE, VFS0[1], "r01"),
    (TWO_PORTS_COUNTED_OTHERWISE, VFS1[1], "r11"),
]


@pytest.mark.parametrize(("card", "vf", "representor"), CASES + BEYOND_UPSTREAM)
def test_the_representor_is_found(tmp_path, card, vf, representor):
    """Whatever the scheme of names, and with another card in the machine."""
    root = build(tmp_path, ANOTHER, card)
    assert sysfs.representor_of(vf, root) == representor


def test_upstream_finds_the_same(netns, oracle_python, tmp_path):
    """os-vif 5.3.0, looking at the same trees."""
    trees = [str(build(tmp_path / str(number), ANOTHER, card)) for number, (card, _, _) in enumerate(CASES)]
    asked = json.dumps([(tree, vf) for tree, (_, vf, _) in zip(trees, CASES, strict=True)])
    # `ip netns exec` has a mount namespace of its own, in which /sys can be another.
    printed = netns.run([oracle_python, "-P", "-W", "ignore", UPSTREAM, asked]).stdout
    assert json.loads(printed) == [representor for _, _, representor in CASES]


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
    assert sysfs.netdev_of_pci(VFS0[1], root) == "enp3s0f0v1"
    assert sysfs.netdev_of_pci("0000:ff:00.0", root) is None
