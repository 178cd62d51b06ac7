# SPDX-License-Identifier: Apache-2.0
"""The schema is upstream's, field by field."""

from __future__ import annotations

import json
from typing import Any

import pytest

from objects.conftest import DATA
from os_vif.objects import vif
from os_vif.objects.wire.fingerprint import fingerprint, fingerprints
from os_vif.objects.wire.registry import CLASSES


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((DATA / "objects.json").read_text())
    return loaded


def test_fingerprints_are_upstreams(schema: dict[str, Any]) -> None:
    """All 31 classes, and no others, with the version and the digest that upstream's have."""
    assert fingerprints() == {name: told["fingerprint"] for name, told in schema.items()}
    assert len(schema) == 31


def test_fields_are_upstreams(schema: dict[str, Any]) -> None:
    """Names, kinds, defaults and whether None is allowed."""
    for name, told in schema.items():
        fields = CLASSES[name].fields
        assert fields.keys() == told["fields"].keys()
        for field_name, facts in told["fields"].items():
            field = fields[field_name]
            assert (type(field).__name__, field.nullable) == (facts["type"], facts["nullable"])
            assert repr(field).startswith(facts["type"].removesuffix("Field").replace("ListOfObjects", "List")[:4])
            if "default" in facts:
                assert field.default is facts["default"]
            if "values" in facts:
                assert list(field.valid_values) == facts["values"]


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_comparable_and_inheritance_are_upstreams(schema: dict[str, Any]) -> None:
    """Which classes compare by value, and which of them derive from which."""
    for name, told in schema.items():
        cls = CLASSES[name]
        assert (cls() == cls()) is told["comparable"]
        assert [base.__name__ for base in cls.__mro__[1:] if base.__name__ in schema] == told["inherits"]
        assert cls.obj_versions() == told["versions"]


def test_a_changed_field_changes_the_fingerprint() -> None:
    """A schema that changes without a version is caught by its digest."""

    class VIFBridge(vif.VIFBridge):
        fields = {"vif_name": vif.VIFBase.fields["address"]}

    assert fingerprint(VIFBridge) != fingerprint(vif.VIFBridge)


def test_a_field_used_again_under_another_name_is_another_field() -> None:
    """Neither class sees the other's values."""

    class VIFTwice(vif.VIFBase):
        fields = {"old_address": vif.VIFBase.fields["address"]}
        new_address = vif.VIFBase.fields["address"]

    twice = VIFTwice(old_address="fa:16:3e:00:00:01", new_address="fa:16:3e:00:00:02")
    assert (twice.old_address, twice.new_address) == ("fa:16:3e:00:00:01", "fa:16:3e:00:00:02")  # type: ignore[attr-defined]
    assert "address" not in twice
    assert vif.VIFBase.fields["address"].name == "address"
