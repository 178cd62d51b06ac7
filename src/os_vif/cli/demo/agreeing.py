# SPDX-License-Identifier: Apache-2.0
"""The second half of the demo: two sides agree on a binding, and a guest moves from host to host."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Any

from os_vif.cli import attached
from os_vif.cli.demo import guests, hosts
from os_vif.cli.demo.hosts import NETWORK, UPLINK, Host
from os_vif.cli.demo.screen import Screen

if TYPE_CHECKING:
    from os_vif.lifecycle import AttachmentSpec
    from os_vif.networks.local.admin import Manager

_UUID = "8f6f1c0a-2d0e-4c5b-9a37-5e1d4c2b7a0{}"

#: A ping that outlives the move: so many, so many seconds apart.
_PINGS, _PAUSE = 15, 0.1


class Agreeing:
    """Two hosts, a network that both see, and two guests."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.one, self.two = Host("host-one"), Host("host-two")
        hosts.wire(self.one, self.two)
        self.addresses: dict[str, str] = {}

    def play(self) -> bool:
        """All acts. Returns whether all was as it should be."""
        manager = self._create()
        self._explain()
        self._attach()
        pinged = self._ping()
        lost = self._migrate()
        return pinged and lost < _PINGS and self._detach(manager)

    def _create(self) -> Manager:
        from oslo_config import cfg

        from os_vif.networks.local.admin import Manager
        from os_vif.networks.local.spec import WantedNetwork

        with self.screen.act(f"vif network create {NETWORK}: a network for two hosts"):
            driver: Any = self.one.parties().network
            cfg.CONF.set_override("database", "/run/os-vif-hosts/networks.db", group="os_vif_network_local")
            manager = Manager(driver.database, driver.config)
            with self.screen.timed():
                made = manager.create(WantedNetwork(NETWORK, cidrs=["192.0.2.0/24"], uplink=UPLINK))
            self.screen.say(f"{made.name}: {made.subnets[0].cidr} on the Linux bridge {made.bridge}", "good")
        return manager

    def _explain(self) -> None:
        from os_vif.negotiation.explain import explain

        with self.screen.act("vif explain: what would a guest get here, and why?"):
            spec, parties = _guest("a", "host-one"), self.one.parties()
            with self.screen.timed():
                offer = self.one.do(lambda: parties.hypervisor.offer(spec.guest, parties.host))
                told = explain(offer, parties.network.decide(spec.request(offer)))
            for verdict in told.verdicts:
                text = f"{verdict.candidate}: {verdict.verdict}. {verdict.reason}"
                self.screen.say(text, "good" if verdict.candidate == told.choice else "")

    def _attach(self) -> None:
        with self.screen.act("vif attach: guests a and b, on host-one"):
            for name in ("a", "b"):
                guests.run("ip", "netns", "add", f"{name}-on-host-one")
                with self.screen.timed():
                    done = self.one.attach(_guest(name, "host-one"))
                self.addresses[name] = attached.addresses(done.answer.vif)[0].partition("/")[0]
                self.screen.say(f"{name} {done.answer.vif.address} {self.addresses[name]}", "good")

    def _ping(self) -> bool:
        with self.screen.act(f"ping b {self.screen.arrow} a"):
            with self.screen.timed():
                sent, answered = _answers(_start_ping("b-on-host-one", self.addresses["a"], 3))
            self.screen.say(f"{answered} of {sent} answered", "good" if answered == sent else "bad")
        return answered == sent

    def _migrate(self) -> int:
        """Returns how many pings of another guest were lost meanwhile."""
        with self.screen.act("vif migrate: guest a moves to host-two, while b pings it"):
            guests.run("ip", "netns", "add", "a-on-host-two")
            pinging = _start_ping("b-on-host-one", self.addresses["a"], _PINGS)
            with self.screen.timed():
                self.two.prepare(_guest("a", "host-two"))
                self.screen.say("prepared: bound to host-two as well, inactive")
                self.two.activate(_guest("a", "host-two"))
                self.one.detach(_guest("a", "host-one"))
            self.screen.say("activated on host-two, detached from host-one")
            sent, answered = _answers(pinging)
            self.screen.say(f"{sent - answered} of {sent} pings lost", "good" if answered else "bad")
        return sent - answered

    def _detach(self, manager: Manager) -> bool:
        with self.screen.act("vif detach, vif network delete: what is left?"):
            with self.screen.timed():
                self.two.detach(_guest("a", "host-two"))
                self.one.detach(_guest("b", "host-one"))
            ports = manager.ports()
            manager.delete(NETWORK)
            left = [name for host in (self.one, self.two) for name in host.links() if name not in ("lo", UPLINK)]
            self.screen.say(f"{len(ports)} ports, {len(left)} devices", "bad" if ports or left else "good")
        return not ports and not left


def _guest(name: str, host: str) -> AttachmentSpec:
    from os_vif.hypervisors.driver import Guest
    from os_vif.lifecycle import AttachmentSpec

    uuid = _UUID.format("ab".index(name) + 1)
    return AttachmentSpec(Guest(name, uuid, endpoint=f"{name}-on-{host}"), network=NETWORK, hot=True)


def _start_ping(place: str, address: str, count: int) -> subprocess.Popen[str]:
    command = ("ip", "netns", "exec", place, "ping", "-n", "-q", f"-c{count}", f"-i{_PAUSE}", "-W1", address)
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _answers(pinging: subprocess.Popen[str]) -> tuple[int, int]:
    """Packets that were sent, and those that were answered."""
    printed, _ = pinging.communicate(timeout=60)
    counts = re.search(r"(\d+) packets transmitted, (\d+) received", printed)
    return (int(counts[1]), int(counts[2])) if counts else (0, 0)
