# SPDX-License-Identifier: Apache-2.0
"""Fields of IP addresses and networks."""

from __future__ import annotations

from typing import Any, TypeVar

import netaddr

from os_vif.objects import refusals
from os_vif.objects.fields.field import Field
from os_vif.objects.fields.reading import Reader
from os_vif.objects.fields.scalars import in_form, text

T = TypeVar("T")

# A netaddr object is made in one microsecond from another one and in several from text, and networks repeat
# their addresses; they are mutable, so the ones kept here are only ever copied.
_KNOWN_ADDRESSES: dict[str, netaddr.IPAddress] = {}
_KNOWN_NETWORKS: dict[str, netaddr.IPNetwork] = {}
_KNOWN_AT_MOST = 4096


class IPAddressField(Field[netaddr.IPAddress]):
    """An IPv4 or IPv6 address; kept as a ``netaddr.IPAddress``."""

    TYPE = "IPAddress"

    def accept(self, value: Any, attr: str) -> netaddr.IPAddress:
        known = _KNOWN_ADDRESSES.get(value) if type(value) is str else value
        if known is None:
            known = _remember(_KNOWN_ADDRESSES, value, self._parse(value))
        return self._parse(known)

    def _parse(self, value: Any) -> netaddr.IPAddress:
        try:
            return netaddr.IPAddress(value)
        except netaddr.AddrFormatError as error:
            raise ValueError(f"{refusals.show(value)} is not an IP address") from error

    def write(self, value: netaddr.IPAddress) -> str:
        return str(value)

    def read(self, value: Any, reader: Reader) -> netaddr.IPAddress:
        return in_form(self, text(value))


class IPNetworkField(Field[netaddr.IPNetwork]):
    """An IPv4 or IPv6 network with its prefix length; kept as a ``netaddr.IPNetwork``."""

    TYPE = "IPNetwork"

    def accept(self, value: Any, attr: str) -> netaddr.IPNetwork:
        known = _KNOWN_NETWORKS.get(value) if type(value) is str else value
        if known is None:
            known = _remember(_KNOWN_NETWORKS, value, self._parse(value))
        return self._parse(known)

    def _parse(self, value: Any) -> netaddr.IPNetwork:
        if not isinstance(value, (str, netaddr.IPNetwork, netaddr.IPAddress)):
            raise TypeError(f"a network is needed, not a {type(value).__name__}")
        try:
            return netaddr.IPNetwork(value)
        except netaddr.AddrFormatError as error:
            raise ValueError(f"{refusals.show(value)} is not an IP network, such as 10.0.0.0/24") from error

    def write(self, value: netaddr.IPNetwork) -> str:
        return str(value)

    def read(self, value: Any, reader: Reader) -> netaddr.IPNetwork:
        return in_form(self, text(value))


def _remember(known: dict[str, T], key: str, value: T) -> T:
    if len(known) >= _KNOWN_AT_MOST:
        known.clear()
    known[key] = value
    return value
