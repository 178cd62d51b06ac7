# SPDX-License-Identifier: Apache-2.0
"""The driver `qemu`: an interface is a tap, or a vhost-user socket, that is there before QEMU gets it."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from oslo_config import cfg

from os_vif import exception
from os_vif.hypervisors import offering
from os_vif.hypervisors.driver import Guest, GuestTrouble, HypervisorDriver, Rendering
from os_vif.hypervisors.qemu import hotplug
from os_vif.hypervisors.qemu.parts import CARDS, HYPERVISOR, VIRTIO, Parts, parts_of, text_of
from os_vif.hypervisors.qemu.qmp import Monitor, Refused
from os_vif.loading.readiness import Lacking
from os_vif.negotiation.offer import BY_PLUGIN, Constraints

if TYPE_CHECKING:
    from os_vif.negotiation.offer import Offer
    from os_vif.objects.vif import VIFBase

#: The kernel's limit for a tap (MAX_TAP_QUEUES in drivers/net/tap.c and tun.c).
_MOST_QUEUES = 256

_TAP = Constraints(device_by=[BY_PLUGIN], guest_models=sorted(CARDS), max_queues=_MOST_QUEUES)
_TABLE = {
    "vhostuser": Constraints(guest_models=[VIRTIO], max_queues=_MOST_QUEUES),
    "ovs": _TAP,
    "tap": _TAP,
    "macvtap": Constraints(),
}
_OTHERS = {"VIFGeneric": _TAP, "VIFVHostUser": _TABLE["vhostuser"]}
_UNUSABLE = {"macvtap": Lacking("not-by-name", "QEMU takes a macvtap as an open file only, and is given names here.")}

#: Seconds to find out what a guest is; it is not worth waiting for.
_LOOK_SECONDS = 2.0


class QemuDriver(HypervisorDriver):
    """``guest.endpoint`` is the path of the socket of QEMU's monitor (`-qmp unix:PATH,server=on,wait=off`).

    ``guest.options``: ``bus`` (the PCI port), ``addr``, ``romfile`` and ``vectors`` of the card.
    """

    CONFIG_OPTS = (
        offering.LEASE,
        cfg.BoolOpt("vhost", default=False, help="Have the kernel move the packets of taps (needs /dev/vhost-net)."),
        cfg.IntOpt(
            "hot_plug_timeout",
            default=30,
            min=1,
            help="Seconds that QEMU and the guest may take to take an interface, or to let go of it.",
        ),
    )

    def offer(self, guest: Guest, host: str) -> Offer:
        """What QEMU can open. A running guest is asked whether its memory is shared."""
        version, shared = self._look_at(guest)
        return offering.offer(
            f"{HYPERVISOR} {version}".strip(),
            dataclasses.replace(guest, shared_memory=shared),
            host,
            _TABLE,
            others=_OTHERS,
            unusable=_UNUSABLE,
            lease=self.config.lease,
            migration_methods=("live", "cold"),
        )

    def render(self, vif: VIFBase, guest: Guest) -> Rendering:
        """Arguments for QEMU's command line: a list as ``data``, for a shell as ``text``."""
        arguments = parts_of(vif, guest, vhost=self.config.vhost).arguments()
        return Rendering("arguments", text_of(arguments), arguments)

    def attach(self, vif: VIFBase, guest: Guest) -> None:
        """Plugs the card into the running guest. A failure leaves nothing of it."""
        parts = parts_of(vif, guest, vhost=self.config.vhost)
        with self._failing_as("attach", vif, guest), self._monitor(guest, self.config.hot_plug_timeout) as monitor:
            hotplug.add(monitor, parts)

    def check(self, vif: VIFBase, guest: Guest) -> Sequence[GuestTrouble] | None:
        """Asks QEMU whether it has the card."""
        parts = self._plain_parts(vif, guest)
        try:
            with self._monitor(guest, _LOOK_SECONDS) as monitor:
                there = hotplug.is_there(monitor, parts)
        except (OSError, Refused, exception.DeadlineExceeded, exception.GuestNotFound):
            return None
        if there is None:
            return None
        if there:
            return ()
        text = f"QEMU has no card {parts.card_id}: the guest's interface was unplugged there."
        return (GuestTrouble("guest-device-gone", text),)

    def detach(self, vif: VIFBase, guest: Guest) -> None:
        """Asks the guest to let go, waits for it, and removes card and backend."""
        parts = self._plain_parts(vif, guest)
        with (
            self._failing_as("detach", vif, guest),
            contextlib.suppress(exception.GuestNotFound),
            self._monitor(guest, self.config.hot_plug_timeout) as monitor,
        ):
            hotplug.remove(monitor, parts)

    def _plain_parts(self, vif: VIFBase, guest: Guest) -> Parts:
        """Models, queues and memory do not matter for finding and taking away, and must not be in the way of it."""
        plain = dataclasses.replace(guest, model="", shared_memory=None, options={}, queues=_queues_of(vif))
        return parts_of(vif, plain, vhost=False)

    def _look_at(self, guest: Guest) -> tuple[str, bool | None]:
        try:
            with self._monitor(guest, _LOOK_SECONDS) as monitor:
                memory = [part.pick("share", bool, default=False) for part in monitor.ask_all("query-memdev")]
                shared = bool(memory) and all(memory)
                return monitor.version, shared if guest.shared_memory is None else guest.shared_memory
        except (OSError, Refused, exception.DeadlineExceeded, exception.GuestNotFound):
            return "", guest.shared_memory  # it does not run (yet)

    def _monitor(self, guest: Guest, seconds: float) -> Monitor:
        """Raises GuestNotFound, and what Monitor() raises."""
        from os_vif.host.process.deadline import Deadline

        if not guest.endpoint:
            raise _not_found(
                guest, "nobody told where its monitor is (the guest's endpoint: the path of its QMP socket)."
            )
        try:
            return Monitor(guest.endpoint, Deadline(seconds))
        except (FileNotFoundError, ConnectionRefusedError) as error:
            reason = f"its monitor does not answer at {guest.endpoint}: {error.strerror}."
            raise _not_found(guest, reason) from error

    @contextlib.contextmanager
    def _failing_as(self, action: str, vif: VIFBase, guest: Guest) -> Iterator[None]:
        try:
            yield
        except (OSError, Refused, hotplug.Unplugged, exception.DeadlineExceeded) as error:
            raise exception.HotPlugFailed(
                hypervisor=HYPERVISOR,
                action=action,
                vif_id=vif.id,
                guest=guest.name,
                reason=f"{str(error).rstrip('.')}.",
            ) from error


def _queues_of(vif: VIFBase) -> int:
    profile = getattr(vif, "port_profile", None)
    return 2 if getattr(profile, "multiqueue", False) else 1


def _not_found(guest: Guest, reason: str) -> exception.GuestNotFound:
    return exception.GuestNotFound(hypervisor=HYPERVISOR, guest=guest.name, reason=reason)
