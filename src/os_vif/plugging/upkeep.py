# SPDX-License-Identifier: Apache-2.0
"""Garbage collection and restoring: what is to be done about records without waiting for a caller."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from os_vif import exception
from os_vif.loading import plugins
from os_vif.plugging import apply, claims, current, requests
from os_vif.plugin import Plugin

if TYPE_CHECKING:
    from os_vif.host.engine.engine import Engine
    from os_vif.host.engine.garbage import Finding, GarbageCollector
    from os_vif.host.journal.journal import Damaged, Record, Scope, Stranded
    from os_vif.host.state import Resource


@dataclass(frozen=True)
class Restored:
    """What became of one VIF: ``error`` is None when it is plugged again."""

    vif_id: str
    error: exception.ExceptionBase | None = None


def gc(keep: set[str] | None, *, dry_run: bool, orphans: bool = False) -> Sequence[Finding]:
    """See os_vif.gc()."""
    collector = garbage_collector()
    findings = collector.find(keep, orphans=orphans, claims=claims.all_claims)
    return findings if dry_run else [collector.remove(finding) for finding in findings]


def lost() -> Sequence[Finding]:
    """What is on this host and names our journal, which does not know it (any more): its records were lost."""
    return garbage_collector().lost()


def garbage_collector() -> GarbageCollector:
    """That of this process, which looks wherever its plugins may have made something."""
    from os_vif.host.engine.garbage import GarbageCollector

    return GarbageCollector(current.engine(), unplug_imperative=_unplug_recorded, places=_whereabouts())


def _whereabouts() -> Iterator[Resource]:
    """Where the plugins say to look for what they have made; not all have anything to say."""
    for plugin in plugins.plugins().values():
        yield from getattr(plugin, "whereabouts", tuple)()


def unplug_recorded(vif_id: str) -> None:
    """See os_vif.unplug_recorded()."""
    from os_vif.host.engine.garbage import GarbageCollector

    engine = current.engine()
    record = engine.journal.record(engine.scope(), vif_id)
    if record is None:
        raise exception.NotRecorded(vif_id=vif_id)
    try:
        GarbageCollector(engine, unplug_imperative=_unplug_recorded).unplug(record)
    except exception.HostError as error:
        raise exception.UnplugException(vif=vif_id, err=error) from error


def forget_kind(kind: str, *, dry_run: bool) -> Sequence[Stranded]:
    """Forgets what a package made that is gone for good: it stays on the host, and nobody answers for it any more.

    ``kind``: as it is recorded, "vxlan:Vxlan". Raises InvalidRequest where a VIF uses any of it, or there is none.
    """
    engine = current.engine()
    found = [one for one in engine.journal.stranded(engine.scope().boot) if one.resource.kind == kind]
    if not found:
        reason = f"nothing of the kind {kind} is recorded whose backend cannot be used here."
        raise exception.InvalidRequest(field="kind", reason=reason)
    for one in found:
        if one.vif_id:
            reason = f"VIF {one.vif_id} uses {one.resource.label}; unplug it first (`vif unplug --id`)."
            raise exception.InvalidRequest(field="kind", reason=reason, vif_id=one.vif_id)
        if not dry_run:
            _forget_holding(engine, one)
    return found


def _forget_holding(engine: Engine, one: Stranded) -> None:
    with engine.holding_keys(one.scope, [one.resource.lock]):
        if not engine.journal.users(one.scope, one.resource.key):
            engine.journal.forget(one.scope, "", [one.resource.key])


def restore() -> Sequence[Restored]:
    """See os_vif.restore()."""
    engine = current.engine()
    here = engine.scope()
    records, damaged = engine.journal.sorted_out()
    wanted = [one for one in records if _is_of_earlier_boot(one, here)]
    lost = [Restored(one.vif_id, one.error) for one in damaged if _is_of_earlier_boot(one, here)]
    return [*(_restore_one(engine, one) for one in wanted), *lost]


def _is_of_earlier_boot(one: Record | Damaged, here: Scope) -> bool:
    return one.scope.namespace == here.namespace and one.scope.boot != here.boot


def _restore_one(engine: Engine, record: Record) -> Restored:
    from os_vif.host.backends import uplinks

    try:
        uplinks.check_configured(engine.host, engine.journal.holdings(record.scope, record.vif_id), record.vif_id)
        apply.plug(*recorded_pair(record), silent=requests.was_silent(record))
    except exception.ExceptionBase as error:
        return Restored(record.vif_id, error)
    return Restored(record.vif_id)


def recorded_pair(record: Record) -> tuple[Any, Any]:
    """The VIF and the instance of a record, as they were received. Raises ObjectError, RecordDamaged."""
    from os_vif.objects import base

    original = recorded_request(record)
    decode = base.VersionedObject.obj_from_primitive
    return tuple(decode(original[name]) if name in original else None for name in ("vif", "instance"))  # type: ignore[return-value]


def recorded_request(record: Record) -> dict[str, Any]:
    """What was asked for. Raises RecordDamaged."""
    try:
        original = json.loads(record.request)
        if isinstance(original, dict) and "vif" in original:
            return original
        reason = "it does not tell of a VIF."
    except ValueError as error:
        reason = f"{error}."
    raise exception.RecordDamaged(
        what=f"The record of VIF {record.vif_id}", path=current.engine().journal.path, reason=reason
    )


def adopt(vif: Any, instance_info: Any, *, silent: bool) -> None:
    """Records a VIF that is plugged and that no record tells of. The host is not touched. Raises what plan() raises."""
    plugin = plugins.plugin(vif.plugin)
    if isinstance(plugin, Plugin):
        current.engine().adopt(requests.request(plugin, vif, instance_info, silent=silent))
    else:
        current.engine().adopt(requests.imperative_request(vif, instance_info))


def _unplug_recorded(record: Record) -> bool:
    """Unplugs through the plugin itself where that is its way; says whether it was."""
    plugin = plugins.plugins().get(record.plugin)
    if plugin is None or isinstance(plugin, Plugin):
        return False
    apply.unplug(*recorded_pair(record))
    return True
