# SPDX-License-Identifier: Apache-2.0
"""The backend of network devices: what it takes for a device to be as a plugin states it, and to be gone again."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from os_vif import exception
from os_vif.host.access.host import HostAccess
from os_vif.host.backends import link_creation, link_names
from os_vif.host.backends.link_names import INDEX
from os_vif.host.backends.link_view import LinkView
from os_vif.host.backends.usage import Usage
from os_vif.host.contract.backend import Marked, OfTheHost, Purpose
from os_vif.host.contract.operations import Operation
from os_vif.host.contract.plan import Holding, Outcome, Step
from os_vif.host.journal import marks
from os_vif.host.journal.device_marks import DeviceMarks
from os_vif.host.kernel import addresses
from os_vif.host.kernel.rtnetlink import LinkInfo
from os_vif.host.state import (
    AddressesMoved,
    Bridge,
    ExistingLink,
    IfForeign,
    Link,
    Macvtap,
    Resource,
    Tap,
    Veth,
    VethPeer,
    Vlan,
)


class LinkBackend:
    """Devices of this network namespace."""

    name = "link"

    def __init__(self, host: HostAccess, home: str = "") -> None:
        """``home`` is the journal that tells of what is made here (identity.py)."""
        self._host = host
        self._home = marks.short(home)
        self._marks = DeviceMarks(home)

    def read(self, resources: Sequence[Resource], purpose: Purpose) -> LinkView:
        """A view that asks the kernel for each device once, when it is first looked at."""
        return LinkView(self._host)

    def run(self, operations: Sequence[Operation], context: str) -> None:
        """Does operations in order. Raises OperationFailed."""
        self._host.run(operations, context)

    def converge(self, resource: Resource, actual: Any, purpose: Purpose) -> Outcome:
        """The steps that make the device as stated; its MTU last where it is a bridge.

        A bridge may not have a larger MTU than its ports, and the kernel corrects it when a port is added.
        """
        assert isinstance(resource, Link)
        info = actual.link(resource.name)
        if info is None:
            return self._creation(resource, actual, purpose)
        made = self._check_ownership(resource, info, purpose)
        _check_identity(resource, info, actual, purpose)
        alias = self._marks.alias(resource, info, purpose.vif_id) if made else None
        changes = list(_differences(resource, info, actual, alias))
        if not made:
            changes = [change for change in changes if _may_change_foreign(resource, change)]
        prior = {} if made else {name: old for name, old, _ in changes}
        known = purpose.held.get(resource.key)
        if known is not None and not made:
            prior = {**prior, **known.prior}
        prior[INDEX] = info.index
        return _outcome(resource, [_change_step(resource, *change) for change in changes], made=made, prior=prior)

    def is_there(self, holding: Holding, actual: Any, purpose: Purpose) -> bool:
        """Whether the device is there, under whatever name."""
        assert isinstance(holding.resource, Link)
        return bool(actual.link(holding.resource.name) or list(self.renames([holding], purpose)))

    def renames(self, holdings: Sequence[Holding], purpose: Purpose) -> Iterator[Step]:
        """What gives devices that somebody renamed their names back. Raises ForeignDevice."""
        return link_names.steps(self._host, holdings, purpose)

    def _creation(self, resource: Link, view: LinkView, purpose: Purpose) -> Outcome:
        if isinstance(resource, ExistingLink):
            if resource.required:
                raise exception.DeviceMissing(device=resource.name, vif_id=purpose.vif_id)
            return _outcome(resource, (), made=False, prior={})
        steps = link_creation.steps(resource, view, purpose.vif_id, self._home)
        return _outcome(resource, steps, made=True, prior={})

    def _check_ownership(self, resource: Link, info: LinkInfo, purpose: Purpose) -> bool:
        """Whether the device counts as made by us. Raises ForeignDevice where it is in the way."""
        if isinstance(resource, ExistingLink):
            return False
        if info.kind != resource.kind:
            raise _in_the_way(resource, purpose, f"it is a {info.kind or 'physical device'}, not a {resource.kind}.")
        reason = self._marks.why_not_for(resource, info, purpose.vif_id)
        if not reason:
            return True
        if marks.is_marked(info) or resource.if_foreign is IfForeign.REFUSE:
            raise _in_the_way(resource, purpose, reason)
        return resource.if_foreign is IfForeign.ADOPT

    def remove(self, holding: Holding, actual: Any, purpose: Purpose) -> Sequence[Step]:
        """Deletes what we made and still bears our mark; puts back what we changed on what we did not make."""
        resource = holding.resource
        assert isinstance(resource, Link)
        info = _find(holding, actual)
        if info is None:
            return ()
        if holding.made and not isinstance(resource, ExistingLink):
            return list(self._deletion(resource, info, purpose))
        return list(_restoration(holding, dataclasses.replace(resource, name=info.name), info, actual))

    def in_use(self, holding: Holding, actual: Any, leaving: Sequence[Holding]) -> str:
        """A device stays while there are others that do not leave with it: ports of a bridge, which would be cut off,
        and VLAN and macvtap devices on top, which the kernel would delete along with it.

        So does a bridge that the host has addresses on, and the port that leads it out, unless these move elsewhere.
        """
        if isinstance(holding.resource, ExistingLink):
            return _needed_port(holding, actual, leaving)
        if not isinstance(holding.resource, Bridge | Vlan) or not holding.made:
            return ""
        name = holding.resource.name
        if stranded := _stranded(name, actual, leaving):
            return OfTheHost(f"bridge {name} has address {stranded} of the host, which has nowhere else to go")
        found = (_find(other, actual) for other in leaving if isinstance(other.resource, Link))
        ours = {link.name for link in found if link} | {other.resource.device_name for other in leaving}
        ports = sorted({port.name for port in actual.ports(name)} - ours)
        above = sorted({link.name for link in actual.on_top_of(name)} - ours)
        info = actual.link(name)
        if ports:
            return f"bridge {name} still has port {', '.join(ports)}"
        bridge = actual.name_of(info.master) if info else ""
        if bridge and bridge not in ours:
            return f"{name} is a port of {bridge}"
        return f"{', '.join(above)} is on top of {name}" if above else ""

    def leave(self, holding: Holding, actual: Any) -> tuple[str, Sequence[Step]]:
        """Where VIFs of other journals need a device of ours, too, by its mark: it stays, and names only those."""
        resource = holding.resource
        assert isinstance(resource, Link)
        info = actual.link(resource.name)
        reason, alias = self._marks.others_need(resource, info) if info is not None and holding.made else ("", "")
        if info is None or not reason:
            return "", ()
        return reason, [_change_step(resource, "alias", info.alias, alias)] if alias != info.alias else []

    def marked(self) -> Sequence[Marked]:
        """Every device that bears our mark; of a veth pair, the end with the lower index."""
        links = self._host.all_links()
        usage = Usage(links, self._host.is_held_open, self._has_addresses)
        names = {info.index: info.name for info in links}
        return [
            self._marks.marked(link, info, in_use=usage.of(info), port_of=names.get(info.master, ""))
            for info, link in _marked_links(links)
        ]

    def _has_addresses(self, info: LinkInfo) -> bool:
        return any(not addresses.is_link_local(address) for address in self._host.addresses_of(info.index))

    def is_held_open(self, resource: Link) -> bool:
        """Whether a process holds a tap or macvtap open now, or may."""
        info = self._host.get_link(resource.name)
        if info is None:
            return False
        return (info.kind == "tun" and info.carrier) or (info.kind == "macvtap" and self._host.is_held_open(info))

    def _deletion(self, resource: Link, info: LinkInfo, purpose: Purpose) -> Iterator[Step]:
        """A device to adopt gets our mark first: it was plugged by an earlier os-vif, and not plugged again since."""
        adopted = resource.if_foreign is IfForeign.ADOPT and info.kind == resource.kind
        if isinstance(resource, VethPeer) or not (marks.is_marked(info) or adopted):
            return
        if purpose.vif_id and not resource.shared and marks.owner_of(info) not in ("", purpose.vif_id):
            return  # it has the name that the device of this VIF would have, or had
        if not marks.is_marked(info):
            alias = marks.alias_for(resource, purpose.vif_id, self._home)
            yield _change_step(resource, "alias", info.alias, alias)
        operation = Operation("link.delete", {"name": resource.name, "index": info.index})
        yield Step("link", resource.name, f"delete {resource.label}", operation)


def _find(holding: Holding, view: LinkView) -> LinkInfo | None:
    """The device of a resource: by its name or, if it was there before us and was renamed since, by its index."""
    resource = holding.resource
    assert isinstance(resource, Link)
    info = view.link(resource.name)
    index = holding.prior.get(INDEX)
    if info is None and index and isinstance(resource, ExistingLink):
        return view.by_index(index)
    return info


def _stranded(bridge: str, view: LinkView, leaving: Sequence[Holding]) -> str:
    """An address of the host that would go with a bridge: there is no device that it could move to."""
    for other in leaving:
        if isinstance(other.resource, AddressesMoved) and other.resource.target == bridge:
            index = other.prior.get(INDEX)
            if view.link(other.resource.source) or (index and view.by_index(index)):
                return ""
    return next(view.host_addresses(bridge), "")


def _needed_port(holding: Holding, view: LinkView, leaving: Sequence[Holding]) -> str:
    """A port that leads the host's own traffic out leaves its bridge with the addresses there, not before."""
    resource, info = holding.resource, _find(holding, view)
    assert isinstance(resource, ExistingLink)
    if info is None or not resource.master or view.name_of(info.master) != resource.master:
        return ""
    if any(isinstance(h.resource, AddressesMoved) and h.resource.target == resource.master for h in leaving):
        return ""
    address = next(view.host_addresses(resource.master), "")
    return f"address {address} of the host is reached by it" if address else ""


def _in_the_way(resource: Link, purpose: Purpose, reason: str) -> exception.ForeignDevice:
    return exception.ForeignDevice(device=resource.name, vif_id=purpose.vif_id, reason=reason)


def _check_identity(resource: Link, info: LinkInfo, view: LinkView, purpose: Purpose) -> None:
    """What a device is cannot be changed in place, and nothing is deleted in order to add."""
    for what, wanted, found in _identity(resource, info, view):
        if wanted != found and isinstance(resource, ExistingLink):
            reason = f"{resource.name} is a port of {found or 'another device'} already."
            raise exception.UplinkUnsuitable(device=resource.name, bridge=wanted, reason=reason, vif_id=purpose.vif_id)
        if wanted != found:
            raise _in_the_way(
                resource, purpose, f"its {what} is {found or 'none'}, wanted is {wanted}; unplug it first."
            )


def _identity(resource: Link, info: LinkInfo, view: LinkView) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(resource, Vlan):
        yield "parent", link_creation.parent_of(resource, view), view.name_of(info.parent)
        yield "VLAN id", resource.vlan_id, info.options.get("vlan_id")
    elif isinstance(resource, Macvtap):
        yield "parent", link_creation.parent_of(resource, view), view.name_of(info.parent)
        yield "mode", resource.mode, info.options.get("mode")
    elif isinstance(resource, Veth | VethPeer):
        yield "peer", resource.peer, view.name_of(info.parent)
    elif isinstance(resource, Tap):
        yield "multi-queue", resource.multi_queue, bool(info.options.get("multi_queue"))
    if (resource.shared or isinstance(resource, ExistingLink)) and resource.master and info.master:
        yield "bridge", resource.master, view.name_of(info.master)


_IPV6_MINIMUM_MTU = 1280

#: An attribute that differs: its name, what it is, what it shall be.
Change = tuple[str, Any, Any]


def _differences(resource: Link, info: LinkInfo, view: LinkView, alias: str | None) -> Iterator[Change]:
    """In the order in which they are to be made: IP off before up, MTU before joining a bridge."""
    if alias is not None and info.alias != alias:
        yield "alias", info.alias, alias
    for key, wanted in _standing_sysctls(resource).items():
        found = view.sysctl(resource.name, key)
        if found is not None and found != wanted:
            yield f"sysctl {key}", found, wanted
    for name, value in (("mtu", resource.mtu), ("mac", link_creation.mac_of(resource, view))):
        if value not in (None, getattr(info, name)):
            yield name, getattr(info, name), value
    yield from _differences_to_come(resource, info, view)
    for name, value in link_creation.options_of(resource).items():
        if isinstance(resource, Bridge) and info.options.get(name) != value:
            yield f"option {name}", info.options.get(name), value
    if resource.master is not None and view.name_of(info.master) != resource.master:
        yield "master", view.name_of(info.master), resource.master
    for name in ("promiscuous", "up"):
        if getattr(resource, name) not in (None, getattr(info, name)):
            yield name, getattr(info, name), getattr(resource, name)


def _standing_sysctls(resource: Link) -> Mapping[str, str]:
    """Those that are to stay as they were at first: a bridge with an uplink gets the host's addresses, and with them
    the settings that these had there."""
    return {} if isinstance(resource, Bridge) and resource.uplink else resource.sysctls


def _differences_to_come(resource: Link, info: LinkInfo, view: LinkView) -> Iterator[Change]:
    """The kernel takes IPv6 off a device whose MTU is too small for it; with a larger one it is back, switched on."""
    if info.mtu < _IPV6_MINIMUM_MTU <= (resource.mtu or 0):
        for key, wanted in _standing_sysctls(resource).items():
            if key.startswith("ipv6/") and view.sysctl(resource.name, key) is None:
                yield f"sysctl {key}", "0", wanted


def _may_change_foreign(resource: Link, change: Change) -> bool:
    """On a device that somebody else made, nothing is changed but that it is up, and a port of the bridge stated."""
    return isinstance(resource, ExistingLink) or change[0] in ("up", "master")


def _change_step(resource: Link, name: str, old: Any, new: Any) -> Step:
    was = "" if name == "up" else f" (was {_shown(old)})"
    text = _words(resource.name, name, new) + was
    return Step("link", resource.name, text, _set(resource, name, new), _set(resource, name, old))


def _words(device: str, name: str, value: Any) -> str:
    if name == "up":
        return f"bring {device} {'up' if value else 'down'}"
    return f"set {name} of {device} to {_shown(value)}"


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value) if value not in ("", None) else "none"


def _set(resource: Link, name: str, value: Any) -> Operation:
    what, _, which = name.partition(" ")
    if what == "sysctl":
        family, _, key = which.partition("/")
        return Operation("sysctl.set", {"name": resource.name, "family": family, "key": key, "value": value})
    if what == "option":
        return Operation("link.set", {"name": resource.name, "kind": resource.kind, "options": {which: value}})
    return Operation("link.set", {"name": resource.name, name: value})


def _outcome(resource: Link, steps: Sequence[Step], *, made: bool, prior: dict[str, Any]) -> Outcome:
    late = [step for step in steps if isinstance(resource, Bridge) and _sets_mtu(step)]
    if late:
        late += [step for step in steps[steps.index(late[0]) :] if step.operation.name == "sysctl.set"]
    first = [step for step in steps if step not in late]
    return Outcome(Holding(resource, made=made, prior=prior), tuple(first), tuple(late))


def _sets_mtu(step: Step) -> bool:
    return step.operation.name == "link.set" and "mtu" in step.operation.arguments


def _restoration(holding: Holding, resource: Link, info: LinkInfo, view: LinkView) -> Iterator[Step]:
    """Puts back each attribute that still is as we set it; what somebody changed since is theirs."""
    changed_since = {name for name, _, _ in _differences(resource, info, view, alias=None)}
    for name, old in reversed(list(holding.prior.items())):
        if name == INDEX or (name == "up" and not old and isinstance(resource, ExistingLink) and view.is_needed(info)):
            continue
        if name not in changed_since:
            text = f"put back: {_words(resource.name, name, old)}"
            yield Step("link", resource.name, text, _set(resource, name, old))
    if isinstance(resource, ExistingLink) and resource.leave_down and info.up and "up" not in holding.prior:
        yield Step("link", resource.name, f"bring {resource.name} down", _set(resource, "up", False))


def _marked_links(links: Sequence[LinkInfo]) -> Iterator[tuple[LinkInfo, Link]]:
    for info in links:
        link = _as_resource(info) if marks.is_marked(info) and marks.is_legible(info) else None
        if link is not None:
            yield info, link


def _as_resource(info: LinkInfo) -> Link | None:
    shared = not marks.owner_of(info)
    if info.kind == "bridge":
        return Bridge(name=info.name, shared=shared)
    if info.kind == "veth":
        return Veth(name=info.name, peer="?", shared=shared) if info.index > info.parent else None
    if info.kind == "tun":
        return Tap(name=info.name, shared=shared)
    if info.kind == "vlan":
        return Vlan(name=info.name, parent="?", vlan_id=0, shared=shared)
    return Macvtap(name=info.name, shared=shared) if info.kind == "macvtap" else None
