# SPDX-License-Identifier: Apache-2.0
"""What the flows of a switch do to packets of a guest: ovs-vswitchd tells by `ofproto/trace` (ovs-vswitchd(8))."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path

from os_vif.host.contract.degradation import Code, Degradation, Guest
from os_vif.host.ovsdb import unixctl
from os_vif.host.process.deadline import Deadline
from os_vif.host.state.ovs import OvsPort

_SECONDS = 3
_UNKNOWN_MAC = "02:00:00:00:00:01"
#: "table. what the flow matches", above what it does.
_FLOW = re.compile(r" ?(\d+)\. (.+)")


def find_drop(control: Path | None, port: OvsPort, guest: Guest) -> Degradation | None:
    """A flow that drops all that the guest may begin with; None where something passes, or nobody can tell."""
    if control is None:
        return None
    deadline = Deadline(_SECONDS)
    drops = []
    for packet in _packets(guest):
        try:
            answer = unixctl.call(
                str(control), "ofproto/trace", (port.bridge, f"in_port={port.name},{packet}"), deadline
            )
        except (OSError, unixctl.CommandRefused):
            return None
        drops.append(_drop(answer))
    if not all(drops):
        return None
    text = f"Flows of bridge {port.bridge} drop all that comes from port {port.name}: {drops[-1]}."
    hint = f"`ovs-appctl ofproto/trace {port.bridge} in_port={port.name}` shows the way of a packet; who made the flow?"
    return Degradation(Code.FLOW_DROP, port.name, text, hint)


def _packets(guest: Guest) -> Iterator[str]:
    """What every guest sends first: it looks for its address, and for its neighbours."""
    mac = guest.mac or _UNKNOWN_MAC
    broadcast = f"dl_src={mac},dl_dst=ff:ff:ff:ff:ff:ff"
    yield f"udp,{broadcast},nw_src=0.0.0.0,nw_dst=255.255.255.255,nw_ttl=64,udp_src=68,udp_dst=67"
    for address in map(ipaddress.ip_address, guest.addresses or ("0.0.0.0",)):
        if address.version == 4:
            yield f"arp,{broadcast},arp_op=1,arp_sha={mac},arp_spa={address},arp_tpa={address}"
        else:
            to = "dl_dst=33:33:00:00:00:02,ipv6_dst=ff02::2"
            yield f"icmp6,dl_src={mac},{to},ipv6_src={address},nw_ttl=255,icmp_type=133,icmp_code=0"


def _drop(trace: str) -> str:
    """Which flow drops the packet; "" where none does for certain."""
    lines = trace.splitlines()
    if "Datapath actions: drop" not in lines:
        return ""
    flow = ""
    for line in lines:
        match = _FLOW.fullmatch(line.rstrip())
        if match:
            flow = f"table {match[1]}, {match[2].rstrip('.').lower()}"
        elif line.strip() == "drop" and flow:
            return flow
    return ""
