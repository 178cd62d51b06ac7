# SPDX-License-Identifier: Apache-2.0
"""The vocabulary in which plugins state what the host should look like.

A plugin answers a VIF with a HostState: resources in the order in which they are to be made. Nothing here
touches the host; the engine reads what is there, and does what is missing.

Every resource is a frozen dataclass of JSON-able values, because the journal keeps it verbatim.
"""

from __future__ import annotations

from os_vif.host.state.addresses import AddressesMoved
from os_vif.host.state.firewall import ForwardingRules
from os_vif.host.state.links import (
    NO_HOST_IP,
    Bridge,
    ExistingLink,
    Link,
    Macvtap,
    Tap,
    Veth,
    VethPeer,
    Vlan,
)
from os_vif.host.state.resource import (
    Devices,
    HostState,
    IfForeign,
    Resource,
    Unavailable,
    check_known,
    from_primitive,
    is_of_stranger,
    resource_type,
    to_primitive,
)

__all__ = [
    "NO_HOST_IP",
    "AddressesMoved",
    "Bridge",
    "Devices",
    "ExistingLink",
    "ForwardingRules",
    "HostState",
    "IfForeign",
    "Link",
    "Macvtap",
    "Resource",
    "Tap",
    "Unavailable",
    "Veth",
    "VethPeer",
    "Vlan",
    "check_known",
    "from_primitive",
    "is_of_stranger",
    "resource_type",
    "to_primitive",
]
