# SPDX-License-Identifier: Apache-2.0
"""The short form of objects: nothing is lost, whatever somebody's fields hold."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from os_vif import exception
from os_vif.negotiation.short_form import lengthen, shorten

names = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=6)
versions = st.sampled_from(["1.0", "1.1", "2.0"])


def objects(values: Any) -> Any:
    """The wire form of objects of classes that nobody knows, in any namespace."""
    return st.builds(
        lambda name, namespace, version, data: {
            "versioned_object.name": name,
            "versioned_object.namespace": namespace,
            "versioned_object.version": version,
            "versioned_object.data": data,
        },
        names,
        st.sampled_from(["os_vif", "blue"]),
        versions,
        st.dictionaries(names, values, max_size=3),
    )


plain = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
wires = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=3)
        | objects(inner)
        | st.dictionaries(names | st.sampled_from(["_", "="]), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(wires)
def test_every_wire_form_comes_back(wire: Any) -> None:
    """Also of unknown classes, and with plain mappings that look like a short object."""
    assert lengthen(json.loads(json.dumps(shorten(wire))), "here") == wire


def test_what_is_inside_each_other_too_deeply_is_an_error() -> None:
    """In lists, in mappings and in objects, and not one of Python's."""
    for wrap in (lambda inner: [inner], lambda inner: {"a": inner}, lambda inner: {"_": "Network", "a": inner}):
        deep: Any = 1
        for _ in range(32):
            deep = wrap(deep)
        assert lengthen(deep, "here")
        for _ in range(200):
            deep = wrap(deep)
        with pytest.raises(exception.MalformedOffer, match="inside each other too deeply"):
            lengthen(deep, "here")
