# SPDX-License-Identifier: Apache-2.0
"""The story of the demo: plan, plug, ping, check, break, repair, unplug; then two sides agree, and a guest moves."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from importlib import resources
from typing import Any

import os_vif
from os_vif.cli import session
from os_vif.cli.demo import guests, stage
from os_vif.cli.demo.agreeing import Agreeing
from os_vif.cli.demo.guests import Guest
from os_vif.cli.demo.screen import Screen
from os_vif.cli.errors import CommandError
from os_vif.cli.exit_code import ExitCode
from os_vif.cli.output import Output
from os_vif.cli.reading import Entry, Place, entries_of

EXAMPLES = ("guest-a.json", "guest-b.json")


def run(arguments: argparse.Namespace, output: Output) -> ExitCode:
    """Plays it, or shows the plans where it cannot be played."""
    screen = Screen(output)
    try:
        kind = stage.enter()
    except stage.NotPossible as error:
        return _plans_only(arguments, output, screen, str(error))
    session.open_library(arguments)
    screen.title("vif demo", f"In {kind} of its own: this machine's network and journal stay as they are.")
    try:
        _play(screen)
    except KeyboardInterrupt:
        output.line("\nInterrupted. The namespaces end with this process, and all that is in them.", "warn")
        return ExitCode.INTERRUPTED
    _end(output, screen, played=True)
    return ExitCode.OK


def _plans_only(arguments: argparse.Namespace, output: Output, screen: Screen, reason: str) -> ExitCode:

    session.open_library(arguments)
    _use_imagined_host()
    screen.title("vif demo", "The plans only: on an imagined host, nothing is changed.")
    output.line(reason, "warn")
    cast = _introduce(screen)
    _plan(screen, cast)
    _end(output, screen, played=False, reason=reason)
    return ExitCode.OK


def _play(screen: Screen) -> None:
    cast = _introduce(screen)
    _plan(screen, cast)
    _plug(screen, cast)
    pair = [Guest(f"guest-{letter}", entry.vif) for letter, entry in zip("ab", cast, strict=True)]
    _attach(screen, pair)
    _ping(screen, pair, expected=True)
    _check(screen, cast, expected=True)
    _break(screen, cast, pair)
    _check(screen, cast, expected=False)
    _repair(screen, cast)
    _ping(screen, pair, expected=True)
    _unplug(screen, cast, pair)
    _nothing_left(screen)
    _expect(Agreeing(screen).play(), "the second half")


def _introduce(screen: Screen) -> list[Entry]:
    with screen.act("Two VIFs, serialized as Nova serializes them"):
        cast = [_read(name) for name in EXAMPLES]
        for name, entry in zip(EXAMPLES, cast, strict=True):
            vif = entry.vif
            address = vif.network.subnets[0].ips[0].address
            screen.say(f"{name}  {vif.obj_name()} {vif.vif_name}  {vif.address}  {address}")
        screen.say(f"Both want the bridge {cast[0].vif.bridge_name} of the plugin {cast[0].vif.plugin}.", "dim")
    return cast


def _read(name: str) -> Entry:
    text = resources.files("os_vif.cli.demo").joinpath(name).read_text()
    return entries_of([(json.loads(text), Place(name))])[0]


def _plan(screen: Screen, cast: Sequence[Entry]) -> None:
    with screen.act("vif plan: what plugging them would do"):
        with screen.timed():
            plan = os_vif.plan_many(_pairs(cast))
        _say_steps(screen, plan)


def _plug(screen: Screen, cast: Sequence[Entry]) -> None:
    with screen.act("vif plug: both at once"):
        with screen.timed():
            os_vif.plug_many(_pairs(cast))
        screen.say("done, read back, and written into the journal", "good")


def _attach(screen: Screen, pair: Sequence[Guest]) -> None:
    with screen.act("Two guests attach, as a hypervisor attaches a tap"):
        with screen.timed():
            for guest in pair:
                guest.attach()
        for guest in pair:
            screen.say(
                f"{guest.name} {screen.arrow} {guest.vif.vif_name} {screen.arrow} {guest.vif.bridge_name}", "good"
            )


def _ping(screen: Screen, pair: Sequence[Guest], *, expected: bool) -> None:
    with screen.act(f"ping {pair[0].name} {screen.arrow} {pair[1].name}"):
        _say_ping(screen, pair, expected=expected)


def _say_ping(screen: Screen, pair: Sequence[Guest], *, expected: bool) -> None:
    with screen.timed():
        pinged = pair[0].ping(pair[1])
    took = f", {pinged.milliseconds} ms each" if pinged.answered else ""
    screen.say(f"{pinged.answered} of {pinged.sent} answered{took}", "good" if pinged.ok else "bad")
    _expect(pinged.ok == expected, "the ping")


def _check(screen: Screen, cast: Sequence[Entry], *, expected: bool) -> None:
    with screen.act("vif check: is the host as the VIFs need it?"):
        with screen.timed():
            results = [os_vif.check(entry.vif, entry.instance) for entry in cast]
        for entry, result in zip(cast, results, strict=True):
            screen.say(f"{entry.vif.vif_name} {result.state}", "good" if result.ok else "bad")
        for difference in dict.fromkeys(d for result in results for d in result.differences):
            screen.say(difference)
        _expect(all(result.ok == expected for result in results), "the check")


def _break(screen: Screen, cast: Sequence[Entry], pair: Sequence[Guest]) -> None:
    bridge = cast[0].vif.bridge_name
    chain = f"os-vif-{bridge}"
    with screen.act("Somebody breaks it behind our back"):
        for command in (
            f"ip link set {bridge} down",
            f"iptables -D FORWARD -j {chain}",
            f"iptables -F {chain}",
            f"iptables -X {chain}",
        ):
            guests.run(*command.split())
            screen.say(f"$ {command}")
        _say_ping(screen, pair, expected=False)


def _repair(screen: Screen, cast: Sequence[Entry]) -> None:
    with screen.act("vif repair: only what is missing"):
        with screen.timed():
            plans = [os_vif.repair(entry.vif, entry.instance) for entry in cast]
        _say_steps(screen, plans[0])
        screen.say("as it was before", "good")


def _unplug(screen: Screen, cast: Sequence[Entry], pair: Sequence[Guest]) -> None:
    for guest in pair:
        guest.detach()
    with screen.act("The guests are gone; vif unplug"):
        plan = os_vif.plan_unplug_many(_pairs(cast))
        with screen.timed():
            os_vif.unplug_many(_pairs(cast))
        _say_steps(screen, plan)


def _nothing_left(screen: Screen) -> None:
    with screen.act("What is left?"):
        links = [link["ifname"] for link in json.loads(guests.run("ip", "-j", "link"))]
        saved = guests.run("iptables", "-S") + guests.run("ip6tables", "-S")
        chains = [line for line in saved.splitlines() if "os-vif" in line]
        records = os_vif.records()
        screen.say(f"ip link: {', '.join(links)}", "good" if links == ["lo"] else "bad")
        screen.say(f"iptables: {len(chains)} rules of ours", "bad" if chains else "good")
        screen.say(f"vif list: {len(records)} records", "bad" if records else "good")
        _expect(links == ["lo"] and not chains and not records, "the end")


def _end(output: Output, screen: Screen, *, played: bool, reason: str = "") -> None:
    output.document({"played": played, "reason": reason, "acts": screen.acts})
    output.line()
    if played:
        output.line("That was it: vif --help for the commands, examples/ for the files.", "good")


def _say_steps(screen: Screen, plan: Any) -> None:
    for number, step in enumerate(plan, 1):
        screen.say(f"{number}. {step.text}")


def _expect(as_told: object, what: str) -> None:
    if not as_told:
        raise CommandError(
            f"The demo went wrong: {what} was not as it should be.",
            code="demo",
            exit_code=ExitCode.FAILED,
            hint="Please report it, with what is shown above.",
        )


def _pairs(cast: Sequence[Entry]) -> list[tuple[Any, Any]]:
    return [(entry.vif, entry.instance) for entry in cast]


def _use_imagined_host() -> None:
    """From now on the library works on a host in memory, with nothing on it: plans can be made there all the same."""
    from os_vif.host.engine.engine import Engine
    from os_vif.host.journal.journal import Journal
    from os_vif.host.journal.locks import Locks
    from os_vif.plugging import current
    from os_vif.testing.fake.host import FakeHost

    current.use(Engine(FakeHost(), Journal(":memory:"), Locks(None)))
