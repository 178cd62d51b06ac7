# SPDX-License-Identifier: Apache-2.0
"""What could be provided for a port, in all, from what the mechanism drivers would bind. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from os_vif.negotiation.binding_types import BINDING_TYPES, name_of
from os_vif.negotiation.choice import Choice
from os_vif.negotiation.offer import BY_PLUGIN, Offer
from os_vif.negotiation.provision import Provision
from os_vif.negotiation.refusal import Code
from os_vif.networks.neutron import provisions as neutron_provisions
from os_vif.networks.neutron import vifs
from os_vif.networks.neutron.binding import Wired
from os_vif.neutron_ml2.asking import Reply, WouldBind
from os_vif.objects import vif as classes


@dataclass(frozen=True)
class Way:
    """One way to bind a port: in Neutron's words, and as the VIF that it comes to."""

    would_bind: WouldBind
    vif: classes.VIFBase
    name: str


def ways(replies: Iterable[Reply], port: Mapping[str, Any], network: Mapping[str, Any]) -> dict[str, Way]:
    """All of them, by the name of the binding type; of two with one name that of the driver configured first."""
    found: dict[str, Way] = {}
    for answered in (answer for reply in replies for answer in reply.would_bind):
        for would_bind in _variants(answered):
            vif = _vif(would_bind, port, network)
            if vif is not None:
                name = name_of(vif.obj_name(), vif.plugin)
                found.setdefault(name, Way(would_bind, vif, name))
    return found


def _vif(would_bind: WouldBind, port: Mapping[str, Any], network: Mapping[str, Any]) -> classes.VIFBase | None:
    """As a client would make it of the legacy binding; without subnets, which the client knows."""
    wired = Wired(
        port=port,
        vif_type=would_bind.vif_type,
        vnic_type=port["binding:vnic_type"],
        details=would_bind.details,
        profile=port["binding:profile"] or {},
        network=network,
    )
    try:
        return vifs.make(wired)
    except vifs.Untranslatable:
        return None


def _variants(answered: WouldBind) -> Iterator[WouldBind]:
    """What the driver says and, for a userspace Open vSwitch, the same port with a tap instead of shared memory."""
    yield answered
    if answered.vif_type == "vhostuser" and answered.details.get("vhostuser_ovs_plug"):
        kept = {key: value for key, value in answered.details.items() if not key.startswith("vhostuser_")}
        yield replace(answered, vif_type="ovs", details=kept)


def provisions(found: Mapping[str, Way], replies: Sequence[Reply], offer: Offer) -> list[Provision]:
    """The ways; and, for each other candidate that we know, what every driver has said."""
    wanted = {candidate.name for candidate in offer.candidates} & set(BINDING_TYPES)
    return [
        *(neutron_provisions.provision_of(way.vif) for way in found.values()),
        *(_unprovided(name, replies, offer.host) for name in sorted(wanted - set(found))),
    ]


def _unprovided(name: str, replies: Sequence[Reply], host: str) -> Provision:
    said = "; ".join(f"{reply.driver}: {_told(reply)}" for reply in replies) or "there is no other that binds ports"
    reason = f"No mechanism driver binds it on {host}: {said}."
    return Provision(name, getattr(classes, BINDING_TYPES[name].vif_class), refusal=(Code.DRIVER, reason))


def _told(reply: Reply) -> str:
    types = ", ".join(answer.vif_type for answer in reply.would_bind)
    return f"it would bind {types}" if types else reply.why_not


def settled(way: Way, choice: Choice) -> Way:
    """``way`` with what the choice has settled: whether the plugin makes the tap."""
    if not isinstance(way.vif, classes.VIFOpenVSwitch):
        return way
    vif = way.vif.obj_clone()
    neutron_provisions.settle_maker(vif, choice.device_by)
    details = {**way.would_bind.details, "ovs_create_tap": choice.device_by == BY_PLUGIN}
    return replace(way, vif=vif, would_bind=replace(way.would_bind, details=details))
