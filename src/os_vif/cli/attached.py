# SPDX-License-Identifier: Apache-2.0
"""Attachments, as commands find them and tell of them."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from os_vif.cli import guest_options
from os_vif.cli.errors import CommandError
from os_vif.cli.exit_code import ExitCode

if TYPE_CHECKING:
    from os_vif.lifecycle import Attachment


def use(arguments: argparse.Namespace) -> None:
    """Gets the library ready for a command that attaches or detaches. Raises CommandError."""
    from os_vif.cli import session

    session.open_library(arguments)
    require_a_record()


def require_a_record() -> None:
    """What nobody remembers, nobody can detach. Raises CommandError."""
    from os_vif.host.journal.store import STATE_DIR_VARIABLE
    from os_vif.plugging import current

    if not current.engine().journal.identity:
        raise CommandError(
            "There is no state directory that can be written, to keep a record of attachments in.",
            code="state-dir",
            exit_code=ExitCode.FAILED,
            hint=f"Name one with --state-dir or {STATE_DIR_VARIABLE}.",
        )


def place() -> str:
    """The file that holds the record: root's is not that of others."""
    from os_vif.lifecycle import Attachments

    return str(Attachments.here().path)


def find(arguments: argparse.Namespace) -> Attachment:
    """The one that the arguments mean: that of the guest, if it has one only."""
    from os_vif.lifecycle import Attachments

    readable, damaged = Attachments.here().sorted_out()
    found = [one for one in readable if _meant(one, arguments)]
    if len(found) == 1:
        return found[0]
    if not found:
        for error in damaged.values():
            raise error
        raise CommandError(
            f"{arguments.instance} has no such interface on this host ({place()}).",
            code="not-attached",
            exit_code=ExitCode.NOT_RECORDED,
            hint="`vif attachments` lists those there are; --state-dir chooses another record.",
        )
    names = ", ".join(one.spec.interface for one in found)
    raise guest_options.usage(f"{arguments.instance} has several interfaces: {names}.", "Say which, with --as NAME.")


def forget_damaged(arguments: argparse.Namespace) -> bool:
    """Forgets an interface whose record cannot be read, of a guest named by its UUID; whether there was one."""
    from os_vif.lifecycle import Attachments

    key = f"{arguments.instance}/{arguments.name or arguments.network}"
    attachments = Attachments.here()
    if key not in attachments.sorted_out()[1]:
        return False
    attachments.forget(key)
    return True


def _meant(attachment: Attachment, arguments: argparse.Namespace) -> bool:
    spec = attachment.spec
    if arguments.instance not in (spec.guest.name, spec.guest.uuid):
        return False
    if arguments.uuid and guest_options.guest_id(arguments) != spec.guest.uuid:
        return False
    port = str(attachment.answer.vif.id) if attachment.answer else spec.port_id
    asked = (
        (arguments.name, (spec.interface,)),
        (arguments.network, _networks(attachment)),
        (arguments.port, (port,)),
    )
    return all(said is None or said in known for said, known in asked)


def _networks(attachment: Attachment) -> tuple[str, ...]:
    """The network's name and id, however it was called when the guest was attached."""
    vif = attachment.answer.vif if attachment.answer else None
    network = vif.network if vif is not None and vif.obj_attr_is_set("network") else None
    known = [getattr(network, field, None) for field in ("label", "id")]
    return (attachment.spec.network, *(str(name) for name in known if name))


def told(attachment: Attachment) -> dict[str, Any]:
    """For programs."""
    answer = attachment.answer
    return {
        "instance": attachment.spec.guest.name,
        "uuid": attachment.spec.guest.uuid,
        "interface": attachment.spec.interface,
        "network": attachment.spec.network or None,
        "phase": attachment.phase.value,
        "host": attachment.host,
        "hypervisor": attachment.hypervisor,
        "network_driver": attachment.network_driver,
        "port_id": str(answer.vif.id) if answer else attachment.spec.port_id,
        "binding": answer.choice if answer else None,
        "mac_address": str(answer.vif.address) if answer else None,
        "ip_addresses": addresses(answer.vif) if answer else [],
        "device": getattr(answer.vif, "vif_name", None) if answer else None,
    }


def addresses(vif: Any) -> list[str]:
    """The guest's IP addresses, each with the length of its network's prefix."""
    network = vif.network if vif.obj_attr_is_set("network") else None
    if network is None or not network.obj_attr_is_set("subnets"):
        return []
    return [
        f"{ip.address}/{subnet.cidr.prefixlen}"
        for subnet in network.subnets.objects
        if subnet.obj_attr_is_set("ips")
        for ip in subnet.ips.objects
    ]


def row(attachment: Attachment) -> tuple[str, ...]:
    """For people."""
    values = told(attachment)
    cells = (
        values["instance"], values["interface"], values["phase"], values["binding"] or "", values["device"] or "",
        " ".join([values["mac_address"] or "", *values["ip_addresses"]]),
    )  # fmt: skip
    return tuple(str(cell) for cell in cells)


COLUMNS = ("instance", "interface", "phase", "binding", "device", "addresses")
