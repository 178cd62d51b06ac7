# SPDX-License-Identifier: Apache-2.0
"""Plugging and unplugging, by the engine for plugins that state what they want, by the plugin itself for others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from os_vif import exception
from os_vif.loading import plugins
from os_vif.plugging import current, requests
from os_vif.plugin import Plugin

if TYPE_CHECKING:
    from os_vif.host.contract.plan import Plan
    from os_vif.host.engine.request import Request

#: VIFs in one batch: large enough to share the costs, small enough for progress to be seen and locks to be let go.
BATCH = 50

Progress = Callable[[int, int], None] | None


def plug(vif: Any, instance_info: Any, *, silent: bool = False) -> None:
    """See os_vif.plug()."""
    plugin = plugins.plugin(vif.plugin)
    try:
        _plug(_declarative(plugin, vif) if silent else plugin, vif, instance_info, silent=silent)
    except Exception as error:
        raise _failure(exception.PlugException, vif, error) from error


def repair(vif: Any, instance_info: Any, *, anew: bool = False) -> Plan:
    """See os_vif.repair()."""
    plugin = _declarative(plugins.plugin(vif.plugin), vif)
    try:
        silent = requests.is_silent(vif)
        request = requests.request(plugin, vif, instance_info, silent=silent)
        guest = requests.request_of_guest(plugin, vif, instance_info)
        if not anew:
            _check_left(request, guest)
        done = current.engine().plug([request])
        return done if silent else _joined(done, _repair_guest(guest))
    except Exception as error:
        raise _failure(exception.PlugException, vif, error) from error


def _check_left(request: Request, guest: Request) -> None:
    from os_vif.host.engine import gone

    if gone.is_gone(current.engine(), request, guest):
        raise exception.NothingLeft(vif_id=request.vif_id, reason=gone.TEXT)


def _repair_guest(guest: Request) -> Plan:
    from os_vif.host.engine import expected

    return expected.mend(current.engine(), guest)


def _joined(one: Plan, other: Plan) -> Plan:
    import dataclasses

    return dataclasses.replace(one, steps=(*one.steps, *other.steps))


def unplug(vif: Any, instance_info: Any) -> None:
    """See os_vif.unplug()."""
    plugin = plugins.plugin(vif.plugin)
    try:
        _unplug(plugin, vif, instance_info)
    except Exception as error:
        raise _failure(exception.UnplugException, vif, error) from error


def plug_many(pairs: Sequence[tuple[Any, Any]], progress: Progress) -> None:
    """See os_vif.plug_many()."""
    for done, batch in _batches(pairs):
        _plug_batch(batch)
        if progress is not None:
            progress(done, len(pairs))


def unplug_many(pairs: Sequence[tuple[Any, Any]], progress: Progress) -> None:
    """See os_vif.unplug_many()."""
    errors: list[exception.UnplugException] = []
    for done, batch in _batches(pairs):
        errors += _unplug_batch(batch)
        if progress is not None:
            progress(done, len(pairs))
    if len(errors) == 1:
        raise errors[0]
    if errors:
        text = " ".join(str(error) for error in errors)
        raise exception.UnplugException(f"{len(errors)} of {len(pairs)} VIFs were not unplugged. {text}", errors=errors)


def _batches(pairs: Sequence[tuple[Any, Any]]) -> Iterator[tuple[int, Sequence[tuple[Any, Any]]]]:
    for start in range(0, len(pairs), BATCH):
        batch = pairs[start : start + BATCH]
        yield start + len(batch), batch


def _plug_batch(batch: Sequence[tuple[Any, Any]]) -> None:
    stated = []
    for vif, instance_info in batch:
        plugin = plugins.plugin(vif.plugin)
        if isinstance(plugin, Plugin):
            stated.append((plugin, vif, instance_info))
        else:
            plug(vif, instance_info)
    if stated:
        _plug_stated(stated)


def _plug_stated(stated: Sequence[tuple[Plugin, Any, Any]]) -> None:
    vif = stated[0][1]
    try:
        batch = []
        for plugin, vif, instance_info in stated:
            batch.append(requests.request(plugin, vif, instance_info))
        current.engine().plug(batch)
    except Exception as error:
        at_fault = str(getattr(error, "kwargs", {}).get("vif_id", ""))
        culprit = next((v for _, v, _ in stated if at_fault and requests.identity(v) == at_fault), vif)
        raise _failure(exception.PlugException, culprit, error) from error


def _unplug_batch(batch: Sequence[tuple[Any, Any]]) -> list[exception.UnplugException]:
    """All in one go; when that fails, each for itself, so that one does not keep the others."""
    stated = [(p, v, i) for v, i in batch if isinstance(p := plugins.plugin(v.plugin), Plugin)]
    others = [(v, i) for v, i in batch if not isinstance(plugins.plugin(v.plugin), Plugin)]
    try:
        current.engine().unplug([requests.request_to_leave(p, v, i) for p, v, i in stated])
        alone = others
    except Exception:
        alone = list(batch)
    return [error for vif, instance_info in alone if (error := _unplug_error(vif, instance_info))]


def _unplug_error(vif: Any, instance_info: Any) -> exception.UnplugException | None:
    try:
        unplug(vif, instance_info)
    except exception.UnplugException as error:
        return error
    return None


def _plug(plugin: Any, vif: Any, instance_info: Any, *, silent: bool) -> None:
    if isinstance(plugin, Plugin):
        current.engine().plug([requests.request(plugin, vif, instance_info, silent=silent)])
        return
    from os_vif.host.engine import imperative

    with imperative.plugging(current.engine(), requests.imperative_request(vif, instance_info)):
        plugin.plug(vif, instance_info)


def _unplug(plugin: Any, vif: Any, instance_info: Any) -> None:
    if isinstance(plugin, Plugin):
        current.engine().unplug([requests.request_to_leave(plugin, vif, instance_info)])
        return
    from os_vif.host.engine import imperative

    with imperative.unplugging(current.engine(), requests.imperative_request(vif, instance_info)):
        plugin.unplug(vif, instance_info)


def _declarative(plugin: Any, vif: Any) -> Plugin:
    if isinstance(plugin, Plugin):
        return plugin
    raise exception.InvalidRequest(
        field="plugin",
        reason=f"the plugin {vif.plugin} does its work itself and cannot say what it would do.",
        vif_id=requests.identity(vif),
    )


def declarative(vif: Any) -> Plugin:
    """The plugin of a VIF, if it is one that states what it wants. Raises InvalidRequest, NoMatchingPlugin."""
    return _declarative(plugins.plugin(vif.plugin), vif)


def _failure(kind: type[Any], vif: Any, error: Exception) -> Any:
    """The exception that callers expect, with the cause's code and hint for those who look closer."""
    failure = kind(vif=vif, err=error)
    failure.hint = getattr(error, "hint", "")
    failure.cause_code = getattr(error, "code", "")
    return failure
