# SPDX-License-Identifier: Apache-2.0
"""Peers of any two versions understand each other."""

from __future__ import annotations

import copy
import itertools
import logging
from typing import Any

import pytest

from objects.normal import normal
from os_vif import exception
from os_vif.objects import codec, network, vif
from os_vif.objects.base import VersionedObject
from os_vif.objects.wire.registry import CLASSES

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")

read = VersionedObject.obj_from_primitive


def newest_of_each(samples: list[dict[str, Any]]) -> dict[str, Any]:
    return {sample["object"]: sample["current"] for sample in samples}


def added_since(cls: Any, version: str) -> set[str]:
    return {name for name, since in cls.obj_field_versions.items() if tuple(since) > tuple(version)}


def test_every_version_reaches_every_version(samples: list[dict[str, Any]]) -> None:
    """Written at A, read, written at B: the outcome has what both have, whichever is newer."""
    pairs = 0
    for name, primitive in newest_of_each(samples).items():
        cls = CLASSES[name]
        for first, second in itertools.product(cls.obj_versions(), repeat=2):
            there = read(read(primitive).obj_to_primitive(first))
            back = there.obj_to_primitive(second)
            lost = added_since(cls, first) | added_since(cls, second)
            # A Network has an MTU from the start, so a reader of 1.0 has the field again, as None.
            expected = primitive["versioned_object.data"].keys() - (
                added_since(cls, second) if name == "Network" else lost
            )
            assert back["versioned_object.version"] == second
            assert back["versioned_object.data"].keys() == expected, (name, first, second)
            pairs += 1
    assert pairs == sum(len(CLASSES[name].obj_versions()) ** 2 for name in newest_of_each(samples))


def test_all_versions_of_the_schema_are_known(samples: list[dict[str, Any]]) -> None:
    """The versions we say we can write are those that there have been."""
    versions: dict[str, set[str]] = {}
    for sample in samples:
        versions.setdefault(sample["object"], set()).add(sample["target_version"])
    for name, known in versions.items():
        assert set(CLASSES[name].obj_versions()) == known


def test_a_newer_minor_version_is_read_without_what_we_do_not_know(
    samples: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    """Unknown fields of a newer minor version are left out, logged once, and can be listed by their paths."""
    for primitive in newest_of_each(samples).values():
        newer = copy.deepcopy(primitive)
        newer["versioned_object.version"] = "1.99"
        newer["versioned_object.data"]["colour"] = {"any": ["thing"]}
        newer["versioned_object.changes"] = [*newer.get("versioned_object.changes", []), "colour"]
        caplog.clear()
        with caplog.at_level(logging.WARNING, "os_vif.objects"):
            obj = read(newer)
        assert codec.dropped_fields(obj) == ("colour",)
        assert [record.getMessage().count("colour") for record in caplog.records] == [1]
        assert normal(obj.obj_to_primitive()) == normal(primitive)


def test_what_is_dropped_deep_inside_is_told_by_its_path() -> None:
    """The path of a dropped field leads through objects and lists."""
    inner = vif.VIFBridge(network=network.Network(bridge="br0"), port_profile=vif.VIFPortProfileBase())
    wire = inner.obj_to_primitive()
    data = wire["versioned_object.data"]
    data["network"]["versioned_object.version"] = "1.7"
    data["network"]["versioned_object.data"]["zone"] = "eu"
    data["port_profile"]["versioned_object.data"]["speed"] = 5
    assert codec.dropped_fields(read(wire)) == ("network.zone", "port_profile.speed")


@pytest.mark.parametrize("version", ["2.0", "0.9", "10.0"])
def test_another_major_version_is_refused_by_name(version: str) -> None:
    """What another major version means cannot be guessed."""
    wire = vif.VIFBridge().obj_to_primitive() | {"versioned_object.version": version}
    with pytest.raises(exception.UnsupportedObjectVersion, match=f"Version {version} of VIFBridge"):
        read(wire)


def test_an_unknown_object_is_refused_by_name_and_place() -> None:
    """So is an object of a name that we do not know, and the message says where it is."""
    wire = vif.VIFBridge(network=network.Network()).obj_to_primitive()
    wire["versioned_object.data"]["network"]["versioned_object.name"] = "Wormhole"
    with pytest.raises(exception.UnknownObject, match=r"^network: .*Wormhole") as told:
        read(wire)
    assert told.value.kwargs["field"] == "network"


@pytest.mark.parametrize("version", ["1.5", "2.0", "0.9"])
def test_a_version_that_never_was_is_not_written(version: str) -> None:
    """Writing at a version that is not one of the object's is refused."""
    with pytest.raises(exception.UnsupportedObjectVersion):
        vif.VIFPortProfileOpenVSwitch().obj_to_primitive(version)


def test_a_target_version_that_is_none_is_a_bad_value() -> None:
    """As with upstream, that is a ValueError."""
    with pytest.raises(ValueError, match="target_version"):
        vif.VIFBridge().obj_to_primitive("new")


def test_a_manifest_lowers_what_is_inside() -> None:
    """A manifest is honoured for nested objects, also when the outermost one needs no change."""
    profile = vif.VIFPortProfileOpenVSwitch(
        interface_id="1", create_tap=True, datapath_offload=vif.DatapathOffloadRepresentor(representor_name="eth5")
    )
    manifest = {"VIFPortProfileOpenVSwitch": "1.0", "Network": "1.0"}
    wire = vif.VIFBridge(network=network.Network(mtu=1500), port_profile=profile).obj_to_primitive(
        version_manifest=manifest
    )
    data = wire["versioned_object.data"]
    assert data["port_profile"]["versioned_object.data"] == {"interface_id": "1"}
    assert "mtu" not in data["network"]["versioned_object.data"]
