# SPDX-License-Identifier: Apache-2.0
"""Whatever comes in: an object, or one error that says what is wrong and where."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from objects.conftest import EXAMPLES
from objects.strategies import SCHEMA
from os_vif import exception
from os_vif.objects import base, codec, fields, network, subnet, vif
from os_vif.objects.refusals import MAX_STRING
from os_vif.objects.wire.form import MAX_DEPTH

D = "versioned_object.data"


def sample() -> dict[str, Any]:
    """A VIF with a network with a subnet, as it is on the wire."""
    nets = subnet.SubnetList(objects=[subnet.Subnet(cidr="10.0.0.0/8", dns=["10.0.0.1"], gateway="10.0.0.2")])
    direct = vif.VIFDirect(
        id="1", active=True, network=network.Network(mtu=1500, subnets=nets), address="fa:16:3e:00:00:01",
        dev_address="0000:3b:00.1", mode="vepa", vif_name="x", port_profile=vif.VIFPortProfileBase(),
    )  # fmt: skip
    return copy.deepcopy(direct.obj_to_primitive())


def damaged(path: str, value: Any) -> dict[str, Any]:
    """The sample with ``value`` at ``path``, whose steps are ``/``-separated keys and indices."""
    wire: Any = sample()
    holder, steps = wire, path.split("/")
    for step in steps[:-1]:
        holder = holder[int(step) if step.isdigit() else step]
    last = steps[-1]
    if value is ...:
        del holder[last]
    else:
        holder[int(last) if last.isdigit() else last] = value
    return wire  # type: ignore[no-any-return]


NET = f"{D}/network/{D}"
SUBNET = f"{NET}/subnets/{D}/objects/0"

CASES = [
    (f"{D}/active", "no", "active", TypeError),
    (f"{D}/active", 1, "active", TypeError),
    (f"{D}/id", 5, "id", TypeError),
    (f"{D}/id", None, "id", ValueError),
    (f"{D}/vif_name", ["x"], "vif_name", TypeError),
    (f"{D}/vif_name", "x" * (MAX_STRING + 1), "vif_name", ValueError),
    (f"{D}/address", "fa:16:3e:00:00", "address", ValueError),
    (f"{D}/address", "x" * 10**6, "address", ValueError),
    (f"{D}/dev_address", "0000:3b:00.9", "dev_address", ValueError),
    (f"{D}/mode", "sideways", "mode", ValueError),
    (f"{D}/network", "net", "network", TypeError),
    (f"{D}/network", [], "network", TypeError),
    (f"{D}/network", {}, "network.versioned_object.name", KeyError),
    (f"{D}/port_profile", None, "port_profile", ValueError),
    (f"{NET}/mtu", "1500", "network.mtu", TypeError),
    (f"{NET}/mtu", True, "network.mtu", TypeError),
    (f"{NET}/mtu", 1.5, "network.mtu", TypeError),
    (f"{NET}/subnets/{D}/objects", {}, "network.subnets.objects", TypeError),
    (f"{SUBNET}", 7, "network.subnets.objects[0]", TypeError),
    (f"{SUBNET}/{D}/cidr", "10.0.0.0/33", "network.subnets.objects[0].cidr", ValueError),
    (f"{SUBNET}/{D}/cidr", "10.0.0.0/8\0", "network.subnets.objects[0].cidr", ValueError),
    (f"{SUBNET}/{D}/gateway", "gateway", "network.subnets.objects[0].gateway", ValueError),
    (f"{SUBNET}/{D}/gateway", 5, "network.subnets.objects[0].gateway", TypeError),
    (f"{SUBNET}/{D}/dns/0", "", "network.subnets.objects[0].dns[0]", ValueError),
    (f"{SUBNET}/{D}/dns/0", None, "network.subnets.objects[0].dns[0]", TypeError),
    (f"{SUBNET}/{D}", ..., f"network.subnets.objects[0].{D}", KeyError),
    (f"{SUBNET}/{D}", "x", f"network.subnets.objects[0].{D}", TypeError),
    ("versioned_object.name", ..., "versioned_object.name", KeyError),
    ("versioned_object.name", 5, "versioned_object.name", TypeError),
    ("versioned_object.version", ..., "versioned_object.version", KeyError),
    ("versioned_object.version", "one", "versioned_object.version", ValueError),
    ("versioned_object.version", "1.0.0", "versioned_object.version", ValueError),
    ("versioned_object.version", "1.00", "versioned_object.version", ValueError),
    ("versioned_object.version", "9" * 10**6, "versioned_object.version", ValueError),
    ("versioned_object.version", 1.0, "versioned_object.version", TypeError),
    ("versioned_object.namespace", ..., "versioned_object.namespace", KeyError),
    ("versioned_object.namespace", None, "versioned_object.namespace", TypeError),
    ("versioned_object.changes", ["nonsense"], "versioned_object.changes", ValueError),
    ("versioned_object.changes", [5], "versioned_object.changes", TypeError),
    ("versioned_object.changes", [["id"]], "versioned_object.changes", TypeError),
    ("versioned_object.changes", "id", "versioned_object.changes", TypeError),
    ("versioned_object.changes", None, "versioned_object.changes", TypeError),
]


@pytest.mark.parametrize(("path", "value", "field", "builtin"), CASES)
def test_what_is_wrong_is_named_by_its_place(path: str, value: Any, field: str, builtin: Any) -> None:
    """One ObjectError, also of the builtin type that fits; its field is the dotted path, its text short."""
    wire = damaged(path, value)
    with pytest.raises(exception.ObjectError) as told:
        base.VersionedObject.obj_from_primitive(wire)
    assert told.value.kwargs["field"] == field
    assert str(told.value).startswith(field + ": ")
    assert isinstance(told.value, builtin)
    assert isinstance(told.value, ValueError)
    assert len(str(told.value)) < 300


@pytest.mark.parametrize("thing", [None, 5, "text", [], [sample()], (), b"x", object(), 1.5, True, {}, {"a": 1}])
def test_what_is_no_object_at_all(thing: Any) -> None:
    """Refused as malformed."""
    with pytest.raises(exception.MalformedPrimitive):
        base.VersionedObject.obj_from_primitive(thing)


def test_keys_that_are_no_strings() -> None:
    """A Python caller can have such; JSON cannot."""
    with pytest.raises(exception.WrongWireType, match="5"):
        base.VersionedObject.obj_from_primitive(damaged(D, {5: 5}))


def test_another_object_where_one_is_expected_is_refused_before_it_is_read() -> None:
    """So that a chain of objects that fit nowhere ends at its first link."""
    wire = sample()
    for _ in range(100_000):
        wire = {**sample_header(), D: {"network": wire}}
    with pytest.raises(exception.InvalidValue, match=r"^network: an object of type Network is needed"):
        base.VersionedObject.obj_from_primitive(wire)


def sample_header() -> dict[str, Any]:
    return {key: value for key, value in vif.VIFBridge().obj_to_primitive().items() if key != D}


def test_objects_too_deep_inside_each_other_are_refused() -> None:
    """Where a class allows any depth, 32 is the limit, and a hundred thousand do no more harm than 33."""

    @base.register
    class Matryoshka(vif.VIFPortProfileBase):
        inner = fields.optional(fields.ObjectField("VIFPortProfileBase", subclasses=True))

    def nested(depth: int) -> dict[str, Any]:
        wire = Matryoshka(inner=None).obj_to_primitive()
        for _ in range(depth - 1):
            wire = {**wire, D: {"inner": wire}}
        return wire

    base.VersionedObject.obj_from_primitive(nested(MAX_DEPTH))
    for depth in (MAX_DEPTH + 1, 100_000):
        with pytest.raises(exception.MalformedPrimitive, match="32 objects"):
            base.VersionedObject.obj_from_primitive(nested(depth))


def test_a_huge_string_is_refused_quickly() -> None:
    """A hundred megabytes are not copied into the message, nor run through a pattern."""
    for field in ("vif_name", "address", "dev_address", "mode", "id"):
        with pytest.raises(exception.MalformedPrimitive, match=f"^{field}: a string of 100000000 characters"):
            base.VersionedObject.obj_from_primitive(damaged(f"{D}/{field}", "a" * 10**8))


HEADER = ["name", "namespace", "version", "data", "changes"]
keys = st.text(max_size=5) | st.sampled_from(
    [*(f"versioned_object.{word}" for word in HEADER), "objects", "id", "network", "subnets", "port_profile", "mtu"]
)
words = st.sampled_from(["os_vif", "1.0", "1.1", "1.4", "1.99", "2.0", *SCHEMA])
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | words
any_json = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=6))


@st.composite
def nearly_objects(draw: st.DrawFn) -> Any:
    """The right five keys, with anything in the fields, and objects of the like inside."""
    name = draw(st.sampled_from(sorted(SCHEMA)))
    values = scalars | any_json | st.deferred(nearly_objects) | st.lists(st.deferred(nearly_objects), max_size=2)
    names = st.sampled_from([*SCHEMA[name]["fields"], "nonsense"])
    return {
        "versioned_object.name": draw(st.just(name) | scalars),
        "versioned_object.namespace": draw(st.just("os_vif") | scalars),
        "versioned_object.version": draw(st.sampled_from(["1.0", "1.1", "1.4", "1.99", "2.0", "x"]) | scalars),
        D: draw(st.dictionaries(names, values, max_size=4) | any_json),
        "versioned_object.changes": draw(st.lists(names, max_size=3) | any_json),
    }


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
@settings(max_examples=EXAMPLES * 3)
@given(thing=any_json | nearly_objects())
def test_any_json_is_an_object_or_one_error(thing: Any) -> None:
    """Nothing but ExceptionBase comes out; and what is accepted can be written, and read again as the same."""
    try:
        obj = base.VersionedObject.obj_from_primitive(thing)
    except exception.ExceptionBase as error:
        assert len(str(error)) < 1000
        assert error.to_dict()["message"]
        return
    wire = json.loads(codec.dumps(obj))
    assert json.loads(codec.dumps(base.VersionedObject.obj_from_primitive(wire))) == wire


@settings(max_examples=EXAMPLES)
@given(
    text=st.text() | st.binary() | st.builds(lambda thing, cut: json.dumps(thing)[:cut], any_json, st.integers(0, 60))
)
def test_any_text_is_an_object_or_one_error(text: str | bytes) -> None:
    """The same for text that need not even be JSON."""
    with pytest.raises(exception.ObjectError):
        codec.loads(text)
        raise exception.ObjectError("it was an object")
