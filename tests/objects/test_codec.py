# SPDX-License-Identifier: Apache-2.0
"""Objects as JSON text."""

from __future__ import annotations

import json

import pytest

from os_vif import exception
from os_vif.objects import codec, network, vif


def test_there_and_back() -> None:
    """What dumps writes, loads reads: as text or bytes, indented or not, at any version."""
    made = vif.VIFVHostUser(id="1", vif_name="vhu1", mode="client", network=network.Network(label="é", mtu=9000))
    assert codec.loads(codec.dumps(made)) == made
    assert codec.loads(codec.dumps(made, indent=2).encode()) == made
    old = json.loads(codec.dumps(made, version="1.0"))
    assert (old["versioned_object.version"], "vif_name" in old["versioned_object.data"]) == ("1.0", False)
    assert codec.loads(json.dumps(old), context="c").obj_context == "c"


@pytest.mark.parametrize(
    ("text", "line", "column", "why"),
    [
        ("", 1, 1, "Expecting value"),
        ('{"a": 1,\n "b": }', 2, 7, "Expecting value"),
        ('{"a": 1,\n "b": NaN}', 2, 7, "NaN is not JSON"),
        ('{"a": 1,\n\n "a": 2}', 3, 2, "'a' is there twice"),
        (b'{"a":\n  "\xff"}', 2, 4, "byte 9 is not utf-8"),
        ("[" * 200_000, 1, 1, "too deeply"),
        ("1" * 5000, 1, 1, "digits"),
        ('{"a": 1} x', 1, 10, "Extra data"),
    ],
)
def test_what_is_not_json_is_told_by_line_and_column(text: str | bytes, line: int, column: int, why: str) -> None:
    """Both count from 1, as editors do."""
    with pytest.raises(exception.MalformedText, match=why) as told:
        codec.loads(text)
    assert (told.value.kwargs["line"], told.value.kwargs["column"]) == (line, column)
    assert str(told.value).startswith(f"line {line}, column {column}: ")


def test_json_that_is_no_object_is_told_by_field() -> None:
    """Errors of content have a path instead."""
    text = codec.dumps(vif.VIFBridge(network=network.Network())).replace('"mtu": null', '"mtu": "big"')
    with pytest.raises(exception.WrongWireType, match=r"^network\.mtu: a whole number is needed, not a string"):
        codec.loads(text)
