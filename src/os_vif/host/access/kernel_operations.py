# SPDX-License-Identifier: Apache-2.0
"""The closed list of operations, done for real. This is the code that runs with privileges.

It takes no paths and no command lines from its caller, and checks every name it is given. What it does for a caller
without privileges is checked further, object by object (helper_checks.py): one that was taken over can do no more with
it than plug and unplug.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import itertools
import re
import struct
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from os_vif.host.access.helper import checks, rules
from os_vif.host.access.helper import links as helper_links
from os_vif.host.access.helper.rules import RuleOptions
from os_vif.host.kernel import addresses, iptables, neighbour_table, rtnetlink, sysctl, tap_device
from os_vif.host.kernel.netlink import KernelError
from os_vif.host.state.mark_form import DEVICE_GROUP, proves_ownership

#: What the kernel takes; the names of "all" devices are those of settings, and no device's.
_NAME = re.compile(r"(?!(?:\.{1,2}|all|default)$)[^\s/:\x00]{1,15}")
#: What a device of ours may be called: of "tap%d" the kernel makes another name, a "+" is a pattern to iptables, and
#: what begins with "-" an option to any program.
_NEW_NAME = re.compile(r"(?!(?:lo|bonding_masters)$)[A-Za-z0-9._][A-Za-z0-9._-]{0,14}")

#: In seconds.
_LONGEST_PROBE = 30

_GONE = (errno.ENODEV, errno.ENOENT, errno.ESRCH, errno.EADDRNOTAVAIL)


#: How many were done; the errno and the words of the one that failed, 0 and "" when none did.
Result = tuple[int, int, str]

_Find = Callable[..., "rtnetlink.LinkInfo | None"]

#: What the helper's caller asks for in one thread is not to change what is being checked in another.
_turn = threading.Lock()


def run(operations: Sequence[Sequence[Any]], options: RuleOptions | None = None) -> Result:
    """For the privileged helper: does operations in order until one fails, or is not for its caller to do (EPERM).

    ``options`` are those of the operator. Raises nothing, whatever it is given.
    """
    if not isinstance(operations, list | tuple):
        return 0, errno.EINVAL, "operations come in a list"
    helper_links.forget()
    return _run(operations, functools.partial(_do_checked, options=options or RuleOptions()), _ours_to_delete)


def run_own(operations: Sequence[Sequence[Any]]) -> Result:
    """For this process itself, which may do all this, and more, by its own rights."""
    return _run(operations, _do, _ours)


def _run(operations: Sequence[Sequence[Any]], do: Callable[[str, Any], None], find_deletable: _Find) -> Result:
    for done, operation in enumerate(operations):
        name: Any = operation
        try:
            name, arguments = operation
            if name == "link.delete":
                _hasten_deletions(operations, done, find_deletable)
            do(name, arguments)
        except KernelError as error:
            return done, error.errno or 0, str(error)
        except OSError as error:
            return done, error.errno or 0, error.strerror or str(error)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, struct.error) as error:
            return done, errno.EINVAL, f"operation {name!r:.80} was refused: {error}"
    return len(operations), 0, ""


def _do(name: str, arguments: Any) -> None:
    _OPERATIONS[name](**arguments)


def _do_checked(name: str, arguments: Any, options: RuleOptions) -> None:
    with _turn if name != "neighbour.probe" else contextlib.nullcontext():
        _do(name, checks.checked(name, arguments, options))


def read_chain(family: str, chain: str) -> tuple[tuple[str, ...], int] | None:
    """For the privileged helper: the rules of a chain of ours, and how many jumps lead there. Raises OSError."""
    state = rules.read_chain(family, chain)
    return None if state is None else (state.rules, state.jumps)


def _link_add(
    name: str, kind: str, parent: str | None = None, peer: str | None = None, mac: str | None = None, **attributes: Any
) -> None:
    parent_index = _index(parent) if parent is not None else None
    if peer is not None:
        new_device_name(peer)
    mac = mac or _mac_at_creation(kind, parent, attributes.get("options") or {})
    rtnetlink.add_link(
        new_device_name(name), kind, group=DEVICE_GROUP, parent=parent_index, peer=peer, mac=mac, **attributes
    )


def _mac_at_creation(kind: str, parent: str | None, options: dict[str, Any]) -> str | None:
    """A VLAN device has the address of the device below, and so has a macvtap that takes the whole of it."""
    if kind == "vlan" and parent is not None:
        below = rtnetlink.get_link(parent)
        return below.mac if below else None
    return None if options.get("mode") == "passthru" else rtnetlink.random_mac()


def _tap_add(name: str, **attributes: Any) -> None:
    tap_device.create(new_device_name(name), device_group=DEVICE_GROUP, **attributes)


def _link_set(name: str, master: str | None = None, **values: Any) -> None:
    if master is not None:
        values["master"] = _index(master) if master else 0
    rtnetlink.set_link(device_name(name), **values)


def _link_rename(name: str, to: str, index: int, *, interrupt: bool = False) -> None:
    """Gives a device another name. Before Linux 6.2 it has to be down for that; ``interrupt``: then so be it."""
    link = rtnetlink.get_link(device_name(name))
    if link is None or link.index != index:
        raise KernelError(errno.ENODEV, f"device {name} does not exist")
    try:
        rtnetlink.set_link(index, name=new_device_name(to))
        return
    except KernelError as error:
        if error.errno != errno.EBUSY:
            raise
    if not interrupt:
        raise KernelError(errno.EBUSY, f"this kernel renames {name} only while it is down, and the host needs it")
    rtnetlink.set_link(index, up=False)
    try:
        rtnetlink.set_link(index, name=to)
    finally:
        rtnetlink.set_link(index, up=True)


def _hasten_deletions(operations: Sequence[Sequence[Any]], start: int, find_deletable: _Find) -> None:
    """Deletes what this deletion and those right after it would delete, in one go; each still looks for itself.

    The kernel waits for all readers of a device before it lets it go: once for a group, else once for each
    (20 bridges: 340 ms instead of 870 ms, measured).
    """
    if start and operations[start - 1][0] == "link.delete":
        return  # done with the first of them
    following = list(itertools.takewhile(lambda operation: operation[0] == "link.delete", operations[start:]))
    if len(following) == 1:
        return
    links = [link for _, arguments in following if (link := find_deletable(**arguments))]
    if len(links) > 1:
        with contextlib.suppress(KernelError):
            rtnetlink.delete_links(links)


def _ours(name: str, index: int | None = None) -> rtnetlink.LinkInfo | None:
    link = rtnetlink.get_link(device_name(name))
    return link if link and index in (None, link.index) and proves_ownership(link.group, link.alias) else None


def _ours_to_delete(**arguments: Any) -> rtnetlink.LinkInfo | None:
    with _turn, contextlib.suppress(KernelError):
        return _ours(**checks.checked("link.delete", arguments, RuleOptions()))
    return None


def _link_delete(name: str, index: int | None = None) -> None:
    """Deletes a device of ours; one of the same name that took its place is left alone."""
    link = rtnetlink.get_link(device_name(name))
    if link is None or (index is not None and link.index != index):
        return
    if not proves_ownership(link.group, link.alias):
        raise KernelError(errno.EPERM, f"{name} is not marked as made by os-vif")
    _tolerating_absence(rtnetlink.delete_link, link.index)
    _wait_until_gone(name, link.index)


def _wait_until_gone(name: str, index: int) -> None:
    # A tap that a hypervisor still holds open goes away a moment after it was told to.
    for _ in range(100):
        if rtnetlink.index_of(name) != index:
            return
        time.sleep(0.01)


def _sysctl_set(name: str, family: str, key: str, value: str, like: str = "") -> None:
    """``like`` is the device that has the value already: to the helper it is the reason why."""
    sysctl.write(device_name(name), family, key, value)


def _address_add(name: str, address: dict[str, Any]) -> None:
    add = functools.partial(addresses.add_address, is_ours=True)
    _tolerating(errno.EEXIST, add, _index(name), address)


def _address_delete(name: str, address: dict[str, Any]) -> None:
    _tolerating_absence(addresses.delete_address, _index(name), address)


def _neighbour_probe(name: str, address: str, seconds: float) -> None:
    """Returns when a neighbour answers, or has lately; changes nothing but what the kernel remembers of it."""
    index = _index(name)
    if not 0 < seconds <= _LONGEST_PROBE:
        raise ValueError(f"{seconds} seconds is not how long a neighbour is waited for")
    neighbour_table.await_answer(index, address, seconds)


def _route_add(name: str, route: dict[str, Any]) -> None:
    add = functools.partial(addresses.add_route, beside=True)
    _tolerating(errno.EEXIST, add, _index(name), route)


def _route_delete(name: str, route: dict[str, Any]) -> None:
    _tolerating_absence(addresses.delete_route, _index(name), route)


def _index(name: str) -> int:
    index = rtnetlink.index_of(device_name(name))
    if not index:
        raise KernelError(errno.ENODEV, f"device {name} does not exist")
    return index


def new_device_name(name: str) -> str:
    """The name, if a device of ours can be given it. Raises ValueError."""
    if not _NEW_NAME.fullmatch(device_name(name)):
        raise ValueError(f"{name!r} is not a name that os-vif gives to a device: letters, digits, '-', '_' and '.'")
    return name


def device_name(name: str) -> str:
    """The name, if a device can have it. Raises ValueError."""
    if not _NAME.fullmatch(name) or len(name.encode()) > 15:
        raise ValueError(f"{name!r} is not the name of a network device")
    return name


def _tolerating_absence(change: Callable[..., None], *arguments: Any) -> None:
    try:
        change(*arguments)
    except KernelError as error:
        if error.errno not in _GONE:
            raise


def _tolerating(number: int, change: Callable[..., None], *arguments: Any) -> None:
    try:
        change(*arguments)
    except KernelError as error:
        if error.errno != number:
            raise


_OPERATIONS: dict[str, Callable[..., None]] = {
    "link.add": _link_add,
    "link.set": _link_set,
    "link.delete": _link_delete,
    "link.rename": _link_rename,
    "tap.add": _tap_add,
    "sysctl.set": _sysctl_set,
    "address.add": _address_add,
    "address.delete": _address_delete,
    "neighbour.probe": _neighbour_probe,
    "route.add": _route_add,
    "route.delete": _route_delete,
    "firewall.set": iptables.set_chain,
    "firewall.delete": iptables.delete_chain,
}
