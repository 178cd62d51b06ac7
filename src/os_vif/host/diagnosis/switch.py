# SPDX-License-Identifier: Apache-2.0
"""Signs that Open vSwitch does not pass what it should: the daemon's, those in the port's rows, and of its flows.

VLANs and flows are set by whoever runs the network: Neutron's agent keeps the VLAN that it chose in ``other_config`` of
the port, and moves one that it knows nothing of into VLAN 4095, whose packets it drops.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from os_vif.host.access.host import HostAccess
from os_vif.host.contract.degradation import Code, Degradation, Guest
from os_vif.host.diagnosis import flows, switch_daemon
from os_vif.host.kernel import packet_sockets
from os_vif.host.ovsdb.database import Database
from os_vif.host.ovsdb.rows import from_map, from_optional, from_set, ref, select
from os_vif.host.process.deadline import Deadline
from os_vif.host.state.ovs import OvsPort

_DEAD_VLAN = 4095
_USERSPACE = "netdev"
_PORT = ("name", "tag", "trunks", "vlan_mode", "other_config")
_INTERFACE = ("name", "type", "ofport", "error")


def look(
    database: Database,
    ports: Sequence[OvsPort],
    guest: Guest,
    host: HostAccess,
    is_there: Callable[[OvsPort], bool],
) -> Iterator[Degradation]:
    """Of the ports of one VIF. ``is_there``: whether a port's device is.

    Raises TransactionFailed, OutcomeUnknown, OSError, DeadlineExceeded where the database cannot be read.
    """
    trouble = switch_daemon.look(database)
    if trouble is not None:
        yield trouble
        return
    for port in ports:
        deadline = database.deadline(port.seconds)
        named = [["name", "==", port.name]]
        answers = database.transact([select("Port", named, _PORT), select("Interface", named, _INTERFACE)], deadline)
        if not all(answer["rows"] for answer in answers):
            continue  # that it is missing is told elsewhere
        row, interface = (answer["rows"][0] for answer in answers)
        if is_there(port):
            found = list(_of_port(database, port, row, interface, guest, deadline))
            yield from found or _of_device(database, port, deadline, host)
        else:
            yield from _of_missing(port, interface)


def _of_missing(port: OvsPort, interface: Mapping[str, Any]) -> Iterator[Degradation]:
    """One whose guest has not started yet could not be opened so far; one that was open has vanished."""
    number = from_optional(interface["ofport"])
    if number is not None and number > 0 and not from_optional(interface["error"]):
        text = f"Device {port.name}, which Open vSwitch had open, is gone: deleted, renamed, or moved elsewhere."
        hint = "Who made it, the hypervisor most likely, has to make it again: start the guest anew, or attach again."
        yield Degradation(Code.DEVICE_VANISHED, port.name, text, hint)


def _of_port(
    database: Database,
    port: OvsPort,
    row: Mapping[str, Any],
    interface: Mapping[str, Any],
    guest: Guest,
    deadline: Deadline,
) -> Iterator[Degradation]:
    error = from_optional(interface["error"])
    if error:
        text = f"Open vSwitch cannot use port {port.name}: {error}."
        yield Degradation(Code.PORT_ERROR, port.name, text, "The log of ovs-vswitchd may say more.")
    elif port.external_ids:
        vlan = _of_vlan(database, port, row, deadline)
        flow = None if vlan else flows.find_drop(switch_daemon.control_socket(database), port, guest)
        yield from filter(None, (vlan, flow))


def _of_device(database: Database, port: OvsPort, deadline: Deadline, host: HostAccess) -> Iterator[Degradation]:
    """The datapath in userspace reads by packet sockets, and keeps one whose device was made anew."""
    sockets, index = host.packet_sockets(), host.index_of(port.name)
    if not index or index in sockets or packet_sockets.DELETED not in sockets or port.type:
        return
    question = select("Bridge", [["name", "==", port.bridge]], ["datapath_type"])
    if any(row["datapath_type"] == _USERSPACE for row in database.transact([question], deadline)[0]["rows"]):
        text = f"Open vSwitch has an earlier device of the name {port.name} open: this one gets nothing."
        hint = f"Take port {port.name} away and have it made anew: `vif unplug`, then `vif plug` or `vif attach`."
        yield Degradation(Code.PORT_STALE, port.name, text, hint)


def _of_vlan(database: Database, port: OvsPort, row: Mapping[str, Any], deadline: Deadline) -> Degradation | None:
    tag, trunks = from_optional(row["tag"]), from_set(row["trunks"])
    asked = from_map(row["other_config"]).get("tag", "")
    if _DEAD_VLAN in (tag, *trunks):
        text = f"Port {port.name} is in the dead VLAN {_DEAD_VLAN}: it reaches nobody."
        hint = "It waits for Neutron's agent: does that run here, and has it bound the port? Its log tells."
        return Degradation(Code.DEAD_VLAN, port.name, text, hint)
    if asked.isdigit() and int(asked) not in (tag, _DEAD_VLAN):
        text = f"Port {port.name} is in {_shown(tag)}, and Neutron's agent put it into VLAN {asked}."
    elif from_optional(row["vlan_mode"]) == "trunk" and trunks and 0 not in trunks:
        numbers = ", ".join(map(str, sorted(trunks)))
        text = f"Port {port.name} takes only what is tagged with VLAN {numbers}: the guest's frames are not."
    elif tag and not asked and "tag" not in port.at_creation and _is_alone(database, port, tag, deadline):
        text = f"Port {port.name} is in VLAN {tag}, where nobody else is: neither os-vif nor an agent put it there."
    else:
        return None
    hint = f"`ovs-vsctl set Port {port.name} tag={asked or '[]'} vlan_mode=[] trunks=[]`, or ask who changed it."
    return Degradation(Code.WRONG_VLAN, port.name, text, hint)


def _shown(tag: int | None) -> str:
    return "no VLAN" if tag is None else f"VLAN {tag}"


def _is_alone(database: Database, port: OvsPort, tag: int, deadline: Deadline) -> bool:
    """Whether nothing on the bridge carries the VLAN: neither ports in it, nor ports that lead out and carry all."""
    bridges = database.transact([select("Bridge", [["name", "==", port.bridge]], ["ports"])], deadline)[0]["rows"]
    rows = [row for bridge in bridges for row in from_set(bridge["ports"])]
    questions = [select("Port", [["_uuid", "==", ref(row)]], ["name", "tag", "external_ids"]) for row in rows]
    answers = database.transact(questions, deadline) if questions else []
    others = [row for answer in answers for row in answer["rows"] if row["name"] not in (port.name, port.bridge)]
    return not any(from_optional(row["tag"]) == tag or _leads_out(row) for row in others)


def _leads_out(row: Mapping[str, Any]) -> bool:
    return from_optional(row["tag"]) is None and "os-vif" not in from_map(row["external_ids"])
