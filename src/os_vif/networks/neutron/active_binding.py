# SPDX-License-Identifier: Apache-2.0
"""The active binding of a port: together with a new port, or of one that is there."""

from __future__ import annotations

import dataclasses
import hashlib
import time
from collections.abc import Iterator
from typing import Any

from os_vif import exception
from os_vif.networks.neutron import ports, record, unbind
from os_vif.networks.neutron.api import Neutron
from os_vif.networks.neutron.ports import Found
from os_vif.networks.neutron.request import Asked

#: How many addresses are tried for a new port; each is one of 2**24.
_TRIES = 8


def create(neutron: Neutron, asked: Asked, network_id: str) -> Found | None:
    """A new port, bound; None if another caller has made it meanwhile.

    Neutron does not know that there must be one port for a key only. But it gives a MAC address only once in a
    network, so the address comes of the key.
    """
    for address in _addresses(asked):
        body = {**_new_port(asked, network_id), "mac_address": address}
        try:
            return ports.shown(neutron.post("/ports", {"port": body}, asked.headers))
        except (exception.NetworkConflict, exception.NoAddressLeft) as error:
            if ports.find(neutron, asked.request.key, str(asked.request.instance.uuid)):
                return None
            refused = error
            if asked.request.mac_address or error.kwargs.get("type") != "MacAddressInUse":
                break
    raise refused


def _addresses(asked: Asked) -> Iterator[str]:
    if asked.request.mac_address:
        yield str(asked.request.mac_address)
        return
    for number in range(_TRIES):
        digest = hashlib.sha256(f"{asked.request.key}/{number}".encode()).hexdigest()
        yield f"fa:16:3e:{digest[:2]}:{digest[2:4]}:{digest[4:6]}"


def _new_port(asked: Asked, network_id: str) -> dict[str, Any]:
    request = asked.request
    wanted = [{"ip_address": str(address)} for address in request.ip_addresses]
    return {
        "network_id": network_id,
        "name": request.key,
        "admin_state_up": True,
        "binding:vnic_type": request.vnic_type,
        **({"fixed_ips": wanted} if wanted else {}),
        **_bound(asked, asked.profile({}, asked.record())),
    }


def _bound(asked: Asked, profile: dict[str, Any]) -> dict[str, Any]:
    return {
        "binding:host_id": asked.host,
        "binding:profile": profile,
        "device_id": str(asked.request.instance.uuid),
        "device_owner": ports.WAITING,
    }


def bind(neutron: Neutron, asked: Asked, found: Found) -> Found:
    """A port that is there, bound to the host of the offer and to no other; what is elsewhere must have lapsed.

    Raises NetworkConflict, errors.Outdated.
    """
    for bound in found.elsewhere(asked.host):
        _check_lapsed(found, bound)
    for bound in found.bindings:
        if not bound.is_active:  # else Neutron tries for minutes to make the one that is there already
            neutron.delete(ports.path(found.id, bound.host))
    profile = asked.profile(_others(asked, found), asked.record(found))
    if "binding:host_id" not in found.port:
        return _mend(neutron, asked, found, profile)
    revision = found.revision if len(found.bindings) < 2 else None  # the deletions may have counted
    return ports.shown(
        neutron.put(f"/ports/{found.id}", {"port": _bound(asked, profile)}, asked.headers, revision=revision)
    )


def _check_lapsed(found: Found, bound: ports.Bound) -> None:
    lapses_at = found.lapses_at(bound)
    if (bound.is_void and not bound.is_active) or (lapses_at is not None and lapses_at < time.time()):
        return
    error = exception.NetworkConflict(reason=f"Port {found.id} is bound to {bound.host}.", port_id=found.id)
    error.hint = "Unbind it there first, or ask for a second binding, to migrate."
    raise error


def _others(asked: Asked, found: Found) -> dict[str, Any]:
    """What others have written into the profile, as far as it holds on this host."""
    profile = found.port.get("binding:profile")
    before = found.active
    moves = before is not None and before.host != asked.host
    return record.for_another_host(profile) if moves else record.without(profile)


def _mend(neutron: Neutron, asked: Asked, found: Found, profile: dict[str, Any]) -> Found:
    """Somebody has deleted the port's active binding; Neutron refuses all changes of the port until there is one."""
    binding = {"host": asked.host, "vnic_type": asked.request.vnic_type, "profile": profile}
    neutron.post(f"/ports/{found.id}/bindings", {"binding": binding}, asked.headers)
    body = {"device_id": str(asked.request.instance.uuid), "device_owner": ports.WAITING}
    return ports.shown(neutron.put(f"/ports/{found.id}", {"port": body}))


def prolong(neutron: Neutron, found: Found, bound: ports.Bound, lapses_at: float) -> None:
    """Puts off the end of a binding, whichever it is; its generation stays."""
    assert bound.record is not None
    later = dataclasses.replace(bound.record, lapses_at=round(lapses_at, 1))
    profile = record.with_record(bound.profile, later)
    if bound.is_active:
        neutron.put(f"/ports/{found.id}", {"port": {"binding:profile": profile}}, revision=found.revision)
    else:
        neutron.put(ports.path(found.id, bound.host), {"binding": {"profile": profile}})


def undo(neutron: Neutron, before: Found | None, made: Found) -> None:
    """As it was: no port, or one that is bound as it was bound, or not."""
    if before is None:
        neutron.delete(f"/ports/{made.id}")
    elif "binding:host_id" not in before.port:
        unbind.release(neutron, made, {})
    else:
        keys = ("binding:host_id", "binding:profile", "device_id", "device_owner")
        neutron.put(f"/ports/{made.id}", {"port": {key: before.port[key] for key in keys}})
