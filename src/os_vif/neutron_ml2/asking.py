# SPDX-License-Identifier: Apache-2.0
"""Asking mechanism drivers what they would bind, without binding anything.

This is the only file that relies on more of Neutron than neutron-lib promises: that the core plugin has
``mechanism_manager.ordered_mech_drivers`` (a list of entries with ``name`` and ``obj``), and that the drivers that go
by agents have ``agent_type`` and ``supported_vnic_types``. Without the former there is nobody to ask, which
NobodyToAsk tells; without the latter the reasons are shorter.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from os_vif.exception.log import logger

LOG = logger(__name__)

_L2 = "l2"


class NobodyToAsk(Exception):
    """This Neutron keeps its mechanism drivers where we do not know."""


@dataclass(frozen=True)
class WouldBind:
    """What a driver would bind, in the words of Neutron: ``vif_type`` and ``details``, on a segment.

    ``status``: that the port would get, if the driver says.
    """

    driver: str
    segment_id: str
    vif_type: str
    details: Mapping[str, Any]
    status: str | None = None


@dataclass(frozen=True)
class Reply:
    """What one driver says. ``continues``: it would bind the upper part, and leave the lower one to others."""

    driver: str
    would_bind: tuple[WouldBind, ...] = ()
    continues: bool = False
    why_not: str = ""


def others(plugin: Any, own: Any) -> list[Any]:
    """The entries of all mechanism drivers but our own, in the order of the configuration. Raises NobodyToAsk."""
    try:
        return [entry for entry in plugin.mechanism_manager.ordered_mech_drivers if entry.obj is not own]
    except AttributeError as error:
        raise NobodyToAsk(str(error)) from error


def ask(entries: Iterable[Any], context: Any) -> list[Reply]:
    """The replies of those drivers that bind ports at all."""
    return [_ask(entry, context) for entry in entries if getattr(entry.obj, "_supports_port_binding", True)]


def _ask(entry: Any, context: Any) -> Reply:
    if not context.current.get("fixed_ips") and entry.obj.connectivity != _L2:
        return Reply(entry.name, why_not="it binds only ports that have an IP address")
    noting = _NotingContext(context, entry.name)
    try:
        entry.obj.bind_port(noting)
    except Exception as error:  # as ML2 does: one driver's trouble is not that of the others
        LOG.exception("Mechanism driver %s failed when asked what it would bind", entry.name)
        return Reply(entry.name, why_not=f"it failed ({error})")
    why_not = "" if noting.noted else _why_not(entry.obj, context)
    return Reply(entry.name, tuple(noting.noted), noting.continues, why_not)


class _NotingContext:
    """A PortContext to read, as a driver's bind_port() gets it; what the driver decides is only noted."""

    def __init__(self, context: Any, driver: str) -> None:
        self._context = context
        self._driver = driver
        self.noted: list[WouldBind] = []
        self.continues = False
        # A copy, because ML2/OVN writes into it.
        self.current = copy.deepcopy(context.current)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def set_binding(self, segment_id: str, vif_type: str, vif_details: Any, status: str | None = None) -> None:
        details = copy.deepcopy(dict(vif_details))
        self.noted.append(WouldBind(self._driver, segment_id, vif_type, details, status))

    def continue_binding(self, segment_id: str, next_segments_to_bind: Any) -> None:
        self.continues = True


def _why_not(driver: Any, context: Any) -> str:
    vnic_type = context.current.get("binding:vnic_type", "normal")
    if vnic_type not in getattr(driver, "supported_vnic_types", [vnic_type]):
        return f"it does not bind vNICs of type {vnic_type}"
    agent_type = getattr(driver, "agent_type", None)
    if agent_type is None:
        return "it would bind nothing"
    agents = context.host_agents(agent_type)
    if not any(agent["alive"] for agent in agents):
        return f"there is no {agent_type} alive on {context.host}"
    return f"it has no way on {context.host} into the network ({_told(context.segments_to_bind)})"


def _told(segments: Iterable[Mapping[str, Any]]) -> str:
    return ", ".join(" on ".join(filter(None, (s["network_type"], s["physical_network"]))) for s in segments)
