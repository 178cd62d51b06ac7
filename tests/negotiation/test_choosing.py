# SPDX-License-Identifier: Apache-2.0
"""Whom the choice obeys, and in which words a candidate is refused."""

from __future__ import annotations

from typing import Any

import pytest

from negotiation.parties import OVS_PROFILE, candidate, offer, ovs, ovs_vif, profile_range, provision
from os_vif import exception
from os_vif.negotiation.answer import answer, check_answered
from os_vif.negotiation.choice import choose
from os_vif.negotiation.offer import ObjectVersions
from os_vif.negotiation.request import Request
from os_vif.objects.vif import VIFPortProfileFPBridge

OVS = candidate("ovs", profile_range())


def test_the_hypervisors_order_wins() -> None:
    """Whatever the network side lists first, the hypervisor's first that can be provided is chosen."""
    both = [provision("tap"), provision("bridge")]
    for provided in (both, both[::-1]):
        assert choose(offer(candidate("bridge"), candidate("tap")), provided).choice.candidate.name == "bridge"
        assert choose(offer(candidate("tap"), candidate("bridge")), provided).choice.candidate.name == "tap"


def test_who_makes_the_device_is_the_hypervisors_preference() -> None:
    """The first maker in the hypervisor's order that the network side can do; the network's where it says nothing."""
    for order, maker in [(["hypervisor", "plugin"], "hypervisor"), (["plugin"], "plugin"), ([], "plugin")]:
        decision = choose(offer(candidate("ovs", profile_range(), device_by=order)), [ovs()])
        assert decision.choice.device_by == maker
    assert choose(offer(candidate("tap", device_by=["plugin"])), [provision("tap")]).choice.device_by == ""


def test_a_plugin_that_cannot_be_told_is_not_asked() -> None:
    """A reader of profiles before 1.4 sees no create_tap, so the hypervisor has to make the device."""
    old = profile_range(highest="1.3")
    either = choose(offer(candidate("ovs", old, device_by=["plugin", "hypervisor"])), [ovs()])
    assert (either.choice.device_by, either.choice.versions["VIFPortProfileOpenVSwitch"]) == ("hypervisor", "1.3")
    by_plugin = provision("ovs", profile=OVS_PROFILE, device_by=("plugin",))
    for plugin_only in (candidate("ovs", old, device_by=["plugin"]), candidate("ovs", old)):
        refusals = choose(offer(plugin_only), [by_plugin]).refusals
        assert [(r.code, "create_tap" in r.reason) for r in refusals] == [("device-by", True)]


REFUSED: list[tuple[Any, Any, dict[str, Any], str, str]] = [
    (OVS, provision("tap"), {}, "unsupported-type", "does not provide this type"),
    (OVS, ovs(refusal=("physical-network", "No bridge here.")), {}, "physical-network", "No bridge here."),
    (OVS, provision("ovs", refusal=("policy", "No.")), {}, "policy", "No."),
    (candidate("ovs", versions=("1.7", "1.9")), ovs(), {}, "vif-version", "takes VIFOpenVSwitch 1.7 to 1.9, the"),
    (candidate("ovs", versions=("new", "1.9")), ovs(), {}, "vif-version", "'new' is not a version"),
    (candidate("ovs"), ovs(), {}, "port-profile", "takes: none."),
    (candidate("ovs", profile_range(cls=VIFPortProfileFPBridge)), ovs(), {}, "port-profile", "VIFPortProfileFPBridge"),
    (candidate("ovs", profile_range("1.5", "1.6")), ovs(), {}, "port-profile-version", "side writes 1.0 to 1.4"),
    (candidate("tap", device_by=["plugin"]), provision("tap", device_by=("hypervisor",)), {}, "device-by",
     "made by the hypervisor, the hypervisor wants it by the plugin."),
    (candidate("vhostuser", shared_memory=False), provision("vhostuser", needs_shared_memory=True), {}, "constraint",
     "shared"),
    (candidate("tap", max_mtu=1500), provision("tap", mtu=9000), {}, "constraint", "MTU is 9000"),
    (candidate("tap", max_queues=2), provision("tap"), {"queues": 4}, "constraint", "4 queues are wanted, the hyper"),
    (candidate("tap"), provision("tap", max_queues=1), {"queues": 4}, "constraint", "network side can do 1."),
    (candidate("tap", guest_models=["virtio"]), provision("tap"), {"guest_model": "e1000"}, "constraint", "e1000"),
]  # fmt: skip


@pytest.mark.parametrize(("offered", "provided", "asked", "code", "words"), REFUSED)
def test_each_refusal_has_its_code_and_sentence(offered, provided, asked, code, words) -> None:
    """What does not fit is refused by a code for programs and a sentence for people."""
    decision = choose(offer(offered), [provided], Request(**asked))
    assert decision.choice is None
    assert [(refusal.candidate, refusal.code) for refusal in decision.refusals] == [(offered.name, code)]
    assert words in decision.refusals[0].reason
    assert decision.refusals[0].reason.endswith(".")


JUST_FITTING: list[tuple[Any, Any, dict[str, Any]]] = [
    (candidate("tap", max_mtu=9000), provision("tap", mtu=9000), {}),
    (candidate("tap", max_queues=4), provision("tap", max_queues=4), {"queues": 4}),
    (candidate("tap", shared_memory=False), provision("tap"), {}),
    (candidate("vhostuser", shared_memory=True), provision("vhostuser", needs_shared_memory=True), {}),
    (candidate("tap", guest_models=["virtio", "e1000"]), provision("tap"), {"guest_model": "e1000"}),
    (candidate("tap", guest_models=["virtio"]), provision("tap"), {}),
    (candidate("tap"), provision("tap", mtu=9000), {"guest_model": "e1000", "queues": 64}),
    (candidate("vhostuser", versions=("1.1", "1.1")), provision("vhostuser"), {}),
]


@pytest.mark.parametrize(("offered", "provided", "asked"), JUST_FITTING)
def test_what_just_fits_is_chosen(offered, provided, asked) -> None:
    """A limit is still allowed, and what is not told or not wanted limits nothing."""
    assert choose(offer(offered), [provided], Request(**asked)).choice.candidate is offered


def test_another_class_or_plugin_under_the_same_name_is_not_the_same_type() -> None:
    """A name alone does not make two sides mean the same."""
    other_class, other_plugin = candidate("ovs", profile_range()), candidate("ovs", profile_range())
    other_class.vif.vif_object_name = "VIFBridge"
    other_plugin.plugin = "agilio_ovs"
    for strange in (other_class, other_plugin):
        decision = choose(offer(strange, OVS), [ovs()])
        assert [refusal.code for refusal in decision.refusals] == ["unsupported-type"]
        assert decision.choice.candidate is not strange


def test_nested_versions_are_limited_by_the_offer() -> None:
    """What the offer says of objects inside VIFs holds; names that nobody knows are ignored."""
    nested = [
        ObjectVersions(object_name="Network", max_version="1.0"),
        ObjectVersions(object_name="X", max_version="3.0"),
    ]
    limited = offer(OVS, nested=nested)
    decision = choose(limited, [ovs()])
    assert decision.choice.versions == {
        "VIFOpenVSwitch": "1.0", "VIFPortProfileOpenVSwitch": "1.4", "Network": "1.0"
    }  # fmt: skip
    assert answer(decision, ovs_vif(), limited).vif.network.VERSION == "1.0"


def test_what_a_candidate_says_of_a_profile_counts_more_than_nested() -> None:
    """The ranges of a candidate are for the VIF and its profile; nested is for what is inside these."""
    both = offer(OVS, nested=[ObjectVersions(object_name="VIFPortProfileOpenVSwitch", max_version="1.2")])
    assert answer(choose(both, [ovs()]), ovs_vif(), both).vif.port_profile.VERSION == "1.4"


def test_two_provisions_of_one_name_are_an_error() -> None:
    """Which one is meant would depend on their order."""
    with pytest.raises(exception.InvalidRequest, match="same name"):
        choose(offer(OVS), [ovs(), ovs(mtu=1400)])


def test_when_nothing_fits_the_error_tells_all_reasons() -> None:
    """A refusal for each candidate, in the error's text and for programs."""
    decision = choose(offer(OVS, candidate("bridge")), [provision("tap")])
    with pytest.raises(exception.BindingRefused, match=r"ovs: .* bridge: ") as told:
        answer(decision, ovs_vif(), offer(OVS))
    assert [refusal["candidate"] for refusal in told.value.to_dict()["refusals"]] == ["ovs", "bridge"]


def test_an_answer_is_only_what_was_chosen() -> None:
    """A network driver that makes something else than it promised is stopped before anybody is told."""
    decision = choose(offer(candidate("tap")), [provision("tap")])
    with pytest.raises(exception.AnswerNotOffered, match="VIFOpenVSwitch, which was not offered; offered: VIFGeneric"):
        answer(decision, ovs_vif(), offer(candidate("tap")))


def test_a_caller_never_gets_what_it_did_not_offer() -> None:
    """Another name, class, plugin, version or profile than offered: refused, with what it was."""
    asked = offer(OVS)
    given = answer(choose(asked, [ovs()]), ovs_vif(), asked)
    check_answered(given, asked)
    elsewhere = [
        (offer(candidate("bridge")), "answered with ovs, .*offered: bridge"),
        (offer(), "offered: nothing"),
        (offer(candidate("ovs", profile_range(highest="1.3"))), r"VIFPortProfileOpenVSwitch 1\.4\).*1\.0 to 1\.3"),
        (offer(candidate("ovs")), "no port profile"),
        (offer(candidate("ovs", profile_range(), versions=("1.1", "1.2"))), r"VIFOpenVSwitch 1\.0\).*1\.1 to 1\.2"),
        (offer(OVS, nested=[ObjectVersions(object_name="Network", max_version="1.0")]), r"Network 1\.1.*up to 1\.0"),
    ]
    for other, words in elsewhere:
        with pytest.raises(exception.AnswerNotOffered, match=words):
            check_answered(given, other)
    given.vif.plugin = "evil"
    with pytest.raises(exception.AnswerNotOffered, match="plugin evil"):
        check_answered(given, asked)
