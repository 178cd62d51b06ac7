# SPDX-License-Identifier: Apache-2.0
"""The macvtap plugin: a guest's own device on top of a physical one, with a VLAN device between them if asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from os_vif.objects.fields import VIFDirectMode
from os_vif.objects.vif import VIFDirect, VIFPortProfileBase
from os_vif.plugin import Plugin
from os_vif.plugins import describing, reading

if TYPE_CHECKING:
    from os_vif.host.state import HostState, Resource, Vlan
    from os_vif.objects.host_info import HostPluginInfo
    from os_vif.objects.instance_info import InstanceInfo
    from os_vif.objects.vif import VIFBase

NAME = "macvtap"

#: The model's word for each mode → the kernel's (linux/if_link.h, MACVLAN_MODE_*).
_MODES = {
    VIFDirectMode.VEPA: "vepa",
    VIFDirectMode.BRIDGE: "bridge",
    VIFDirectMode.PASSTHROUGH: "passthru",
}


class MacvtapPlugin(Plugin):
    """Takes VIFDirect: a macvtap called ``vif_name`` with the guest's address.

    What is below it is ``network.bridge_interface`` or, without that, the device at the PCI address ``dev_address``.
    With ``vlan_name``, a VLAN device of that name for ``network.vlan`` comes between them; VIFs may share it.
    """

    def describe(self) -> HostPluginInfo:
        """VIFDirect, with the plain port profile."""
        return describing.plugin_info(NAME, {VIFDirect: (VIFPortProfileBase,)})

    def desired_state(self, vif: VIFBase, instance_info: InstanceInfo) -> HostState:
        """The device below, the VLAN device if there is to be one, and the macvtap. Raises InvalidRequest."""
        from os_vif.host.state import HostState

        reading.expect(vif, VIFDirect, NAME)
        return HostState(tuple(_resources(vif)))


def _resources(vif: VIFBase) -> Iterator[Resource]:
    from os_vif.host.state import NO_HOST_IP, ExistingLink, Macvtap
    from os_vif.host.state.vf import LinkOfFunction

    name = reading.required(vif, "vif_name", "because it names the macvtap")
    mode = _MODES[reading.required(vif, "mode", "because a macvtap cannot be made without")]
    interface = reading.stated(reading.stated(vif, "network"), "bridge_interface", default="") or None
    address = None if interface else _pci_address(vif)
    mtu = reading.stated(reading.stated(vif, "network"), "mtu", default=0) or None
    if interface:
        yield ExistingLink(name=interface, shared=True)
    if address:
        yield LinkOfFunction(function=address, shared=True)
    if vlan := reading.stated(vif, "vlan_name", default=""):
        _check_differ(vif, "vlan_name", vlan, name, interface)
        yield _vlan(vif, vlan, interface, address, mtu)
        interface, address = vlan, None
    _check_differ(vif, "vif_name", name, interface)
    mac = reading.stated(vif, "address")
    yield Macvtap(
        name=name,
        parent=interface,
        parent_pci=address,
        mode=mode,
        mac=str(mac).lower() if mac else None,
        mtu=mtu,
        sysctls=NO_HOST_IP,
    )


def _vlan(vif: VIFBase, name: str, parent: str | None, parent_pci: str | None, mtu: int | None) -> Vlan:
    from os_vif.host.state import NO_HOST_IP, IfForeign, Vlan

    return Vlan(
        name=name,
        parent=parent,
        parent_pci=parent_pci,
        vlan_id=reading.required(vif, "network.vlan", "because vlan_name asks for a VLAN device"),
        mtu=mtu,
        shared=True,
        sysctls=NO_HOST_IP,
        if_foreign=IfForeign.SHARE,
    )


def _pci_address(vif: VIFBase) -> str:
    why = "or else network.bridge_interface, because a macvtap needs a device below it"
    return str(reading.required(vif, "dev_address", why))


def _check_differ(vif: VIFBase, field: str, name: str, *others: str | None) -> None:
    if name in others:
        reading.refuse(vif, field, f"{name} is named for two different devices.")
