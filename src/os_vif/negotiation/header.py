# SPDX-License-Identifier: Apache-2.0
"""The header that lists, in order of preference, the binding types that a hypervisor accepts.

    OpenStack-VIF-Accept: vhostuser;v="1.0-1.1", ovs;v="1.0-1.0";d="plugin", bridge

It is a hint for servers that look no further, and it has no constraints; the whole offer is in the port's profile, see
:mod:`os_vif.negotiation.profile`. A server that does not know it ignores it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NoReturn

from os_vif import exception
from os_vif.negotiation import structured_list
from os_vif.negotiation.binding_types import BINDING_TYPES
from os_vif.negotiation.json_reader import MOST_ITEMS
from os_vif.negotiation.offer import Candidate, Constraints, Offer
from os_vif.negotiation.versions import parse_range, told_range
from os_vif.objects import vif as vifs
from os_vif.objects.host_info import HostPortProfileInfo, HostVIFInfo

NAME = "OpenStack-VIF-Accept"

#: Longer ones are refused unread; a list of all binding types there are has some 700 characters.
MAX_LENGTH = 8192

_OLDEST = "1.0-1.0"
_PROFILES = [name for name in vifs.__all__ if name.startswith("VIFPortProfile")]


def render(offer: Offer) -> str:
    """The header's value for an offer. Raises MalformedOffer when a name or version cannot be in a header."""
    try:
        return structured_list.render([(candidate.name, _parameters(candidate)) for candidate in offer.candidates])
    except ValueError as error:
        _malformed(str(error), error)


def _parameters(candidate: Candidate) -> Mapping[str, str]:
    vif = candidate.vif
    profiles = vif.supported_port_profiles if "supported_port_profiles" in vif else []
    told = {
        "v": told_range(vif.min_version, vif.max_version),
        "p": " ".join(f"{p.profile_object_name}/{told_range(p.min_version, p.max_version)}" for p in profiles),
        "d": " ".join(candidate.constraints.device_by),
    }
    return {key: value for key, value in told.items() if value}


def parse(value: str) -> list[Candidate]:
    """The candidates of a header's value, several lines of it joined with commas.

    Parameters that we do not know are ignored. Raises MalformedOffer, which names the position, for anything that is
    not a list of tokens; no part of such a header counts.
    """
    if len(value) > MAX_LENGTH:
        _malformed(f"it has {len(value)} characters; at most {MAX_LENGTH} are read")
    try:
        members = structured_list.parse(value)
    except structured_list.Unreadable as error:
        _malformed(str(error), error)
    if len(members) > MOST_ITEMS:
        _malformed(f"it lists {len(members)} binding types; at most {MOST_ITEMS} are read")
    return [_candidate(name, parameters) for name, parameters in members]


def offer_of(value: str, host: str, hypervisor: str = "unknown") -> Offer:
    """The offer that a header alone makes, for a server that got nothing else. Raises MalformedOffer."""
    return Offer(host=host, hypervisor=hypervisor, candidates=parse(value))


def _candidate(name: str, parameters: Mapping[str, structured_list.Value]) -> Candidate:
    given = {key: _text(name, key, parameters[key]) for key in ("v", "p", "d") if key in parameters}
    known = BINDING_TYPES.get(name)
    plugin, _, vif_class = (known.plugin, "", known.vif_class) if known else name.partition(".")
    try:
        lowest, highest = parse_range(given.get("v", _OLDEST))
        profiles = [_profile(text) for text in _profiles(given)]
    except ValueError as error:
        _malformed(f"{name}: {error}", error)
    vif = HostVIFInfo(
        vif_object_name=vif_class or name, min_version=lowest, max_version=highest, supported_port_profiles=profiles
    )
    makers = given.get("d", "").split()
    return Candidate(name=name, vif=vif, plugin=plugin, constraints=Constraints(device_by=makers))


def _profiles(given: Mapping[str, str]) -> Sequence[str]:
    """Where no port profiles are told, each may be there, in the oldest version."""
    if "v" in given or "p" in given:
        return given.get("p", "").split()
    return [f"{name}/{_OLDEST}" for name in _PROFILES]


def _profile(text: str) -> HostPortProfileInfo:
    name, _, versions = text.partition("/")
    lowest, highest = parse_range(versions)
    return HostPortProfileInfo(profile_object_name=name, min_version=lowest, max_version=highest)


def _text(name: str, key: str, value: structured_list.Value) -> str:
    if not isinstance(value, str):
        _malformed(f"{name}: parameter {key} is {value!r}; a string is needed")
    return value


def _malformed(reason: str, cause: Exception | None = None) -> NoReturn:
    raise exception.MalformedOffer(field=NAME, reason=reason) from cause
