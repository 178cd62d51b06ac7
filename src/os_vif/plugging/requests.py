# SPDX-License-Identifier: Apache-2.0
"""What a VIF means to the engine: the requests that are made of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from os_vif import exception
from os_vif.exception.log import logger
from os_vif.plugging import current

if TYPE_CHECKING:
    from os_vif.host.engine.request import Request
    from os_vif.host.journal.journal import Record
    from os_vif.host.state import HostState

LOG = logger(__name__)


class States(Protocol):
    """A plugin that states: of os_vif.plugin.Plugin, what is needed here."""

    PRIVILEGED_CONTEXT: ClassVar[str]

    def desired_state(self, vif: Any, instance_info: Any) -> HostState: ...

    def guest_state(self, vif: Any, instance_info: Any) -> HostState: ...

    def leftover_state(self, vif: Any, instance_info: Any) -> HostState: ...


def request(plugin: States, vif: Any, instance_info: Any, *, silent: bool = False) -> Request:
    """What the engine is asked for on behalf of a VIF; ``silent``: see os_vif.plug(). Raises InvalidRequest."""
    from os_vif.host.engine.request import Request

    check_valid(vif)
    desired = plugin.desired_state(vif, instance_info)
    return Request(
        vif_id=identity(vif),
        plugin=vif.plugin,
        desired=desired.silent() if silent else desired,
        context=plugin.PRIVILEGED_CONTEXT,
        original=original(vif, instance_info, silent=silent),
    )


def request_of_guest(plugin: States, vif: Any, instance_info: Any) -> Request:
    """What others make for the VIF: see Plugin.guest_state()."""
    from os_vif.host.engine.request import Request

    return Request(
        identity(vif), vif.plugin, plugin.guest_state(vif, instance_info), plugin.PRIVILEGED_CONTEXT, original={}
    )


def request_to_leave(plugin: States, vif: Any, instance_info: Any) -> Request:
    """The same for unplugging: what the VIF states only matters without a record, so it need not be sound."""
    from os_vif.host.engine.request import Request
    from os_vif.host.state import HostState

    desired, leftover = HostState(), HostState()
    try:
        desired = plugin.desired_state(vif, instance_info)
        leftover = plugin.leftover_state(vif, instance_info)
    except Exception as error:
        LOG.debug("VIF %s does not state all there is to go by: %s", identity(vif), error)
    return Request(
        identity(vif),
        vif.plugin,
        HostState((*desired, *leftover)),
        plugin.PRIVILEGED_CONTEXT,
        original(vif, instance_info),
        leftover.resources,
    )


def imperative_request(vif: Any, instance_info: Any) -> Request:
    """The same for a plugin that does its work itself: only that it is plugged is recorded."""
    from os_vif.host.access.privileged import DEFAULT_CONTEXT
    from os_vif.host.engine.request import Request
    from os_vif.host.state import HostState

    return Request(identity(vif), vif.plugin, HostState(), DEFAULT_CONTEXT, original(vif, instance_info))


def check_valid(vif: Any) -> None:
    """Raises InvalidRequest, which names the field, for values that no host can take."""
    from os_vif.objects import validate

    problems = validate.problems(vif)
    if problems:
        error = exception.InvalidRequest(
            field=problems[0].field,
            reason="; ".join(f"{p.field}: {p.reason}" for p in problems[1:]) or problems[0].reason,
            vif_id=identity(vif),
        )
        error.hint = problems[0].hint
        raise error


def identity(vif: Any) -> str:
    """What a VIF is known by: its id or, for callers that give none (Neutron's smart NICs), its device."""
    for name in ("id", "vif_name", "dev_address"):
        value = getattr(vif, name, None)
        if value:
            return str(value) if name == "id" else f"{vif.obj_name()}:{value}"
    raise exception.InvalidRequest(field="id", reason="the VIF has neither an id nor a device name to be known by.")


def original(vif: Any, instance_info: Any, *, silent: bool = False) -> dict[str, Any]:
    """The VIF and the instance, and whether it is silent, as the journal keeps them."""
    named = {"vif": vif, "instance": instance_info}
    told = {name: value.obj_to_primitive() for name, value in named.items() if hasattr(value, "obj_to_primitive")}
    return told | {"silent": True} if silent else told


def is_silent(vif: Any) -> bool:
    """Whether the VIF is recorded here as plugged silently: whoever checks or repairs it has to leave it so."""
    record = current.engine().journal.record(current.engine().scope(), identity(vif))
    return record is not None and was_silent(record)


def was_silent(record: Record) -> bool:
    """Whether the VIF of a record was plugged silently."""
    try:
        original = json.loads(record.request)
    except ValueError:
        return False
    return isinstance(original, dict) and bool(original.get("silent"))
