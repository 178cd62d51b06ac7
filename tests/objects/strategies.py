# SPDX-License-Identifier: Apache-2.0
"""Hypothesis strategies: objects of the model as specifications for oracle_worker, and values of every kind."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from objects.conftest import DATA

SCHEMA: dict[str, Any] = json.loads((DATA / "objects.json").read_text())
LISTS = {name for name in SCHEMA if name.endswith("List")}

octet = st.integers(0, 255)
ipv4 = st.tuples(octet, octet, octet, octet).map(lambda parts: ".".join(map(str, parts)))
ipv6 = st.integers(0, 0xFFFF).map(lambda number: f"fd00::{number:x}")
addresses = ipv4 | ipv6
networks = st.tuples(ipv4, st.integers(0, 32)).map(lambda pair: "{}/{}".format(*pair)) | st.tuples(
    ipv6, st.integers(0, 128)
).map(lambda pair: "{}/{}".format(*pair))
macs = st.tuples(*[octet] * 6, st.sampled_from(":-")).map(
    lambda parts: parts[6].join(f"{part:02x}" for part in parts[:6])
)
pci = st.tuples(st.integers(0, 0xFFFF), octet, st.integers(0, 31), st.integers(0, 7)).map(
    lambda parts: "{:04x}:{:02x}:{:02x}.{}".format(*parts)
)
# No lone surrogates: they cannot be sent to the oracle.
texts = st.text(st.characters(codec="utf-8"), max_size=8)

VALID: dict[str, st.SearchStrategy[Any]] = {
    "StringField": texts,
    "UUIDField": st.uuids().map(str) | texts,
    "BooleanField": st.booleans(),
    "IntegerField": st.integers(-(2**70), 2**70),
    "MACAddressField": macs | macs.map(str.upper),
    "PCIAddressField": pci | pci.map(str.upper),
    "IPAddressField": addresses,
    "IPNetworkField": networks,
    "ListOfIPAddressField": st.lists(addresses, max_size=3),
}

# Values of all sorts, for fields that may or may not take them.
plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
python_values = st.sampled_from(
    [
        "b'x'", "()", "('1.1.1.1',)", "set()", "{'1.1.1.1'}", "object", "{}", "[]", "float('nan')",
        "netaddr.IPAddress('10.1.2.3')", "netaddr.IPAddress('::1')", "netaddr.IPNetwork('10.0.0.0/8')",
        "1j", "range(2)",
    ]
).map(lambda text: {"$py": text})  # fmt: skip
wild = (
    plain
    | python_values
    | addresses
    | networks
    | macs
    | pci
    | st.sampled_from(
        ["vepa", "bridge", "client", "server", "ethernet", "generic", "BRIDGE", "1", " 7 ", "0x10", "1e3", "true"]
    )
    | st.lists(plain | addresses, max_size=3)
    | st.sampled_from(sorted(SCHEMA)).map(lambda name: {"$new": {"class": name, "set": {}}})
)


def subclasses_of(name: str) -> list[str]:
    return [name, *(other for other, told in SCHEMA.items() if name in told["inherits"])]


def value_for(facts: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that the field takes."""
    return _value(facts) | st.none() if facts["nullable"] else _value(facts)


def _value(facts: dict[str, Any]) -> st.SearchStrategy[Any]:
    kind = facts["type"]
    if kind in VALID:
        return VALID[kind]
    if "values" in facts:
        return st.sampled_from(facts["values"])
    names = subclasses_of(facts["object"]) if facts.get("subclasses") else [facts["object"]]
    objects = st.sampled_from(names).flatmap(lambda name: specs(name).map(lambda spec: {"$new": spec}))
    return st.lists(objects, max_size=2) if kind == "ListOfObjectsField" else objects


def specs(name: str, *, complete: bool = False) -> st.SearchStrategy[dict[str, Any]]:
    """Objects of class ``name`` with some of its fields set, or all of them. Lists always have their elements."""
    fields = {field: value_for(facts) for field, facts in SCHEMA[name]["fields"].items()}
    required = fields if complete or name in LISTS else {}
    optional = {} if complete or name in LISTS else fields
    chosen = st.fixed_dictionaries(required, optional=optional)
    return chosen.map(lambda values: {"class": name, "set": values})


any_spec = st.sampled_from(sorted(SCHEMA)).flatmap(specs)
any_field = st.sampled_from(
    [(name, field) for name, told in sorted(SCHEMA.items()) for field in sorted(told["fields"])]
)
