# SPDX-License-Identifier: Apache-2.0
"""attach, detach and attachments: the interfaces of guests."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from os_vif.cli.exit_code import ExitCode
from os_vif.cli.output import Output
from os_vif.cli.registry import Subparsers

if TYPE_CHECKING:
    from os_vif.lifecycle.attaching import Attached


def register(commands: Subparsers) -> None:
    """Adds the commands."""
    from os_vif.cli import guest_options

    attach = commands.add(
        "attach",
        _attach,
        help="give a guest an interface: agree with the network, bind, plug, and tell the hypervisor",
        description="Doing it again changes nothing. A failure leaves no binding, no device and no address behind.",
    )
    guest_options.add_interface(attach)
    guest_options.add_guest(attach)
    guest_options.add_sides(attach)
    detach = commands.add(
        "detach",
        _detach,
        help="take an interface from a guest, with all that was made for it",
        description="Every step is tried; doing it again goes on where it failed.",
    )
    guest_options.add_interface(detach)
    detach.add_argument(
        "--force",
        action="store_true",
        help="for when the network side or the hypervisor is gone for good: take away what is here, in whatever phase"
        " it is, forget the attachment, and tell what could not be done",
    )
    commands.add("attachments", _attachments, help="show which guests have which interfaces on this host")


def _attach(arguments: argparse.Namespace, output: Output) -> ExitCode:
    from os_vif import lifecycle
    from os_vif.cli import attached, guest_options

    attached.use(arguments)
    parties = guest_options.parties(arguments)
    tell(lifecycle.attach(guest_options.spec(arguments, parties), parties), output)
    return ExitCode.OK


def tell(done: Attached, output: Output) -> None:
    """What was attached, and what to give to the hypervisor."""
    from os_vif.cli import attached

    rendering = done.rendering
    told = attached.told(done.attachment)
    refused = [{"candidate": r.candidate, "code": r.code, "reason": r.reason} for r in done.answer.refusals]
    output.document(
        told
        | {"vif": done.answer.vif.obj_to_primitive(), "refusals": refused}
        | {"rendering": {"media": rendering.media, "text": rendering.text, "data": rendering.data}}
    )
    output.table(attached.COLUMNS, [attached.row(done.attachment)])
    for refusal in refused:
        output.line(f"not {refusal['candidate']}: {refusal['reason']}", "dim")
    if not done.attachment.spec.hot:
        output.line()
        output.line(f"For {done.attachment.hypervisor}:", "strong")
        output.block(rendering.text)


def _detach(arguments: argparse.Namespace, output: Output) -> ExitCode:
    from os_vif import lifecycle
    from os_vif.cli import attached

    attached.use(arguments)
    if arguments.force and attached.forget_damaged(arguments):
        output.line(f"{arguments.instance}: what could not be read is forgotten here.")
        return ExitCode.OK
    found = attached.find(arguments)
    parties = lifecycle.Parties.left_of(found) if arguments.force else lifecycle.Parties.of(found)
    left = lifecycle.detach(found.key, parties, force=arguments.force)
    output.document({"detached": attached.told(found), "left": list(left)})
    outcome = "is forgotten here" if left else "is detached"
    output.line(f"{found.spec.guest.name}: {found.spec.interface} {outcome}.", "" if left else "good")
    for problem in left:
        output.line(problem, "warn")
    if left and found.answer:
        output.line(f"Look for port {found.answer.vif.id} on {found.host}.", "warn")
    return ExitCode.OK


def _attachments(arguments: argparse.Namespace, output: Output) -> ExitCode:
    from os_vif.cli import attached, errors, session
    from os_vif.lifecycle import Attachments

    session.open_journal(arguments)
    attached.require_a_record()
    found, damaged = Attachments.here().sorted_out()
    output.document([attached.told(one) for one in found])
    if found:
        output.table(attached.COLUMNS, [attached.row(one) for one in found])
    elif not damaged:
        output.line(f"No guest is recorded to have an interface ({attached.place()}).")
    for error in damaged.values():
        output.error(errors.of_library(error))
    return ExitCode.FAILED if damaged else ExitCode.OK
