# SPDX-License-Identifier: Apache-2.0
"""The vocabulary for Open vSwitch: bridges and ports, as rows of its database (ovs-vswitchd.conf.db(5))."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from os_vif.host.state import IfForeign, Resource, resource_type

#: Keys in external_ids of an interface that say which port of the network it is. One interface at most may have them.
IDENTITY = ("iface-id", "iface-status", "attached-mac", "vm-uuid", "bridge_name")


@dataclass(frozen=True, kw_only=True)
class OvsResource(Resource):
    """``database`` says where the database is (ovsdb_endpoint.parse()); ``seconds`` how long it may take to answer.

    ``credentials`` are the paths that a TLS connection needs (ovsdb_endpoint.Credentials).
    """

    backend: ClassVar[str] = "ovs"

    database: str
    name: str
    seconds: float = 120
    credentials: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class OvsDatabase(OvsResource):
    """A place to look for what is ours. One that is not ``expected`` (a default, say) need not be there."""

    name: str = ""
    expected: bool = True


@resource_type
@dataclass(frozen=True, kw_only=True)
class OvsBridge(OvsResource):
    """A bridge. ``datapath_type`` ("system", "netdev") is given to it when it is made, and never changed.

    A ``permanent`` bridge is never removed, whoever made it: others hang their own things on an integration bridge.
    """

    datapath_type: str | None = None
    permanent: bool = False
    external_ids: Mapping[str, str] = dataclasses.field(default_factory=dict)
    if_foreign: IfForeign = IfForeign.SHARE

    @property
    def key(self) -> str:
        return f"ovs-bridge/{self.name}"

    @property
    def lock(self) -> str:
        # Nobody takes a permanent bridge away, and of two who make it the database lets only one through. So those who
        # plug into one bridge need not wait for each other.
        return "" if self.permanent else self.key

    @property
    def label(self) -> str:
        return f"Open vSwitch bridge {self.name}"


#: Fields of OvsPort that are columns of its interface, under the same name; None leaves the column alone.
INTERFACE_COLUMNS = ("mtu_request",)


@resource_type
@dataclass(frozen=True, kw_only=True)
class OvsPort(OvsResource):
    """A port with one interface of the same name.

    ``type``, ``options``, ``external_ids`` and ``mtu_request`` are those of the interface. ``at_creation`` are columns
    of the port that it gets when it is made, and that belong to others from then on (Neutron's agent sets the tag); so
    does the QoS row of type ``qos_type``. Keys of maps that are not stated are left alone, but for those by which the
    network side knows a port (IDENTITY). A port to ADOPT is ours by being on its bridge, which nobody else uses.
    With ``device_stays`` the device outlives the port: who takes the port away waits until the switch has let go of it.
    """

    bridge: str
    type: str = ""
    options: Mapping[str, str] = dataclasses.field(default_factory=dict)
    external_ids: Mapping[str, str] = dataclasses.field(default_factory=dict)
    mtu_request: int | None = None
    at_creation: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    qos_type: str = ""
    device_stays: bool = False
    if_foreign: IfForeign = IfForeign.REFUSE

    @property
    def key(self) -> str:
        return f"ovs-port/{self.name}"

    @property
    def label(self) -> str:
        return f"port {self.name}"
