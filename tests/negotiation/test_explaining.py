# SPDX-License-Identifier: Apache-2.0
"""What people and programs are told of a negotiation."""

from __future__ import annotations

from negotiation.parties import candidate, offer, ovs, ovs_vif, profile_range, provision
from os_vif.negotiation.answer import answer
from os_vif.negotiation.choice import choose
from os_vif.negotiation.explain import explain
from os_vif.negotiation.offer import Withdrawn

GONE = Withdrawn(name="vhostuser", code="no-shared-memory", reason="The memory is not shared.")
ASKED = offer(
    candidate("macvtap"), candidate("ovs", profile_range(), device_by=["plugin"]), candidate("tap"), withdrawn=[GONE]
)

TABLE = """\
CANDIDATE  VERDICT      CODE              REASON
macvtap    refused      unsupported-type  The network side does not provide this type.
ovs        chosen                         VIFOpenVSwitch 1.0, VIFPortProfileOpenVSwitch 1.4; the plugin makes the device
tap        not reached
vhostuser  withdrawn    no-shared-memory  The memory is not shared."""


def test_a_table_for_people() -> None:
    """Every type that was talked about, in the hypervisor's order."""
    assert str(explain(ASKED, choose(ASKED, [ovs()]))) == TABLE


def test_an_answer_explains_itself() -> None:
    """Whoever got an answer knows as much, though not who decided it."""
    decision = choose(ASKED, [ovs()])
    told = explain(ASKED, answer(decision, ovs_vif(), ASKED))
    assert [row[:3] for row in told.rows] == [row[:3] for row in explain(ASKED, decision).rows]
    assert told.to_primitive()["choice"] == "ovs"
    assert told.to_primitive()["candidates"][1] == {
        "candidate": "ovs", "verdict": "chosen", "code": "", "reason": "VIFOpenVSwitch 1.0"
    }  # fmt: skip


def test_nothing_chosen_is_told_as_none() -> None:
    """In JSON it is null."""
    told = explain(ASKED, choose(ASKED, []))
    assert told.to_primitive()["choice"] is None
    assert [row[1] for row in told.rows] == ["refused", "refused", "refused", "withdrawn"]


def test_one_type_offered_twice_has_two_verdicts() -> None:
    """With other versions or limits the second may do where the first does not; only one is chosen."""
    small, large = candidate("tap", max_mtu=1400), candidate("tap", max_mtu=9000)
    asked = offer(small, large, large)
    told = explain(asked, choose(asked, [provision("tap", mtu=1500)]))
    assert [row[:2] for row in told.rows] == [["tap", "refused"], ["tap", "chosen"], ["tap", "not reached"]]
