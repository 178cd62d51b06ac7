# SPDX-License-Identifier: Apache-2.0
"""Offers as hypervisors make them, and what a client reads from Neutron's answers."""

from __future__ import annotations

from typing import Any

from os_vif.negotiation import details, header, profile
from os_vif.negotiation.answer import Answer, check_answered
from os_vif.negotiation.binding_types import BINDING_TYPES
from os_vif.negotiation.offer import Candidate, Constraints, Offer
from os_vif.objects import vif as vifs
from os_vif.objects.host_info import HostPortProfileInfo, HostVIFInfo

_PROFILES = (vifs.VIFPortProfileOpenVSwitch, vifs.VIFPortProfileOVSRepresentor)


def offer(host: str, *names: str, **more: Any) -> Offer:
    """Of a host whose hypervisor reads everything we write, for binding types in order of preference."""
    limits = more.pop("limits", {})
    candidates = [_candidate(name, limits.get(name, {})) for name in names]
    return Offer(host=host, hypervisor="libvirt 9.0.0", candidates=candidates, **more)


def _candidate(name: str, limits: dict[str, Any]) -> Candidate:
    binding = BINDING_TYPES[name]
    cls = getattr(vifs, binding.vif_class)
    profiles = [
        HostPortProfileInfo(profile_object_name=known.obj_name(), min_version="1.0", max_version=known.VERSION)
        for known in _PROFILES
    ]
    info = HostVIFInfo(
        vif_object_name=cls.obj_name(), min_version="1.0", max_version=cls.VERSION, supported_port_profiles=profiles
    )
    return Candidate(name=name, vif=info, plugin=binding.plugin, constraints=Constraints(**limits))


def in_profile(offered: Offer, **others: Any) -> dict[str, Any]:
    """A profile with the offer in it."""
    return profile.with_offer(others, offered)


def in_header(offered: Offer) -> dict[str, str]:
    """The header that says the same."""
    return {header.NAME: header.render(offered)}


def attach(offered: Offer, **others: Any) -> dict[str, Any]:
    """The attributes of a port that is to be bound to the host of the offer."""
    return {"binding:host_id": offered.host, "binding:profile": in_profile(offered, **others)}


def answered(port: dict[str, Any], offered: Offer) -> Answer:
    """What a client understands of a port, or of one of its bindings; checked as the client does it."""
    answer = details.read_answer(port.get("binding:vif_details", port.get("vif_details")))
    assert answer is not None, port
    check_answered(answer, offered)
    return answer
