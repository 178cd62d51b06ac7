# SPDX-License-Identifier: Apache-2.0
"""The offer in a port's profile: it comes back as it was, and the keys of others are left alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from negotiation.parties import candidate, offer, profile_range
from os_vif import exception
from os_vif.negotiation import profile
from os_vif.negotiation.binding_types import BINDING_TYPES
from os_vif.negotiation.offer import ObjectVersions, Offer, Withdrawn

texts = st.text(max_size=12)
words = texts.filter(str.isprintable)
versions = st.sampled_from(["1.0", "1.1", "1.4", "1.9"])
limits = st.fixed_dictionaries(
    {},
    optional={
        "shared_memory": st.none() | st.booleans(),
        "max_queues": st.none() | st.integers(1, 256),
        "guest_models": st.lists(texts, max_size=3),
        "max_mtu": st.none() | st.integers(68, 65535),
        "device_by": st.lists(st.sampled_from(["plugin", "hypervisor"]), unique=True),
    },
)
candidates = st.builds(
    lambda name, high, profiles, more: candidate(name, *profiles, versions=("1.0", high), **more),
    st.sampled_from(sorted(BINDING_TYPES)),
    versions,
    st.lists(st.builds(lambda high: profile_range("1.0", high), versions), max_size=2),
    limits,
)
nested = st.builds(ObjectVersions, object_name=texts, max_version=versions)
offers = st.builds(
    Offer,
    host=words,
    hypervisor=words,
    boot_id=words,
    generation=st.integers(0, 2**31 - 1),
    lease=st.integers(1, 10**6),
    candidates=st.lists(candidates, max_size=4),
    withdrawn=st.lists(st.builds(Withdrawn, name=texts, code=texts, reason=texts), max_size=3),
    migration_methods=st.lists(texts, max_size=2),
    readiness=words,
    nested=st.lists(nested, max_size=3, unique_by=lambda limit: limit.object_name),
)
#: What Nova and Neutron keep there.
OTHERS = {"pci_slot": "0000:03:10.1", "migrating_to": "node2", "allocation": {"a": "b"}, "trusted": "true"}


@given(offers)
def test_every_offer_comes_back(told: Offer) -> None:
    """All that it says, after a database."""
    stored = json.loads(json.dumps(profile.with_offer(OTHERS, told, limit=10**9)))
    assert profile.read_offer(stored) == told
    assert profile.without_offer(stored) == OTHERS


@given(offers)
def test_what_is_said_by_default_takes_no_room(told: Offer) -> None:
    """The short form, not the wire form of objects; it is what makes an offer fit."""
    form = profile.with_offer({}, told, limit=10**9)
    assert len(json.dumps(form)) < len(json.dumps(told.obj_to_primitive()))


def test_an_offer_of_all_types_fits() -> None:
    """With room for the keys of others."""
    everything = offer(*(candidate(name, profile_range(), device_by=["plugin"]) for name in BINDING_TYPES))
    assert len(json.dumps(profile.with_offer(None, everything))) < 2000


def test_others_keys_stay_and_an_earlier_offer_goes() -> None:
    """Offering again replaces; a profile without an offer is one of somebody who knows nothing of it."""
    first = profile.with_offer(OTHERS, offer(candidate("tap")))
    second = profile.with_offer(first, offer(candidate("bridge")))
    assert [c.name for c in profile.read_offer(second).candidates] == ["bridge"]
    assert {**second, "os_vif_offer": None} == {**OTHERS, "os_vif_offer": None}
    assert [profile.read_offer(nothing) for nothing in (None, {}, OTHERS)] == [None, None, None]
    assert profile.without_offer(None) == {}


def test_what_is_too_long_loses_the_least_needed_first() -> None:
    """Reasons of what was withdrawn, what was withdrawn, nested versions; never a candidate."""
    told = offer(
        candidate("tap"),
        withdrawn=[Withdrawn(name="vhostuser", code="no-shared-memory", reason="There is none. " * 9)],
        nested=[ObjectVersions(object_name="Network", max_version="1.1")],
    )
    whole = len(json.dumps(profile.with_offer(OTHERS, told)))
    forms: list[Any] = []
    for limit in range(whole, 0, -1):
        try:
            form = profile.with_offer(OTHERS, told, limit=limit)["os_vif_offer"]
        except exception.TooLong as error:
            assert f"Neutron takes {limit}." in str(error)
            break
        if form not in forms:
            forms.append(form)
    assert [(len(form.get("withdrawn", [[]])[0]), "nested" in form) for form in forms] == [
        (3, True), (2, True), (0, True), (0, False)
    ]  # fmt: skip
    assert [len(form["candidates"]) for form in forms] == [1, 1, 1, 1]
    assert all(profile.read_offer({"os_vif_offer": form}).candidates == told.candidates for form in forms)


def test_another_major_version_is_not_understood() -> None:
    """The error has both versions, and no part of such an offer counts."""
    form = profile.with_offer({}, offer(candidate("tap")))["os_vif_offer"]
    with pytest.raises(exception.OfferNotUnderstood, match=r"version 2\.0 .* known is 1\.0"):
        profile.read_offer({"os_vif_offer": {**form, "v": "2.0", "candidates": "of another form"}})


def test_what_is_new_in_a_minor_version_is_ignored() -> None:
    """Keys that we do not know, anywhere."""
    told = offer(candidate("tap"))
    form = profile.with_offer({}, told)["os_vif_offer"]
    newer = {**form, "v": "1.7", "colour": "red", "candidates": [{**form["candidates"][0], "weight": 3}]}
    assert profile.read_offer({"os_vif_offer": newer}) == told


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"v": 1}, "os_vif_offer.v: a string is needed, not 1"),
        ({"v": "1"}, "os_vif_offer.v: '1' is not a version"),
        ({"host": None}, "os_vif_offer.host: is missing"),
        ({"lease": "long"}, "os_vif_offer.lease: a number is needed"),
        ({"candidates": {}}, "os_vif_offer.candidates: a list is needed"),
        ({"candidates": ["ovs"]}, r"os_vif_offer.candidates\[0\]: an object is needed"),
        ({"candidates": [{"name": "x"}]}, r"os_vif_offer.candidates\[0\].vif: is missing"),
        ({"candidates": [{"vif": "VIFGeneric"}]}, r"candidates\[0\].vif: '' is not a range of versions"),
        ({"candidates": [{"vif": "VIFGeneric 1.0-1.0", "profiles": [7]}]}, r"profiles\[0\]: a string is needed"),
        ({"nested": {"Network": 1.1}}, "os_vif_offer.nested.Network: a string is needed"),
        ({"withdrawn": [[]]}, "os_vif_offer.withdrawn: each element is a list of name, code and reason"),
    ],
)
def test_a_malformed_offer_is_refused_by_its_place(change: dict[str, Any], reason: str) -> None:
    """One error, which names the key."""
    form = profile.with_offer({}, offer(candidate("tap")))["os_vif_offer"]
    with pytest.raises(exception.MalformedOffer, match=reason):
        profile.read_offer({"os_vif_offer": {**form, **change}})
