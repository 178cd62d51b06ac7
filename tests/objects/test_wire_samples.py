# SPDX-License-Identifier: Apache-2.0
"""What upstream wrote is read, and written again as it was."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from objects.normal import normal
from os_vif.objects.base import VersionedObject

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")

read = VersionedObject.obj_from_primitive


def test_current_versions_are_written_as_they_were_read(samples: list[dict[str, Any]]) -> None:
    """Every recorded object comes back from the wire and goes out again unchanged."""
    for sample in samples:
        assert normal(read(sample["current"]).obj_to_primitive()) == normal(sample["current"])


def test_older_versions_are_written_as_upstream_writes_them(samples: list[dict[str, Any]]) -> None:
    """Wherever upstream could write an older version, ours is the same."""
    recorded = [sample for sample in samples if "error" not in sample["at_target"]]
    assert len(recorded) == 141
    for sample in recorded:
        written = read(sample["current"]).obj_to_primitive(sample["target_version"])
        assert normal(written) == normal(sample["at_target"])


def test_older_versions_are_read(samples: list[dict[str, Any]]) -> None:
    """An object of an older version is read, says its version, and goes out again as it came."""
    for sample in samples:
        if "error" not in sample["at_target"]:
            again = read(sample["at_target"])
            assert sample["target_version"] == again.VERSION
            assert normal(again.obj_to_primitive()) == normal(sample["at_target"])


@pytest.mark.parametrize(
    ("name", "gone"),
    [("Network", "mtu"), ("VIFVHostUser", "vif_name"), ("HostVIFInfo", "supported_port_profiles")],
)
def test_versions_that_upstream_cannot_write_are_written(samples: list[dict[str, Any]], name: str, gone: str) -> None:
    """The three objects whose 1.0 upstream fails to write are written without what 1.1 brought, and read back."""
    for sample in samples:
        if sample["object"] != name or "error" not in sample["at_target"]:
            continue
        written = read(sample["current"]).obj_to_primitive("1.0")
        fields = sample["current"]["versioned_object.data"]
        assert written["versioned_object.version"] == "1.0"
        assert written["versioned_object.data"].keys() == fields.keys() - {gone}
        assert gone not in written["versioned_object.changes"]
        assert normal(read(written).obj_to_primitive("1.0")) == normal(written)


def test_what_is_inside_an_old_vhostuser_vif_is_as_old(samples: list[dict[str, Any]]) -> None:
    """A peer that knows VIFVHostUser 1.0 knows networks and profiles of 1.0 only, so it is sent those."""
    sample = next(s for s in samples if s["object"] == "VIFVHostUser" and s["target_version"] == "1.0")
    data = read(sample["current"]).obj_to_primitive("1.0")["versioned_object.data"]
    assert data["network"]["versioned_object.version"] == "1.0"
    assert "mtu" not in data["network"]["versioned_object.data"]
    assert data["port_profile"]["versioned_object.version"] == "1.0"
    assert "datapath_offload" not in data["port_profile"]["versioned_object.data"]


def test_the_deprecated_profile_warns_once_when_read(samples: list[dict[str, Any]]) -> None:
    """Reading a VIFPortProfileOVSRepresentor warns once, as making one does."""
    sample = next(s for s in samples if s["object"] == "VIFPortProfileOVSRepresentor")
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        read(sample["current"])
    assert [warning.category for warning in seen] == [PendingDeprecationWarning]
