# SPDX-License-Identifier: Apache-2.0
"""Whether a candidate of the hypervisor and a provision of the network side fit: the checks, one by one."""

from __future__ import annotations

from typing import Any

from os_vif.negotiation.binding_types import BINDING_TYPES
from os_vif.negotiation.offer import BY_PLUGIN, Candidate, Offer
from os_vif.negotiation.provision import Provision
from os_vif.negotiation.refusal import Code
from os_vif.negotiation.request import Request
from os_vif.negotiation.versions import class_of, is_within, newest_common, told
from os_vif.objects.host_info import HostPortProfileInfo
from os_vif.objects.vif import VIFPortProfileBase

#: The field of a port profile that tells the plugin to make the device. A reader of a version without it would not.
_TELLS_PLUGIN = "create_tap"


class Misfit(Exception):
    """Why they do not fit: ``code`` is one of Code, ``reason`` a sentence."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def check_type(candidate: Candidate, provision: Provision | None) -> Provision:
    """The provision, if it is one of the candidate's type. Raises Misfit."""
    if provision is None:
        raise Misfit(Code.UNSUPPORTED, "The network side does not provide this type.")
    if provision.refusal:
        raise Misfit(*provision.refusal)
    ours, theirs = provision.vif.obj_name(), candidate.vif.vif_object_name
    if ours != theirs:
        raise Misfit(Code.UNSUPPORTED, f"The network side provides it as a {ours}, the hypervisor takes a {theirs}.")
    known = BINDING_TYPES.get(candidate.name)
    if known and candidate.plugin != known.plugin:
        reason = f"It is plugged by {known.plugin}, the hypervisor has {candidate.plugin} for it."
        raise Misfit(Code.UNSUPPORTED, reason)
    return provision


def find_versions(candidate: Candidate, provision: Provision, offer: Offer) -> dict[str, str]:
    """The newest common version of each object, by its name. Raises Misfit."""
    vif = candidate.vif
    versions = _nested_versions(offer)
    name = provision.vif.obj_name()
    versions[name] = _newest(provision.vif, vif.min_version, vif.max_version, Code.VIF_VERSION)
    if provision.profile:
        offered = _offered_profile(candidate, provision.profile)
        version = _newest(provision.profile, offered.min_version, offered.max_version, Code.PROFILE_VERSION)
        versions[provision.profile.obj_name()] = version
    return versions


def _offered_profile(candidate: Candidate, profile: type[VIFPortProfileBase]) -> HostPortProfileInfo:
    offered = candidate.vif.supported_port_profiles if "supported_port_profiles" in candidate.vif else []
    for info in offered:
        if info.profile_object_name == profile.obj_name():
            return info
    taken = ", ".join(info.profile_object_name for info in offered) or "none"
    reason = f"It would have a {profile.obj_name()}; port profiles that the hypervisor takes: {taken}."
    raise Misfit(Code.PROFILE, reason)


def _nested_versions(offer: Offer) -> dict[str, str]:
    limits = {limit.object_name: limit.max_version for limit in offer.nested}
    known = {name: class_of(name) for name in limits}
    return {name: _newest(cls, "1.0", limits[name], Code.VIF_VERSION) for name, cls in known.items() if cls}


def _newest(cls: Any, lowest: str, highest: str, code: str) -> str:
    try:
        found = newest_common(cls, lowest, highest)
    except ValueError as error:
        raise Misfit(code, f"The versions of {cls.obj_name()} in the offer cannot be read: {error}.") from error
    if found is None:
        ours = told(cls.obj_versions())
        reason = f"The hypervisor takes {cls.obj_name()} {told((lowest, highest))}, the network side writes {ours}."
        raise Misfit(code, reason)
    return found


def find_maker(candidate: Candidate, provision: Provision, versions: dict[str, str]) -> str:
    """Who makes the device on the host: the hypervisor's preference; empty if nobody needs to. Raises Misfit."""
    if not provision.device_by:
        return ""
    possible = [maker for maker in provision.device_by if _can_be_told(maker, provision, versions)]
    wanted = candidate.constraints.device_by or provision.device_by
    for maker in wanted:
        if maker in possible:
            return maker
    if set(wanted) & set(provision.device_by):
        reason = f"The hypervisor reads no {_TELLS_PLUGIN} in port profiles, so the plugin cannot be told."
        raise Misfit(Code.DEVICE, reason)
    makers = " or ".join(provision.device_by)
    reason = f"The device can be made by the {makers}, the hypervisor wants it by the {' or '.join(wanted)}."
    raise Misfit(Code.DEVICE, reason)


def _can_be_told(maker: str, provision: Provision, versions: dict[str, str]) -> bool:
    profile = provision.profile
    if maker != BY_PLUGIN or profile is None or _TELLS_PLUGIN not in profile.fields:
        return True
    since = profile.obj_field_versions.get(_TELLS_PLUGIN, "1.0")
    return is_within(versions[profile.obj_name()], since, profile.VERSION)


def check_constraints(candidate: Candidate, provision: Provision, request: Request | None) -> None:
    """Whether the guest on this host can do what the provision and the request need. Raises Misfit."""
    limits = candidate.constraints
    if provision.needs_shared_memory and limits.shared_memory is False:
        raise Misfit(Code.CONSTRAINT, "It needs the guest's memory to be shared, and it is not.")
    if provision.mtu is not None and limits.max_mtu is not None and provision.mtu > limits.max_mtu:
        raise Misfit(Code.CONSTRAINT, f"The network's MTU is {provision.mtu}, the hypervisor takes {limits.max_mtu}.")
    if request is not None:
        _check_queues(request.queues, limits.max_queues, "hypervisor")
        _check_queues(request.queues, provision.max_queues, "network side")
        _check_model(request.guest_model, limits.guest_models)


def _check_queues(wanted: int, limit: int | None, whose: str) -> None:
    if limit is not None and wanted > limit:
        raise Misfit(Code.CONSTRAINT, f"{wanted} queues are wanted, the {whose} can do {limit}.")


def _check_model(wanted: str, possible: list[str]) -> None:
    if wanted and possible and wanted not in possible:
        reason = f"The guest is to see a {wanted}; with this type it can see: {', '.join(possible)}."
        raise Misfit(Code.CONSTRAINT, reason)
