# SPDX-License-Identifier: Apache-2.0
"""Reading a VIF for a hypervisor: what is there, and a refusal with the reason for what must be there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from os_vif import exception
from os_vif.objects.reading import stated

if TYPE_CHECKING:
    from os_vif.objects.vif import VIFBase


@dataclass(frozen=True)
class Reader:
    """Reads one VIF for the hypervisor of that name."""

    hypervisor: str
    vif: VIFBase

    def required(self, field: str, why: str) -> str:
        """The value of a field of the VIF, as text. Raises CannotRender."""
        value = stated(self.vif, field)
        if value in (None, ""):
            self.refuse(f"{field} must be set, {why}.")
        return str(value)

    @property
    def vif_id(self) -> str:
        """Raises CannotRender."""
        return self.required("id", "because what is made for the interface is named after it")

    @property
    def mac(self) -> str | None:
        """The guest's address, in lower case."""
        address = stated(self.vif, "address")
        return str(address).lower() if address else None

    @property
    def mtu(self) -> int | None:
        """That of the network, in bytes."""
        return stated(self.vif, "network", "mtu") or None

    def refuse(self, reason: str) -> NoReturn:
        """Raises CannotRender."""
        raise exception.CannotRender(
            hypervisor=self.hypervisor,
            vif_id=str(stated(self.vif, "id") or ""),
            vif_class=type(self.vif).__name__,
            reason=reason,
        )
