# SPDX-License-Identifier: Apache-2.0
"""docs/negotiation.md: its examples are what this library reads and writes, its tables are complete."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from negotiation.parties import PORT, candidate, offer
from os_vif import exception
from os_vif.negotiation import details, header, offer_form, profile
from os_vif.negotiation.answer import check_answered
from os_vif.negotiation.binding_types import BINDING_TYPES
from os_vif.negotiation.refusal import Code
from os_vif.objects.vif import VIFGeneric

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "negotiation.md").read_text()


def examples(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def cells(after: str) -> list[list[str]]:
    """The cells of the first table after a line that starts with ``after``, without their marks."""
    rows = TEXT[TEXT.index(f"\n{after}") :].split("|---", 1)[1].split("\n\n")[0].splitlines()[1:]
    return [[cell.strip().strip("`") for cell in row.strip("|").split("|")] for row in rows]


def test_the_offer_and_the_answer_are_read_and_agree() -> None:
    """What the specification offers is what it answers."""
    stored, answered, refused, not_understood = (json.loads(text) for text in examples("json"))
    read = profile.read_offer(stored)
    assert profile.with_offer(stored, read) == stored
    check_answered(details.read_answer(answered), read)
    assert details.with_answer(answered, details.read_answer(answered)) == answered
    with pytest.raises(exception.BindingRefused) as told:
        details.read_answer(refused)
    assert details.with_refusals({}, told.value.refusals) == refused
    with pytest.raises(exception.OfferNotUnderstood) as told_version:
        details.read_answer(not_understood)
    assert details.with_not_understood({}, told_version.value) == not_understood


def test_the_first_program_runs() -> None:
    """Both sides on one machine: the other types are refused, the tap is answered."""
    vif = VIFGeneric(id=PORT, plugin="tap", vif_name="tap1")
    names = {"offer": offer(candidate("bridge"), candidate("tap")), "vif": vif, "VIFGeneric": VIFGeneric}
    exec(examples("python")[0], names)
    assert names["told"].vif.vif_name == "tap1"


def test_the_headers_are_read() -> None:
    """And the long one says what is written about it."""
    long, short = (text.strip().removeprefix(f"{header.NAME}: ") for text in examples("http"))
    vhostuser, ovs, bridge = header.parse(long)
    assert vhostuser.vif.max_version == "1.1"
    assert [p.profile_object_name for p in vhostuser.vif.supported_port_profiles] == ["VIFPortProfileOpenVSwitch"]
    assert (ovs.constraints.device_by, ovs.vif.supported_port_profiles) == (["plugin", "hypervisor"], [])
    assert bridge.vif.max_version == "1.0"
    assert [accepted.name for accepted in header.parse(short)] == ["ovs", "bridge"]


def test_the_tables_are_complete() -> None:
    """Binding types, codes, and the keys of offers and candidates."""
    assert cells("## Binding types") == [[b.name, b.vif_class, b.plugin] for b in BINDING_TYPES.values()]
    codes = {value for name, value in vars(Code).items() if name.isupper()}
    assert {row[0] for row in cells("Every candidate before the choice")} == codes
    stored = json.loads(examples("json")[0])["os_vif_offer"]
    keys = {row[0] for row in cells("## The offer")}
    assert keys == {*offer_form._PLAIN, "v", "host", "hypervisor", "candidates", "withdrawn", "nested"}
    assert stored.keys() <= keys
    candidate_keys = {row[0] for row in cells("A candidate:")}
    assert candidate_keys == {*offer_form._CONSTRAINTS, "name", "plugin", "vif", "profiles"}
