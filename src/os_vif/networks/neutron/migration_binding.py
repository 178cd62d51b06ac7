# SPDX-License-Identifier: Apache-2.0
"""A second binding of a port, beside the active one, for a guest that moves; and making a binding the active one."""

from __future__ import annotations

from os_vif import exception
from os_vif.exception.log import logger
from os_vif.networks.neutron import errors, ports, record, unbind
from os_vif.networks.neutron.api import Neutron
from os_vif.networks.neutron.ports import Bound, Found
from os_vif.networks.neutron.request import Asked

LOG = logger(__name__)


def bind(neutron: Neutron, asked: Asked, found: Found, source: Bound) -> Bound:
    """An inactive binding to the host of the offer, beside ``source``, which is not touched. Raises errors.Outdated."""
    mark(neutron, found, ports.MOVING)
    if found.at(asked.host):  # of another request, or void
        neutron.delete(ports.path(found.id, asked.host))
    profile = asked.profile(record.for_another_host(source.profile), asked.record(found, beside=source))
    binding = {"host": asked.host, "vnic_type": source.vnic_type, "profile": profile}
    try:
        neutron.post(f"/ports/{found.id}/bindings", {"binding": binding}, asked.headers)
    except exception.NetworkConflict as error:
        if error.kwargs.get("type") == "PortBindingAlreadyExists":
            raise errors.Outdated(reason=error.message) from error
        raise
    made = ports.read_port(neutron, found.id).at(asked.host)
    if made is None:
        raise errors.Outdated(reason=f"The binding of port {found.id} to {asked.host} is gone again.")
    return made


def announce(neutron: Neutron, found: Found, source: Bound, host: str) -> None:
    """Tells Neutron where the port moves to; OVN lets traffic through on both hosts then. It binds the source anew."""
    if source.profile.get(record.MIGRATING_TO) != host:
        profile = {**source.profile, record.MIGRATING_TO: host}
        neutron.put(f"/ports/{found.id}", {"port": {"binding:profile": profile}})


def mark(neutron: Neutron, found: Found, owner: str) -> None:
    """Says how far the port is, if it was for good before."""
    if found.owner == ports.SETTLED:
        neutron.put(f"/ports/{found.id}", {"port": {"device_owner": owner}}, revision=found.revision)


def activate(neutron: Neutron, found: Found, host: str, generation: int) -> None:
    """Raises NetworkNotFound, BindingChanged, errors.Outdated."""
    bound = found.at(host)
    if bound is None:
        raise exception.NetworkNotFound(kind="binding to this host of port", name=found.id, port_id=found.id)
    _check(found, bound, generation)
    if not bound.is_active:
        _switch(neutron, found, host)
        found = ports.read_port(neutron, found.id)
        bound = found.at(host)
        if bound is None or not bound.is_active:  # somebody was faster
            raise _changed(found, host, generation)
    _make_good(neutron, found)


def _check(found: Found, bound: Bound, generation: int) -> None:
    if found.is_void(bound) or bound.generation != generation:
        raise _changed(found, bound.host, generation)


def _changed(found: Found, host: str, generation: int) -> exception.BindingChanged:
    """Void is what is older than the binding that is active now."""
    bound, active = found.at(host), found.active
    known = bound.generation if bound and not bound.is_void else 0
    newer = known if known != generation or active is None else active.generation
    return exception.BindingChanged(port_id=found.id, host=host, found=newer, expected=generation)


def _switch(neutron: Neutron, found: Found, host: str) -> None:
    try:
        neutron.put(f"{ports.path(found.id, host)}/activate")
    except exception.NetworkConflict as error:
        if error.kwargs.get("type") != "PortBindingAlreadyActive":
            raise
        LOG.debug("The binding of port %s to %s is active already.", found.id, host)


def _make_good(neutron: Neutron, found: Found) -> None:
    waits = any(not (bound.is_active or bound.is_void) for bound in found.bindings)
    owner = ports.MOVING if waits else ports.SETTLED
    if found.owner != owner:
        neutron.put(f"/ports/{found.id}", {"port": {"device_owner": owner}}, revision=found.revision)


def undo(neutron: Neutron, port_id: str, host: str) -> None:
    """No second binding any more."""
    unbind.take_second(neutron, ports.read_port(neutron, port_id), host)
