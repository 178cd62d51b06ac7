# SPDX-License-Identifier: Apache-2.0
"""The driver `cloud_hypervisor`: an interface is a tap, or a vhost-user socket, that is there before."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from oslo_config import cfg

from os_vif import exception
from os_vif.hypervisors import offering, taps
from os_vif.hypervisors.cloud_hypervisor.api import Api, Refused
from os_vif.hypervisors.driver import Guest, GuestTrouble, HypervisorDriver, Rendering
from os_vif.hypervisors.reading import Reader
from os_vif.negotiation.offer import BY_PLUGIN, Constraints
from os_vif.objects.vif import VIFVHostUser

if TYPE_CHECKING:
    from os_vif.negotiation.offer import Offer
    from os_vif.objects.vif import VIFBase

HYPERVISOR = "cloud_hypervisor"

_MODEL = "virtio"
_LOOK_SECONDS = 2.0


class CloudHypervisorDriver(HypervisorDriver):
    """``guest.endpoint`` is the path of the API's socket (`--api-socket path=PATH`)."""

    CONFIG_OPTS = (
        offering.LEASE,
        cfg.IntOpt(
            "hot_plug_timeout",
            default=30,
            min=1,
            help="Seconds that Cloud Hypervisor and the guest may take to take an interface, or to let go of it.",
        ),
    )

    def offer(self, guest: Guest, host: str) -> Offer:
        """What Cloud Hypervisor can open; it has virtio only, and at most one pair of queues for each processor."""
        version, shared = self._look_at(guest)
        most: dict[str, Any] = {"guest_models": [_MODEL], "max_queues": guest.vcpus}
        tap = Constraints(device_by=[BY_PLUGIN], **most)
        vhost_user = Constraints(**most)
        return offering.offer(
            f"{HYPERVISOR} {version}".strip(),
            dataclasses.replace(guest, shared_memory=shared),
            host,
            {"vhostuser": vhost_user, "ovs": tap, "tap": tap},
            others={"VIFGeneric": tap, "VIFVHostUser": vhost_user},
            lease=self.config.lease,
        )

    def render(self, vif: VIFBase, guest: Guest) -> Rendering:
        """An element of ``net`` in the machine's configuration, which is also the body of `vm.add-net`."""
        data = _interface(Reader(HYPERVISOR, vif), guest)
        return Rendering("json", json.dumps(data, indent=2), data)

    def attach(self, vif: VIFBase, guest: Guest) -> None:
        """Plugs the interface into the running guest."""
        interface = _interface(Reader(HYPERVISOR, vif), guest)
        with self._failing_as("attach", vif, guest):
            self._api(guest).add(interface)

    def check(self, vif: VIFBase, guest: Guest) -> Sequence[GuestTrouble] | None:
        """Asks Cloud Hypervisor whether it has the interface."""
        interface_id = _id(Reader(HYPERVISOR, vif))
        try:
            there = self._api(guest, _LOOK_SECONDS).is_configured(interface_id)
        except (OSError, Refused, exception.DeadlineExceeded, exception.GuestNotFound):
            return None
        if there:
            return ()
        text = f"Cloud Hypervisor has no interface {interface_id}: it was taken from the guest there."
        return (GuestTrouble("guest-device-gone", text),)

    def detach(self, vif: VIFBase, guest: Guest) -> None:
        """Asks the guest to let go, and waits for it."""
        interface_id = _id(Reader(HYPERVISOR, vif))
        with self._failing_as("detach", vif, guest), contextlib.suppress(exception.GuestNotFound):
            self._api(guest).remove(interface_id)

    def _look_at(self, guest: Guest) -> tuple[str, bool | None]:
        try:
            api = self._api(guest, _LOOK_SECONDS)
            shared = guest.shared_memory if guest.shared_memory is not None else api.shares_memory()
            return api.version(), shared
        except (OSError, Refused, exception.DeadlineExceeded, exception.GuestNotFound):
            return "", guest.shared_memory  # it does not run (yet)

    def _api(self, guest: Guest, seconds: float | None = None) -> Api:
        from os_vif.host.process.deadline import Deadline

        if not guest.endpoint:
            reason = "nobody told where its API is (the guest's endpoint: the path of the socket)."
            raise exception.GuestNotFound(hypervisor=HYPERVISOR, guest=guest.name, reason=reason)
        return Api(guest.endpoint, Deadline(seconds or self.config.hot_plug_timeout))

    @contextlib.contextmanager
    def _failing_as(self, action: str, vif: VIFBase, guest: Guest) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, ConnectionRefusedError) as error:
            if action == "detach":
                return
            reason = f"its API does not answer at {guest.endpoint}: {error.strerror}."
            raise exception.GuestNotFound(hypervisor=HYPERVISOR, guest=guest.name, reason=reason) from error
        except (OSError, Refused, exception.DeadlineExceeded) as error:
            reason = f"{str(error).rstrip('.')}."
            raise exception.HotPlugFailed(
                hypervisor=HYPERVISOR, action=action, vif_id=vif.id, guest=guest.name, reason=reason
            ) from error


def _interface(reader: Reader, guest: Guest) -> dict[str, Any]:
    if guest.model not in ("", _MODEL):
        reader.refuse(f"the guest is to see {guest.model}, and Cloud Hypervisor has virtio only.")
    if guest.queues > guest.vcpus:
        reader.refuse(f"{guest.queues} queues are wanted, and there is at most one for each of {guest.vcpus} vCPUs.")
    # It counts the directions of each queue.
    interface: dict[str, Any] = {"id": _id(reader), "num_queues": 2 * guest.queues, **_backend(reader, guest)}
    if reader.mac is not None:
        interface["mac"] = reader.mac
    if reader.mtu is not None:
        interface["mtu"] = reader.mtu
    return interface


def _backend(reader: Reader, guest: Guest) -> dict[str, Any]:
    if not isinstance(reader.vif, VIFVHostUser):
        return {"tap": taps.name_of(reader, guest)}
    if guest.shared_memory is False:
        reader.refuse("the guest's memory is not shared with other processes, which vhost-user needs.")
    mode = reader.required("mode", "because it says who makes the socket")
    path = reader.required("path", "because the socket is there")
    return {"vhost_user": True, "vhost_socket": path, "vhost_mode": mode.capitalize()}


def _id(reader: Reader) -> str:
    return f"net-{reader.vif_id}"
