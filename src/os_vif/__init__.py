# SPDX-License-Identifier: Apache-2.0
"""os-vif: plug virtual machines into networks. ::

    import os_vif
    from os_vif import objects

    os_vif.initialize()
    vif = objects.vif.VIFBridge(
        id="6d3ef0a5-6b9c-4c2d-9d1f-9f7c1f0c9c11",
        address="52:54:00:12:34:56",
        plugin="linux_bridge",
        vif_name="tap6d3ef0a5-6b",
        bridge_name="br-blue",
        network=objects.network.Network(bridge="br-blue", should_provide_bridge=True),
    )
    print(os_vif.plan(vif, instance))
    os_vif.plug(vif, instance)
    assert os_vif.check(vif, instance).ok
    os_vif.unplug(vif, instance)

``plug``, ``unplug``, ``host_info`` and ``initialize`` are what Nova, Neutron and Kuryr call. Every error of this
library is an ``os_vif.exception.ExceptionBase``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from os_vif.host.contract.plan import Plan
    from os_vif.host.engine.garbage import Finding
    from os_vif.host.journal.journal import Record
    from os_vif.objects.host_info import HostInfo
    from os_vif.objects.instance_info import InstanceInfo
    from os_vif.objects.vif import VIFBase
    from os_vif.plugging.inspection import CheckResult
    from os_vif.plugging.upkeep import Restored

__all__ = [
    "check",
    "gc",
    "host_info",
    "initialize",
    "plan",
    "plan_many",
    "plan_unplug",
    "plan_unplug_many",
    "plug",
    "plug_many",
    "records",
    "repair",
    "restore",
    "unplug",
    "unplug_many",
    "unplug_recorded",
]

#: A VIF, and the instance it belongs to.
Pair = tuple["VIFBase", "InstanceInfo"]


def initialize(reset: bool = False) -> None:  # noqa: FBT001, FBT002 - the signature that Nova calls
    """Registers the objects and loads the plugins.

    A second call does nothing; with ``reset`` the plugins are made anew. A plugin that cannot be loaded is
    reported in the log, and the others work on.
    """
    from os_vif import objects
    from os_vif.loading import plugins

    objects.register_all()
    plugins.load(again=reset)


def plug(vif: VIFBase, instance_info: InstanceInfo, *, silent: bool = False) -> None:
    """Wires a VIF into this host, or brings the host back to what the VIF needs.

    Plugging a VIF that is plugged writes nothing. A failure leaves the host as it was before the call.

    ``silent`` leaves the guest's own devices down, so that nothing passes before the VIF is plugged again without:
    for a guest that is still running elsewhere. A plugin that does its work itself cannot do that (InvalidRequest).

    Raises LibraryNotInitialized, NoMatchingPlugin, and PlugException for all else; its text holds the cause.
    """
    from os_vif.plugging import apply

    apply.plug(vif, instance_info, silent=silent)


def unplug(vif: VIFBase, instance_info: InstanceInfo) -> None:
    """Takes away what plugging the VIF has made, going by the record of it; nothing else is removed.

    Every step is tried even when one fails. Unplugging what is not plugged does nothing.

    Raises LibraryNotInitialized, NoMatchingPlugin, and UnplugException for all else; its text holds all causes.
    """
    from os_vif.plugging import apply

    apply.unplug(vif, instance_info)


def unplug_recorded(vif_id: str) -> None:
    """Unplugs a VIF by its id alone, for when nobody has the VIF any more: the record tells all that is needed.

    Raises NotRecorded, and what unplug() raises.
    """
    from os_vif.plugging import upkeep

    upkeep.unplug_recorded(vif_id)


def plug_many(pairs: Iterable[Pair], *, progress: Callable[[int, int], None] | None = None) -> None:
    """Plugs many VIFs in as few conversations with the host as possible.

    They are worked on in batches: a batch is plugged as a whole or not at all, and a failure ends the call with the
    earlier batches plugged. ``progress`` is called with (VIFs done, VIFs in all).

    Raises what plug() raises; ``vif`` of the PlugException is the one at fault.

        os_vif.plug_many([(vif, instance) for vif in vifs])
    """
    from os_vif.plugging import apply

    apply.plug_many(list(pairs), progress)


def unplug_many(pairs: Iterable[Pair], *, progress: Callable[[int, int], None] | None = None) -> None:
    """Unplugs many VIFs. Every one is tried; the errors are reported together.

    ``progress`` is called with (VIFs done, VIFs in all). Raises what unplug() raises.
    """
    from os_vif.plugging import apply

    apply.unplug_many(list(pairs), progress)


def plan(vif: VIFBase, instance_info: InstanceInfo) -> Plan:
    """What plug() would do now, step by step. Nothing is changed.

    ``str()`` of the result is for people, ``to_primitive()`` for programs; an empty plan has no steps.

    Raises InvalidRequest, ForeignDevice, DeviceMissing and the like: what plug() would refuse with.
    """
    from os_vif.plugging import inspection

    return inspection.plan(vif, instance_info)


def plan_unplug(vif: VIFBase, instance_info: InstanceInfo) -> Plan:
    """What unplug() would do now, step by step. Nothing is changed."""
    from os_vif.plugging import inspection

    return inspection.plan_unplug(vif, instance_info)


def plan_many(pairs: Iterable[Pair]) -> Plan:
    """What plug_many() would do now with a batch, step by step: what VIFs share is in it once. Nothing is changed.

    Raises what plan() raises.
    """
    from os_vif.plugging import inspection

    return inspection.plan_many(list(pairs))


def plan_unplug_many(pairs: Iterable[Pair]) -> Plan:
    """What unplug_many() would do now with a batch, step by step. Nothing is changed."""
    from os_vif.plugging import inspection

    return inspection.plan_unplug_many(list(pairs))


def check(vif: VIFBase, instance_info: InstanceInfo) -> CheckResult:
    """Whether the host is as the VIF needs it. Nothing is changed. ::

        result = os_vif.check(vif, instance)
        if not result.ok:
            print(result.state, result.differences, [found.text for found in result.degradations])

    ``state`` is "differs" where something that os-vif made, or was asked for, is not so: repair() can put most of that
    right. It is "degraded" where all of that is in place and something else cuts the guest off, or is likely to: a
    rule of somebody's firewall, say. One that was plugged silently is to be silent.
    """
    from os_vif.plugging import inspection

    return inspection.check(vif, instance_info)


def repair(vif: VIFBase, instance_info: InstanceInfo, *, anew: bool = False) -> Plan:
    """Brings the host back to what a VIF needs, and returns what that took.

    The same as plug(), for callers that want to know; what was plugged silently stays so.

    A VIF of which nothing is left here, though it is recorded as plugged, was unplugged by somebody else: it is made
    again only with ``anew``, else that is the error (NothingLeft). Raises what plug() raises.
    """
    from os_vif.plugging import apply

    return apply.repair(vif, instance_info, anew=anew)


def records() -> Sequence[Record]:
    """What the journal knows: every VIF plugged, of all boots and network namespaces, oldest first.

    Raises JournalError.
    """
    from os_vif.plugging import current

    return current.engine().journal.records()


def gc(keep: Collection[str] | None = None, *, dry_run: bool = False, orphans: bool = False) -> Sequence[Finding]:
    """Removes from this network namespace what nobody needs any more, and returns what that was.

    That is what interrupted plugs and unplugs have left. With ``keep``, the ids of the VIFs that shall stay, all other
    VIFs are unplugged too. With ``dry_run`` nothing is changed. Errors do not stop it: a Finding that could not be
    removed holds its error.

    What bears our mark and no record tells of is found too, and left: the journal may have been lost, and guests may
    run with it; ``left`` of the Finding says why. With ``orphans`` it is removed, unless it is in use, an attachment or
    a network of this host has it, or its VIF is in ``keep``.

        for finding in os_vif.gc(keep={"6d3ef0a5-6b9c-4c2d-9d1f-9f7c1f0c9c11"}, dry_run=True):
            print(finding)
    """
    from os_vif.plugging import upkeep

    return upkeep.gc(None if keep is None else set(keep), dry_run=dry_run, orphans=orphans)


def restore() -> Sequence[Restored]:
    """Plugs what was plugged in this network namespace when the machine went down.

    One result per VIF, in the order in which they had been plugged; errors do not stop it, each is in its result.
    """
    from os_vif.plugging import upkeep

    return upkeep.restore()


def host_info(permitted_vif_type_names: Collection[str] | None = None) -> HostInfo:
    """Which plugins this host has, and which VIFs and port profiles they take, in which versions.

    With ``permitted_vif_type_names``, only VIF classes of these names are told of; plugins left without any are
    left out. Raises LibraryNotInitialized.
    """
    from os_vif.loading import plugins
    from os_vif.objects.host_info import HostInfo

    described = [plugin.describe() for _, plugin in sorted(plugins.plugins().items())]
    info = HostInfo(plugin_info=described)
    if permitted_vif_type_names is not None:
        info.filter_vif_types(permitted_vif_type_names)
    return info
