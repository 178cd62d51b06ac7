# SPDX-License-Identifier: Apache-2.0
"""Desired state as text, a line per resource, so that what a plugin states can be written down as a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from os_vif.host.state import NO_HOST_IP, Resource, to_primitive

_LEFT_OUT = ("resource", "name")


def lines(resources: Iterable[Resource]) -> list[str]:
    """What differs from the defaults: `Bridge br0 if_foreign=share mtu=1450 shared sysctls=no-host-ip`."""
    return [" ".join(_words(to_primitive(resource))) for resource in resources]


def _words(data: Mapping[str, Any]) -> Iterator[str]:
    yield str(data["resource"])
    if "name" in data:
        yield str(data["name"])
    for key, value in sorted(data.items()):
        if key not in _LEFT_OUT:
            yield key if value is True else f"{key}={_shown(value)}"


def _shown(value: Any) -> str:
    if value == dict(NO_HOST_IP):
        return "no-host-ip"
    if isinstance(value, tuple | list):
        return "; ".join(value)
    return str(value)
