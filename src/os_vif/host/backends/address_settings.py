# SPDX-License-Identifier: Apache-2.0
"""The settings that go with a host's addresses: sysctls of the device that has them.

Meaning of the keys: the kernel's Documentation/networking/ip-sysctl.rst.
"""

from __future__ import annotations

from collections.abc import Iterator

from os_vif.host.access.host import HostAccess
from os_vif.host.kernel import sysctl
from os_vif.host.state import NO_HOST_IP

#: A key, its value, and the value that it is to have.
Change = tuple[str, str, str]

DISABLE_IPV6 = "ipv6/disable_ipv6"
_LINK_LOCAL_ADDRESS = "ipv6/addr_gen_mode"
_NO_LINK_LOCAL_ADDRESS = "1"


def to_carry(host: HostAccess, source: str, target: str, *, ipv4: bool, ipv6: bool) -> Iterator[Change]:
    """What makes a bridge behave towards the host's addresses as the interface did that had them.

    IPv6 is on there only if the host has it, and last, so that nothing comes by itself before.
    """
    for family in [name for name, wanted in (("ipv4", ipv4), ("ipv6", ipv6)) if wanted]:
        for key in sysctl.OF_ADDRESSES[family]:
            yield from _difference(host, target, f"{family}/{key}", _value(host, source, f"{family}/{key}"))
    if ipv6:
        # The address of the link moves as all others do; the kernel is not to make another one.
        yield from _difference(host, target, _LINK_LOCAL_ADDRESS, _NO_LINK_LOCAL_ADDRESS)
        yield from _difference(host, target, DISABLE_IPV6, "0")


def to_stand(host: HostAccess, source: str, target: str, *, ipv4: bool, ipv6: bool) -> Iterator[Change]:
    """The same of what decides whether the host can be reached, and by whom, on a bridge that has been furnished."""
    for key, without in NO_HOST_IP.items():
        if key == DISABLE_IPV6:
            yield from _difference(host, target, key, "0" if ipv6 else without)
        else:
            yield from _difference(host, target, key, _value(host, source, key) if ipv4 else without)


def _difference(host: HostAccess, device: str, key: str, wanted: str | None) -> Iterator[Change]:
    found = _value(host, device, key)
    if None not in (found, wanted) and found != wanted:
        yield key, str(found), str(wanted)


def _value(host: HostAccess, device: str, key: str) -> str | None:
    """Of a bridge that is still to be made, what it will have."""
    if host.has_link(device):
        return host.read_sysctl(device, *key.split("/"))
    return NO_HOST_IP.get(key) or host.read_sysctl("default", *key.split("/"))
