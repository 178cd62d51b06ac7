# SPDX-License-Identifier: Apache-2.0
"""What a guest's options say to this driver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from os_vif.hypervisors.libvirt.reading import refuse

if TYPE_CHECKING:
    from os_vif.hypervisors.driver import Guest
    from os_vif.objects.vif import VIFBase

_LIMITS = tuple(
    f"{direction}_{limit}" for direction in ("inbound", "outbound") for limit in ("average", "peak", "burst")
)
_FILTER_PARAMETER = "filter."
_KNOWN = ("virt_type", "packed", "rx_queue_size", "tx_queue_size", "filter", *_LIMITS)
_TRUE, _FALSE = ("1", "on", "true", "yes"), ("", "0", "off", "false", "no")


@dataclass(frozen=True)
class GuestOptions:
    """``virt_type``: the domain's type; "qemu" means without KVM. ``packed``: packed rings of virtio.

    ``rx_queue_size``, ``tx_queue_size``: entries; 0 leaves it to libvirt. ``filter``: the name of one of libvirt's
    network filters, with its parameters. ``inbound``, ``outbound``: average and peak in KiB per second, burst in KiB,
    as seen from the guest.
    """

    virt_type: str = ""
    packed: bool = False
    rx_queue_size: int = 0
    tx_queue_size: int = 0
    filter: str = ""
    filter_parameters: Mapping[str, str] = field(default_factory=dict)
    inbound: Mapping[str, int] = field(default_factory=dict)
    outbound: Mapping[str, int] = field(default_factory=dict)


def read(guest: Guest, vif: VIFBase) -> GuestOptions:
    """The options of a guest, for the interface that the VIF is to be. Raises CannotRender for what makes no sense."""
    return _Reader(guest.options, vif).read()


def are_limited(guest: Guest) -> bool:
    """Whether the guest's interfaces are to have limits of bandwidth."""
    return any(guest.options.get(name) for name in _LIMITS)


class _Reader:
    def __init__(self, options: Mapping[str, str], vif: VIFBase) -> None:
        self._options = options
        self._vif = vif

    def read(self) -> GuestOptions:
        for name in self._options:
            if name not in _KNOWN and not name.startswith(_FILTER_PARAMETER):
                self._refuse(name, f"is not known; known are {', '.join(_KNOWN)} and {_FILTER_PARAMETER}PARAMETER")
        return GuestOptions(
            virt_type=self._options.get("virt_type", ""),
            packed=self._truth("packed"),
            rx_queue_size=self._number("rx_queue_size"),
            tx_queue_size=self._number("tx_queue_size"),
            filter=self._options.get("filter", ""),
            filter_parameters=self._filter_parameters(),
            inbound=self._limits("inbound"),
            outbound=self._limits("outbound"),
        )

    def _filter_parameters(self) -> dict[str, str]:
        found = {
            name.removeprefix(_FILTER_PARAMETER): value
            for name, value in self._options.items()
            if name.startswith(_FILTER_PARAMETER)
        }
        if found and not self._options.get("filter"):
            self._refuse(f"{_FILTER_PARAMETER}{next(iter(found))}", "is of no use without the option filter")
        return found

    def _limits(self, direction: str) -> dict[str, int]:
        limits = {limit: self._number(f"{direction}_{limit}") for limit in ("average", "peak", "burst")}
        found = {limit: value for limit, value in limits.items() if value}
        if found and "average" not in found:
            self._refuse(f"{direction}_{next(iter(found))}", f"needs {direction}_average beside it")
        return found

    def _number(self, name: str) -> int:
        text = self._options.get(name) or "0"
        if not text.isascii() or not text.isdigit():
            self._refuse(name, f"is {text!r:.40}, which is not a number")
        return int(text)

    def _truth(self, name: str) -> bool:
        text = self._options.get(name, "").lower()
        if text not in _TRUE + _FALSE:
            self._refuse(name, f"is {text!r:.40}, which is neither yes nor no")
        return text in _TRUE

    def _refuse(self, name: str, reason: str) -> NoReturn:
        refuse(self._vif, f"the guest's option {name} {reason}.")
