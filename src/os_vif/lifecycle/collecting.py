# SPDX-License-Identifier: Apache-2.0
"""Taking back bindings that were made for this host and that nobody activated before their lease ran out."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from os_vif import exception
from os_vif.lifecycle import options
from os_vif.lifecycle.attachments import Attachment, Attachments, Phase
from os_vif.lifecycle.parties import Parties
from os_vif.lifecycle.release import take_away
from os_vif.loading import drivers

if TYPE_CHECKING:
    from os_vif.networks.driver import Binding, NetworkDriver


@dataclass(frozen=True)
class Collected:
    """A lapsed binding, or with ``binding`` None a network side that could not be asked, or "" for what is kept here.

    ``error`` says why it could not be taken back, and is None if it was, or was not to be.
    """

    network_driver: str
    binding: Binding | None
    error: exception.ExceptionBase | None = None


def collect(host: str = "", network_drivers: Collection[str] = (), *, dry_run: bool) -> Sequence[Collected]:
    """Takes back bindings of this host whose lease ran out, with what was plugged for them.

    Asked are the network sides that attachments here were made with, and those named in ``network_drivers``.
    ``host``: as the network side knows it; the configured name unless given.
    """
    try:
        kept, damaged = Attachments.here().sorted_out() if Attachments.are_kept() else ([], {})
    except exception.JournalError as error:
        return [Collected("", None, error)]  # which bindings are in use is not known
    names = sorted({found.network_driver for found in kept} | set(network_drivers))
    unreadable = list(damaged.values())
    collected = [Collected("", None, error) for error in unreadable]
    for name in names:
        collected += _collect_from(name, host or options.this_host(), kept, unreadable, dry_run=dry_run)
    return collected


def _collect_from(
    name: str,
    host: str,
    kept: Sequence[Attachment],
    unreadable: Sequence[exception.ExceptionBase],
    *,
    dry_run: bool,
) -> Iterator[Collected]:
    """Where something unreadable is kept, what nothing else is known of may be of that."""
    hosts = {host} | {found.host for found in kept if found.network_driver == name}
    try:
        network = drivers.load(drivers.NETWORKS, name)
        lapsed = [binding for binding in network.lapsed(time.time()) if binding.host in hosts]
    except exception.ExceptionBase as error:
        yield Collected(name, None, error)
        return
    by_port = {str(found.answer.vif.id): found for found in kept if found.answer is not None}
    for binding in lapsed:
        attachment = by_port.get(binding.port_id)
        if attachment is None and unreadable:
            yield Collected(name, binding, unreadable[0])
        else:
            yield Collected(name, binding, None if dry_run else _collect(binding, attachment, network))


def _collect(binding: Binding, attachment: Attachment | None, network: NetworkDriver) -> exception.ExceptionBase | None:
    try:
        if attachment is None:
            network.unbind(binding.port_id, binding.host)
        else:
            _collect_attachment(binding, attachment.key, network)
    except exception.ExceptionBase as error:
        return error
    return None


def _collect_attachment(binding: Binding, key: str, network: NetworkDriver) -> None:
    """Looks again with the lock held: whoever was slow may have come to an end meanwhile."""
    attachments = Attachments.here()
    with attachments.alone(key):
        found = attachments.get(key)
        if found is None:
            network.unbind(binding.port_id, binding.host)
        elif found.phase is Phase.ACTIVE:
            network.activate(binding.port_id, binding.host, found.bound.generation)
        else:
            take_away(found, Parties.of(found), attachments)
