# SPDX-License-Identifier: Apache-2.0
"""Peers of any two versions: what is answered is inside what both have, or it is refused."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from negotiation.any_vif import content
from negotiation.parties import PORT, offer
from os_vif import exception
from os_vif.negotiation import details, profile
from os_vif.negotiation.answer import answer, check_answered
from os_vif.negotiation.binding_types import name_of
from os_vif.negotiation.choice import choose
from os_vif.negotiation.offer import Candidate, ObjectVersions, Offer
from os_vif.negotiation.provision import Provision
from os_vif.objects import vif as vifs
from os_vif.objects.host_info import HostPortProfileInfo, HostVIFInfo
from os_vif.objects.network import Network
from os_vif.objects.wire.walk import walk

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")

VIFS = [getattr(vifs, name) for name in vifs.__all__ if name.startswith("VIF") and "Profile" not in name]
PROFILES = [getattr(vifs, name) for name in vifs.__all__ if name.startswith("VIFPortProfile")]


def of_old(cls: Any, newest: str) -> Any:
    """The class as somebody has it who knows no version after ``newest``."""
    known = {name: since for name, since in cls.obj_field_versions.items() if since <= newest}
    return type(cls.__name__, (cls,), {"VERSION": newest, "obj_field_versions": known})


def ranges(cls: Any) -> list[tuple[str, str]]:
    """Every range of versions that a peer may offer, those of a newer library included."""
    versions = [*cls.obj_versions(), "1.9"]
    return [(low, high) for low, high in itertools.product(versions, repeat=2) if low <= high]


def vif_with_everything(vif_class: Any, profile_class: Any = None) -> Any:
    """With a value in each field that some version brought."""
    vif = vif_class(id=PORT, plugin="any", network=Network(id=PORT, mtu=1450))
    if "vif_name" in vif.fields:
        vif.vif_name = "tap1"
    if profile_class:
        vif.port_profile = profile_class(
            datapath_offload=vifs.DatapathOffloadRepresentor(representor_name="eth5", representor_address="")
        )
        for field in ("create_port", "create_tap", "multiqueue"):
            if field in vif.port_profile.fields:
                setattr(vif.port_profile, field, False)
    return vif


def asked_for(
    vif_class: Any, vif_range: Any, profile_class: Any = None, profile_range: Any = None, **more: Any
) -> Offer:
    profiles = (
        [
            HostPortProfileInfo(
                profile_object_name=profile_class.__name__, min_version=profile_range[0], max_version=profile_range[1]
            )
        ]
        if profile_class
        else []
    )
    info = HostVIFInfo(
        vif_object_name=vif_class.__name__,
        min_version=vif_range[0],
        max_version=vif_range[1],
        supported_port_profiles=profiles,
    )
    return offer(Candidate(name=name_of(vif_class.__name__, "any"), vif=info, plugin="any"), **more)


def agree(asked: Offer, vif: Any, provided: Provision) -> Any:
    """The VIF as the hypervisor gets it, through the port's profile and its details; None if it is refused."""
    told = profile.read_offer(profile.with_offer({}, asked))
    decision = choose(told, [provided])
    if decision.choice is None:
        return None
    came = details.read_answer(details.with_answer({}, answer(decision, vif, told)))
    check_answered(came, asked)
    return came.vif


def no_newer_than(version: str, obj: Any) -> bool:
    """Whether all fields that are set are of that version: the empty ones that every Network has do not count."""
    newer = [name for name, since in obj.obj_field_versions.items() if since > version]
    return all(name not in obj or getattr(obj, name) is None for name in newer)


@pytest.mark.parametrize("cls", VIFS)
def test_vifs_of_every_pair_of_versions(cls: Any) -> None:
    """For each newest version of the network side and each range of the hypervisor: the newest that both have."""
    agreed = 0
    for newest, (low, high) in itertools.product(cls.obj_versions(), ranges(cls)):
        common = [version for version in cls.obj_versions() if low <= version <= min(high, newest)]
        vif = agree(
            asked_for(cls, (low, high)),
            vif_with_everything(cls),
            Provision(name_of(cls.__name__, "any"), of_old(cls, newest)),
        )
        assert (vif is not None) == bool(common), (newest, low, high)
        if vif is not None:
            assert common[-1] == vif.VERSION
            assert no_newer_than(vif.VERSION, vif)
            agreed += 1
    assert agreed >= len(cls.obj_versions()) * 2


@pytest.mark.parametrize("cls", PROFILES)
def test_port_profiles_of_every_pair_of_versions(cls: Any) -> None:
    """The same for what is inside: the profile, and the offload inside that."""
    holder = vifs.VIFHostDevice
    for newest, (low, high) in itertools.product(cls.obj_versions(), ranges(cls)):
        common = [version for version in cls.obj_versions() if low <= version <= min(high, newest)]
        provided = Provision(name_of("VIFHostDevice", "any"), holder, profile=of_old(cls, newest))
        vif = agree(asked_for(holder, ("1.0", "1.9"), cls, (low, high)), vif_with_everything(holder, cls), provided)
        assert (vif is not None) == bool(common), (newest, low, high)
        if vif is not None:
            assert common[-1] == vif.port_profile.VERSION
            assert no_newer_than(common[-1], vif.port_profile)


@pytest.mark.parametrize("newest", ["1.0", "1.1", "1.9"])
def test_networks_of_every_version(newest: str) -> None:
    """What the offer says of nested objects holds for a Network; the MTU goes where it cannot be read."""
    cls = vifs.VIFOpenVSwitch
    limits = [ObjectVersions(object_name="Network", max_version=newest)]
    vif = agree(
        asked_for(cls, ("1.0", "1.0"), nested=limits), vif_with_everything(cls), Provision("any.vifopenvswitch", cls)
    )
    assert min(newest, "1.1") == vif.network.VERSION
    assert ("mtu" in content(vif)["network"] and vif.network.mtu == 1450) == (newest != "1.0")


def test_every_object_of_an_old_vhostuser_answer_is_old() -> None:
    """A peer that knows VIFVHostUser 1.0 is older than all that came with 1.1, so nothing inside is newer."""
    cls = vifs.VIFVHostUser
    asked = asked_for(cls, ("1.0", "1.0"), vifs.VIFPortProfileOpenVSwitch, ("1.0", "1.4"))
    provided = Provision("any.vifvhostuser", cls, profile=vifs.VIFPortProfileOpenVSwitch)
    vif = agree(asked, vif_with_everything(cls, vifs.VIFPortProfileOpenVSwitch), provided)
    assert {item.VERSION for _, item in walk(vif)} == {"1.0"}
    assert all(no_newer_than("1.0", item) for _, item in walk(vif))


def test_an_answer_in_a_version_beyond_the_range_is_fatal() -> None:
    """Above as below."""
    cls = vifs.VIFVHostUser
    came = answer(
        choose(asked_for(cls, ("1.0", "1.1")), [Provision("any.vifvhostuser", cls)]),
        vif_with_everything(cls),
        asked_for(cls, ("1.0", "1.1")),
    )
    for beyond in [("1.0", "1.0"), ("1.2", "1.9")]:
        with pytest.raises(exception.AnswerNotOffered, match=r"VIFVHostUser 1\.1"):
            check_answered(came, asked_for(cls, beyond))
