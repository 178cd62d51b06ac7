# SPDX-License-Identifier: Apache-2.0
"""Neutron's ports with their bindings: reading them, and finding those that are in use by us.

A port in use by us says how far it is in its ``device_owner``, which can be asked for and changed without anything
being bound anew. Neutron gives a port several bindings only if that begins with ``compute:``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote

from os_vif import exception
from os_vif.networks.driver import ACTIVE
from os_vif.networks.neutron.api import Json, Neutron
from os_vif.networks.neutron.record import Record, read

#: All bindings are for good; the active one waits for activation; the active one is for good and another one waits.
SETTLED, WAITING, MOVING = "compute:os-vif", "compute:os-vif-waiting", "compute:os-vif-moving"

_OWNERS = [SETTLED, WAITING, MOVING]
_MULTIPLE = "compute:"

#: ``vif_type``s of bindings that are none.
UNBOUND, FAILED = "unbound", "binding_failed"


def path(port_id: str, host: str) -> str:
    """Where the binding of a port to a host is."""
    return f"/ports/{port_id}/bindings/{quote(host, safe='')}"


@dataclass(frozen=True)
class Bound:
    """One binding, in Neutron's words."""

    host: str
    status: str
    vif_type: str
    vnic_type: str
    details: Mapping[str, Any]
    profile: Mapping[str, Any]

    @cached_property
    def record(self) -> Record | None:
        """What we have written into it."""
        return read(self.profile)

    @property
    def is_active(self) -> bool:
        """Of all bindings of a port, one at most."""
        return self.status == ACTIVE

    @property
    def is_void(self) -> bool:
        """Nothing is bound: that failed, has not come to its end, or another binding has been activated since."""
        return self.vif_type in (UNBOUND, FAILED)

    @property
    def generation(self) -> int:
        """0 of a binding that is not ours."""
        return self.record.generation if self.record else 0


@dataclass(frozen=True)
class Found:
    """A port, as Neutron shows it, and its bindings to hosts."""

    port: Mapping[str, Any]
    bindings: tuple[Bound, ...]

    @property
    def id(self) -> str:
        """The port's."""
        return str(self.port["id"])

    @property
    def owner(self) -> str:
        """Its device_owner."""
        return str(self.port["device_owner"])

    @property
    def revision(self) -> int | None:
        """For compare and swap; None in a Neutron that does not count."""
        return self.port.get("revision_number")

    @property
    def active(self) -> Bound | None:
        """The active binding."""
        return next((bound for bound in self.bindings if bound.is_active), None)

    def at(self, host: str) -> Bound | None:
        """The binding to that host."""
        return next((bound for bound in self.bindings if bound.host == host), None)

    def elsewhere(self, host: str) -> list[Bound]:
        """The others."""
        return [bound for bound in self.bindings if bound.host != host]

    @property
    def records(self) -> list[Record]:
        """Of all bindings that are ours."""
        return [bound.record for bound in self.bindings if bound.record]

    @property
    def ours(self) -> bool:
        """Whether we have made the port. If nothing says so, we have not."""
        return any(record.ours for record in self.records)

    @property
    def key(self) -> str:
        """The attachment's; empty of a port that is not in use by us."""
        return self.records[0].key if self.records else ""

    def is_void(self, bound: Bound) -> bool:
        """Whether nobody may activate one of its bindings any more: it is none, or it was made beside another one."""
        beside, active = bound.record and bound.record.beside, self.active
        overtaken = beside and active and not bound.is_active and beside != (active.host, active.generation)
        return bound.is_void or bool(overtaken)

    def lapses_at(self, bound: Bound) -> float | None:
        """When one of its bindings may be taken back; None if never."""
        waits = self.owner == WAITING if bound.is_active else not bound.is_void
        return bound.record.lapses_at if bound.record and waits else None


def read_port(neutron: Neutron, port_id: str) -> Found:
    """The port of that id. Raises NetworkNotFound."""
    return _with_bindings(neutron, neutron.get(f"/ports/{port_id}"))


def shown(port: Json) -> Found:
    """A port of an answer of Neutron's, which has the active binding only."""
    return Found(port, _active_of(port))


def find(neutron: Neutron, key: str, instance: str | None = None) -> Found | None:
    """The port in use for that key; ``instance``: whose it is, if that is known, which spares looking at all."""
    known = {"device_id": instance} if instance else {"name": key}
    found = _first_of(key, in_use(neutron, **known))
    if found is None and not instance:  # it may be a port that somebody else has made and named
        found = _first_of(key, in_use(neutron))
    if found is None:
        return None
    try:
        return _with_bindings(neutron, found)
    except exception.NetworkNotFound:  # it was just being removed
        return None


def in_use(neutron: Neutron, owners: Iterable[str] = _OWNERS, **filters: Any) -> list[Json]:
    """Ports in use by us, as Neutron lists them."""
    return neutron.get_all("/ports", device_owner=list(owners), **filters)


def waiting(neutron: Neutron) -> Iterable[Found]:
    """Ports that have bindings which wait for activation."""
    for port in in_use(neutron, (WAITING, MOVING)):
        try:
            yield _with_bindings(neutron, port)
        except exception.NetworkNotFound:
            continue  # gone meanwhile


def _first_of(key: str, ports: list[Json]) -> Json | None:
    """Of a port without an active binding only the name tells."""
    named = [port for port in ports if _key_of(port) == key]
    return min(named, key=lambda port: (port.get("created_at") or "", port["id"]), default=None)


def _key_of(port: Json) -> str:
    record = read(port.get("binding:profile"))
    return record.key if record else str(port["name"])


def _with_bindings(neutron: Neutron, port: Json) -> Found:
    if not port["device_owner"].startswith(_MULTIPLE):
        return shown(port)
    listed = neutron.get_all(f"/ports/{port['id']}/bindings")
    return Found(port, tuple(_bound(told.get, "") for told in listed if told["host"]))


def _active_of(port: Json) -> tuple[Bound, ...]:
    """A port whose active binding was deleted has no such attributes at all."""
    return (_bound(port.get, "binding:"),) if port.get("binding:host_id") else ()


def _bound(told: Callable[[str], Any], prefix: str) -> Bound:
    return Bound(
        host=told(f"{prefix}host_id") or told("host") or "",
        status=told("status") if not prefix else ACTIVE,
        vif_type=told(f"{prefix}vif_type") or UNBOUND,
        vnic_type=told(f"{prefix}vnic_type") or "normal",
        details=told(f"{prefix}vif_details") or {},
        profile=told(f"{prefix}profile") or {},
    )
