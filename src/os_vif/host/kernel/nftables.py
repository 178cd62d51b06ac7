# SPDX-License-Identifier: Apache-2.0
"""Filters of forwarded packets that somebody has written in nftables itself, by `nft -j` (libnftables-json(5)).

Their rules are put into the words of iptables-save as far as these say the same, so that one walk tells the fate of a
packet in either (filter_path.py). What iptables and ebtables keep in nf_tables they tell themselves, and is left out.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from os_vif.foreign import Reader, parse_json
from os_vif.host.kernel import iptables
from os_vif.host.kernel.filter_path import FilterTable
from os_vif.host.process import children

#: Families of tables that see the packets of a family.
_SEEING = {"ipv4": ("ip", "inet"), "ipv6": ("ip6", "inet"), "bridge": ("bridge",)}
_PROTOCOLS = {"ipv4": "ip", "ipv6": "ip6"}
_SECONDS = 30
_MOST_ITEMS, _LONGEST = 1 << 20, 1 << 26
#: Rules of iptables that stand for one that names sets of devices and of addresses.
_MOST_WORDINGS = 1000

#: A condition that filter_path.py does not know: the rule may be for the packet or not.
_CANNOT_TELL = "--cannot-tell"
#: Packets begin connections there: the rule is for none of them.
_NEVER = "--ctstate ESTABLISHED"
_DEVICES = {"iifname": "-i", "iif": "-i", "oifname": "-o", "oif": "-o"}
_ADDRESSES = {"saddr": "-s", "daddr": "-d"}
_VERDICTS = {"accept": "-j ACCEPT", "drop": "-j DROP", "reject": "-j REJECT", "return": "-j RETURN", "continue": ""}
#: What changes nothing of the packet's fate.
_WITHOUT_CONSEQUENCE = ("counter", "log", "comment", "mangle", "notrack", "flow")


@dataclass(frozen=True)
class NativeFilter:
    """A chain at the hook `forward`, with the chains it leads to. ``handles``: of the rules of each chain, in order."""

    place: str
    chain: str
    table: FilterTable
    handles: Mapping[str, Sequence[int]]


@dataclass(frozen=True)
class _Reading:
    generation: tuple[int, int]
    items: Sequence[Mapping[str, Any]]


_reading: list[_Reading] = []


def read_filters(family: str) -> list[NativeFilter]:
    """Those that packets of "ipv4" or "ipv6", or frames on a "bridge", go through; none where there is no `nft`.

    Raises OSError, and MalformedData for what `nft` would not print.
    """
    return filters_in(_ruleset(), family)


def filters_in(ruleset: Sequence[Mapping[str, Any]], family: str) -> list[NativeFilter]:
    """The same of what `nft -j list ruleset` lists. Raises MalformedData."""
    found = (Reader(item, "nft") for item in ruleset)
    items = [(kind, item.inner(kind)) for item in found for kind in ("chain", "rule") if kind in item.data]
    return [
        _filter(items, family, chain)
        for kind, chain in items
        if kind == "chain" and chain.pick("hook", str, "") == "forward" and _is_meant(family, chain)
    ]


def _is_meant(family: str, chain: Reader) -> bool:
    """Not those that iptables, ip6tables and ebtables tell of themselves."""
    theirs = chain.pick("family", str) != "inet" and chain.pick("table", str) == "filter"
    return chain.pick("family", str) in _SEEING[family] and not (theirs and chain.pick("name", str) == "FORWARD")


def _ruleset() -> Sequence[Mapping[str, Any]]:
    program = shutil.which("nft", path=iptables.SEARCH_PATH)
    if program is None:
        return []
    generation = iptables.generation()
    if _reading and generation and _reading[0].generation == generation:
        return _reading[0].items
    items = _listed(program)
    _reading[:] = [_Reading(generation, items)] if generation else []
    return items


def _listed(program: str) -> Sequence[Mapping[str, Any]]:
    environment = {**os.environ, "PATH": iptables.SEARCH_PATH}
    try:
        done = children.run([program, "-j", "list", "ruleset"], seconds=_SECONDS, text="", environment=environment)
    except children.TookTooLong as error:
        raise OSError(f"nft did not finish within {_SECONDS} seconds") from error
    if done.code:
        raise OSError(f"nft: {done.errors.strip()}")
    try:
        whole = Reader(parse_json(done.output, longest=_LONGEST), "nft")
    except ValueError as error:
        raise OSError(f"nft prints what is no JSON: {error}") from error
    return whole.list_of("nftables", dict, most=_MOST_ITEMS)


def _filter(items: Iterable[tuple[str, Reader]], family: str, base: Reader) -> NativeFilter:
    place = (base.pick("family", str), base.pick("table", str))
    chains: dict[str, list[str]] = {}
    handles: dict[str, list[int]] = {}
    for kind, item in items:
        if (item.pick("family", str), item.pick("table", str)) != place:
            continue
        chain = item.pick("name" if kind == "chain" else "chain", str)
        chains.setdefault(chain, [])
        handles.setdefault(chain, [])
        for words in _rules(item, family) if kind == "rule" else ():
            chains[chain].append(words)
            handles[chain].append(item.number("handle", 0))
    name = base.pick("name", str)
    policy = base.pick("policy", str, "accept").upper()
    return NativeFilter(" ".join(place), name, FilterTable(chains, {name: policy}), handles)


def _rules(rule: Reader, family: str) -> Iterator[str]:
    """The rule in the words of iptables; several of these where it names several devices."""
    wordings = [""]
    for part in rule.list_of("expr", dict, most=_MOST_ITEMS):
        alternatives = list(_alternatives(part, family))
        if len(wordings) * len(alternatives) > _MOST_WORDINGS:
            alternatives = [_CANNOT_TELL]
        wordings = [f"{words} {more}".strip() for words in wordings for more in alternatives]
    yield from wordings


def _alternatives(part: Mapping[str, Any], family: str) -> Iterator[str]:
    (name, value), *_ = [*part.items(), ("", None)]
    if name in _VERDICTS:
        yield _VERDICTS[name]
    elif name in ("jump", "goto") and isinstance(value, dict):
        yield f"-{name[0]} {value.get('target')}"
    elif name in _WITHOUT_CONSEQUENCE:
        yield ""
    elif name == "match" and isinstance(value, dict):
        yield from _conditions(value, family)
    elif name == "vmap" and isinstance(value, dict) and _says_nothing_of_new(value):
        yield ""
    else:
        yield _CANNOT_TELL if name != "vmap" else f"{_CANNOT_TELL} -j ACCEPT"


def _conditions(match: Mapping[str, Any], family: str) -> Iterator[str]:
    left, right, negated = match.get("left"), match.get("right"), match.get("op") == "!="
    certain = _certainty(left if isinstance(left, dict) else {}, right, family)
    if certain is not None:
        yield "" if certain is not negated else _NEVER
        return
    option, values = _condition(left if isinstance(left, dict) else {}, right)
    if not values or (negated and len(values) > 1):
        yield _CANNOT_TELL
        return
    for value in values:
        yield f"{'! ' if negated else ''}{option} {shlex.quote(value)}"


def _certainty(left: Mapping[str, Any], right: Any, family: str) -> bool | None:
    """Whether a condition holds for all packets of the family, or for none; None where that is not said."""
    if family not in _PROTOCOLS:
        return None
    if _word(_inside(left, "meta"), "key") == "nfproto":
        return family in _texts(right)
    other = _word(_inside(left, "payload"), "protocol") in {*_PROTOCOLS.values()} - {_PROTOCOLS[family]}
    return False if other else None


def _condition(left: Mapping[str, Any], right: Any) -> tuple[str, list[str]]:
    """An option of iptables and the values of which any will do; no values where iptables has no such option."""
    meta, payload, state = (_inside(left, name) for name in ("meta", "payload", "ct"))
    if device := _DEVICES.get(_word(meta, "key")):
        return device, [name.replace("*", "+") for name in _texts(right)]
    end = _ADDRESSES.get(_word(payload, "field"))
    if end and _word(payload, "protocol") in _PROTOCOLS.values():
        return end, list(_networks(right))
    if state.get("key") == "state" and _texts(right):
        return "--ctstate", [",".join(_texts(right)).upper()]
    return "", []


def _says_nothing_of_new(vmap: Mapping[str, Any]) -> bool:
    """A map from states of connections to verdicts, none of which is for one that begins."""
    key, data = vmap.get("key"), _inside(vmap, "data").get("set")
    if not isinstance(key, dict) or _inside(key, "ct").get("key") != "state" or not isinstance(data, list):
        return False
    return all(isinstance(pair, list) and pair and pair[0] in ["established", "related", "invalid"] for pair in data)


def _inside(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _word(value: Mapping[str, Any], name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""


def _texts(right: Any) -> list[str]:
    listed = _listing(right)
    return listed if all(isinstance(one, str) for one in listed) else []


def _listing(right: Any) -> list[Any]:
    if isinstance(right, dict):
        right = right.get("set", [right])
    return right if isinstance(right, list) else [right]


def _networks(right: Any) -> Iterator[str]:
    for one in _listing(right):
        prefix = _inside(one, "prefix") if isinstance(one, dict) else {}
        yield one if isinstance(one, str) else f"{prefix.get('addr')}/{prefix.get('len')}"
