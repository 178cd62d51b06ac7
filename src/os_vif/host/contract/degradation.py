# SPDX-License-Identifier: Apache-2.0
"""What cuts a guest off, or is likely to, though everything that os-vif makes for it is in place."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Guest:
    """What a VIF tells of its guest, as far as it does."""

    mac: str = ""
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Degradation:
    """It is not ours to change: somebody else made it so, and may have had a reason.

    ``code``: one of Code, for programs. ``object``: the device, port, chain or program that it is about. ``text``: a
    sentence that says what is found; ``hint``: one that says what to do.
    """

    code: str
    object: str
    text: str
    hint: str

    def to_primitive(self) -> dict[str, str]:
        """The JSON form."""
        return asdict(self)


class Code:
    """Stable, and told of in docs/operating.md."""

    BRIDGE_DOWN = "bridge-down"
    NO_CARRIER = "no-carrier"
    PARENT_DOWN = "parent-down"
    PORT_STATE = "port-state"
    PORT_ISOLATED = "port-isolated"
    PORT_LOCKED = "port-locked"
    PORT_NOT_FLOODED = "port-not-flooded"
    VLAN_FILTERED = "vlan-filtered"
    FORWARD_DROP = "forward-drop"
    FORWARD_POLICY = "forward-policy"
    SWITCH_DEAD = "switch-dead"
    SWITCH_HANGS = "switch-hangs"
    DEAD_VLAN = "dead-vlan"
    WRONG_VLAN = "wrong-vlan"
    PORT_ERROR = "port-error"
    DEVICE_VANISHED = "device-vanished"
    PORT_STALE = "port-stale"
    FLOW_DROP = "flow-drop"
    TAP_NOT_OPEN = "tap-not-open"
