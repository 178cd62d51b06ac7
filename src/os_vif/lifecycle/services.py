# SPDX-License-Identifier: Apache-2.0
"""What network sides run on this host for their networks: checked, repaired and collected with the VIFs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from os_vif import exception
from os_vif.lifecycle import options
from os_vif.lifecycle.attachments import Attachments
from os_vif.loading import drivers
from os_vif.networks.driver import NetworkDriver, Service


def check_services() -> Sequence[Service]:
    """What there is, and what is not as it should be. A network side that cannot be asked is one with an error."""
    return list(_of_all(lambda network: network.check_services()))


def repair_services() -> Sequence[Service]:
    """The same, put right where it was not."""
    return list(_of_all(lambda network: network.repair_services()))


def collect_services(*, dry_run: bool) -> Sequence[Service]:
    """What ran for networks that are gone."""
    return list(_of_all(lambda network: network.collect_services(dry_run=dry_run)))


def _of_all(ask: Callable[[NetworkDriver], Sequence[Service]]) -> Iterator[Service]:
    for name in sorted(_network_drivers()):
        try:
            yield from ask(drivers.load(drivers.NETWORKS, name))
        except exception.ExceptionBase as error:
            yield Service(f"network side {name}", error=error)


def _network_drivers() -> set[str]:
    """That of this host, and those that attachments here were made with."""
    kept = Attachments.here().all() if Attachments.are_kept() else []
    return {options.options().network_driver} | {found.network_driver for found in kept}
