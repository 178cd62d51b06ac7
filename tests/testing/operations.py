# SPDX-License-Identifier: Apache-2.0
"""Hypothesis strategies: operations on a handful of devices, so that they meet."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from os_vif.host.contract.operations import Operation
from os_vif.testing.fake.addresses import address, route

_BRIDGES, _TAPS, _VETHS, _MACVTAPS = ("br0", "br1"), ("t0", "t1"), ("v0", "w0"), ("m0", "m1")
_NAMES = st.sampled_from([*_BRIDGES, *_TAPS, *_VETHS, *_MACVTAPS, "v1", "w1", "lo", "nobody", "a/b"])
_PARENTS = st.sampled_from(["v0", "v1", "w0", "t0", "br0", "lo", "nobody"])
_MACS = st.sampled_from(
    ["52:54:00:00:00:01", "52:54:00:00:00:02", "00:16:3e:00:00:03", "01:00:5e:00:00:01", "00:00:00:00:00:00", "no"]
)
_MTUS = st.sampled_from([1500, 1400, 1200, 1280, 9000, 68, 67, 65521, 65522, 65535, 65536])
_OPTIONS = {
    "ageing_time": st.sampled_from([0, 30000]),
    "forward_delay": st.sampled_from([0, 100, 200, 1500, 3100]),
    "stp": st.sampled_from([0, 1]),
    "mcast_snooping": st.sampled_from([0, 1]),
}
_BRIDGE_OPTIONS = st.fixed_dictionaries({}, optional=_OPTIONS)


def _operation(name: str, required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[Operation]:
    arguments = st.fixed_dictionaries(required, optional=optional)
    return arguments.map(lambda values: Operation(name, values))


_BIRTH = {"mtu": _MTUS, "mac": _MACS}

_creations = st.one_of(
    _operation(
        "link.add", {"name": st.sampled_from(_BRIDGES), "kind": st.just("bridge")}, {"options": _BRIDGE_OPTIONS}
    ),
    _operation("link.add", {"name": st.sampled_from(_BRIDGES), "kind": st.just("bridge")}, _BIRTH),
    _operation("tap.add", {"name": st.sampled_from(_TAPS)}, {**_BIRTH, "multi_queue": st.booleans()}),
    _operation("link.add", {"name": st.just("v0"), "kind": st.just("veth"), "peer": st.just("v1")}, _BIRTH),
    _operation("link.add", {"name": st.just("w0"), "kind": st.just("veth"), "peer": st.sampled_from(["w1", "t1"])}, {}),
    _operation(
        "link.add",
        {
            "name": st.sampled_from(_MACVTAPS),
            "kind": st.just("macvtap"),
            "parent": _PARENTS,
            "options": st.fixed_dictionaries({"mode": st.sampled_from(["vepa", "bridge", "passthru", "odd"])}),
        },
        _BIRTH,
    ),
    _operation("link.add", {"name": _NAMES, "kind": st.sampled_from(["vlan", "nonsense"])}, {}),
)

_ALIASES = ["", "os-vif:x", "os-vif:x /x.db@1.2", "a" * 255, "a" * 256]

_changes = st.one_of(
    _operation("link.set", {"name": _NAMES, "master": st.sampled_from([*_BRIDGES, "", "t0", "nobody"])}, {}),
    _operation("link.set", {"name": _NAMES, "mtu": _MTUS}, {}),
    _operation("link.set", {"name": _NAMES.filter(lambda name: name != "lo"), "mac": _MACS}, {}),
    _operation("link.set", {"name": _NAMES, "up": st.booleans()}, {"promiscuous": st.booleans()}),
    _operation(
        "link.set", {"name": _NAMES, "alias": st.sampled_from(["", "os-vif:x /x.db@1.2", "a" * 255, "a" * 256])}, {}
    ),
    _operation("link.set", {"name": _NAMES, "kind": st.just("bridge"), "options": _BRIDGE_OPTIONS}, {}),
    _operation(
        "sysctl.set",
        {
            "name": _NAMES,
            "family": st.sampled_from(["ipv4", "ipv6"]),
            "key": st.sampled_from(["arp_ignore", "disable_ipv6"]),
            "value": st.sampled_from(["0", "1", "2", "x"]),
        },
        {},
    ),
    _operation("link.delete", {"name": _NAMES}, {}),
)

_ADDRESSES = st.sampled_from(["192.0.2.1/24", "192.0.2.2/24", "198.51.100.1/30"]).map(address)
_ROUTES = st.sampled_from(
    [("default", "192.0.2.254"), ("203.0.113.0/24", "198.51.100.2"), ("203.0.113.0/24", ""), ("default", "8.8.8.8")]
).map(lambda pair: route(*pair))
_LAYER3_NAMES = st.sampled_from(["br0", "v0", "t0", "nobody"])

_layer3 = st.one_of(
    _operation("address.add", {"name": _LAYER3_NAMES, "address": _ADDRESSES}, {}),
    _operation("address.delete", {"name": _LAYER3_NAMES, "address": _ADDRESSES}, {}),
    _operation("route.add", {"name": _LAYER3_NAMES, "route": _ROUTES}, {}),
    _operation("route.delete", {"name": _LAYER3_NAMES, "route": _ROUTES}, {}),
    _operation("link.set", {"name": _LAYER3_NAMES, "up": st.booleans()}, {}),
)

#: Sequences that begin with devices, so that there is something to work on.
link_histories = st.tuples(
    st.lists(_creations, min_size=2, max_size=6), st.lists(st.one_of(_changes, _creations), max_size=14)
)
layer3_histories = st.lists(st.one_of(_layer3, _layer3, _layer3, _changes), max_size=16).map(
    lambda rest: (
        [
            Operation("link.add", {"name": "br0", "kind": "bridge"}),
            Operation("link.add", {"name": "v0", "kind": "veth", "peer": "v1"}),
            Operation("link.set", {"name": "br0", "up": True}),
            Operation("link.set", {"name": "v0", "up": True}),
        ],
        rest,
    )
)
