# SPDX-License-Identifier: Apache-2.0
"""The forwarding rules that the privileged helper writes for its caller: those of one bridge, in words of its own.

Each rule that is asked for is taken apart into devices and a target, and made anew of these. What is the operator's to
say (a target of his own, which rules stay above ours) the helper reads in the configuration that it was started with.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from os_vif.host.access.helper.links import find, host_addresses, is_marked, refused
from os_vif.host.kernel import iptables
from os_vif.host.kernel.iptables import ChainState

_PREFIX = "os-vif-"
_DEVICE = r"[A-Za-z0-9_.][A-Za-z0-9_.-]{0,14}"
_RULE = re.compile(rf"(?:-i (?P<entering>{_DEVICE}) ?)?(?:-o (?P<leaving>{_DEVICE}) ?)?-j (?P<target>[ -~]+)")
_TARGETS = ("ACCEPT", "DROP", "REJECT")
#: iptables-save shows it where nothing was said.
_REJECT = re.compile(r"REJECT --reject-with icmp6?-[a-z-]{1,24}")
#: Neutron's Linux bridge agent makes bridges, and os-vif the rules for them.
_NEUTRONS_BRIDGE = re.compile(r"brq[0-9a-f]{8}-[0-9a-f]{2}")


@dataclass(frozen=True)
class RuleOptions:
    """What the operator has said: iptables_top_regex and iptables_drop_action of [os_vif_linux_bridge]."""

    top_regex: str = ""
    drop_action: str = "DROP"


def checked(name: str, stated: dict[str, Any], options: RuleOptions) -> dict[str, Any]:
    """The arguments of firewall.set or firewall.delete, made anew. Raises KernelError, ValueError."""
    if name == "firewall.delete":
        return stated  # a chain of ours that is there, by its name
    family, chain = stated["family"], stated["chain"]
    bridge = _bridge_of(chain)
    rules = [_made_anew(rule, bridge, options) for rule in stated["rules"]]
    below = stated.get("below", "")
    if below and below != options.top_regex:
        raise refused(
            "patterns for rules of FORWARD are read from the helper's own configuration: start it with the file that"
            " sets iptables_top_regex (--config-file)"
        )
    state = iptables.read_chain(family, chain)
    return {"family": family, "chain": chain, "rules": rules, "jumps": state.jumps if state else 0, "below": below}


def read_chain(family: str, chain: str) -> ChainState | None:
    """A chain of ours; others' are not for the caller to see. Raises KernelError."""
    if family not in ("ipv4", "ipv6") or not isinstance(chain, str) or not chain.startswith(_PREFIX):
        raise refused(f"{chain!r:.40} is not a chain of os-vif")
    return iptables.read_chain(family, chain)


def _bridge_of(chain: str) -> str:
    bridge = chain.removeprefix(_PREFIX)
    if bridge == chain or not re.fullmatch(_DEVICE, bridge):
        raise ValueError(f"{chain!r:.40} is not the name of a chain of os-vif")
    link = find(bridge)
    if link.kind != "bridge":
        raise refused(f"{bridge} is not a bridge")
    if not is_marked(link) and not _NEUTRONS_BRIDGE.fullmatch(bridge) and host_addresses(link.index):
        raise refused(f"{bridge} was not made by os-vif, and the host forwards for it already")
    return bridge


def _made_anew(rule: str, bridge: str, options: RuleOptions) -> str:
    found = _RULE.fullmatch(rule)
    if found is None or bridge not in (found["entering"], found["leaving"]):
        raise refused(f"{rule!r:.80} is not a rule for {bridge}")
    parts = [(option, found[name]) for option, name in (("-i", "entering"), ("-o", "leaving"), ("-j", "target"))]
    if found["target"] not in (*_TARGETS, options.drop_action) and not _REJECT.fullmatch(found["target"]):
        raise refused(f"{found['target']!r:.40} is not a target of forwarding rules of os-vif")
    return " ".join(f"{option} {value}" for option, value in parts if value)
