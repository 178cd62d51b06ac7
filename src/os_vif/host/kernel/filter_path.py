# SPDX-License-Identifier: Apache-2.0
"""The path of a packet through the filter table, as far as its rules tell for certain what becomes of it.

Rules are in the words of iptables-save and ebtables-save (iptables-extensions(8)). A rule that asks for what is not
known of the packet may match or not. Packets begin connections: what belongs to one that is known is let pass by most
firewalls, and says nothing.
"""

from __future__ import annotations

import enum
import functools
import ipaddress
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

_DROPPING = ("DROP", "REJECT")
#: Targets after which the next rule is asked.
_GOING_ON = (
    "AUDIT", "CHECKSUM", "CLASSIFY", "CONNMARK", "CONNSECMARK", "CONTINUE", "CT", "DSCP", "LED", "LOG", "MARK", "NFLOG",
    "RATEEST", "SECMARK", "SET", "TCPMSS", "TEE", "TOS", "TRACE", "TTL", "ULOG", "arp", "log", "mark", "nflog", "ulog",
)  # fmt: skip


@dataclass(frozen=True)
class Packet:
    """A packet that is forwarded. What is "" is not known.

    ``entering`` and ``leaving`` are devices, bridges for what is bridged; ``port_in`` and ``port_out`` are ports then.
    """

    entering: str = ""
    leaving: str = ""
    port_in: str = ""
    port_out: str = ""
    source: str = ""
    destination: str = ""
    bridged: bool = False


@dataclass(frozen=True)
class FilterTable:
    """The rules of each chain, without the leading "-A chain", and the policy of those that have one."""

    chains: Mapping[str, Sequence[str]]
    policies: Mapping[str, str]


@dataclass(frozen=True)
class Drop:
    """What drops a packet: rule ``number`` of a chain, counted from 1; or, without a ``rule``, the chain's policy."""

    chain: str
    number: int = 0
    rule: str = ""


class _Fate(enum.Enum):
    PASSES = enum.auto()
    UNKNOWN = enum.auto()
    GOES_ON = enum.auto()


_ENDS = {"ACCEPT": _Fate.PASSES, "RETURN": _Fate.GOES_ON}


def find_drop(table: FilterTable, packet: Packet, ours: str, begin: str = "FORWARD") -> Drop | None:
    """What drops the packet for certain in the chain ``begin``, before it gets to the chain ``ours``."""
    fate = _walk(table, begin, packet, ours, ())
    if fate is _Fate.GOES_ON and table.policies.get(begin) in _DROPPING:
        return Drop(begin)
    return fate if isinstance(fate, Drop) else None


def _walk(table: FilterTable, chain: str, packet: Packet, ours: str, above: tuple[str, ...]) -> Drop | _Fate:
    for number, rule in enumerate(table.chains.get(chain, ()), 1):
        words = _words(rule)
        target = _value(words, "-j", "--jump", "-g", "--goto")
        matches = _matches(words, packet)
        if matches is False or target in ("", *_GOING_ON) or (matches is None and target in _DROPPING):
            continue
        if matches is None or target in above:
            return _Fate.UNKNOWN
        if target in _DROPPING:
            return Drop(chain, number, rule)
        fate = _ENDS.get(target) or _walk_on(table, target, packet, ours, (*above, chain))
        if fate is not _Fate.GOES_ON or target == "RETURN" or _value(words, "-g", "--goto"):
            return fate
    return _Fate.GOES_ON


def _walk_on(table: FilterTable, chain: str, packet: Packet, ours: str, above: tuple[str, ...]) -> Drop | _Fate:
    if chain == ours:
        return _Fate.PASSES
    return _walk(table, chain, packet, ours, above) if chain in table.chains else _Fate.UNKNOWN


@functools.lru_cache(maxsize=1 << 14)
def _words(rule: str) -> tuple[str, ...]:
    """Kept: the same rules are asked for each VIF, and hosts of containers have thousands."""
    try:
        return tuple(shlex.split(rule))
    except ValueError:
        return ("--cannot-be-read", *rule.split())


def _value(words: Sequence[str], *options: str) -> str:
    return next((words[at + 1] for at, word in enumerate(words[:-1]) if word in options), "")


def _matches(words: Sequence[str], packet: Packet) -> bool | None:
    """Whether a rule is for the packet; None where that is not known."""
    answers = list(_answers(words, packet))
    if False in answers:
        return False
    return None if None in answers else True


def _answers(words: Sequence[str], packet: Packet) -> Iterator[bool | None]:
    at, negated = 0, False
    while at < len(words) and words[at] not in ("-j", "--jump", "-g", "--goto"):
        option = words[at]
        at += 1
        if option == "!":
            negated = True
            continue
        values = []
        while at < len(words) and not words[at].startswith("-") and words[at] != "!":
            values.append(words[at])
            at += 1
        answer = _answer(option, values, packet)
        yield answer if answer is None else answer is not negated
        negated = False


def _answer(option: str, values: Sequence[str], packet: Packet) -> bool | None:
    if option in ("-m", "--match", "--comment"):
        return True
    if option == "--physdev-is-bridged":
        return packet.bridged
    if len(values) != 1 or option not in _CONDITIONS:
        return None
    return _CONDITIONS[option](values[0], packet)


def _is_named(name: str, pattern: str) -> bool | None:
    if pattern == "+":
        return True
    if not name:
        return None
    return name.startswith(pattern[:-1]) if pattern.endswith("+") else name == pattern


def _is_in(address: str, network: str) -> bool | None:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False) if address else None
    except ValueError:
        return None


def _is_new(states: str) -> bool:
    return "NEW" in states.split(",")


_CONDITIONS: dict[str, Callable[[str, Packet], bool | None]] = {
    "-i": lambda value, packet: _is_named(packet.entering, value),
    "-o": lambda value, packet: _is_named(packet.leaving, value),
    "-s": lambda value, packet: _is_in(packet.source, value),
    "-d": lambda value, packet: _is_in(packet.destination, value),
    "--physdev-in": lambda value, packet: _is_named(packet.port_in, value) if packet.bridged else False,
    "--physdev-out": lambda value, packet: _is_named(packet.port_out, value) if packet.bridged else False,
    "--ctstate": lambda value, packet: _is_new(value),
    "--state": lambda value, packet: _is_new(value),
}
