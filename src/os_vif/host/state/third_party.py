# SPDX-License-Identifier: Apache-2.0
"""Finding backends that other packages bring: entry points of the group ``os_vif.backends``.

They are looked for when a resource, or a record, names one that is not ours, and when garbage is collected.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from os_vif import exception
from os_vif.exception.log import logger

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

LOG = logger(__name__)

GROUP = "os_vif.backends"

#: Backends of this package, see host/engine/registry.py. Another package's cannot take their place.
OWN = ("link", "addresses", "firewall", "ovs")

#: What to do about a package that is there and cannot be used as it is.
HINT_OF_FAULT = "That is a fault of the package: report it to whoever wrote it. Nothing was touched."

_told: dict[str, Callable[..., Any]] = {}


def tell(name: str, make: Callable[..., Any]) -> None:
    """Has this process use a backend whose package is not installed: for its tests."""
    _told[name] = make


def forget(name: str) -> None:
    """Takes back what tell() has told."""
    _told.pop(name, None)


def forget_all() -> None:
    """Looks anew for what is installed, and takes back what tell() has told: for tests."""
    _told.clear()
    _entry_points.cache_clear()


def names() -> list[str]:
    """Of all backends that are installed, but for ours."""
    return list(dict.fromkeys([*_told, *_entry_points()]))


def load(name: str) -> Any:
    """What the entry point of that name leads to. Raises BackendUnavailable."""
    if name in _told:
        return _told[name]
    entry_point = _only(name)
    try:
        return entry_point.load()
    except exception.BackendUnavailable:
        raise
    except (Exception, SystemExit) as error:
        reason = f"{origin(name)} cannot be imported: {error!r}."
        raise exception.BackendUnavailable(backend=name, reason=reason) from error


def origin(name: str) -> str:
    """Which package brings it, and where it is there."""
    found = () if name in _told else _entry_points().get(name, ())
    return " and ".join(map(_origin, found)) or "from no package"


def fault(name: str, reason: str) -> exception.BackendUnavailable:
    """The error for a backend that its package has to mend."""
    error = exception.BackendUnavailable(backend=name, reason=reason)
    error.hint = HINT_OF_FAULT
    return error


def _only(name: str) -> EntryPoint:
    """Which of two packages a record means cannot be told: neither is used."""
    found = _entry_points().get(name, ())
    if not found:
        reason = f"no installed package has an entry point {name} in the group {GROUP}."
        raise exception.BackendUnavailable(backend=name, reason=reason)
    if len(found) > 1:
        error = exception.BackendUnavailable(backend=name, reason=f"{origin(name)} have the same name.")
        error.hint = "Uninstall all of them but the one that plugged what is recorded."
        raise error
    return found[0]


@functools.cache
def _entry_points() -> Mapping[str, Sequence[EntryPoint]]:
    """By their names, without those that are ours."""
    from importlib.metadata import entry_points  # costs more than the whole vocabulary, and few need it

    found: dict[str, list[EntryPoint]] = {}
    for entry_point in entry_points(group=GROUP):
        if entry_point.name in OWN:
            LOG.warning("%s is not used: the backend %s is os-vif's own.", _origin(entry_point), entry_point.name)
        else:
            found.setdefault(entry_point.name, []).append(entry_point)
    return found


def _origin(entry_point: EntryPoint) -> str:
    package = entry_point.dist
    return f"{entry_point.value} of {package.name} {package.version}" if package else entry_point.value
