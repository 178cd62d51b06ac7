# SPDX-License-Identifier: Apache-2.0
"""Look-ups in sysfs; the root is a parameter, so that tests can give a recorded tree.

Meaning of the files: the kernel's Documentation/ABI/testing/sysfs-class-net and sysfs-bus-pci.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

_VIRTUAL_FUNCTION = re.compile(r"virtfn(\d+)")

#: phys_port_name of a representor: "pf0vf3", "c1pf0vf3" for a function of another controller (a smart NIC's processor
#: sees those of the host so), "vf3", and, from before there was one scheme for all, just the number.
_REPRESENTOR = re.compile(r"(?P<controller>c\d+)?(?:pf(?P<pf>\d+))?(?:vf)?(?P<vf>\d+)")

#: phys_port_name of the port to the wire: "p0".
_UPLINK = re.compile(r"p(?P<pf>\d+)")


def netdev_of_pci(address: str, root: Path = Path("/sys")) -> str | None:
    """The network device at a PCI address (dddd:bb:ss.f), or None. With several, the first by name."""
    return min(_netdevs_of(address, root), default=None)


def physical_function_of(vf: str, root: Path = Path("/sys")) -> tuple[str, int]:
    """The PCI address of the physical function of a virtual function, and the latter's number there.

    Raises LookupError where the address is not that of a virtual function.
    """
    link = _device(vf, root) / "physfn"
    if not link.exists():
        raise LookupError(f"there is no virtual function at PCI address {vf}")
    function = link.resolve().name
    for entry in _device(function, root).iterdir():
        match = _VIRTUAL_FUNCTION.fullmatch(entry.name)
        if match and entry.resolve().name == vf:
            return function, int(match[1])
    raise LookupError(f"the physical function {function} does not know the virtual function {vf}")


def representor_of(vf: str, root: Path = Path("/sys")) -> str:
    """The device in the host that stands for a virtual function.

    It is on the same switch as the physical function, and its phys_port_name has the function's number. Cards with
    several ports may have one switch for all: then it is listed at its physical function, or has the number of that
    in its name. A function of this machine goes before one of another controller with the same numbers.

    Raises LookupError where there is none: the card is not in switchdev mode, say.
    """
    function, number = physical_function_of(vf, root)
    switch = _switch_of(function, root)
    if not switch:
        raise LookupError(
            f"the card of virtual function {vf} is not in switchdev mode: {function} has no phys_switch_id"
        )
    found = min(_representors(function, number, switch, root), default=None)
    if found is None:
        raise LookupError(
            f"no device stands for virtual function {vf} (number {number} of {function}) on switch {switch}"
        )
    return found[1]


def _representors(function: str, number: int, switch: str, root: Path) -> Iterator[tuple[bool, str]]:
    """Those of a function's number: whether it is another controller's, and the name of the device."""
    port, listed = _port_number_of(function, root), set(_netdevs_of(function, root))
    for name in (entry.name for entry in (root / "class" / "net").iterdir()):
        match = _REPRESENTOR.fullmatch(_attribute(name, "phys_port_name", root))
        if match is None or int(match["vf"]) != number or _attribute(name, "phys_switch_id", root) != switch:
            continue
        if name in listed or match["pf"] in (None, str(port)):
            yield match["controller"] is not None, name


def _switch_of(function: str, root: Path) -> str:
    return next(
        (found for name in _netdevs_of(function, root) if (found := _attribute(name, "phys_switch_id", root))), ""
    )


def _port_number_of(function: str, root: Path) -> int:
    """The number of a physical function on its card: that of its port to the wire, if it has just one with a number,
    else the function of its address."""
    names = (_attribute(name, "phys_port_name", root) for name in _netdevs_of(function, root))
    uplinks = [int(match["pf"]) for name in names if (match := _UPLINK.fullmatch(name))]
    if len(uplinks) == 1:
        return uplinks[0]
    number = function.rpartition(".")[2]
    return int(number, 16) if number in tuple("01234567") else 0


def _netdevs_of(address: str, root: Path) -> Iterator[str]:
    directory = _device(address, root) / "net"
    if directory.is_dir():
        yield from sorted(entry.name for entry in directory.iterdir())


def _device(address: str, root: Path) -> Path:
    return root / "bus" / "pci" / "devices" / address


def _attribute(netdev: str, name: str, root: Path) -> str:
    """An attribute of a network device; "" where it has none (the kernel then refuses to read it)."""
    try:
        return (root / "class" / "net" / netdev / name).read_text(errors="replace").strip()
    except OSError:
        return ""
