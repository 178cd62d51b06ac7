# SPDX-License-Identifier: Apache-2.0
"""What Neutron would bind on a host, as far as its agents' reports tell; the rules are those of Neutron 29's drivers.

It is a guess: which mechanism drivers there are, in what order, and what they look at beyond these reports is known to
the server alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from os_vif.negotiation.binding_types import BINDING_TYPES
from os_vif.negotiation.choice import choose
from os_vif.negotiation.provision import Provision
from os_vif.negotiation.refusal import Code, Refusal
from os_vif.negotiation.request import Request
from os_vif.networks.neutron.provisions import DEVICE_BY
from os_vif.objects import vif as classes

Json = Mapping[str, Any]

_DPDK = {"dpdkvhostuser", "dpdkvhostuserclient"}
_WITH_OVS_PROFILE = ("ovs", "ovs-hybrid", "vhostuser")


@dataclass(frozen=True)
class Guessing:
    """``agents``: of the host, as Neutron lists them. ``network``: as Neutron shows it. The port's vNIC and profile."""

    host: str
    agents: Sequence[Json]
    network: Json
    vnic_type: str = "normal"
    profile: Json = field(default_factory=dict)

    def provisions(self, request: Request) -> list[Provision]:
        """What would be bound, and for every other candidate that is known, why not."""
        names = dict.fromkeys(name for agent in self.agents if agent.get("alive") for name in self._types(agent))
        wanted = {candidate.name for candidate in request.offer.candidates} & set(BINDING_TYPES)
        refusal = (Code.DRIVER, self._why_not())
        return [
            *(_provision(name, self.network.get("mtu")) for name in names),
            *(Provision(name, _class(name), refusal=refusal) for name in sorted(wanted - set(names))),
        ]

    def refusals(self, request: Request) -> list[Refusal]:
        """Of a binding that failed: a reason for every candidate."""
        decision = choose(request.offer, self.provisions(request), request)
        told = {refusal.candidate: refusal for refusal in decision.refusals}
        return [told.get(candidate.name) or self._unexplained(candidate.name) for candidate in request.offer.candidates]

    def _unexplained(self, name: str) -> Refusal:
        reason = f"Neutron could not bind the port on {self.host}, and its agents do not tell why; its log does."
        return Refusal(candidate=name, code=Code.DRIVER, reason=reason)

    def _why_not(self) -> str:
        alive = [agent["agent_type"] for agent in self.agents if agent.get("alive")]
        dead = [agent["agent_type"] for agent in self.agents if not agent.get("alive")]
        known = ", ".join([*alive, *(f"{kind} (not alive)" for kind in dead)]) or "none"
        way = f"for a {self.vnic_type} vNIC in a {self._told_network()} network"
        return f"By what agents on {self.host} report ({known}), Neutron would not bind it {way}; this is a guess."

    def _told_network(self) -> str:
        return " or ".join(
            " on ".join(filter(None, (segment.get("provider:network_type"), segment.get("provider:physical_network"))))
            for segment in self._segments()
        )

    def _types(self, agent: Json) -> Iterable[str]:
        would = _WOULD_BIND.get(agent["agent_type"])
        return would(self, agent.get("configurations") or {}) if would else ()

    def _segments(self) -> Sequence[Json]:
        return self.network.get("segments") or [self.network]

    def _is_reached(self, mappings: Iterable[str], tunnels: Iterable[str] = (), others: Iterable[str] = ()) -> bool:
        by_wire, by_tunnel = set(mappings), {*tunnels, *others}
        return any(
            segment.get("provider:physical_network") in by_wire
            if segment.get("provider:network_type") in ("flat", "vlan")
            else segment.get("provider:network_type") in by_tunnel
            for segment in self._segments()
        )

    @property
    def _offloads(self) -> bool:
        return "switchdev" in (self.profile.get("capabilities") or ())

    def by_open_vswitch(self, told: Json) -> Iterator[str]:
        """The agent's driver."""
        if not self._is_reached(told.get("bridge_mappings") or (), told.get("tunnel_types") or (), ("local",)):
            return
        if self.vnic_type == "normal":
            capable = _DPDK & set((told.get("ovs_capabilities") or {}).get("iface_types") or ())
            if told.get("datapath_type") == "netdev" and capable:
                yield "vhostuser"
            else:
                yield "ovs-hybrid" if told.get("ovs_hybrid_plug") else "ovs"
        elif self.vnic_type == "vdpa" or (self.vnic_type == "direct" and self._offloads):
            yield "ovs-hostdev"

    def by_ovn(self, told: Json) -> Iterator[str]:
        """OVN; its agents are made up of chassis, and tell next to nothing."""
        if self.vnic_type == "normal":
            yield "vhostuser" if told.get("datapath-type") == "netdev" else "ovs"
        elif self.vnic_type == "vdpa" or (self.vnic_type == "direct" and self._offloads):
            yield "ovs-hostdev"

    def by_macvtap(self, told: Json) -> Iterator[str]:
        """Macvtap devices."""
        if self.vnic_type == "normal" and self._is_reached(told.get("interface_mappings") or ()):
            yield "macvtap"

    def by_sriov(self, told: Json) -> Iterator[str]:
        """Virtual functions."""
        if not self._is_reached(told.get("device_mappings") or ()):
            return
        if self.vnic_type == "macvtap":
            yield "macvtap"
        elif self.vnic_type == "direct-physical" or (self.vnic_type == "direct" and not self._offloads):
            yield "hostdev"

    def by_linux_bridge(self, told: Json) -> Iterator[str]:
        """Of a Neutron before 29, or somebody else's."""
        tunnels = told.get("tunnel_types") or ()
        if self.vnic_type == "normal" and self._is_reached(told.get("interface_mappings") or (), tunnels, ("local",)):
            yield "bridge"


_WOULD_BIND: Mapping[str, Callable[[Guessing, Json], Iterable[str]]] = {
    "Open vSwitch agent": Guessing.by_open_vswitch,
    "OVN Controller agent": Guessing.by_ovn,
    "Macvtap agent": Guessing.by_macvtap,
    "NIC Switch agent": Guessing.by_sriov,
    "Linux bridge agent": Guessing.by_linux_bridge,
}


def _provision(name: str, mtu: int | None) -> Provision:
    return Provision(
        name=name,
        vif=_class(name),
        profile=classes.VIFPortProfileOpenVSwitch if name in _WITH_OVS_PROFILE else None,
        device_by=DEVICE_BY.get(name, ()),
        needs_shared_memory=name == "vhostuser",
        mtu=mtu,
    )


def _class(name: str) -> type[classes.VIFBase]:
    found: type[classes.VIFBase] = getattr(classes, BINDING_TYPES[name].vif_class)
    return found
