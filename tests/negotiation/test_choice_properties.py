# SPDX-License-Identifier: Apache-2.0
"""What holds for every choice, whatever is offered and provided."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from negotiation.parties import OVS_PROFILE, candidate, offer, profile_range, provision
from os_vif.negotiation.choice import Decision, choose
from os_vif.negotiation.explain import CHOSEN, NOT_REACHED, REFUSED, explain
from os_vif.negotiation.refusal import Code
from os_vif.negotiation.request import Request

CODES = {value for name, value in vars(Code).items() if name.isupper()}
names = st.sampled_from(["ovs", "ovs-hybrid", "bridge", "tap", "vhostuser", "macvtap"])
makers = st.lists(st.sampled_from(["plugin", "hypervisor"]), unique=True)
versions = st.sampled_from(["1.0", "1.1", "1.3", "1.4", "1.9"])

candidates = st.builds(
    lambda name, low, high, profiles, **limits: candidate(name, *profiles, versions=(low, high), **limits),
    names,
    versions,
    versions,
    st.lists(st.builds(profile_range, versions, versions), max_size=1),
    shared_memory=st.none() | st.booleans(),
    max_queues=st.none() | st.integers(1, 4),
    max_mtu=st.none() | st.sampled_from([1400, 1500, 9000]),
    guest_models=st.lists(st.sampled_from(["virtio", "e1000"]), max_size=2),
    device_by=makers,
)
provisions = st.lists(
    st.builds(
        provision,
        names,
        profile=st.sampled_from([None, OVS_PROFILE]),
        device_by=makers.map(tuple),
        needs_shared_memory=st.booleans(),
        mtu=st.none() | st.sampled_from([1450, 9000]),
        max_queues=st.none() | st.integers(1, 4),
        refusal=st.none() | st.just((Code.POLICY, "No.")),
    ),
    max_size=5,
    unique_by=lambda provided: provided.name,
)
requests = st.none() | st.builds(
    Request, queues=st.integers(1, 4), guest_model=st.sampled_from(["", "virtio", "e1000"])
)
offered = st.lists(candidates, max_size=5)


def told(decision: Decision) -> Any:
    """A decision, to compare."""
    choice = decision.choice
    chosen = choice and (choice.candidate, choice.provision, choice.versions, choice.device_by)
    return chosen, [(r.candidate, r.code, r.reason) for r in decision.refusals]


@given(offered, provisions, requests)
def test_the_choice_is_one_that_was_offered_and_provided(wanted: Any, provided: Any, request: Any) -> None:
    """And the refusals are of exactly the candidates before it, or of all."""
    decision = choose(offer(*wanted), provided, request)
    choice = decision.choice
    before = len(wanted) if choice is None else next(n for n, c in enumerate(wanted) if c is choice.candidate)
    assert [refusal.candidate for refusal in decision.refusals] == [c.name for c in wanted[:before]]
    assert {refusal.code for refusal in decision.refusals} <= CODES
    assert all(refusal.reason.endswith(".") for refusal in decision.refusals)
    if choice is not None:
        assert choice.provision in provided
        assert choice.provision.name == choice.candidate.name
        assert choice.device_by in (*choice.provision.device_by, "")
        assert bool(choice.device_by) == bool(choice.provision.device_by)


@given(offered, provisions, requests, st.data())
def test_the_order_of_what_is_provided_does_not_matter(wanted: Any, provided: Any, request: Any, data: Any) -> None:
    """The network side has no say in the order."""
    shuffled = data.draw(st.permutations(provided))
    assert told(choose(offer(*wanted), shuffled, request)) == told(choose(offer(*wanted), provided, request))


@given(offered, candidates, provisions, requests)
def test_a_candidate_at_the_end_changes_no_choice(wanted: Any, last: Any, provided: Any, request: Any) -> None:
    """It is looked at only if nothing before it fits."""
    without = choose(offer(*wanted), provided, request)
    with_last = choose(offer(*wanted, last), provided, request)
    if without.choice is not None:
        assert told(with_last) == told(without)
    else:
        assert told(with_last)[1][: len(wanted)] == told(without)[1]


@given(offered, provisions, requests)
def test_every_candidate_is_explained(wanted: Any, provided: Any, request: Any) -> None:
    """Refused ones before the choice, and after it those that nobody looked at."""
    asked = offer(*wanted)
    decision = choose(asked, provided, request)
    explained = explain(asked, decision)
    assert [verdict.candidate for verdict in explained.verdicts] == [c.name for c in wanted]
    refused = len(decision.refusals)
    after = [CHOSEN] + [NOT_REACHED] * (len(wanted) - refused - 1) if decision.choice else []
    assert [verdict.verdict for verdict in explained.verdicts] == [REFUSED] * refused + after
    assert explained.choice == (decision.choice.candidate.name if decision.choice else "")
