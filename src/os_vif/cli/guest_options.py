# SPDX-License-Identifier: Apache-2.0
"""The options that say which interface of which guest a command is about, and who the two sides are."""

from __future__ import annotations

import argparse
import re
import uuid
from typing import TYPE_CHECKING, Any

from os_vif.cli.errors import CommandError
from os_vif.cli.exit_code import ExitCode

if TYPE_CHECKING:
    from os_vif.hypervisors.driver import Guest
    from os_vif.lifecycle import AttachmentSpec, Parties

_MAC = re.compile(r"[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}")

#: A guest without a UUID of its own gets one made of its name, the same on every host.
_GUESTS = uuid.UUID("5b9d9a0c-4c39-5a73-9d0e-8f1f4e6b7a10")


def add_interface(parser: argparse.ArgumentParser) -> None:
    """INSTANCE, and which of its interfaces."""
    parser.add_argument("instance", metavar="INSTANCE", type=_name, help="the guest's name")
    parser.add_argument(
        "--uuid", help="the guest's UUID; unless given, libvirt's for it, and with other hypervisors made of its name"
    )
    parser.add_argument("--network", metavar="NAME", help="the network, by name or id")
    parser.add_argument("--port", metavar="ID", help="a port that is there already, instead of a new one")
    parser.add_argument("--as", dest="name", metavar="NAME", help="tells several interfaces on one network apart")


def add_guest(parser: argparse.ArgumentParser) -> None:
    """What the guest is like, and what it wants."""
    group = parser.add_argument_group("the guest")
    group.add_argument("--model", default="", help="the device that it is to see: virtio, e1000, ...")
    group.add_argument("--queues", type=_count, default=1, metavar="N", help="pairs of queues (default 1)")
    group.add_argument("--vcpus", type=_count, default=1, metavar="N", help="how many processors it has (default 1)")
    group.add_argument(
        "--shared-memory", action="store_const", const=True, help="its memory is shared, as vhost-user needs it"
    )
    group.add_argument("--hot", action="store_true", help="it is running: give it the interface at once")
    group.add_argument(
        "--endpoint", default="", metavar="WHERE", help="where it is reached: a QMP socket, a libvirt URI, a namespace"
    )
    group.add_argument(
        "--option", action="append", default=[], metavar="NAME=VALUE", help="what only this hypervisor understands"
    )
    group = parser.add_argument_group("the port")
    group.add_argument("--vnic-type", default="normal", help="in Neutron's words: normal, direct, ... (default normal)")
    group.add_argument("--mac", metavar="ADDRESS", type=_mac, help="the guest's MAC address, for a new port")
    group.add_argument(
        "--ip", action="append", default=[], metavar="ADDRESS", type=_ip, help="an IP address, for a new port"
    )


def add_sides(parser: argparse.ArgumentParser) -> None:
    """Who the two sides are, and as what this host is known."""
    group = parser.add_argument_group("the two sides")
    group.add_argument("--hypervisor", metavar="NAME", help="libvirt, qemu, cloud_hypervisor, firecracker or netns")
    group.add_argument("--network-driver", metavar="NAME", help="local (default) or neutron")
    group.add_argument("--host", metavar="NAME", help="how the network side knows this host; the machine's name")


def _name(text: str) -> str:
    if not text or not text.isprintable():
        raise argparse.ArgumentTypeError(f"{text!r:.80} cannot be a guest's name")
    return text


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r:.40} is not a number from 1 on")
    return int(text)


def _mac(text: str) -> str:
    from os_vif.objects import validate

    if not _MAC.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r:.60} is not a MAC address, such as 52:54:00:00:00:01")
    problem = validate.mac_address(text)
    if problem:
        raise argparse.ArgumentTypeError(problem[0])
    return text.lower().replace("-", ":")


def _ip(text: str) -> str:
    import ipaddress

    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r:.60} is not an IP address") from None


def parties(arguments: argparse.Namespace) -> Parties:
    """The drivers that were named, or are configured."""
    from os_vif.lifecycle import Parties, options

    if not (arguments.hypervisor or options.options().hypervisor):
        raise usage("No hypervisor is named.", "Say --hypervisor NAME, or set [os_vif] hypervisor in a --config-file.")
    return Parties.load(
        network=arguments.network_driver or "", hypervisor=arguments.hypervisor or "", host=arguments.host or ""
    )


def spec(arguments: argparse.Namespace, chosen: Parties) -> AttachmentSpec:
    """What is to be attached."""
    from os_vif.lifecycle import AttachmentSpec

    if bool(arguments.network) == bool(arguments.port):
        raise usage("Either --network or --port is needed.", "`vif network list` shows the networks.")
    return AttachmentSpec(
        guest=_guest(arguments, chosen),
        network=arguments.network or "",
        port_id=arguments.port,
        name=arguments.name or "",
        hot=arguments.hot or chosen.hypervisor.HOT_ONLY,
        vnic_type=arguments.vnic_type,
        mac_address=arguments.mac,
        ip_addresses=tuple(arguments.ip),
    )


def require_known(arguments: argparse.Namespace, chosen: Parties) -> None:
    """For a guest that comes from another host: there it has its UUID from the hypervisor, by which its port is found.

    Raises CommandError where that was not said, and cannot be looked up here.
    """
    if arguments.uuid or not chosen.hypervisor.GIVES_UUIDS or _uuid_here(arguments, chosen):
        return
    raise usage(
        f"{chosen.hypervisor.name} on this host knows no guest {arguments.instance}, and no UUID is given.",
        f"Say --uuid with what `virsh domuuid {arguments.instance}` prints on the host that the guest is on.",
    )


def _guest(arguments: argparse.Namespace, chosen: Parties) -> Guest:
    from os_vif.hypervisors.driver import Guest

    return Guest(
        name=arguments.instance,
        uuid=_uuid(arguments, chosen),
        model=arguments.model,
        queues=arguments.queues,
        vcpus=arguments.vcpus,
        shared_memory=arguments.shared_memory,
        endpoint=arguments.endpoint,
        options=dict(_pair(text) for text in arguments.option),
    )


def _uuid(arguments: argparse.Namespace, chosen: Parties) -> str:
    """The guest's UUID: as given, as it was attached with, as its hypervisor knows it, or made of its name."""
    known = _uuid_here(arguments, chosen)
    if not arguments.uuid:
        return known or str(uuid.uuid5(_GUESTS, arguments.instance))
    given = guest_id(arguments)
    if known not in (None, given) and given not in _recorded_uuids(arguments, chosen):
        raise usage(
            f"{chosen.hypervisor.name} knows {arguments.instance} by the UUID {known}, not by {given}.",
            "Leave --uuid out, or correct the guest's name.",
        )
    return given


def _uuid_here(arguments: argparse.Namespace, chosen: Parties) -> str | None:
    """What the guest is known by on this host, if it is.

    What it was attached with comes first: a guest may have been defined in libvirt after that, with another UUID.
    """
    recorded = _recorded_uuids(arguments, chosen)
    if len(recorded) == 1:
        return recorded.pop()
    return chosen.hypervisor.uuid_of(arguments.instance, arguments.endpoint)


def _recorded_uuids(arguments: argparse.Namespace, chosen: Parties) -> set[str]:
    from os_vif.lifecycle import Attachments

    if not Attachments.are_kept():
        return set()
    return {
        one.spec.guest.uuid
        for one in Attachments.here().all()
        if one.hypervisor == chosen.hypervisor.name
        and (one.spec.guest.name, one.spec.guest.endpoint) == (arguments.instance, arguments.endpoint)
    }


def guest_id(arguments: Any) -> str:
    """The guest's UUID as given. Raises CommandError."""
    try:
        return str(uuid.UUID(arguments.uuid))
    except ValueError:
        raise usage(f"--uuid: {arguments.uuid} is not a UUID.", "") from None


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise usage(f"--option: {text} is not NAME=VALUE.", "")
    return name, value


def usage(message: str, hint: str) -> CommandError:
    """A command line that is wrong."""
    return CommandError(message, code="usage", exit_code=ExitCode.USAGE, hint=hint)
