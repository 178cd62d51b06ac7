# SPDX-License-Identifier: Apache-2.0
"""VXLAN devices: what is there, what it takes for one to be as stated, and doing it.

Only what is particular to VXLAN is done here. What every device has is set by steps of os-vif's own backend ``link``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from os_vif import exception
from os_vif.backend import (
    Backend,
    DeviceMarks,
    Holding,
    HostAccess,
    LinkInfo,
    Marked,
    Operation,
    Outcome,
    Purpose,
    Resource,
    Step,
    perform,
)
from vif_plug_vxlan import kernel
from vif_plug_vxlan.resource import Vxlan

#: What this backend does to a host, beside deleting a device: what else is asked for is refused.
_OPERATIONS: Mapping[str, Callable[..., object]] = {
    "vxlan.add": kernel.add,
    "vxlan.add-peer": kernel.add_peer,
    "vxlan.remove-peer": kernel.remove_peer,
}


@dataclass(frozen=True)
class Found:
    """A device of the name; ``vxlan`` is None where it is of another kind."""

    link: LinkInfo
    master: str
    sysctls: Mapping[str, str | None]
    vxlan: kernel.Particulars | None


class VxlanBackend(Backend):
    """Those of the network namespace of the calling thread."""

    def __init__(self, host: HostAccess, home: str) -> None:
        self._host = host
        self._marks = DeviceMarks(home)

    def read(self, resources: Sequence[Resource], purpose: Purpose) -> Mapping[str, Found | None]:
        """By the keys of the resources."""
        return {one.key: self._found(one) for one in resources if isinstance(one, Vxlan)}

    def converge(self, resource: Resource, actual: Any, purpose: Purpose) -> Outcome:
        """Raises ForeignDevice for what is not ours, or is for another network."""
        assert isinstance(resource, Vxlan)
        found: Found | None = actual[resource.key]
        if found is None:
            steps = (_add(resource), *self._changes(resource, None, purpose))
            return Outcome(Holding(resource, made=True), steps)
        self._check(resource, found, purpose)
        return Outcome(Holding(resource, made=True), tuple(self._changes(resource, found, purpose)))

    def remove(self, holding: Holding, actual: Any, purpose: Purpose) -> Sequence[Step]:
        """The device, with its peers; what is not ours stays."""
        resource, found = holding.resource, actual[holding.resource.key]
        assert isinstance(resource, Vxlan)
        if found is None or not found.vxlan or not self._marks.may_delete(resource, found.link, purpose.vif_id):
            return ()
        operation = Operation("link.delete", {"name": resource.name, "index": found.link.index})
        return (Step("link", resource.name, f"delete {resource.label}", operation),)

    def leave(self, holding: Holding, actual: Any) -> tuple[str, Sequence[Step]]:
        """Why VIFs of another journal need a device, and what takes ours off its mark."""
        resource, found = holding.resource, actual[holding.resource.key]
        assert isinstance(resource, Vxlan)
        reason, alias = self._marks.others_need(resource, found.link) if found else ("", "")
        return reason, [_set(resource.name, "alias", alias, found.link.alias)] if reason else []

    def is_there(self, holding: Holding, actual: Any, purpose: Purpose) -> bool:
        """Whether anything is left of it."""
        return actual[holding.resource.key] is not None

    def marked(self) -> Sequence[Marked]:
        """All that os-vif has made, for garbage collection."""
        links = self._host.all_links()
        names = {link.index: link.name for link in links}
        ours = [link for link in links if link.kind == Vxlan.kind and self._marks.is_marked(link)]
        return [self._marks.marked(_as_resource(link), link, port_of=names.get(link.master, "")) for link in ours]

    def run(self, operations: Sequence[Operation], context: str) -> None:
        """One after the other. Raises OperationFailed, NotPermitted."""

        def delete(name: str) -> None:
            # The host looks for the mark before it deletes: somebody else's may have taken the place of ours.
            self._host.run([Operation("link.delete", {"name": name})], context)

        perform(operations, {**_OPERATIONS, "vxlan.delete": delete})

    def _found(self, resource: Vxlan) -> Found | None:
        link = self._host.get_link(resource.name)
        if link is None:
            return None
        master = self._host.get_link_by_index(link.master) if link.master else None
        sysctls = {key: self._host.read_sysctl(link.name, *key.split("/")) for key in resource.sysctls}
        vxlan = kernel.particulars(link.index) if link.kind == Vxlan.kind else None
        return Found(link, master.name if master else "", sysctls, vxlan)

    def _check(self, resource: Vxlan, found: Found, purpose: Purpose) -> None:
        reason = self._marks.why_not_for(resource, found.link, purpose.vif_id)
        if found.vxlan is None:
            reason = f"it is a {found.link.kind or 'physical device'}, not a VXLAN device."
        elif not reason and (found.vxlan.vni, found.vxlan.local) != (resource.vni, resource.local):
            reason = f"it is for network {found.vxlan.vni} and address {found.vxlan.local}; unplug it first."
        if reason:
            raise exception.ForeignDevice(device=resource.name, vif_id=purpose.vif_id, reason=reason)

    def _changes(self, resource: Vxlan, found: Found | None, purpose: Purpose) -> Iterator[Step]:
        """IP off and the right MTU before it joins the bridge, and up last."""
        name, link = resource.name, found.link if found else None
        alias = self._marks.alias(resource, link, purpose.vif_id)
        if link is None or link.alias != alias:
            yield _set(name, "alias", alias, link.alias if link else None)
        for key, value in resource.sysctls.items():
            if found is None or found.sysctls[key] not in (None, value):
                yield _sysctl(name, key, value, found.sysctls[key] if found else None)
        for what in ("mtu", "mac", "promiscuous"):
            wanted = getattr(resource, what)
            if wanted is not None and (link is None or getattr(link, what) != wanted):
                yield _set(name, what, wanted, getattr(link, what) if link else None)
        yield from _peers(resource, found)
        if resource.master is not None and (found is None or found.master != resource.master):
            yield _set(name, "master", resource.master, found.master if found else None)
        if resource.up is not None and (link is None or link.up != resource.up):
            yield _set(name, "up", resource.up, link.up if link else None)


def _peers(resource: Vxlan, found: Found | None) -> Iterator[Step]:
    there = found.vxlan.peers if found and found.vxlan else frozenset()
    for peer in sorted({*resource.peers} - there):
        yield _peer(resource.name, peer, "add", "remove")
    for peer in sorted(there - {*resource.peers}):
        yield _peer(resource.name, peer, "remove", "add")


def _peer(name: str, peer: str, word: str, undo: str) -> Step:
    there, back = (Operation(f"vxlan.{what}-peer", {"name": name, "peer": peer}) for what in (word, undo))
    return Step("vxlan", name, f"{word} peer {peer} of {name}", there, back)


def _add(resource: Vxlan) -> Step:
    """Its undoing undoes all that is set right after."""
    arguments = {"name": resource.name, "vni": resource.vni, "local": resource.local}
    text = f"create {resource.label} for network {resource.vni}"
    undo = Operation("vxlan.delete", {"name": resource.name})
    return Step("vxlan", resource.name, text, Operation("vxlan.add", arguments), undo)


def _set(name: str, what: str, new: Any, old: Any) -> Step:
    undo = None if old is None else Operation("link.set", {"name": name, what: old})
    text = f"set {what} of {name} to {new}" if what != "up" else f"bring {name} {'up' if new else 'down'}"
    return Step("link", name, text, Operation("link.set", {"name": name, what: new}), undo)


def _sysctl(name: str, setting: str, new: str, old: str | None) -> Step:
    family, _, key = setting.partition("/")
    there, back = (
        None if value is None else Operation("sysctl.set", {"name": name, "family": family, "key": key, "value": value})
        for value in (new, old)
    )
    assert there is not None
    return Step("link", name, f"set sysctl {setting} of {name} to {new}", there, back)


def _as_resource(link: LinkInfo) -> Vxlan:
    """As far as garbage collection needs it."""
    return Vxlan(name=link.name, vni=0, local="", shared=DeviceMarks.is_shared(link))
