# SPDX-License-Identifier: Apache-2.0
"""The same operations on a fake host and on the kernel, each in a fresh namespace, and what is then to be seen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from socket import AF_INET
from typing import Any, TypeVar

from os_vif.host.access import kernel_operations
from os_vif.host.access.host import HostAccess, RealHost
from os_vif.host.contract.operations import Operation, OperationFailed
from os_vif.host.kernel.addresses import family_of
from os_vif.host.kernel.rtnetlink import LinkInfo
from os_vif.testing import FakeHost
from os_vif.testing.fake.link import NO_MAC
from support.kernel import CLONE_NEWNET, unshare

T = TypeVar("T")

SYSCTLS = ("ipv4/arp_ignore", "ipv6/disable_ipv6")


def on_fake(operations: Sequence[Operation]) -> tuple[list[int], dict[str, Any], set[str]]:
    """What each operation gave (0 or an errno), the devices afterwards, and which of them have a chosen MAC."""
    host = FakeHost(without=["vlan"])
    answers = [_fake_answer(host, operation) for operation in operations]
    return (
        answers,
        _state(host),
        {name for name, link in host.links.items() if link.mac_is_set and not link.mac_is_random},
    )


def _fake_answer(host: FakeHost, operation: Operation) -> int:
    try:
        host.run([operation], "")
    except OperationFailed as failure:
        return failure.errno
    return 0


def on_kernel(operations: Sequence[Operation]) -> tuple[list[int], dict[str, Any]]:
    """The same, for real."""

    def body() -> tuple[list[int], dict[str, Any]]:
        unshare(CLONE_NEWNET)
        return [kernel_operations.run_own([operation.to_primitive()])[1] for operation in operations], _state(
            RealHost()
        )

    return _in_a_thread(body)


def _in_a_thread(function: Callable[[], T]) -> T:
    """A thread of its own may leave its namespace, which ends with it."""
    outcome: list[T] = []
    thread = threading.Thread(target=lambda: outcome.append(function()))
    thread.start()
    thread.join()
    return outcome[0]


def _state(host: HostAccess) -> dict[str, Any]:
    return {link.name: _link(host, link) for link in host.all_links()}


def _link(host: HostAccess, link: LinkInfo) -> dict[str, Any]:
    shown = {name: getattr(link, name) for name in ("kind", "mtu", "mac", "up", "promiscuous", "group", "alias")}
    options = {name: value for name, value in link.options.items() if name not in ("owner", "group")}
    sysctls = {key: host.read_sysctl(link.name, *key.split("/")) for key in SYSCTLS}
    return {
        **shown,
        "master": _name(host, link.master),
        "below": _name(host, link.parent),
        "options": options,
        "sysctls": sysctls,
        "addresses": [a["shown"] for a in host.addresses_of(link.index) if family_of(a) == AF_INET],
        "routes": sorted(route["shown"] for route in host.routes_via(link.index)),
    }


def _name(host: HostAccess, index: int) -> str:
    link = host.get_link_by_index(index) if index else None
    return link.name if link else ""


def without_chance(state: dict[str, Any], chosen: set[str]) -> dict[str, Any]:
    """Without the MACs that were thrown by dice; that a device has none at all still counts."""
    return {
        name: link if name in chosen else {**link, "mac": "none" if link["mac"] == NO_MAC else "some"}
        for name, link in state.items()
    }
