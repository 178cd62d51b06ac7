# SPDX-License-Identifier: Apache-2.0
"""The driver `firecracker`: an interface is a tap; machines are given theirs before they start, and keep them.

Source of names: src/firecracker/swagger/firecracker.yaml of the project, definitions NetworkInterface,
InstanceInfo and FullVmConfiguration.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from oslo_config import cfg

from os_vif import exception
from os_vif.hypervisors import offering, taps
from os_vif.hypervisors.driver import Guest, GuestTrouble, HypervisorDriver, Rendering
from os_vif.hypervisors.reading import Reader
from os_vif.negotiation.offer import BY_PLUGIN, Constraints

if TYPE_CHECKING:
    from os_vif.negotiation.offer import Offer
    from os_vif.objects.vif import VIFBase

HYPERVISOR = "firecracker"

_MODEL = "virtio"
_TAP = Constraints(device_by=[BY_PLUGIN], guest_models=[_MODEL], max_queues=1)
_TABLE = {"ovs": _TAP, "tap": _TAP}

#: The guest's options for limits, in bytes per second, and where they belong.
_LIMITS = {"rx_bytes_per_second": "rx_rate_limiter", "tx_bytes_per_second": "tx_rate_limiter"}
_SECOND = 1000  # milliseconds, in which a bucket is filled again

#: Interfaces of one machine that are read, and seconds that it may take to tell of them.
_MOST_INTERFACES, _LOOK_SECONDS = 1000, 2.0


class FirecrackerDriver(HypervisorDriver):
    """``guest.endpoint`` is the path of the API's socket (`--api-sock PATH`), by which a check looks at the guest.

    ``guest.options``: ``rx_bytes_per_second`` and ``tx_bytes_per_second`` limit what the guest gets and sends."""

    CONFIG_OPTS = (
        offering.LEASE,
        cfg.BoolOpt(
            "advertise_mtu",
            default=False,
            help="Tell guests the MTU of their network. Firecrackers whose API has no `mtu` refuse such interfaces.",
        ),
    )

    def offer(self, guest: Guest, host: str) -> Offer:
        """Taps that somebody else has made."""
        others = {"VIFGeneric": _TAP}
        return offering.offer(HYPERVISOR, guest, host, _TABLE, others=others, lease=self.config.lease)

    def render(self, vif: VIFBase, guest: Guest) -> Rendering:
        """The body of a PUT to /network-interfaces/<iface_id>; also an element of `network-interfaces` in a file."""
        data = self._interface(Reader(HYPERVISOR, vif), guest)
        return Rendering("json", json.dumps(data, indent=2), data)

    def check(self, vif: VIFBase, guest: Guest) -> Sequence[GuestTrouble] | None:
        """Asks Firecracker, where its socket is known, whether it has an interface on the VIF's tap."""
        tap = taps.name_of(Reader(HYPERVISOR, vif), guest)
        names = _taps_of(guest) if guest.endpoint else None
        if names is None:
            return None
        if tap in names:
            return ()
        text = f"Firecracker has no interface on tap {tap}: the guest was started without it."
        return (GuestTrouble("guest-device-gone", text, "Start the guest with the interface.", mendable=False),)

    def _interface(self, reader: Reader, guest: Guest) -> dict[str, Any]:
        if guest.model not in ("", _MODEL):
            reader.refuse(f"the guest is to see {guest.model}, and Firecracker has virtio only.")
        if guest.queues > 1:
            reader.refuse(f"{guest.queues} queues are wanted, and Firecracker has one.")
        interface: dict[str, Any] = {
            # Letters, digits and underscores only, since it is part of a path.
            "iface_id": "net_" + reader.vif_id.replace("-", "_"),
            "host_dev_name": taps.name_of(reader, guest),
        }
        if reader.mac is not None:
            interface["guest_mac"] = reader.mac
        if self.config.advertise_mtu and reader.mtu is not None:
            interface["mtu"] = reader.mtu
        return interface | _limits(reader, guest)


def _taps_of(guest: Guest) -> set[str] | None:
    """None where it does not run (yet), or does not answer as it should."""
    from os_vif.host.process.deadline import Deadline
    from os_vif.hypervisors.http_api import HttpApi, Refused, Reply

    class Answer(Reply):
        PRODUCT = "Firecracker"

    machine = HttpApi(Answer, guest.endpoint, Deadline(_LOOK_SECONDS))
    try:
        if machine.get("/").pick("state", str) != "Running":
            return None
        interfaces = machine.get("/vm/config").each("network-interfaces", most=_MOST_INTERFACES)
        return {interface.pick("host_dev_name", str) for interface in interfaces}
    except (OSError, Refused, exception.DeadlineExceeded):
        return None


def _limits(reader: Reader, guest: Guest) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for option, name in _LIMITS.items():
        if option in guest.options:
            text = guest.options[option]
            if not text.isdecimal():
                reader.refuse(f"the guest's option {option} must be a number, not {text!r}.")
            found[name] = {"bandwidth": {"size": int(text), "refill_time": _SECOND}}
    return found
