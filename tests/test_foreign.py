# SPDX-License-Identifier: Apache-2.0
"""Reading what others have written."""

from __future__ import annotations

import json

import pytest

from os_vif import exception, foreign


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": 1, "b": 2, "a": 3}', "'a' is there twice in one object"),
        ("[NaN]", "NaN is not JSON"),
        ("[-Infinity]", "-Infinity is not JSON"),
        ("[" * 101 + "]" * 101, "brackets are inside each other too deeply"),
        ("[" * 100_000, "brackets are inside each other too deeply"),
        ('{"a":' * 100_000, "brackets are inside each other too deeply"),
        ('"' + "x" * 100 + '"', "it is longer than 64 bytes"),
    ],
)
def test_what_python_reads_and_nobody_means(text, reason):
    """All of it is a ValueError."""
    with pytest.raises(foreign.Unreadable) as caught:
        foreign.parse_json(text, longest=64 if reason.startswith("it is longer") else 1 << 20)
    assert str(caught.value) == reason


@pytest.mark.parametrize("text", ["", "{", "[1,]", b"\xff", "9" * 5000, '"\n"'])
def test_what_is_no_json(text):
    """A ValueError too."""
    with pytest.raises(ValueError):
        foreign.parse_json(text)


def test_many_keys_are_no_burden():
    """Each is looked at once: half a million keys, the last of them twice."""
    text = json.dumps({str(number): 0 for number in range(500_000)})[:-1] + ', "499999": 1}'
    with pytest.raises(foreign.Unreadable, match="'499999' is there twice"):
        foreign.parse_json(text)


def test_values_have_their_types():
    """And the error says where."""
    reader = foreign.Reader({"port": {"id": 5, "ips": [{"address": None}], "name": "a\nb", "mtu": -1}}, "answer")
    port = reader.inner("port")
    (ip,) = port.each("ips")
    for read, field, reason in (
        (lambda: port.pick("id", str), "answer.port.id", "a string is needed, not 5"),
        (lambda: port.pick("host", str), "answer.port.host", "is missing"),
        (lambda: ip.pick("address", str), "answer.port.ips[0].address", "is missing"),
        (lambda: port.word("name"), "answer.port.name", "a line of at most 255 characters is needed, not 'a\\nb'"),
        (lambda: port.number("mtu"), "answer.port.mtu", "a number from 0 to 2147483647 is needed"),
        (lambda: port.each("ips", most=0), "answer.port.ips", "at most 0 are read, and it has 1"),
        (lambda: port.list_of("id", str), "answer.port.id", "a list is needed, not 5"),
    ):
        with pytest.raises(exception.MalformedData) as caught:
            read()
        assert str(caught.value) == f"{field}: {reason}."
    assert port.pick("nobody", str, "") == ""


def test_whatever_it_is_is_shown_in_short():
    """Also what Python does not write out, and what goes on for ever."""
    endless: list[object] = []
    endless.append(endless)
    assert foreign.shown(10**5000) == "a value of type int"
    assert foreign.shown("x" * 1000).startswith("'xxx")
    assert max(len(foreign.shown(value)) for value in (endless, "x" * 1000, [[[[1]]]], {"a": "b" * 99})) <= 60
