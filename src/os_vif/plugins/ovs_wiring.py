# SPDX-License-Identifier: Apache-2.0
"""What each kind of VIF needs on a host with Open vSwitch.

- VIFBridge ("hybrid"): a Linux bridge for the guest, where iptables can filter, and a veth pair to the switch.
- VIFOpenVSwitch ("native"): the guest's tap is a port of the switch; made here where the port profile asks for it.
- VIFVHostUser: a port that exchanges packets with the guest through shared memory.
- VIFHostDevice: a virtual function of a network card, whose representor in the host is a port of the switch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from os_vif.host.state import NO_HOST_IP, Bridge, ExistingLink, IfForeign, Resource, Tap, Veth, VethPeer
from os_vif.host.state.ovs import OvsBridge, OvsPort
from os_vif.host.state.vf import Representor, RepresentorPort
from os_vif.plugins import names, reading
from os_vif.plugins.ovs_options import NAME

if TYPE_CHECKING:
    from os_vif.objects.instance_info import InstanceInfo
    from os_vif.objects.vif import VIFBase

#: In seconds: every wait ends, also where the configuration asks for none that does.
FOREVER = 24 * 3600

DATAPATH_SYSTEM, DATAPATH_NETDEV = "system", "netdev"
VHOST_USER_TYPE = {"client": "dpdkvhostuser", "server": "dpdkvhostuserclient"}

#: A VLAN that leads nowhere: Neutron's agent drops its packets.
DEAD_VLAN = 4095


class Wiring:
    """The resources of one VIF. Raises InvalidRequest for what the VIF does not say and must."""

    def __init__(self, config: Any, vif: VIFBase, instance_info: InstanceInfo) -> None:
        self._config = config
        self._vif = vif
        self._instance = instance_info
        self._profile = reading.required(vif, "port_profile", "because Open vSwitch needs to know the interface id")
        self._network = reading.network_of(vif, NAME)
        self._switch = reading.required(vif, "network.bridge", "because it names the Open vSwitch bridge")

    def hybrid(self, linux_bridge: str | None = None) -> Iterator[Resource]:
        """Linux bridge, named by the VIF unless given, veth pair, and the pair's other end in the switch."""
        port_id = reading.required(self._vif, "id", "because the veth pair is named after it")
        bridge = linux_bridge or reading.required(self._vif, "bridge_name", "because it names the Linux bridge")
        near, far = names.hybrid_bridge_end(port_id), names.hybrid_switch_end(port_id)
        yield Bridge(
            name=bridge,
            ageing_time=0,  # it has two ports: flooding is cheap, and a stale entry loses packets (bug 1715317)
            forward_delay=0,
            stp=False,
            mcast_snooping=False,
            sysctls=NO_HOST_IP,
            if_foreign=IfForeign.ADOPT,
        )
        common: dict[str, Any] = {
            "mtu": self._mtu(),
            "promiscuous": True,
            "sysctls": NO_HOST_IP,
            "if_foreign": IfForeign.ADOPT,
        }
        yield Veth(name=near, peer=far, master=bridge, **common)
        yield VethPeer(name=far, peer=near, **common)
        yield self._integration_bridge()
        yield self._port(far, at_creation=self._isolation(), qos_type=self._qos_type())

    def native(self) -> Iterator[Resource]:
        """The bridge; the port and the tap where the port profile asks for them. Else the hypervisor makes them."""
        if reading.stated(self._profile, "create_port", default=False):
            yield from self._made_port()
        else:
            yield self._integration_bridge()

    def of_guest(self) -> Iterator[Resource]:
        """What a hypervisor makes for a native VIF, as far as it is not made here."""
        if reading.stated(self._profile, "create_tap", default=False):
            return
        name = reading.required(self._vif, "vif_name", "because it names the guest's device")
        yield ExistingLink(name=name, required=False, guest_mac=self._mac() or "")
        if not reading.stated(self._profile, "create_port", default=False):
            yield self._port(name)

    def vhost_user(self) -> Iterator[Resource]:
        """A port of the kind that fits the side which makes the socket: ``mode`` is the hypervisor's."""
        mode = reading.required(self._vif, "mode", "because it says who makes the socket")
        name = names.vhost_user(reading.required(self._vif, "id", "because the port is named after it"))
        options = {}
        if mode == "server":
            options["vhost-server-path"] = reading.required(self._vif, "path", "because the socket is there")
        yield self._integration_bridge(default_datapath=DATAPATH_NETDEV)
        yield self._port(
            name,
            type=VHOST_USER_TYPE[mode],
            options=options,
            mtu_request=self._mtu(),
            at_creation=self._isolation(),
        )

    def virtual_function(self) -> Iterator[Resource]:
        """The representor as a port: the kernel's device, or with the datapath netdev one that DPDK opens itself."""
        address = reading.required(self._vif, "dev_address", "because it is the virtual function's PCI address")
        yield self._integration_bridge()
        if self._datapath_type() == DATAPATH_NETDEV:
            name = names.dpdk_representor(reading.required(self._vif, "id", "because the port is named after it"))
            yield self._representor_port(address, name=name, mtu_request=self._mtu())
        else:
            yield Representor(vf=address, mtu=self._mtu(), sysctls=NO_HOST_IP)
            yield self._representor_port(address, qos_type=self._qos_type())

    def _representor_port(self, address: str, **particulars: Any) -> RepresentorPort:
        return RepresentorPort(
            vf=address,
            bridge=self._switch,
            external_ids=self._external_ids(),
            at_creation=self._isolation(),
            **particulars,
            **self._database(),
        )

    def _made_port(self) -> Iterator[Resource]:
        tap = reading.required(self._vif, "vif_name", "because it names the port")
        if reading.stated(self._profile, "create_tap", default=False):
            yield Tap(
                name=tap,
                mac=self._mac(),
                mtu=self._mtu(),
                multi_queue=bool(reading.stated(self._profile, "multiqueue", default=False)),
                sysctls=NO_HOST_IP,
                if_foreign=IfForeign.ADOPT,
            )
        else:
            # libvirt makes the tap after this, or has made it before.
            yield ExistingLink(name=tap, mtu=self._mtu(), up=None, required=False)
        yield self._integration_bridge()
        if self._config.per_port_bridge and not self._is_trunk():
            yield from self._behind_a_bridge_of_its_own(tap)
        else:
            yield self._port(tap, at_creation=self._isolation(), qos_type=self._qos_type())

    def _behind_a_bridge_of_its_own(self, tap: str) -> Iterator[Resource]:
        port_id = reading.required(self._vif, "id", "because the port's bridge is named after it")
        bridge, here, there = (
            names.port_bridge(port_id),
            names.port_bridge_patch(port_id),
            names.integration_bridge_patch(port_id),
        )
        yield OvsBridge(
            name=bridge,
            datapath_type=self._datapath_type() or DATAPATH_SYSTEM,
            if_foreign=IfForeign.ADOPT,
            **self._database(),
        )
        inside: dict[str, Any] = {"bridge": bridge, "if_foreign": IfForeign.ADOPT, **self._database()}
        yield OvsPort(name=tap, qos_type=self._qos_type(), **inside)
        yield OvsPort(name=here, type="patch", options={"peer": there}, **inside)
        # The network side goes by the interface id, and knows the integration bridge only.
        isolation = {"tag": DEAD_VLAN} if self._config.isolate_vif else {}
        yield self._port(there, type="patch", options={"peer": here}, at_creation=isolation)

    def _integration_bridge(self, default_datapath: str = DATAPATH_SYSTEM) -> OvsBridge:
        """A trunk's bridge belongs to its parent port and goes with it, unless it is in use; others are for good."""
        trunk = self._is_trunk()
        return OvsBridge(
            name=self._switch,
            shared=True,
            permanent=not trunk,
            datapath_type=self._datapath_type() or default_datapath,
            if_foreign=IfForeign.ADOPT if trunk else IfForeign.SHARE,
            **self._database(),
        )

    def _port(self, name: str, **particulars: Any) -> OvsPort:
        return OvsPort(
            name=name, bridge=self._switch, external_ids=self._external_ids(), **particulars, **self._database()
        )

    def _external_ids(self) -> dict[str, str]:
        """What the network side finds the port by: Neutron's agent and ovn-controller look for iface-id."""
        ids = {
            "iface-id": reading.required(self._vif, "port_profile.interface_id", "because the network side goes by it"),
            "iface-status": "active",
            "attached-mac": self._mac() or "",
            "vm-uuid": reading.stated(self._instance, "uuid", default=""),
        }
        if self._is_trunk():
            ids["bridge_name"] = self._switch
        return {key: str(value) for key, value in ids.items() if value != ""}

    def _isolation(self) -> dict[str, Any]:
        """Columns that keep a new port in the dead VLAN. Nobody would take one of a trunk out of it (bug 2069543)."""
        if not self._config.isolate_vif or self._is_trunk():
            return {}
        return {"tag": DEAD_VLAN, "vlan_mode": "trunk", "trunks": (DEAD_VLAN,)}

    def _qos_type(self) -> str:
        """Queueing is the kernel datapath's affair."""
        return "" if self._datapath_type() == DATAPATH_NETDEV else str(self._config.default_qos_type)

    def _datapath_type(self) -> str | None:
        datapath: str | None = reading.stated(self._profile, "datapath_type")
        return datapath or None

    def _is_trunk(self) -> bool:
        return str(self._switch).startswith(names.TRUNK_BRIDGE_PREFIX)

    def _mac(self) -> str | None:
        address = reading.stated(self._vif, "address")
        return None if address is None else str(address).lower()

    def _mtu(self) -> int:
        return int(reading.stated(self._network, "mtu", default=0) or self._config.network_device_mtu)

    def _database(self) -> dict[str, Any]:
        return database(self._config)


def database(config: Any) -> dict[str, Any]:
    """Where the database is and how it is reached, as resources state it."""
    files = {
        "private_key": config.ssl_key_file,
        "certificate": config.ssl_cert_file,
        "authority": config.ssl_ca_cert_file,
    }
    return {
        "database": config.ovsdb_connection,
        "seconds": config.ovs_vsctl_timeout or FOREVER,
        "credentials": {name: path for name, path in files.items() if path},
    }
