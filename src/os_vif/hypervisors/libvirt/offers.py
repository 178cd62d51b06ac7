# SPDX-License-Identifier: Apache-2.0
"""What libvirt's guests can use: by its version, by the guest, and by the machine. The order is the preference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from os_vif.hypervisors.libvirt import guest_options, versions
from os_vif.hypervisors.libvirt.frontend import VIRTIO_MODELS
from os_vif.loading.readiness import Lack, Lacking
from os_vif.negotiation.offer import BY_HYPERVISOR, BY_PLUGIN, Constraints

if TYPE_CHECKING:
    from os_vif.hypervisors.driver import Guest
    from os_vif.hypervisors.libvirt.host_devices import HostDevices
    from os_vif.hypervisors.libvirt.versions import Capabilities

#: The kernel's limit (linux/if_tun.h and if_tap.h, MAX_TAP_QUEUES).
_TAP_QUEUES = 256

_VHOST_USER = ("vhostuser", "vhostuser-noop")
_PASSED_THROUGH = ("ovs-hostdev", "hostdev")

VERSION, NO_IOMMU, MODEL, TRAFFIC = "libvirt-version", "no-iommu", "guest-model", "traffic-options"


def table(can: Capabilities, guest: Guest) -> dict[str, Constraints]:
    """Binding types by name, best first, with what holds for each.

    vhost-user comes first: it is withdrawn unless somebody has set up the guest's memory for it. Open vSwitch gets
    the device from the plugin rather than from libvirt, so that the port is wired before the guest starts. A port
    with a Linux bridge in between is for network sides that want iptables.
    """
    tap_queues = _TAP_QUEUES if _may_have_queues(can, guest, versions.QUEUES) else 1
    socket_queues = None if _may_have_queues(can, guest, versions.VHOST_USER_QUEUES) else 1
    vhost_user = Constraints(max_queues=socket_queues, guest_models=list(VIRTIO_MODELS))
    by_plugin = Constraints(max_queues=tap_queues, device_by=[BY_PLUGIN])
    by_libvirt = Constraints(max_queues=tap_queues, device_by=[BY_HYPERVISOR])
    by_either = Constraints(max_queues=tap_queues, device_by=[BY_PLUGIN, BY_HYPERVISOR])
    return {
        "vhostuser": vhost_user,
        "ovs": by_either if can.has(versions.MAKES_TAP) else by_plugin,
        "bridge": by_libvirt,
        "tap": by_plugin,
        "ovs-hybrid": by_libvirt,
        "macvtap": by_plugin,
        "ovs-hostdev": Constraints(),
        "hostdev": Constraints(),
        "vhostuser-noop": vhost_user,
    }


#: Classes that are taken from plugins of third parties.
OTHERS = {
    name: Constraints()
    for name in ("VIFOpenVSwitch", "VIFBridge", "VIFGeneric", "VIFDirect", "VIFVHostUser", "VIFHostDevice")
}


def unusable(can: Capabilities, guest: Guest, devices: HostDevices) -> dict[str, Lacking]:
    """Binding types that cannot be used, and why."""
    found: dict[str, Lacking] = {}
    for name, lack in [*_too_old(can), *_of_the_machine(devices), *_of_the_guest(guest)]:
        found.setdefault(name, lack)
    return found


def unknown_memory(guest: Guest, why: str) -> dict[str, Lacking]:
    """The same, for a guest of whose memory nothing is known; ``why``: a sentence."""
    reason = f"it needs shared memory. Nobody said whether {guest.name} has that, and {why}"
    return dict.fromkeys(_VHOST_USER, Lacking(Lack.NO_SHARED_MEMORY, reason))


def _too_old(can: Capabilities) -> Iterator[tuple[str, Lacking]]:
    needed = {
        "vhostuser": versions.VHOST_USER,
        "vhostuser-noop": versions.VHOST_USER,
        "macvtap": versions.EXISTING_DEVICE,
        "ovs-hostdev": versions.HOSTDEV_INTERFACE,
        "hostdev": versions.HOSTDEV_INTERFACE,
    }
    for name, feature in needed.items():
        if not can.has(feature):
            yield name, Lacking(VERSION, can.lack(feature))


def _of_the_machine(devices: HostDevices) -> Iterator[tuple[str, Lacking]]:
    if not devices.has_iommu():
        reason = "this machine has no IOMMU in use, so that no device can be handed to a guest."
        yield from ((name, Lacking(NO_IOMMU, reason)) for name in _PASSED_THROUGH)


def _of_the_guest(guest: Guest) -> Iterator[tuple[str, Lacking]]:
    if guest.model and guest.model not in VIRTIO_MODELS:
        reason = f"the guest is to see {guest.model}, and sees the device itself."
        yield from ((name, Lacking(MODEL, reason)) for name in _PASSED_THROUGH)
    if guest_options.are_limited(guest) or guest.options.get("filter"):
        reason = "the guest's traffic is to be limited or filtered, and does not pass through a device of the host."
        yield from ((name, Lacking(TRAFFIC, reason)) for name in (*_VHOST_USER, *_PASSED_THROUGH))


def _may_have_queues(can: Capabilities, guest: Guest, feature: versions.Feature) -> bool:
    return can.has(feature) and (not guest.model or guest.model in VIRTIO_MODELS)
