# SPDX-License-Identifier: Apache-2.0
"""An offer as plain data, short enough to travel in a port: what is not said has its default."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from os_vif import exception
from os_vif.negotiation.json_reader import Picker
from os_vif.negotiation.offer import Candidate, Constraints, ObjectVersions, Offer, Withdrawn
from os_vif.negotiation.versions import parse_range, told_range
from os_vif.objects.host_info import HostPortProfileInfo, HostVIFInfo
from os_vif.objects.wire.versions import parse

T = TypeVar("T")

_CONSTRAINTS = ("shared_memory", "max_queues", "guest_models", "max_mtu", "device_by")
_PLAIN = ("boot_id", "generation", "lease", "migration_methods", "readiness")


def write(offer: Offer, version: str | None = None) -> dict[str, Any]:
    """The plain data of an offer, of ``version`` of it if given: one that OfferNotUnderstood says is known.

    Raises OfferNotUnderstood when it cannot be written in that version.
    """
    told = Offer.VERSION if version is None else _writable(version)
    data: dict[str, Any] = {"v": told, "host": offer.host, "hypervisor": offer.hypervisor}
    data |= {name: getattr(offer, name) for name in _PLAIN if getattr(offer, name) != Offer.fields[name].default}
    data["candidates"] = [_write_candidate(candidate) for candidate in offer.candidates]
    if offer.nested:
        data["nested"] = {limit.object_name: limit.max_version for limit in offer.nested}
    if offer.withdrawn:
        data["withdrawn"] = [[w.name, w.code, w.reason] for w in offer.withdrawn]
    return data


def asking_once_more(ask: Callable[[str | None], T]) -> T:
    """What ``ask`` returns, which gets the version to write the offer in; None means the newest.

    When the other side does not understand it, ``ask`` is called once more, with the version that the other side
    knows. Raises whatever ``ask`` raises the second time; OfferNotUnderstood when that version is not ours to write.
    """
    try:
        return ask(None)
    except exception.OfferNotUnderstood as error:
        return ask(_writable(str(error.kwargs["known"])))


def _writable(version: str) -> str:
    if version not in Offer.obj_versions():
        raise exception.OfferNotUnderstood(version=Offer.VERSION, known=version)
    return version


def _write_candidate(candidate: Candidate) -> dict[str, Any]:
    vif, limits = candidate.vif, candidate.constraints
    profiles = vif.supported_port_profiles if "supported_port_profiles" in vif else []
    data = {
        "name": candidate.name,
        "plugin": candidate.plugin,
        "vif": _versioned(vif.vif_object_name, vif.min_version, vif.max_version),
        "profiles": [_versioned(p.profile_object_name, p.min_version, p.max_version) for p in profiles],
        **{name: getattr(limits, name) for name in _CONSTRAINTS},
    }
    return {name: value for name, value in data.items() if value not in (None, [])}


def _versioned(name: str, lowest: str, highest: str) -> str:
    return f"{name} {told_range(lowest, highest)}"


def read(data: Any, where: str) -> Offer:
    """The offer that ``data`` is, found at ``where``; keys that we do not know are ignored.

    Raises MalformedOffer, which names the place; OfferNotUnderstood for another major version.
    """
    told = Picker(data, where)
    _check_version(told)
    return Offer(
        host=told.word("host"),
        hypervisor=told.word("hypervisor"),
        boot_id=told.word("boot_id", ""),
        generation=told.number("generation", 1),
        lease=told.number("lease", 600),
        candidates=[_read_candidate(item) for item in told.each("candidates")],
        withdrawn=[
            Withdrawn(name=name, code=code, reason=reason)
            for name, code, reason in told.triples("withdrawn", "name, code and reason")
        ],
        migration_methods=told.list_of("migration_methods", str),
        readiness=told.word("readiness", "plug"),
        nested=_read_nested(Picker(told.pick("nested", dict, {}), f"{where}.nested")),
    )


def _check_version(told: Picker) -> None:
    version = told.pick("v", str)
    major, _ = told.read("v", version, parse)
    if major != parse(Offer.VERSION)[0]:
        raise exception.OfferNotUnderstood(version=version, known=Offer.VERSION)


def _read_candidate(told: Picker) -> Candidate:
    name, lowest, highest = told.read("vif", told.pick("vif", str), _parse_versioned)
    vif = HostVIFInfo(
        vif_object_name=name,
        min_version=lowest,
        max_version=highest,
        supported_port_profiles=[told.read("profiles", text, _read_profile) for text in told.list_of("profiles", str)],
    )
    limits = Constraints(
        shared_memory=told.pick("shared_memory", bool, None),
        max_queues=told.pick("max_queues", int, None),
        guest_models=told.list_of("guest_models", str),
        max_mtu=told.pick("max_mtu", int, None),
        device_by=told.list_of("device_by", str),
    )
    return Candidate(name=told.word("name"), vif=vif, plugin=told.word("plugin"), constraints=limits)


def _read_profile(text: str) -> HostPortProfileInfo:
    name, lowest, highest = _parse_versioned(text)
    return HostPortProfileInfo(profile_object_name=name, min_version=lowest, max_version=highest)


def _parse_versioned(text: str) -> tuple[str, str, str]:
    name, _, versions = text.partition(" ")
    return name, *parse_range(versions)


def _read_nested(told: Picker) -> list[ObjectVersions]:
    return [ObjectVersions(object_name=name, max_version=told.pick(name, str)) for name in told.data]
