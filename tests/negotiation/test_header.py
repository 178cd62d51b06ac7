# SPDX-License-Identifier: Apache-2.0
"""The header: read and written as RFC 9651 says, which http_sf, by one of its authors, is the judge of."""

from __future__ import annotations

import datetime
from typing import Any

import http_sf
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from negotiation.parties import candidate, offer, ovs, profile_range, provision
from os_vif import exception
from os_vif.negotiation import header, structured_list
from os_vif.negotiation.choice import choose

tokens = st.from_regex(r"[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]{0,9}", fullmatch=True)
keys = st.from_regex(r"[a-z*][a-z0-9_.*-]{0,5}", fullmatch=True)
decimals = st.decimals(min_value=-999999999999, max_value=999999999999, places=3, allow_nan=False)
dates = st.integers(-(10**9), 10**9).map(lambda second: datetime.datetime.fromtimestamp(second, datetime.UTC))
values = (
    st.integers(-(10**15) + 1, 10**15 - 1)
    | decimals
    | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)
    | tokens.map(http_sf.Token)
    | st.binary(max_size=12)
    | st.booleans()
    | dates
    | st.text(st.characters(codec="utf-8"), max_size=6).map(http_sf.DisplayString)
)
lists = st.lists(st.tuples(tokens, st.dictionaries(keys, values, max_size=3)), max_size=4)
noise = st.text(st.sampled_from('ab*19,;= \t"\\%?@:.-()_Aé'), max_size=14)


def judged(text: str) -> Any:
    """What the judge reads, in our terms; None if that is no list of tokens."""
    try:
        members = http_sf.parse(text.encode("latin-1"), tltype="list")
    except http_sf.StructuredFieldError:
        return None
    if not all(isinstance(item, http_sf.Token) for item, _ in members):
        return None
    return [(str(item), {key: plain(value) for key, value in given.items()}) for item, given in members]


def plain(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        return int(value.timestamp())
    return str(value) if isinstance(value, (http_sf.Token, http_sf.DisplayString)) else value


def read(text: str) -> Any:
    try:
        return structured_list.parse(text)
    except structured_list.Unreadable:
        return None


@given(lists)
def test_what_others_write_is_read(members: Any) -> None:
    """Tokens with parameters of every type."""
    text = http_sf.ser([(http_sf.Token(name), given) for name, given in members]) if members else ""
    assert read(text) == judged(text)
    assert [name for name, _ in read(text)] == [name for name, _ in members]


@given(lists, st.data())
def test_what_is_damaged_is_refused_by_both_or_by_none(members: Any, data: st.DataObject) -> None:
    """A list, with something put into it or over it, means the same to both or nothing to both."""
    text = http_sf.ser([(http_sf.Token(name), given) for name, given in members]) if members else ""
    at = data.draw(st.integers(0, len(text)))
    damaged = text[:at] + data.draw(noise) + text[at + data.draw(st.integers(0, 3)) :]
    assert read(damaged) == judged(damaged), damaged


@given(noise)
@example("a,")
@example("a\t,\tb ")
@example(" a;b")
@example("a; b=1")
@example("a;b= 1")
@example("a;b=1.")
@example("a;b=-0")
@example("a;b=1234567890123.1")
@example("a;A")
@example("1")
@example("(a b)")
@example('a;b="\\x"')
@example('a;b=%"%c3"')
@example('a;b=%"%C3%A9"')
@example("a;b=@1.5")
@example("a;b=1;b=2")
def test_noise_means_the_same_to_both(text: str) -> None:
    """Short texts of everything that has a meaning somewhere in the grammar."""
    assert read(text) == judged(text)


names = st.sampled_from(["ovs", "bridge", "tap", "vhostuser"])
ranges = st.sampled_from([("1.0", "1.0"), ("1.0", "1.4"), ("1.2", "1.3")])
makers = st.lists(st.sampled_from(["plugin", "hypervisor"]), unique=True)


@given(st.lists(st.tuples(names, ranges, ranges, makers), max_size=5))
def test_an_offers_candidates_survive_the_header(told: Any) -> None:
    """Order, versions, port profiles and makers; and the judge can read what we write."""
    made = [candidate(name, profile_range(*p), versions=v, device_by=by) for name, v, p, by in told]
    text = header.render(offer(*made))
    assert header.parse(text) == made
    assert [name for name, _ in judged(text)] == [name for name, *_ in told]


def test_a_plain_list_of_names_is_enough() -> None:
    """Who tells no versions gets the oldest, and is not relied on to read what came later."""
    hint = header.offer_of("bridge, ovs", "node1")
    assert [c.name for c in hint.candidates] == ["bridge", "ovs"]
    choice = choose(hint, [ovs(), provision("tap")]).choice
    assert choice.versions == {"VIFOpenVSwitch": "1.0", "VIFPortProfileOpenVSwitch": "1.0"}
    assert choice.device_by == "hypervisor"


def test_several_lines_of_the_header_are_one_list() -> None:
    """As HTTP joins them."""
    assert header.parse("ovs, tap") == header.parse("ovs") + header.parse("tap")
    assert header.parse("") == []


def test_unknown_types_and_parameters_are_no_error() -> None:
    """A type that nobody knows is refused by the choice; a parameter that nobody knows is left alone."""
    hint = header.offer_of("blue.vifblue;q=0.5;x=?0, tap;new", "node1")
    found = choose(hint, [provision("tap")])
    assert [(r.candidate, r.code) for r in found.refusals] == [("blue.vifblue", "unsupported-type")]
    assert found.choice.candidate.name == "tap"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ovs, ,bridge", "at character 6: a token is needed"),
        ("ovs,", "at character 5: nothing follows the comma"),
        ("ovs bridge", "at character 5: a comma is needed"),
        ("ovs;V=1", "at character 5: the name of a parameter is needed"),
        ('ovs;v="1.0', "at character 7: a value is needed"),
        ('ovs;x=%"%ff"', "at character 7: 'utf-8' codec"),
        ('"ovs"', "at character 1: a token is needed"),
        ("ovs;v=1.0", "ovs: parameter v is .*; a string is needed"),
        ('ovs;v="1.0"', "ovs: '1.0' is not a range of versions"),
        ('ovs;v="1.4-1.0"', "ovs: '1.4-1.0' is not a range of versions"),
        ('ovs;p="VIFPortProfileOpenVSwitch"', "ovs: '' is not a range"),
        ("x" * 9000, "it has 9000 characters"),
    ],
)
def test_a_malformed_header_is_refused_by_its_position(text: str, reason: str) -> None:
    """One error, which names the header and the place in it."""
    with pytest.raises(exception.MalformedOffer, match=f"^OpenStack-VIF-Accept: {reason}"):
        header.parse(text)


def test_what_cannot_be_in_a_header_is_not_written() -> None:
    """A name is a token; nothing breaks out of the header's line."""
    bad = candidate("ovs")
    bad.name = "ovs\r\nX-Evil: 1"
    with pytest.raises(exception.MalformedOffer, match="is not a token"):
        header.render(offer(bad))
