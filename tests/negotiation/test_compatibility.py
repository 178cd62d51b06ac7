# SPDX-License-Identifier: Apache-2.0
"""Computes and servers of any two ages, one of them perhaps so old that it knows nothing of this."""

from __future__ import annotations

import json
from typing import Any

import pytest

from negotiation.any_vif import content
from negotiation.parties import PORT, candidate, offer, ovs, ovs_vif, profile_range, provision
from os_vif import exception
from os_vif.negotiation import details, header, offer_form, profile
from os_vif.negotiation.answer import answer, check_answered, refused
from os_vif.negotiation.choice import choose
from os_vif.negotiation.explain import WITHDRAWN, explain
from os_vif.negotiation.offer import ObjectVersions, Offer, Withdrawn

LEGACY = {"bridge_name": "br-int", "connectivity": "l2", "datapath_type": "system", "port_filter": True}
PROFILE = {"pci_slot": "0000:03:10.1"}


class Server:
    """A server: keeps the profile of a port, and answers in its details beside what it has always answered.

    ``negotiates``: whether it knows of offers. All that passes is JSON.
    """

    def __init__(self, *provided: Any, negotiates: bool = True) -> None:
        self.provided = provided
        self.negotiates = negotiates
        self.asked: list[Any] = []

    def bind(self, binding_profile: dict[str, Any]) -> dict[str, Any]:
        stored = json.dumps(binding_profile)
        assert len(stored) <= 4095
        self.asked.append(json.loads(stored))
        answered = self._answered(json.loads(stored)) if self.negotiates else LEGACY
        found: dict[str, Any] = json.loads(json.dumps(answered))
        return found

    def _answered(self, binding_profile: dict[str, Any]) -> dict[str, Any]:
        try:
            told = profile.read_offer(binding_profile)
        except exception.OfferNotUnderstood as error:
            return details.with_not_understood({}, error)
        if told is None:
            return LEGACY
        decision = choose(told, self.provided)
        if decision.choice is None:
            return details.with_refusals({}, refused(decision, told).refusals)
        return details.with_answer(LEGACY, answer(decision, ovs_vif(), told, generation=7))


def ask(server: Server, told: Offer) -> Any:
    """What the compute gets: an answer that it has offered, or None where it has to translate the legacy one."""
    came = details.read_answer(server.bind(profile.with_offer(PROFILE, told)))
    if came is not None:
        check_answered(came, told)
    return came


OVS = candidate("ovs", profile_range())


def test_1_old_network_side_and_new_compute() -> None:
    """The offer is ignored, the legacy answer comes, and the compute can tell that it has to translate it."""
    server = Server(negotiates=False)
    assert ask(server, offer(OVS)) is None
    assert profile.without_offer(server.asked[0]) == PROFILE
    assert details.without_answer(server.bind({})) == LEGACY


def test_2_new_network_side_and_old_compute() -> None:
    """No offer in the profile and none in the header: the legacy answer and nothing else."""
    assert Server(ovs()).bind(PROFILE) == LEGACY
    assert header.parse("") == []


def test_3_both_new() -> None:
    """A typed answer; the legacy keys beside it, for others who read the port."""
    server = Server(ovs(), provision("bridge"))
    came = ask(server, offer(OVS, candidate("bridge")))
    assert (came.choice, came.generation, came.readiness) == ("ovs", 7, "plug")
    assert content(came.vif) == content(ovs_vif())
    assert details.without_answer(server.bind(server.asked[0])) == LEGACY


def test_4_network_side_newer_than_compute() -> None:
    """The answer is in the versions of the offer, the port profile and what is in that included."""
    old = offer(
        candidate("ovs", profile_range("1.0", "1.1"), versions=("1.0", "1.0"), device_by=["hypervisor"]),
        nested=[ObjectVersions(object_name="Network", max_version="1.0")],
    )
    vif = ask(Server(ovs()), old).vif
    assert (vif.VERSION, vif.network.VERSION, vif.port_profile.VERSION) == ("1.0", "1.0", "1.1")
    assert content(vif.port_profile) == {
        "_": "VIFPortProfileOpenVSwitch 1.1", "interface_id": PORT, "datapath_type": "system"
    }  # fmt: skip


def test_5_compute_newer_than_network_side() -> None:
    """Versions after those of the network side are offered; it answers in its own, inside the range."""
    vif = ask(Server(ovs()), offer(candidate("ovs", profile_range("1.0", "1.9"), versions=("1.0", "1.7")))).vif
    assert (vif.VERSION, vif.port_profile.VERSION) == ("1.0", "1.4")


def test_6_offer_newer_than_the_network_side_can_parse(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network side says what it knows, and the compute asks once more in that."""
    server = Server(ovs())

    def send(version: str | None) -> Any:
        with monkeypatch.context() as tomorrow:
            tomorrow.setattr(Offer, "VERSION", "2.3")
            tomorrow.setattr(Offer, "obj_versions", classmethod(lambda cls: ["1.0", "2.0", "2.3"]))
            told = profile.with_offer(PROFILE, offer(OVS), version=version)
        return details.read_answer(server.bind(told))

    assert offer_form.asking_once_more(send).choice == "ovs"
    assert [asked["os_vif_offer"]["v"] for asked in server.asked] == ["2.3", "1.0"]


def test_6b_a_network_side_that_knows_only_newer_offers_is_not_asked_again() -> None:
    """What cannot be written is not tried."""
    times = []

    def send(version: str | None) -> None:
        times.append(version)
        raise exception.OfferNotUnderstood(version="1.0", known="2.0")

    with pytest.raises(exception.OfferNotUnderstood, match=r"known is 2\.0"):
        offer_form.asking_once_more(send)
    assert times == [None]


def test_7_no_intersection() -> None:
    """A reason for every candidate, never a silent failure."""
    with pytest.raises(exception.BindingRefused) as told:
        ask(Server(provision("tap")), offer(OVS, candidate("bridge")))
    assert [(r.candidate, r.code) for r in told.value.refusals] == [
        ("ovs", "unsupported-type"), ("bridge", "unsupported-type")
    ]  # fmt: skip
    assert all(refusal.reason for refusal in told.value.refusals)


def test_8_preconditions_on_the_host_fail() -> None:
    """The type is withdrawn in the offer: never chosen, and the reason is there for who asks."""
    gone = Withdrawn(name="vhostuser", code="no-shared-memory", reason="The guest's memory is not shared.")
    told = offer(candidate("bridge"), withdrawn=[gone])
    able = Server(provision("vhostuser", needs_shared_memory=True))
    with pytest.raises(exception.BindingRefused, match="vhostuser: The guest's memory is not shared") as refusal:
        ask(able, told)
    assert [(r.candidate, r.code) for r in refusal.value.refusals] == [
        ("bridge", "unsupported-type"), ("vhostuser", "withdrawn")
    ]  # fmt: skip
    verdict = explain(told, choose(told, able.provided)).verdicts[-1]
    assert (verdict.candidate, verdict.verdict, verdict.code) == ("vhostuser", WITHDRAWN, "no-shared-memory")
