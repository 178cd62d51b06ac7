# SPDX-License-Identifier: Apache-2.0
"""Finding backends that other packages bring: entry points of the group ``os_vif.backends``.

They are looked for when a resource, or a record, names one that is not ours, and when garbage is collected.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from importlib import metadata
from typing import Any

from os_vif import exception

GROUP = "os_vif.backends"

#: Backends of this package, see host/engine/registry.py. Another package's cannot take their place.
OWN = ("link", "addresses", "firewall", "ovs")

_told: dict[str, Callable[..., Any]] = {}


def tell(name: str, make: Callable[..., Any]) -> None:
    """Has this process use a backend whose package is not installed: for its tests."""
    _told[name] = make


def names() -> list[str]:
    """Of all backends that are installed, but for ours."""
    return [name for name in dict.fromkeys([*_told, *_entry_points()]) if name not in OWN]


def load(name: str) -> Any:
    """What the entry point of that name leads to. Raises BackendUnavailable."""
    if name in _told:
        return _told[name]
    entry_point = _entry_points().get(name)
    if entry_point is None:
        reason = f"no installed package has an entry point {name} in the group {GROUP}."
        raise exception.BackendUnavailable(backend=name, reason=reason)
    try:
        return entry_point.load()
    except Exception as error:
        reason = f"{origin(name)} cannot be imported: {error!r}."
        raise exception.BackendUnavailable(backend=name, reason=reason) from error


def origin(name: str) -> str:
    """Which package brings it, and where it is there."""
    entry_point = _entry_points().get(name)
    if entry_point is None:
        return "from no package"
    package = entry_point.dist
    return f"{entry_point.value} of {package.name} {package.version}" if package else entry_point.value


@functools.cache
def _entry_points() -> Mapping[str, metadata.EntryPoint]:
    """Of several of one name the first counts, as it does for imports."""
    found: dict[str, metadata.EntryPoint] = {}
    for entry_point in metadata.entry_points(group=GROUP):
        found.setdefault(entry_point.name, entry_point)
    return found
