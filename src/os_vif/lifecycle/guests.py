# SPDX-License-Identifier: Apache-2.0
"""The guest's side of what is attached here, in checks and repairs: what its hypervisor has made of it, or has left."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from os_vif import exception
from os_vif.exception.log import logger
from os_vif.host.contract.degradation import Code, Degradation
from os_vif.hypervisors.driver import GuestTrouble, HypervisorDriver
from os_vif.lifecycle.attachments import Attachment, Attachments, Phase
from os_vif.lifecycle.giving import give_again
from os_vif.loading import drivers
from os_vif.objects.reading import stated
from os_vif.plugging import current
from os_vif.plugging.inspection import CheckResult

LOG = logger(__name__)


class Guests:
    """Those that have attached interfaces on this host, as they are recorded now."""

    def __init__(self) -> None:
        active = [one for one in _kept() if one.phase is Phase.ACTIVE and one.answer is not None]
        self._attachments = {str(one.bound.vif.id): one for one in active}

    def checked(self, found: CheckResult) -> CheckResult:
        """The same with what is wrong at the guest's side: what repaired() puts right differs, all else degrades."""
        attachment = self._attachments.get(found.vif_id)
        if attachment is None or found.gone:
            return found
        troubles = list(_troubles(attachment))
        mendable = [one.text.rstrip(".") for one in troubles if _is_mendable(attachment, one)]
        others = [one for one in troubles if not _is_mendable(attachment, one)]
        return dataclasses.replace(
            found,
            differences=(*found.differences, *mendable),
            degradations=(*found.degradations, *(_degradation(attachment, one) for one in others)),
        )

    def repaired(self, vif_id: str) -> list[str]:
        """Gives the guest its interface again where something is wrong with it, and returns what was done, in words.

        Raises PlugException, HypervisorError.
        """
        attachment = self._attachments.get(vif_id)
        if attachment is None or not any(_is_mendable(attachment, one) for one in _troubles(attachment)):
            return []
        driver = drivers.load(drivers.HYPERVISORS, attachment.hypervisor)
        give_again(attachment.bound.vif, attachment.spec, driver)
        return [f"give guest {attachment.spec.guest.name} its interface {attachment.spec.interface} again"]


def _kept() -> list[Attachment]:
    try:
        return Attachments.here().all() if Attachments.are_kept() else []
    except exception.JournalError as error:
        LOG.warning("What hypervisors have made of interfaces is not looked at: %s %s", error, error.hint)
        return []


def _troubles(attachment: Attachment) -> Iterator[GuestTrouble]:
    try:
        driver: HypervisorDriver = drivers.load(drivers.HYPERVISORS, attachment.hypervisor)
        found = driver.check(attachment.bound.vif, attachment.spec.guest)
    except exception.ExceptionBase:
        return  # who cannot be asked says nothing
    if found is not None:
        yield from found or _of_tap(attachment)


def _of_tap(attachment: Attachment) -> Iterator[GuestTrouble]:
    """The guest runs and has its card: then its hypervisor has the tap open."""
    name, guest = str(stated(attachment.bound.vif, "vif_name", default="")), attachment.spec.guest.name
    link = current.engine().host.get_link(name) if name else None
    if link is not None and link.kind == "tun" and not link.carrier and link.up:
        text = f"Nobody has tap {name} open, though guest {guest} runs and has a card for it."
        hint = f"The card goes with a tap that is no more: `vif detach {guest}`, then `vif attach` again."
        yield GuestTrouble(Code.TAP_NOT_OPEN, text, hint, mendable=False)


def _is_mendable(attachment: Attachment, trouble: GuestTrouble) -> bool:
    """Only what a running guest was given can be given again while it runs."""
    return trouble.mendable and attachment.spec.hot


def _degradation(attachment: Attachment, trouble: GuestTrouble) -> Degradation:
    hint = trouble.hint or "Start the guest with the interface, or `vif attach --hot` gives it while it runs."
    return Degradation(trouble.code, attachment.spec.guest.name, trouble.text, hint)
