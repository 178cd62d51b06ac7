# SPDX-License-Identifier: Apache-2.0
"""Taking bindings away, and with the last one a port that we have made."""

from __future__ import annotations

from typing import Any

from os_vif import exception
from os_vif.exception.log import logger
from os_vif.networks.neutron import ports, record
from os_vif.networks.neutron.api import Neutron
from os_vif.networks.neutron.ports import Bound, Found

LOG = logger(__name__)


def unbind(neutron: Neutron, found: Found, host: str) -> None:
    """Nothing happens if there is no such binding. Raises errors.Outdated."""
    bound = found.at(host)
    if bound is None:
        if _moves_to(found, host):  # somebody was killed between deleting it and saying so
            take_second(neutron, found, host)
        return
    if not found.elsewhere(host):
        _let_go(neutron, found)
    elif bound.is_active:
        # Deleting it would leave a port that Neutron refuses to change.
        body = {"binding:host_id": "", "binding:profile": {}}
        neutron.put(f"/ports/{found.id}", {"port": body}, revision=found.revision)
    else:
        take_second(neutron, found, host)


def _let_go(neutron: Neutron, found: Found) -> None:
    if found.ours:
        neutron.delete(f"/ports/{found.id}")
        return
    active = found.active
    if active is None:
        neutron.delete(ports.path(found.id, found.bindings[0].host))
    release(neutron, found, record.without(active.profile if active else {}))


def release(neutron: Neutron, found: Found, profile: dict[str, Any]) -> None:
    """Leaves a port as one that nobody uses, with what others have written into its profile."""
    body = {"binding:host_id": "", "binding:profile": profile, "device_id": "", "device_owner": ""}
    neutron.put(f"/ports/{found.id}", {"port": body})


def take_second(neutron: Neutron, found: Found, host: str) -> None:
    """Deletes a binding that is not the active one; the active one no longer says that the port moves there."""
    neutron.delete(ports.path(found.id, host))
    active = found.active
    change: dict[str, Any] = {}
    if active is not None and _moves_to(found, host):
        kept = {key: value for key, value in active.profile.items() if key != record.MIGRATING_TO}
        change["binding:profile"] = kept
    settle(neutron, found, [bound for bound in found.bindings if bound.host != host], change)


def _moves_to(found: Found, host: str) -> bool:
    """Whether the active binding says so."""
    return found.active is not None and found.active.profile.get(record.MIGRATING_TO) == host


def settle(neutron: Neutron, found: Found, left: list[Bound], change: dict[str, Any] | None = None) -> None:
    """The port is for good, unless there is something that waits; and what else is to be changed."""
    owner = ports.MOVING if any(not (bound.is_active or bound.is_void) for bound in left) else ports.SETTLED
    body = dict(change or {})
    if found.owner == ports.MOVING and owner != found.owner:
        body["device_owner"] = owner
    if body:
        neutron.put(f"/ports/{found.id}", {"port": body})


def quietly(what: str, step: Any, *arguments: Any) -> None:
    """A step back after a failure: whoever asked is to hear of the failure, not of this."""
    try:
        step(*arguments)
    except exception.NetworkError as error:
        LOG.error("Could not %s; it lapses: %s", what, error)
