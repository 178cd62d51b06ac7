# SPDX-License-Identifier: Apache-2.0
"""Between the public API and the engine: which engine, and what a VIF means to it."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from os_vif import exception
from os_vif.host.process import threads

if TYPE_CHECKING:
    from os_vif.host.engine.engine import Engine
    from os_vif.host.engine.request import Request
    from os_vif.host.journal.journal import Record
    from os_vif.host.state import HostState

LOG = logging.getLogger(__name__)


class States(Protocol):
    """A plugin that states: of os_vif.plugin.Plugin, what is needed here."""

    PRIVILEGED_CONTEXT: ClassVar[str]

    def desired_state(self, vif: Any, instance_info: Any) -> HostState: ...

    def guest_state(self, vif: Any, instance_info: Any) -> HostState: ...

    def leftover_state(self, vif: Any, instance_info: Any) -> HostState: ...


_mutex = threads.Lock()
_engine: Engine | None = None


def engine() -> Engine:
    """The engine of this process: this machine, and the state directory. Made when it is first needed."""
    global _engine
    if _engine is None:
        with _mutex:
            if _engine is None:
                _engine = _make_engine()
    return _engine


def use(new: Engine | None) -> None:
    """Makes the process use another engine (a fake host, say); None means the usual one, made anew."""
    global _engine
    with _mutex:
        _engine = new


def in_use() -> Engine | None:
    """The engine of this process, or None when none was needed so far."""
    return _engine


def _make_engine() -> Engine:
    # Imported when first used: a process that only reads or writes objects does not need it.
    from os_vif.host.access.host import RealHost
    from os_vif.host.engine.engine import Engine
    from os_vif.host.journal.store import open_store

    store = open_store()
    made = Engine(RealHost(), store.journal, store.locks, volatile=store.volatile)
    if not store.volatile:
        _look_after(made, begins=store.begins)
    return made


def _look_after(made: Engine, *, begins: bool) -> None:
    """Tells when the journal that begins is not the first here; makes a backup of one that is there, once a day."""
    from pathlib import Path

    from os_vif.host.journal import backups

    if begins:
        _tell_of_lost_records(made)
    else:
        backups.make_if_due(Path(made.journal.path).parent)


def _tell_of_lost_records(made: Engine) -> None:
    from os_vif.host.engine.garbage import GarbageCollector

    try:
        lost = GarbageCollector(made).lost(switches=False)
    except exception.ExceptionBase as error:
        LOG.debug("Whether the new journal %s is the first here cannot be told: %s", made.journal.path, error)
        return
    if lost:
        LOG.error(
            "The journal %s was begun anew, and %s on this host name it: its records were lost. VIFs can be plugged"
            " and unplugged; `vif journal rebuild` makes the records anew.",
            made.journal.path,
            "1 device" if len(lost) == 1 else f"{len(lost)} devices",
        )


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
    record = engine().journal.record(engine().scope(), identity(vif))
    return record is not None and was_silent(record)


def was_silent(record: Record) -> bool:
    """Whether the VIF of a record was plugged silently."""
    try:
        original = json.loads(record.request)
    except ValueError:
        return False
    return isinstance(original, dict) and bool(original.get("silent"))
