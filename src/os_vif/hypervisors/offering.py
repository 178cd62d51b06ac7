# SPDX-License-Identifier: Apache-2.0
"""Making an offer: what a driver's guests can use, and of that what this host can plug, best first.

    _TABLE = {"ovs": Constraints(device_by=[BY_PLUGIN]), "tap": Constraints(device_by=[BY_PLUGIN])}

    def offer(self, guest, host):
        return offering.offer(f"qemu {version}", guest, host, _TABLE, lease=self.config.lease)

A binding type of the table becomes a candidate when its plugin is installed and has on this host what it needs. Else
it is withdrawn: told of, with the reason.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from oslo_config import cfg

from os_vif.loading.readiness import Lack, Lacking, Readiness
from os_vif.negotiation.binding_types import BINDING_TYPES, name_of
from os_vif.negotiation.offer import Candidate, Constraints, Offer, Withdrawn

if TYPE_CHECKING:
    from os_vif.hypervisors.driver import Guest
    from os_vif.objects.host_info import HostInfo, HostVIFInfo

    #: What can be plugged on this host, by the name of the binding type: the plugin, and the class with its versions.
    Known = Mapping[str, tuple[str, HostVIFInfo]]

Table = Mapping[str, Constraints]

#: For the CONFIG_OPTS of a driver.
LEASE = cfg.IntOpt(
    "lease",
    default=600,
    min=1,
    help="Seconds after which the network side may take back a binding that was never activated.",
)

#: Binding types for which the hypervisor opens a tap, whoever has made it.
_OPENED_AS_TAP = ("tap", "bridge", "ovs", "ovs-hybrid")
_SHARED_MEMORY = Lacking(
    Lack.NO_SHARED_MEMORY, "the guest's memory is not shared with other processes, which vhost-user needs."
)
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def offer(
    hypervisor: str,
    guest: Guest,
    host: str,
    table: Table,
    *,
    others: Table | None = None,
    unusable: Mapping[str, Lacking] | None = None,
    opens_taps: bool = True,
    lease: int = 600,
    migration_methods: Sequence[str] = (),
) -> Offer:
    """What the guest could use on ``host``.

    ``hypervisor``: name and version. ``table``: binding types by name, best first, with what holds for each.
    ``others``: classes of VIF that the hypervisor takes from whichever plugin, for those of third parties; they come
    last. ``unusable``: binding types that this guest cannot use, and why. ``opens_taps``: False for what is no virtual
    machine. ``guest.shared_memory`` must be known by now: None counts as False.

    The generation grows with time, so that of two offers of one boot the later one has the higher.
    Needs os_vif.initialize(); raises LibraryNotInitialized.
    """
    import os_vif

    known = dict(_named(os_vif.host_info()))
    wanted = {**table, **_of_third_parties(known, table, others or {})}
    lacks = _lacks(wanted, known, unusable or {}, guest, opens_taps=opens_taps)
    return Offer(
        host=host,
        hypervisor=hypervisor,
        boot_id=_BOOT_ID.read_text().strip(),
        generation=time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000,
        lease=lease,
        candidates=[_candidate(name, known, wanted[name], guest) for name in wanted if name not in lacks],
        withdrawn=[Withdrawn(name=name, code=lack.code, reason=lack.reason) for name, lack in lacks.items()],
        migration_methods=list(migration_methods),
    )


def _named(info: HostInfo) -> Iterator[tuple[str, tuple[str, HostVIFInfo]]]:
    for plugin in info.plugin_info:
        for vif in plugin.vif_info:
            yield name_of(vif.vif_object_name, plugin.plugin_name), (plugin.plugin_name, vif)


def _of_third_parties(known: Known, table: Table, others: Table) -> Table:
    return {
        name: others[vif.vif_object_name]
        for name, (_, vif) in known.items()
        if name not in table and name not in BINDING_TYPES and vif.vif_object_name in others
    }


def _lacks(
    names: Iterable[str], known: Known, unusable: Mapping[str, Lacking], guest: Guest, *, opens_taps: bool
) -> dict[str, Lacking]:
    readiness = Readiness()
    found = {}
    for name in names:
        lack = unusable.get(name) or _lack(name, known, readiness, guest)
        if lack is None and opens_taps and name in _OPENED_AS_TAP:
            lack = readiness.lacking_taps()
        if lack is not None:
            found[name] = lack
    return found


def _lack(name: str, known: Known, readiness: Readiness, guest: Guest) -> Lacking | None:
    if name not in known:
        binding = BINDING_TYPES[name]
        reason = f"no plugin {binding.plugin} that takes {binding.vif_class} is installed."
        return Lacking(Lack.NO_PLUGIN, reason)
    plugin, vif = known[name]
    if vif.vif_object_name == "VIFVHostUser" and not guest.shared_memory:
        return _SHARED_MEMORY
    return readiness.lacking(plugin, vif.vif_object_name)


def _candidate(name: str, known: Known, constraints: Constraints, guest: Guest) -> Candidate:
    plugin, vif = known[name]
    held = constraints.obj_clone()
    held.shared_memory = guest.shared_memory
    return Candidate(name=name, vif=vif, plugin=plugin, constraints=held)
