# SPDX-License-Identifier: Apache-2.0
"""VIFs of every class and kind, for which the XML is known: by libvirt's manual, and as Nova has always written it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from os_vif.hypervisors.driver import Guest
from os_vif.objects.network import Network
from os_vif.objects.vif import (
    VIFBase,
    VIFBridge,
    VIFDirect,
    VIFGeneric,
    VIFHostDevice,
    VIFOpenVSwitch,
    VIFPortProfile8021Qbg,
    VIFPortProfile8021Qbh,
    VIFPortProfileOpenVSwitch,
    VIFVHostUser,
)
from support import vifs

MAC = "52:54:00:00:00:01"
PORT = vifs.identity(1)
PCI = "0000:81:0a.1"
#: The device at PCI in the tree of sysfs that the tests bring along, and one that is a vDPA device.
NETDEV, VDPA_PCI = "enp129s10f1", "0000:81:0a.2"

_ADDRESS = "<address type='pci' domain='0x0000' bus='0x81' slot='0x0a' function='0x1'/>"
_VIRTIO = f"<mac address='{MAC}'/><model type='virtio'/>"


@dataclass(frozen=True)
class Case:
    """A VIF, what the guest is like, and the XML without white space. ``virt_type``: the domain's."""

    name: str
    vif: VIFBase
    xml: str
    guest: dict[str, Any] = field(default_factory=dict)


def guest(**more: Any) -> Guest:
    """A guest."""
    return Guest(**{"name": "guest-1", "uuid": vifs.INSTANCE.uuid, **more})


def made(cls: type[VIFBase], **fields: Any) -> Any:
    """A VIF with what all have."""
    return cls(**{"id": PORT, "address": MAC, "plugin": "ovs", **fields})


def ovs(network: Network | None = None, **profile: Any) -> Any:
    """A port of Open vSwitch."""
    return made(
        VIFOpenVSwitch,
        vif_name="tap1",
        bridge_name="br-int",
        port_profile=VIFPortProfileOpenVSwitch(interface_id=PORT, **profile),
        network=network or Network(bridge="br-int"),
    )


def bridge(**network: Any) -> Any:
    """A port of a Linux bridge."""
    network_object = Network(bridge="br0", **network)
    return made(VIFBridge, plugin="linux_bridge", vif_name="tap1", bridge_name="br0", network=network_object)


def vhost_user(mode: str = "server") -> Any:
    """A vhost-user port."""
    return made(VIFVHostUser, vif_name="vhu1", mode=mode, path="/run/vhu1", network=Network(bridge="br-int"))


def direct(mode: str, profile: Any = None, **fields: Any) -> Any:
    """A macvtap that is libvirt's to make."""
    if profile is not None:
        fields["port_profile"] = profile
    return made(VIFDirect, plugin="noop", mode=mode, **fields)


def host_device(address: str = PCI, **fields: Any) -> Any:
    """A PCI device."""
    return made(VIFHostDevice, **{"plugin": "noop", "dev_type": "ethernet", "dev_address": address, **fields})


def _ethernet(target: str, inner: str = "", driver: str = "") -> str:
    return f"<interface type='ethernet'>{_VIRTIO}{driver}{inner}<target {target}/></interface>"


_QBG = VIFPortProfile8021Qbg(manager_id=11, type_id=1193047, type_id_version=2, instance_id=PORT)
QBH = VIFPortProfile8021Qbh(profile_id="finance")
_LIMITS = {"inbound_average": "1000", "inbound_peak": "5000", "inbound_burst": "1024", "outbound_average": "128"}
_BRIDGE_AND_TARGET = "<source bridge='br0'/><target dev='tap1'/>"
_VHU = "<source type='unix' mode='{}' path='/run/vhu1'/><target dev='vhu1'/>"

CASES = (
    Case(
        "bridge",
        bridge(mtu=1450),
        f"<interface type='bridge'>{_VIRTIO}<source bridge='br0'/><mtu size='1450'/><target dev='tap1'/></interface>",
    ),
    Case(
        "bridge, e1000",
        bridge(),
        f"<interface type='bridge'><mac address='{MAC}'/><model type='e1000'/>{_BRIDGE_AND_TARGET}</interface>",
        {"model": "e1000"},
    ),
    Case(
        "bridge, queues, sizes, packed",
        bridge(),
        f"<interface type='bridge'>{_VIRTIO}<driver name='vhost' queues='4' rx_queue_size='512' packed='on'/>"
        f"{_BRIDGE_AND_TARGET}</interface>",
        {"queues": 4, "options": {"rx_queue_size": "512", "tx_queue_size": "512", "packed": "yes"}},
    ),
    Case(
        "bridge, without KVM",
        bridge(),
        f"<interface type='bridge'>{_VIRTIO}<driver name='qemu'/>{_BRIDGE_AND_TARGET}</interface>",
        {"options": {"virt_type": "qemu"}},
    ),
    Case(
        "bridge, limits and filter",
        bridge(),
        f"<interface type='bridge'>{_VIRTIO}{_BRIDGE_AND_TARGET}"
        "<filterref filter='clean-traffic'><parameter name='IP' value='10.0.0.1'/></filterref>"
        "<bandwidth><inbound average='1000' peak='5000' burst='1024'/><outbound average='128'/></bandwidth>"
        "</interface>",
        {"options": {**_LIMITS, "filter": "clean-traffic", "filter.IP": "10.0.0.1"}},
    ),
    Case("tap, by its plugin", made(VIFGeneric, plugin="tap", vif_name="tap1"), _ethernet("dev='tap1' managed='no'")),
    Case("tap, by a third party's plugin", made(VIFGeneric, plugin="ivs", vif_name="tap1"), _ethernet("dev='tap1'")),
    Case(
        "ovs, tap by the plugin",
        ovs(Network(bridge="br-int", mtu=9000), create_port=True, create_tap=True),
        _ethernet("dev='tap1' managed='no'", "<mtu size='9000'/>"),
    ),
    Case(
        "ovs, taps of many queues by the plugin",
        ovs(create_port=True, create_tap=True, multiqueue=True),
        _ethernet("dev='tap1' managed='no'", driver="<driver name='vhost' queues='2'/>"),
        {"queues": 2},
    ),
    Case("ovs, tap by libvirt", ovs(create_port=True), _ethernet("dev='tap1'")),
    Case(
        "ovs, all by libvirt",
        ovs(),
        f"<interface type='bridge'>{_VIRTIO}<source bridge='br-int'/><target dev='tap1'/>"
        f"<virtualport type='openvswitch'><parameters interfaceid='{PORT}'/></virtualport></interface>",
    ),
    *(
        Case(
            f"vhostuser, {mode}",
            vhost_user(mode),
            f"<interface type='vhostuser'>{_VIRTIO}{_VHU.format(mode)}</interface>",
        )
        for mode in ("server", "client")
    ),
    Case(
        "vhostuser, queues and sizes",
        vhost_user(),
        f"<interface type='vhostuser'>{_VIRTIO}"
        "<driver queues='4' rx_queue_size='512' tx_queue_size='1024' packed='on'/>"
        f"{_VHU.format('server')}</interface>",
        {"queues": 4, "options": {"rx_queue_size": "512", "tx_queue_size": "1024", "packed": "on"}},
    ),
    Case(
        "macvtap, by its plugin",
        made(VIFDirect, plugin="macvtap", vif_name="mvt1", mode="bridge", network=Network(bridge_interface="eth1")),
        _ethernet("dev='mvt1' managed='no'"),
    ),
    *(
        Case(
            f"macvtap by libvirt, {mode}",
            direct(mode, network=Network(bridge_interface="eth1")),
            f"<interface type='direct'>{_VIRTIO}<source dev='eth1' mode='{mode}'/></interface>",
        )
        for mode in ("vepa", "bridge", "passthrough")
    ),
    Case(
        "macvtap on a VLAN device",
        direct("bridge", vlan_name="eth1.150", network=Network(bridge_interface="eth1", vlan=150)),
        f"<interface type='direct'>{_VIRTIO}<source dev='eth1.150' mode='bridge'/></interface>",
    ),
    Case(
        "macvtap on a virtual function, with a VLAN",
        direct("passthrough", dev_address=PCI, network=Network(vlan=42)),
        f"<interface type='direct'>{_VIRTIO}<source dev='{NETDEV}' mode='passthrough'/>"
        "<vlan><tag id='42'/></vlan></interface>",
    ),
    Case(
        "802.1Qbg",
        direct("vepa", _QBG, network=Network(bridge_interface="eth1")),
        f"<interface type='direct'>{_VIRTIO}<source dev='eth1' mode='vepa'/><virtualport type='802.1Qbg'>"
        f"<parameters managerid='11' typeid='1193047' typeidversion='2' instanceid='{PORT}'/></virtualport>"
        "</interface>",
    ),
    Case(
        "802.1Qbh, macvtap",
        direct("passthrough", QBH, network=Network(bridge_interface="eth1")),
        f"<interface type='direct'>{_VIRTIO}<source dev='eth1' mode='passthrough'/><virtualport type='802.1Qbh'>"
        "<parameters profileid='finance'/></virtualport></interface>",
    ),
    Case(
        "virtual function",
        host_device(),
        f"<interface type='hostdev' managed='yes'><mac address='{MAC}'/><source>{_ADDRESS}</source></interface>",
        {"model": "virtio"},
    ),
    Case(
        "virtual function with a VLAN",
        host_device(network=Network(vlan=42)),
        f"<interface type='hostdev' managed='yes'><mac address='{MAC}'/><source>{_ADDRESS}</source>"
        "<vlan><tag id='42'/></vlan></interface>",
    ),
    Case(
        "virtual function, 802.1Qbh",
        host_device(port_profile=QBH),
        f"<interface type='hostdev' managed='yes'><mac address='{MAC}'/><source>{_ADDRESS}</source>"
        "<virtualport type='802.1Qbh'><parameters profileid='finance'/></virtualport></interface>",
    ),
    Case(
        "virtual function with a representor, where the switch tags",
        host_device(
            plugin="ovs",
            network=Network(bridge="br-int", vlan=42),
            port_profile=VIFPortProfileOpenVSwitch(interface_id=PORT),
        ),
        f"<interface type='hostdev' managed='yes'><mac address='{MAC}'/><source>{_ADDRESS}</source></interface>",
    ),
    Case(
        "vDPA",
        host_device(VDPA_PCI),
        f"<interface type='vdpa'><mac address='{MAC}'/><source dev='/dev/vhost-vdpa-3'/></interface>",
    ),
    Case(
        "physical function",
        host_device(dev_type="generic"),
        "<hostdev mode='subsystem' type='pci' managed='yes'><source>"
        "<address domain='0x0000' bus='0x81' slot='0x0a' function='0x1'/></source></hostdev>",
    ),
)
