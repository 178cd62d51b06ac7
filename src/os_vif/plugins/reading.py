# SPDX-License-Identifier: Apache-2.0
"""Reading a VIF for the plugins: what is there, and a refusal that names the field for what must be there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from os_vif import exception
from os_vif.objects.reading import stated

if TYPE_CHECKING:
    from os_vif.objects.network import Network
    from os_vif.objects.vif import VIFBase

__all__ = ["expect", "network_of", "refuse", "required", "stated"]


def required(vif: VIFBase, field: str, why: str) -> Any:
    """The value of a field of the VIF, dotted when nested ("network.bridge_interface"). Raises InvalidRequest."""
    value = stated(vif, *field.split("."))
    if value in (None, ""):
        refuse(vif, field, f"must be set, {why}.")
    return value


def network_of(vif: VIFBase, plugin: str) -> Network:
    """The VIF's network. Raises InvalidRequest where it has none."""
    network: Network = required(vif, "network", f"because the plugin {plugin} goes by it")
    return network


def expect(vif: VIFBase, wanted: type[VIFBase], plugin: str) -> None:
    """Raises InvalidRequest for a VIF of another class."""
    if not isinstance(vif, wanted):
        refuse(vif, "vif", f"the plugin {plugin} takes {wanted.__name__}, not {type(vif).__name__}.")


def refuse(vif: VIFBase, field: str, reason: str) -> NoReturn:
    """Raises InvalidRequest: what the VIF asks for cannot be done."""
    raise exception.InvalidRequest(field=field, reason=reason, vif_id=str(stated(vif, "id", default="")))
