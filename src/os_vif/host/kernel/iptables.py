# SPDX-License-Identifier: Apache-2.0
"""Chains of our own in the filter table, through iptables-save and iptables-restore.

A chain is replaced, together with the jump to it from FORWARD, in one `iptables-restore --noflush`: the rules of
others are neither read into it nor written by it. Reading costs a process, so what was read is kept for as long as
the kernel's generation of the nf_tables ruleset stays the same.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from os_vif.host.kernel.filter_path import FilterTable
from os_vif.host.kernel.netlink import Conversation, KernelError, attributes, conversation, from_u32
from os_vif.host.process import children

_PREFIX = {"ipv4": "iptables", "ipv6": "ip6tables", "bridge": "ebtables"}
_CHAIN = re.compile(r"^os-vif-[^\s/:\x00]{1,21}$")
_SECONDS = 30
#: Where the tools are; a service need not have them on its own path.
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

#: There unless IPv6 is left out of the kernel, or switched off when it boots (ipv6.disable=1).
_IPV6_SETTINGS = Path("/proc/sys/net/ipv6")
#: What the tools say where the kernel lacks the table, or the whole of ip6tables.
_NO_TABLE = re.compile(r"[Tt]able does not exist|Address family not supported|Protocol not supported")

_NETLINK_NETFILTER = 12  # linux/netlink.h; the socket module does not name it
_NFT_GET_GENERATION = (10 << 8) | 16
_NFT_GENERATION_ID = 1


@dataclass(frozen=True)
class ChainState:
    """A chain as it is: its rules without the leading "-A chain", and how often FORWARD jumps to it."""

    rules: tuple[str, ...]
    jumps: int


@dataclass(frozen=True)
class _Reading:
    generation: tuple[int, int] | None
    table: FilterTable


_readings: dict[str, _Reading] = {}


def read_chain(family: str, chain: str) -> ChainState | None:
    """The chain of that name, or None when there is none. Raises OSError when the table cannot be read: ENOENT where
    the tool is not installed, EAFNOSUPPORT where the kernel has no such table."""
    chains = read_table(family).chains
    if chain not in chains:
        return None
    return ChainState(tuple(chains[chain]), chains.get("FORWARD", []).count(f"-j {chain}"))


def set_chain(family: str, chain: str, rules: Sequence[str], jumps: int = 0, below: str = "") -> None:
    """Makes the chain hold just ``rules``. ``jumps`` says how many jumps from FORWARD there are already: none is
    added to one, and the first goes below the last rule that matches ``below``. Raises OSError, ValueError."""
    lines = [f":{_checked(chain)} - [0:0]", *(f"-A {chain} {_one_line(rule)}" for rule in rules)]
    if not jumps:
        lines.append(f"-I FORWARD {_position(family, below)} -j {chain}")
    _restore(family, lines)


def delete_chain(family: str, chain: str) -> None:
    """Removes the chain and every jump to it from FORWARD; one that is gone is fine. Raises OSError, ValueError."""
    try:
        state = read_chain(family, _checked(chain))
    except KernelError as error:
        if error.errno != errno.EAFNOSUPPORT:
            raise
        return  # where the kernel has no such table, there is no chain in it
    if state is not None:
        lines = [f"-D FORWARD -j {chain}"] * state.jumps
        _restore(family, [f":{chain} - [0:0]", *lines, f"-X {chain}"])


def _position(family: str, below: str) -> int:
    """Where in FORWARD a rule goes that shall be below those matching a pattern; counted from 1."""
    if not below:
        return 1
    try:
        pattern = re.compile(below)
    except re.error as error:
        raise ValueError(f"{below!r} is not a pattern: {error}") from error
    rules = enumerate(read_table(family).chains.get("FORWARD", []), 1)
    return max((number + 1 for number, rule in rules if pattern.search(f"-A FORWARD {rule}")), default=1)


def read_table(family: str) -> FilterTable:
    """The filter table of "ipv4", "ipv6" or, by ebtables, "bridge". Raises OSError, as read_chain() does."""
    known = _readings.get(family)
    now = generation()
    if known and now and known.generation == now:
        return known.table
    lines = _call(family, "save", ["-t", "filter"] if family != "bridge" else [], "").splitlines()
    backed_by_nftables = any("(nf_tables)" in line for line in lines[:1])
    table = _parse(lines)
    _readings[family] = _Reading(now if backed_by_nftables else None, table)
    return table


def _parse(lines: Sequence[str]) -> FilterTable:
    chains: dict[str, list[str]] = {}
    policies: dict[str, str] = {}
    for line in _lines_of_filter(lines):
        if line.startswith(":"):
            chain, _, policy = line[1:].partition(" ")
            chains[chain], policies[chain] = [], policy.partition(" ")[0]
        elif line.startswith("-A "):
            chain, _, rule = line.removeprefix("-A ").partition(" ")
            chains.setdefault(chain, []).append(rule)  # "" is a rule that only counts
    return FilterTable(chains, policies)


def _lines_of_filter(lines: Sequence[str]) -> Iterator[str]:
    """ebtables-save tells of all tables, one after the other."""
    table = "filter"
    for line in lines:
        if line.startswith("*"):
            table = line[1:].strip()
        elif table == "filter":
            yield line


def generation() -> tuple[int, int] | None:
    """The namespace and the generation of its nf_tables ruleset, which every change to it raises."""
    try:
        netfilter = conversation(_NETLINK_NETFILTER)
        for answer in netfilter.ask(_NFT_GET_GENERATION, bytes(4)):
            return _namespace(netfilter), from_u32(dict(attributes(answer, 4)).get(_NFT_GENERATION_ID, b""), ">")
    except (KernelError, KeyError, OSError):
        pass
    return None


def _namespace(netfilter: Conversation) -> int:
    cookie = netfilter.namespace_cookie()
    if cookie is None:
        raise KeyError("namespace")
    return cookie


def _restore(family: str, lines: list[str]) -> None:
    _readings.pop(family, None)
    _call(family, "restore", ["--noflush", "--wait", str(_SECONDS)], "\n".join(["*filter", *lines, "COMMIT", ""]))


def _call(family: str, tool: str, arguments: list[str], text: str) -> str:
    name = f"{_PREFIX[family]}-{tool}"
    command = [_program(family, name), *arguments]
    environment = {**os.environ, "PATH": SEARCH_PATH}
    try:
        done = children.run(command, seconds=_SECONDS, text=text, environment=environment)
    except children.TookTooLong as error:
        raise KernelError(errno.ETIMEDOUT, f"{name} did not finish within {_SECONDS} seconds") from error
    if done.code:
        number = errno.EAFNOSUPPORT if _NO_TABLE.search(done.errors) else errno.EINVAL
        raise KernelError(number, f"{name}: {done.errors.strip()}")
    return done.output


def _program(family: str, name: str) -> str:
    if family == "ipv6" and not _IPV6_SETTINGS.exists():
        raise KernelError(errno.EAFNOSUPPORT, "this kernel does without IPv6")
    found = shutil.which(name, path=SEARCH_PATH)
    if found is None:
        raise KernelError(errno.ENOENT, f"{name} is not installed (Debian: apt-get install iptables)")
    return found


def _checked(chain: str) -> str:
    if not _CHAIN.fullmatch(chain):
        raise ValueError(f"{chain!r} is not the name of a chain of os-vif")
    return chain


def _one_line(rule: str) -> str:
    if not rule.isprintable():
        raise ValueError(f"{rule!r} is not a rule")
    return rule
