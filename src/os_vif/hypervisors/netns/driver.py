# SPDX-License-Identifier: Apache-2.0
"""The driver `netns`: an interface of a guest is the end of a veth inside a network namespace."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from os_vif import exception
from os_vif.host.kernel import namespaces
from os_vif.hypervisors import offering
from os_vif.hypervisors.driver import Guest, GuestTrouble, HypervisorDriver, Rendering
from os_vif.hypervisors.netns import addresses, inspection, location
from os_vif.hypervisors.netns.wire import Wire
from os_vif.hypervisors.reading import Reader
from os_vif.negotiation.offer import BY_HYPERVISOR, Constraints
from os_vif.objects import validate
from os_vif.objects.reading import stated
from os_vif.objects.vif import VIFBase, VIFBridge, VIFOpenVSwitch

if TYPE_CHECKING:
    from os_vif.negotiation.offer import Offer

_BY_US = Constraints(device_by=[BY_HYPERVISOR], max_queues=1)
_TABLE = {"ovs": _BY_US, "bridge": _BY_US, "ovs-hybrid": _BY_US}
_OTHERS = {"VIFBridge": _BY_US}

#: The only option there is.
_IFNAME = "ifname"


class NetnsDriver(HypervisorDriver):
    """``guest.endpoint`` is the namespace, by the name that `ip netns` knows it by or by its path.

    Without it, it is the one of the guest's name, which is made with the first interface, and removed with the last
    unless somebody runs in it. ``guest.options["ifname"]`` names the interface; else it is the next free ethN.
    """

    CONFIG_OPTS = (offering.LEASE,)
    HOT_ONLY = True

    def offer(self, guest: Guest, host: str) -> Offer:
        """What puts a device of a name into a switch: Open vSwitch, or a Linux bridge."""
        return offering.offer("netns", guest, host, _TABLE, others=_OTHERS, opens_taps=False, lease=self.config.lease)

    def render(self, vif: VIFBase, guest: Guest) -> Rendering:
        """What attach() will make, as JSON."""
        _check(guest, Reader(self.name, vif))
        wire = self._wire(vif, guest)
        data = {
            "namespace": str(wire.namespace),
            "interface": wire.guest_name or None,
            "host_device": wire.name,
            "bridge": wire.bridge or None,
            "mac": wire.mac,
            "mtu": wire.mtu,
            "addresses": [address["shown"] for address in addresses.addresses(vif)],
            "routes": [route["shown"] for route in addresses.routes(vif, 0)],
        }
        return Rendering("json", json.dumps(data, indent=2), data)

    def attach(self, vif: VIFBase, guest: Guest) -> None:
        """Makes the veth and sets up both ends. A failure leaves nothing of what the call has made."""
        _check(guest, Reader(self.name, vif))
        wire = self._wire(vif, guest)
        with self._failing_as("attach", vif, guest), self._namespace(guest):
            self._make(wire, vif)

    def check(self, vif: VIFBase, guest: Guest) -> Sequence[GuestTrouble] | None:
        """Looks at both ends of the veth, and at what the guest's end has been given."""
        wire = self._wire(vif, guest)
        if not namespaces.exists(wire.namespace):
            return None
        try:
            return list(inspection.look(wire, vif))
        except OSError:
            return None

    def detach(self, vif: VIFBase, guest: Guest) -> None:
        """Deletes the veth, and the namespace if it was made for it and is deserted."""
        wire = self._wire(vif, guest)
        with self._failing_as("detach", vif, guest):
            wire.remove()
            if namespaces.exists(wire.namespace):
                location.remove_if_deserted(guest)

    @contextlib.contextmanager
    def _namespace(self, guest: Guest) -> Iterator[None]:
        if location.is_to_be_made(guest):
            location.make(guest)
        elif not namespaces.exists(location.path_of(guest)):
            reason = f"there is no network namespace {guest.endpoint}."
            raise exception.GuestNotFound(hypervisor=self.name, guest=guest.name, reason=reason)
        try:
            yield
        except BaseException:
            with contextlib.suppress(OSError):  # what went wrong first is what matters
                location.remove_if_deserted(guest)
            raise

    def _make(self, wire: Wire, vif: VIFBase) -> None:
        made = wire.make()
        try:
            wire.converge(list(addresses.addresses(vif)), lambda number: list(addresses.routes(vif, number)))
        except BaseException:
            with contextlib.suppress(OSError):
                if made:
                    wire.remove()
            raise

    @contextlib.contextmanager
    def _failing_as(self, action: str, vif: VIFBase, guest: Guest) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = f"{error.strerror or error}.".replace("..", ".")
            raise exception.HotPlugFailed(
                hypervisor=self.name, action=action, vif_id=vif.id, guest=guest.name, reason=reason
            ) from error

    def _wire(self, vif: VIFBase, guest: Guest) -> Wire:
        """Raises CannotRender."""
        reader = Reader(self.name, vif)
        return Wire(
            namespace=location.path_of(guest),
            name=_device(reader),
            mac=reader.mac,
            mtu=reader.mtu,
            guest_name=guest.options.get(_IFNAME, ""),
            bridge=_bridge(reader),
            fills_in_checksums=stated(vif, "port_profile", "datapath_type") == "netdev",
        )


def _check(guest: Guest, reader: Reader) -> None:
    """Before anything is made. Raises CannotRender."""
    unknown = sorted(guest.options.keys() - {_IFNAME})
    if unknown:
        reader.refuse(f"the option {unknown[0]} is not known; there is {_IFNAME}.")
    problem = validate.interface_name(guest.options[_IFNAME]) if _IFNAME in guest.options else None
    if problem:
        reader.refuse(f"the option {_IFNAME}: {problem[0]}.")
    if not guest.endpoint and not location.can_be_named_after(guest):
        reader.refuse(f"no namespace can have the name {guest.name!r:.60}; say which one it is (--endpoint).")


def _device(reader: Reader) -> str:
    if isinstance(reader.vif, VIFOpenVSwitch):
        _check_port(reader)
    elif not isinstance(reader.vif, VIFBridge):
        reader.refuse("a namespace takes VIFBridge and VIFOpenVSwitch.")
    return reader.required("vif_name", "because it names the host's end of the veth")


def _bridge(reader: Reader) -> str:
    if not isinstance(reader.vif, VIFBridge):
        return ""
    bridge = stated(reader.vif, "bridge_name") or stated(reader.vif, "network", "bridge")
    return str(bridge or reader.required("bridge_name", "or else network.bridge"))


def _check_port(reader: Reader) -> None:
    profile = stated(reader.vif, "port_profile")
    if not stated(profile, "create_port"):
        reader.refuse("somebody has to make the port of Open vSwitch (create_port of the port profile).")
    if stated(profile, "create_tap"):
        reader.refuse("a tap is of no use to a namespace (create_tap of the port profile).")
