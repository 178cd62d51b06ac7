# SPDX-License-Identifier: Apache-2.0
"""The answer in a binding's details: whole whatever it is, beside what is there, within what Neutron keeps."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from negotiation.any_vif import any_old_vif, content
from negotiation.parties import PORT, candidate, offer, ovs, ovs_vif, profile_range
from objects.conftest import DATA
from os_vif import exception
from os_vif.negotiation import details
from os_vif.negotiation.answer import Answer, answer
from os_vif.negotiation.choice import choose
from os_vif.negotiation.offer import ObjectVersions
from os_vif.negotiation.refusal import Code, Refusal
from os_vif.objects.base import VersionedObject
from os_vif.objects.network import Network
from os_vif.objects.route import Route, RouteList
from os_vif.objects.subnet import Subnet, SubnetList
from os_vif.objects.vif import VIFBase

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")

SAMPLES = json.loads((DATA / "wire.json").read_text())
VIFS = [sample[form] for sample in SAMPLES for form in ("current", "at_target") if sample["object"].startswith("VIF")]

#: As much as Neutron's own drivers put there.
LEGACY = {
    "connectivity": "l2", "port_filter": False, "ovs_hybrid_plug": False, "vhostuser_mode": "server",
    "vhostuser_ovs_plug": True, "vhostuser_socket": "/var/run/openvswitch/vhu0f1e2d3c-4b", "datapath_type": "netdev",
    "bridge_name": "br-int", "bound_drivers": {"0": "os_vif_negotiated"},
}  # fmt: skip

texts = st.text(max_size=20)
refusals = st.builds(Refusal, candidate=texts, code=texts, reason=texts)


def answered(vif: VIFBase, **more: Any) -> Answer:
    return Answer(choice="ovs", vif=vif, vif_version=vif.VERSION, **more)


def sent(written: Any) -> Any:
    """What is left of it after a database."""
    return json.loads(json.dumps(written))


@given(any_old_vif, st.lists(refusals, max_size=3), st.integers(0, 2**40), st.sampled_from([10**9, 4095, 1500]))
def test_every_answer_comes_back(vif: VIFBase, refused: list[Refusal], generation: int, limit: int) -> None:
    """VIFs of all classes in all versions, or else a clear error: never a part of one."""
    told = answered(vif, refusals=refused, generation=generation)
    try:
        read = details.read_answer(sent(details.with_answer(LEGACY, told, limit=limit)))
    except exception.TooLong:
        assert limit < 10**9
        return
    assert read is not None
    assert content(read.vif) == json.loads(json.dumps(content(vif)))
    assert (read.choice, read.generation, read.vif_version) == ("ovs", generation, vif.VERSION)
    if limit == 10**9:
        assert [(r.candidate, r.code, r.reason) for r in read.refusals] == [
            (r.candidate, r.code, r.reason) for r in refused
        ]


def test_every_recorded_vif_fits_beside_the_legacy_keys() -> None:
    """Of every class and version that there has been, none needs more than Neutron keeps, and none is packed."""
    vifs = [VersionedObject.obj_from_primitive(wire) for wire in VIFS if "error" not in wire]
    vifs = [vif for vif in vifs if isinstance(vif, VIFBase)]
    assert len({vif.obj_name() for vif in vifs}) == 7
    for vif in vifs:
        written = sent(details.with_answer(LEGACY, answered(vif)))
        assert len(json.dumps(written)) <= 4095
        assert "vif" in written["os_vif"]
        assert content(details.read_answer(written).vif) == content(vif)


def test_other_keys_stay_as_they_are() -> None:
    """Also when an answer is replaced or taken out."""
    first = details.with_answer(LEGACY, answered(ovs_vif()))
    second = details.with_answer(first, answered(ovs_vif(), generation=2))
    assert details.without_answer(second) == LEGACY
    assert {**second, "os_vif": None} == {**first, "os_vif": None}
    assert details.read_answer(second).generation == 2
    assert [details.read_answer(nothing) for nothing in (None, {}, LEGACY)] == [None, None, None]


def test_an_object_read_at_an_old_version_is_written_at_it() -> None:
    """Not even an empty field of a newer version is there."""
    asked = offer(
        candidate("ovs", profile_range(highest="1.1"), device_by=["hypervisor"]),
        nested=[ObjectVersions(object_name="Network", max_version="1.0")],
    )
    written = details.with_answer({}, answer(choose(asked, [ovs()]), ovs_vif(), asked))["os_vif"]["vif"]
    assert (written["network"]["_"], "mtu" in written["network"]) == ("Network", False)
    assert written["port_profile"] == {
        "_": "VIFPortProfileOpenVSwitch 1.1", "interface_id": PORT, "datapath_type": "system"
    }  # fmt: skip


def long_vif(subnets: int) -> VIFBase:
    def subnet(number: int) -> Subnet:
        routes = [Route(cidr=f"10.{number}.{n}.0/24", gateway=f"192.0.2.{n}") for n in range(20)]
        return Subnet(cidr=f"10.{number}.0.0/16", routes=RouteList(objects=routes))

    vif = ovs_vif()
    vif.network = Network(id=PORT, subnets=SubnetList(objects=[subnet(number) for number in range(subnets)]))
    return vif


def test_what_is_too_long_loses_sentences_then_is_packed_then_loses_refusals() -> None:
    """In this order, and what is left is whole."""
    refused = [Refusal(candidate=f"type{n}", code=Code.CONSTRAINT, reason="Because. " * 20) for n in range(9)]
    told = answered(ovs_vif(), refusals=refused)
    whole = len(json.dumps(details.with_answer(LEGACY, told, limit=10**6)))
    forms = []
    for limit in range(whole, 0, -1):
        try:
            form = details.with_answer(LEGACY, told, limit=limit)
        except exception.TooLong as error:
            assert f"Neutron takes {limit}" in str(error)
            break
        assert len(json.dumps(form)) <= limit
        if form not in forms:
            forms.append(form)
    keys = [set(form["os_vif"]) - {"v", "choice", "generation", "readiness"} for form in forms]
    assert keys == [{"vif", "refusals"}, {"vif", "refusals"}, {"packed", "refusals"}, {"packed"}]
    assert [len(form["os_vif"].get("refusals", [[]])[0]) for form in forms] == [3, 2, 2, 0]
    for form in forms:
        assert content(details.read_answer(sent(form)).vif) == content(ovs_vif())


def test_a_vif_with_many_routes_is_packed_and_one_with_too_many_is_an_error() -> None:
    """Sixty routes fit; where they do not, the error says by how much."""
    written = details.with_answer(LEGACY, answered(long_vif(3)))
    assert "packed" in written["os_vif"]
    assert content(details.read_answer(sent(written)).vif) == content(long_vif(3))
    with pytest.raises(exception.TooLong, match=r"there would be \d{4,} characters of JSON, and Neutron takes 4095"):
        details.with_answer(LEGACY, answered(long_vif(60)))


@given(st.lists(refusals, max_size=4))
def test_refusals_come_back_as_the_error_that_they_are(refused: list[Refusal]) -> None:
    """The reasons of the network side, candidate by candidate, and never a silent failure."""
    written = sent(details.with_refusals({"bound_drivers": {}}, refused))
    with pytest.raises(exception.BindingRefused) as told:
        details.read_answer(written)
    assert [(r.candidate, r.code, r.reason) for r in told.value.refusals] == [
        (r.candidate, r.code, r.reason) for r in refused
    ]


def test_refusals_that_are_too_long_lose_their_sentences() -> None:
    """The codes remain."""
    refused = [Refusal(candidate=f"type{n}", code=Code.POLICY, reason="No. " * 200) for n in range(9)]
    with pytest.raises(exception.BindingRefused) as told:
        details.read_answer(details.with_refusals(LEGACY, refused))
    assert [(r.code, r.reason) for r in told.value.refusals] == [("policy", "")] * 9


def test_so_many_refusals_that_no_code_fits_are_still_a_refusal() -> None:
    """A header has room for hundreds of candidates."""
    refused = [Refusal(candidate=f"type{n}", code=Code.UNSUPPORTED, reason="No.") for n in range(500)]
    with pytest.raises(exception.BindingRefused, match="no room for the reasons; Neutron's log has them"):
        details.read_answer(details.with_refusals(LEGACY, refused))


def test_an_offer_that_was_not_understood_comes_back_with_the_version_that_is_known() -> None:
    """So that it can be made again."""
    error = exception.OfferNotUnderstood(version="3.0", known="2.1")
    with pytest.raises(exception.OfferNotUnderstood, match=r"version 3\.0 cannot .* known is 2\.1"):
        details.read_answer(sent(details.with_not_understood(LEGACY, error)))


BOMB = base64.b64encode(zlib.compress(b" " * (1 << 21))).decode()
VIF = {"_": "VIFGeneric", "vif_name": "tap1"}


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ([], "os_vif: an object is needed"),
        ({}, "os_vif.v: is missing"),
        ({"v": "one"}, "os_vif.v: 'one' is not a version"),
        ({"v": "2.0"}, r"os_vif.v: answers of version 2\.0"),
        ({"v": "1.0", "vif": "x"}, "os_vif.vif: an object is needed"),
        ({"v": "1.0", "vif": {}}, "os_vif.vif: .*is missing"),
        ({"v": "1.0", "vif": VIF}, "os_vif.choice: is missing"),
        ({"v": "1.0", "vif": VIF, "choice": "tap", "generation": True}, "os_vif.generation: a number is needed"),
        ({"v": "1.0", "vif": VIF, "choice": 1}, "os_vif.choice: a string is needed, not 1"),
        ({"v": "1.0", "vif": {"_": "Network"}}, "os_vif.vif: a VIF is needed, not a Network"),
        ({"v": "1.0", "vif": {"_": "VIFGeneric 1.0 os_vif more"}}, "os_vif.vif._: a name"),
        ({"v": "1.0", "vif": {"_": "VIFUnheardOf"}}, "os_vif.vif: .*VIFUnheardOf"),
        ({"v": "1.0", "vif": {"_": "VIFGeneric 2.0"}}, r"os_vif.vif: Version 2\.0"),
        ({"v": "1.0", "vif": {"_": "VIFGeneric", "network": {"_": "Network", "vlan": "x"}}}, "vif: network.vlan"),
        ({"v": "1.0", "refusals": [["ovs", 1]]}, "os_vif.refusals: each element is a list of candidate"),
        ({"v": "1.0", "packed": "%"}, "os_vif.packed: it cannot be unpacked"),
        ({"v": "1.0", "packed": BOMB}, "os_vif.packed: it is cut short, or longer than any VIF"),
        ({"v": "1.0", "packed": BOMB[:40]}, "os_vif.packed: "),
    ],
)
def test_what_is_malformed_is_refused_by_its_place(form: Any, reason: str) -> None:
    """One error, whatever somebody put there."""
    with pytest.raises(exception.MalformedOffer, match=reason):
        details.read_answer({"os_vif": form})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts | st.just("_"), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(["v", "vif", "packed", "choice", "known", "generation", "refusals", "readiness"])


@given(st.dictionaries(KEYS, json_values) | json_values)
def test_whatever_is_there_is_an_answer_or_one_of_our_errors(form: Any) -> None:
    """Never a KeyError, never a crash."""
    if isinstance(form, dict):
        form.setdefault("v", "1.0")
    try:
        details.read_answer({"os_vif": form})
    except exception.NegotiationError as error:
        assert error.code in ("malformed-offer", "refused", "offer-version")
