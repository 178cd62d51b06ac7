# SPDX-License-Identifier: Apache-2.0
"""An interface that the host is reached by leads out of a bridge: the host stays reachable all the time."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

import os_vif
from os_vif import exception
from os_vif.host.engine.garbage import GarbageCollector
from os_vif.plugging import current
from support import differences, vifs

UPLINK_MAC = "fe:00:00:00:00:01"  # higher than any that taps have, so that a bridge would take theirs


@pytest.fixture
def router(new_netns):
    """The machine at the other end of eth1."""
    return new_netns()


@pytest.fixture
def reached(host, router, eventually):
    """A host that a router reaches by eth1, in both families, and that has its default routes there."""
    host.ns.ip(
        *("link", "add", "eth1", "address", UPLINK_MAC, "type", "veth", "peer", "name", "far", "netns", router.name)
    )
    host.ns.ip("link", "set", "eth1", "up")
    for address in ("192.0.2.1/24", "192.0.2.254/24", "2001:db8::1/64", "2001:db8:f::1/128"):
        router.ip("address", "add", address, "dev", "far")
    router.ip("link", "set", "far", "up")
    for address in ("192.0.2.2/24", "2001:db8::2/64", "2001:db8::3/64"):
        host.ns.ip("address", "add", address, "dev", "eth1")
    hops = [word for gateway in ("192.0.2.1", "192.0.2.254") for word in ("nexthop", "via", gateway, "dev", "eth1")]
    host.ns.ip("route", "add", "default", *hops)
    host.ns.ip("-6", "route", "add", "default", "via", "2001:db8::1")
    eventually(lambda: reaches(host.ns, "2001:db8:f::1"))
    return host


def lan(number=1, **network):
    return vifs.bridge("br0", number=number, bridge_interface="eth1", **network)


def reaches(namespace, *addresses):
    """Which of the addresses answer."""
    return [
        address
        for address in addresses
        if namespace.run(["ping", "-n", "-c", "1", "-W", "5", address], check=False).returncode == 0
    ]


class During:
    """Does something right after a step, on the host that is being changed."""

    def __init__(self, text, act):
        self._text, self._act = text, act

    def __call__(self, when, step):
        if (when, step.text) == ("after", self._text):
            self._act()


JOINED = "set master of eth1 to br0 (was none)"
EVERYBODY = ("192.0.2.1", "192.0.2.254", "2001:db8:f::1")


def test_both_families_go_with_the_interface_and_come_back(reached, router):
    """Routes with two next hops too; afterwards all is as it was."""
    assert reaches(reached.ns, *EVERYBODY) == [*EVERYBODY]
    before = reached.ns.snapshot()
    reached.plug(lan())
    assert reaches(reached.ns, *EVERYBODY) == [*EVERYBODY]
    assert reaches(router, "192.0.2.2", "2001:db8::3") == ["192.0.2.2", "2001:db8::3"]
    assert reached.plan(lan()) == []
    reached.unplug(lan())
    assert differences(before, reached.ns.snapshot()) == []
    assert reaches(reached.ns, *EVERYBODY) == [*EVERYBODY]


def test_a_failure_at_any_step_leaves_the_host_reachable(reached):
    """Every step is refused once; everything is undone, and nothing was lost in between."""
    before = reached.ns.snapshot()
    count = len(reached.plan(lan()))
    for number in range(count):
        with reached.failing_at(number), pytest.raises(exception.StepFailed):
            reached.plug(lan())
        assert differences(before, reached.ns.snapshot()) == [], number


def test_nothing_is_taken_before_it_has_arrived(reached):
    """All is added to the bridge before anything is removed from the interface; back, the other way round."""
    there = reached.plan(lan())
    first_removal = min(number for number, text in enumerate(there) if text.startswith("delete"))
    assert [text for text in there[first_removal:] if text.startswith("add ")] == []
    assert there.index("set master of eth1 to br0 (was none)") > there.index("add address 192.0.2.2/24 to br0")
    reached.plug(lan())
    back = [step.text for step in reached.unplug(lan())]
    arrived = max(number for number, text in enumerate(back) if text.startswith("add "))
    assert arrived < back.index("put back: set master of eth1 to none")
    assert arrived < min(number for number, text in enumerate(back) if text.startswith("delete"))


@pytest.mark.parametrize("kind", ["address 192.0.2.2/24", "address 2001:db8::2/64", "route default"])
def test_what_cannot_go_back_keeps_the_bridge(reached, router, kind):
    """The way back is barred for one thing: the bridge stays and works, and the next try ends well."""
    before = reached.ns.snapshot()
    reached.plug(lan())
    steps = [step.text for step in reached.ns.inside(lambda: reached.engine.plan_unplug(reached._requests((lan(),))))]
    with reached.failing_at(steps.index(f"add {kind} to eth1")), pytest.raises(exception.UnplugIncomplete) as caught:
        reached.unplug(lan())
    assert f"Could not add {kind} to eth1" in str(caught.value)
    assert reached.ns.link("eth1")["master"] == "br0"
    assert reaches(router, "192.0.2.2", "2001:db8::3") == ["192.0.2.2", "2001:db8::3"]
    reached.unplug(lan())
    assert differences(before, reached.ns.snapshot()) == []


def test_the_bridge_has_the_interfaces_mac(reached, guest):
    """Whoever knows the host goes on reaching it, as guests come and go."""
    reached.plug(lan())
    seen = {reached.ns.link("br0")["address"]}
    for number in (1, 2):
        guest("br0", f"tap{number}", f"192.0.2.1{number}/24")
        seen.add(reached.ns.link("br0")["address"])
    reached.ns.ip("link", "delete", "tap1")
    assert seen | {reached.ns.link("br0")["address"]} == {UPLINK_MAC}


def test_what_others_put_on_the_bridge_goes_to_the_interface(reached):
    """An address, a route and a virtual address of theirs: the host has them on the interface afterwards."""
    reached.plug(lan())
    reached.ns.ip("address", "add", "192.0.2.77/32", "dev", "br0")
    reached.ns.ip("address", "add", "2001:db8:9::1/64", "dev", "br0")
    reached.ns.ip("route", "add", "198.51.100.0/24", "via", "192.0.2.1")
    assert reached.plan(lan()) == []
    reached.unplug(lan())
    shown = reached.ns.snapshot()
    assert "192.0.2.77" in str(shown["addresses"]["eth1"])
    assert "2001:db8:9::1" in str(shown["addresses"]["eth1"])
    [route] = reached.ns.ip_json("route", "show", "198.51.100.0/24")
    assert route["dev"] == "eth1"


def test_yesterdays_address_does_not_come_back(reached):
    """The host got another address while guests were there: neither repair nor the last unplug knows better."""
    reached.plug(lan())
    reached.ns.ip("address", "delete", "192.0.2.2/24", "dev", "br0")
    reached.ns.ip("address", "add", "192.0.2.9/24", "dev", "br0")
    assert [text for text in reached.plan(lan()) if "192.0.2.2/24" in text] == []
    reached.plug(lan())
    reached.unplug(lan())
    found = str(reached.ns.snapshot()["addresses"]["eth1"])
    assert ("192.0.2.9" in found, "192.0.2.2'" in found) == (True, False)


def test_a_bridge_that_somebody_deleted_comes_back_with_the_hosts_addresses(reached):
    """They went with it, and the host has none left: then what is recorded counts."""
    reached.plug(lan())
    reached.ns.ip("link", "delete", "br0")
    reached.plug(lan())
    assert reaches(reached.ns, *EVERYBODY) == [*EVERYBODY]


def test_a_renamed_interface_is_found(reached):
    """By its index; its addresses come back to it under its new name."""
    reached.plug(lan())
    reached.ns.ip("link", "property", "add", "dev", "eth1", "altname", "old1")
    reached.ns.ip("link", "set", "eth1", "name", "lan1")
    reached.unplug(lan())
    assert "master" not in reached.ns.link("lan1")
    assert reached.ns.link("br0") is None
    assert "192.0.2.2" in str(reached.ns.snapshot()["addresses"]["lan1"])
    assert reaches(reached.ns, *EVERYBODY) == [*EVERYBODY]


def test_an_interface_that_is_gone_leaves_the_addresses_on_the_bridge(reached, caplog):
    """There is nowhere else for them. The VIF goes, the bridge stays for as long as it has the host's addresses."""
    reached.plug(lan())
    reached.ns.ip("link", "delete", "eth1")
    plan = reached.unplug(lan())
    reason = "bridge br0 has address 192.0.2.2/24 of the host, which has nowhere else to go"
    assert f"bridge br0 stays: {reason}" in plan.notes
    assert f"Left behind: {reason}." in caplog.messages
    assert "192.0.2.2" in str(reached.ns.snapshot()["addresses"]["br0"])


def test_an_interface_that_is_gone_is_no_obstacle(host):
    """Without addresses of the host, nothing stays."""
    host.ns.ip("link", "add", "eth1", "type", "veth", "peer", "name", "far")
    host.plug(lan())
    host.ns.ip("link", "delete", "eth1")
    host.unplug(lan())
    assert host.ns.link_names() == set()


@pytest.mark.parametrize("use", [None, "address"])
def test_an_interface_that_was_down_goes_down_if_nobody_uses_it(host, use):
    """It was brought up for the guests. An address that it got since, or a device on it, keeps it up."""
    host.ns.ip("link", "add", "eth1", "type", "veth", "peer", "name", "far")
    host.plug(lan())
    if use == "address":
        host.ns.ip("address", "add", "192.0.2.2/24", "dev", "br0")
    host.unplug(lan())
    assert ("UP" in host.ns.link("eth1")["flags"]) == (use == "address")


_NO_ADVERTISEMENTS = "sysctl -qw net.ipv6.conf.eth1.accept_ra=0"

#: What the host has on eth1, and what is said of it.
REFUSALS = [
    (
        ["ip address add 192.0.2.9/24 dev eth1 valid_lft 3000 preferred_lft 9"],
        "address 192.0.2.9/24 of eth1 is valid for ",
    ),
    (
        ["ip address add 2001:db8::9/64 dev eth1 valid_lft 3000 preferred_lft 2000", _NO_ADVERTISEMENTS],
        "address 2001:db8::9/64 of eth1 is valid for ",
    ),
    (
        ["ip route add 198.51.100.0/24 via 192.0.2.1 proto dhcp"],
        "route 198.51.100.0/24 of eth1 is kept by a DHCP client",
    ),
    (["ip route add 198.51.100.0/24 via 192.0.2.1 proto bird"], "route 198.51.100.0/24 of eth1 is kept by BIRD"),
    (
        ["ip -6 route add 2001:db8:5::/64 via 2001:db8::1 proto ra", _NO_ADVERTISEMENTS],
        "route 2001:db8:5::/64 of eth1 is kept by a client of router advertisements",
    ),
    (
        ["ip nexthop add id 7 via 192.0.2.1 dev eth1", "ip route add 198.51.100.0/24 nhid 7"],
        "route 198.51.100.0/24 of eth1 goes by a next hop that is an object of its own",
    ),
    (["ip rule add iif eth1 table 77"], "rules of routing name it (`ip rule`: iif eth1)"),
    (["ip -6 rule add oif eth1 table 77"], "rules of routing name it (`ip rule`: oif eth1)"),
    (
        ["ip neighbour add 192.0.2.5 lladdr 02:00:00:00:00:55 dev eth1 nud permanent"],
        "neighbours were entered there by hand (`ip neighbour`: 192.0.2.5)",
    ),
    (["ip -6 neighbour add proxy 2001:db8::99 dev eth1"], "were entered there by hand (`ip neighbour`: 2001:db8::99)"),
    (["ip link add mv1 link eth1 type macvtap mode bridge"], "mv1 is on top of eth1"),
    (["ip link add other type bridge", "ip link set eth1 master other"], "eth1 is a port of other already"),
]


@pytest.mark.parametrize(("commands", "reason"), REFUSALS, ids=[commands[0] for commands, _ in REFUSALS])
def test_what_cannot_move_is_refused_before_anything_is_touched(reached, commands, reason):
    """The error says what it is, and names the way out."""
    for command in commands:
        reached.ns.run(command.split())
    before = reached.ns.snapshot()
    with pytest.raises(exception.UplinkUnsuitable, match="Interface eth1 cannot lead out of the bridge br0") as caught:
        reached.plug(lan())
    assert reason in str(caught.value)
    assert "--bridge NAME" in caught.value.hint
    assert differences(before, reached.ns.snapshot()) == []


def test_a_bridge_is_no_port(host):
    """The host's own bridge is one to use, not one to put into another."""
    host.ns.ip("link", "add", "br9", "type", "bridge")
    with pytest.raises(exception.UplinkUnsuitable, match="br9 is a bridge itself"):
        host.plug(vifs.bridge("br0", bridge_interface="br9"))


#: An ICMPv6 router advertisement (RFC 4861, 4.2) with a prefix (4.6.2), from the device named first, once a second.
ADVERTISER = """
import socket, struct, sys, time
s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
index = socket.if_nametoindex(sys.argv[1])
prefix = socket.inet_pton(socket.AF_INET6, "2001:db8:a::")
option = struct.pack("!BBBBIII", 3, 4, 64, 0xC0, 600, 300, 0) + prefix
while True:
    s.sendto(struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) + option, ("ff02::1", 0, 0, index))
    time.sleep(1)
"""


def addresses(namespace, device):
    found = namespace.ip_json("-6", "address", "show", "dev", device, "scope", "global")
    return {one["local"]: one["valid_life_time"] for link in found for one in link.get("addr_info", ()) if one}


def test_what_the_kernel_makes_of_advertisements_goes_on_at_the_bridge(reached, router, eventually):
    """The address goes with the interface, and the bridge hears the router from then on: it is prolonged there."""
    router.ip("address", "add", "fe80::1/64", "dev", "far")
    reached.ns.run(["sysctl", "-qw", "net.ipv6.conf.eth1.accept_ra=2"])
    router.popen(router.python_command(ADVERTISER, "far"))
    mine = "2001:db8:a:0:fc00:ff:fe00:1"  # made of the MAC address
    eventually(lambda: mine in addresses(reached.ns, "eth1"))
    reached.plug(lan())
    assert mine in addresses(reached.ns, "br0")
    assert addresses(reached.ns, "eth1") == {}
    reached.ns.ip("-6", "address", "change", f"{mine}/64", "dev", "br0", "valid_lft", "400", "preferred_lft", "200")
    eventually(lambda: addresses(reached.ns, "br0")[mine] > 500)
    routes = reached.ns.ip_json("-6", "route", "show", "default", "proto", "ra")
    assert {route["dev"] for route in routes} == {"br0"}
    reached.unplug(lan())
    assert mine in addresses(reached.ns, "eth1")


def test_a_gateway_that_does_not_answer_on_the_bridge_undoes_everything(reached, router):
    """A switch that closes the port, say: the host is as it was, and the error says what was missing."""
    before = reached.ns.snapshot()
    reached.engine.executor.observer = During(JOINED, lambda: router.ip("link", "set", "far", "arp", "off", "down"))
    with pytest.raises(exception.GatewayLost) as caught:
        reached.plug(lan())
    assert "gateway 192.0.2.1 answered on eth1, and does not on bridge br0" in str(caught.value)
    router.ip("link", "set", "far", "arp", "on", "up")
    assert differences(before, reached.ns.snapshot()) == []
    assert reached.engine.journal.records() == []


def test_a_gateway_that_never_answered_is_not_waited_for(host):
    """Without it nothing is lost."""
    host.ns.ip("link", "add", "eth1", "type", "veth", "peer", "name", "far")
    for name in ("eth1", "far"):
        host.ns.ip("link", "set", name, "up")
    host.ns.ip("address", "add", "192.0.2.2/24", "dev", "eth1")
    host.ns.ip("route", "add", "default", "via", "192.0.2.1")
    host.plug(lan())
    assert host.ns.link("eth1")["master"] == "br0"


#: Plugs or unplugs, and is killed right after the step that is named.
KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from os_vif.plugins.linux_bridge import LinuxBridgePlugin
from support import plugging, vifs

class Here:
    def inside(self, function):
        return function()

def observe(when, step):
    if (when, step.text) == ("after", sys.argv[4]):
        os.kill(os.getpid(), signal.SIGKILL)

host = plugging.PlugHost(Here(), Path(sys.argv[2]), plugging.configured(LinuxBridgePlugin))
host.engine.executor.observer = observe
getattr(host, sys.argv[3])(vifs.bridge("br0", bridge_interface="eth1"))
"""


def killed(host, tmp_path, action, step):
    tests = Path(__file__).parents[1]
    done = host.ns.run(host.ns.python_command(KILLED, tests, tmp_path, action, step), check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize("step", [JOINED, "add route default to br0", "delete address 192.0.2.2/24 from eth1"])
def test_a_plug_that_is_killed_is_taken_back(reached, router, tmp_path, eventually, step):
    """By a process that outlives it: nobody has to log in, which he could not."""
    before = reached.ns.snapshot()
    killed(reached, tmp_path, "plug", step)
    eventually(lambda: reached.ns.link("br0") is None)
    eventually(lambda: differences(before, reached.ns.snapshot()) == [])
    assert reaches(reached.ns, *EVERYBODY) == [*EVERYBODY]
    reached.plug(lan())
    reached.unplug(lan())
    assert differences(before, reached.ns.snapshot()) == []


@pytest.mark.parametrize("step", ["add route default to eth1", "put back: set master of eth1 to none"])
def test_an_unplug_that_is_killed_is_finished(reached, tmp_path, eventually, step):
    """The same on the way back, where there is nothing to return to."""
    before = reached.ns.snapshot()
    reached.plug(lan())
    assert reaches(reached.ns, *EVERYBODY) == [*EVERYBODY]
    killed(reached, tmp_path, "unplug", step)
    eventually(lambda: reached.ns.link("br0") is None)
    eventually(lambda: differences(before, reached.ns.snapshot()) == [])
    reached.unplug(lan())
    assert reached.engine.journal.records() == []


def test_nobody_watches_afterwards(reached):
    """The process that watches has ended with the plug, and with the unplug."""
    assert reaches(reached.ns, *EVERYBODY) == [*EVERYBODY]
    reached.plug(lan())
    reached.unplug(lan())
    found = subprocess.run(["ip", "netns", "pids", reached.ns.name], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []


@pytest.fixture
def rebooted(reached, router, monkeypatch):
    """The host after a reboot: what was plugged is recorded, eth1 is up, and nobody has configured it yet."""
    reached.plug(lan())
    for name in ("br0", "eth1"):
        reached.ns.ip("link", "delete", name)
    monkeypatch.setattr(reached.engine.host, "_boot_id", "the boot after that")
    reached.ns.ip(
        *("link", "add", "eth1", "address", UPLINK_MAC, "type", "veth", "peer", "name", "far", "netns", router.name)
    )
    router.ip("address", "add", "192.0.2.1/24", "dev", "far")
    router.ip("link", "set", "far", "up")
    reached.ns.ip("link", "set", "eth1", "up")
    os_vif.initialize()
    current.use(reached.engine)
    yield reached
    current.use(None)


def test_restoring_waits_for_the_hosts_network(rebooted):
    """Made a port before, the interface would get its address where the host is not reached by it."""
    [waiting] = rebooted.ns.inside(os_vif.restore)
    assert isinstance(waiting.error, exception.UplinkNotReady)
    assert "eth1, which has no address yet and had 192.0.2.2/24" in str(waiting.error)
    assert "master" not in rebooted.ns.link("eth1")
    rebooted.ns.ip("address", "add", "192.0.2.2/24", "dev", "eth1")
    [restored] = rebooted.ns.inside(os_vif.restore)
    assert restored.error is None
    assert rebooted.ns.link("eth1")["master"] == "br0"
    assert reaches(rebooted.ns, "192.0.2.1") == ["192.0.2.1"]


def test_an_address_that_comes_to_the_port_is_moved_by_repair(rebooted):
    """Somebody plugged before the network was configured: a plan tells, and the next plug puts it right."""
    rebooted.plug(lan())
    rebooted.ns.ip("address", "add", "192.0.2.2/24", "dev", "eth1")
    assert "add address 192.0.2.2/24 to br0" in rebooted.plan(lan())
    rebooted.plug(lan())
    assert reaches(rebooted.ns, "192.0.2.1") == ["192.0.2.1"]


def collect(host):
    """What garbage collection removed, in words."""
    collector = GarbageCollector(host.engine)
    found = host.ns.inside(lambda: [collector.remove(finding) for finding in collector.find()])
    assert [finding.error for finding in found] == [None] * len(found)
    return {finding.what for finding in found if finding.removed}


def test_garbage_collection_takes_nothing_apart(reached, router):
    """A bridge that stays for a port of somebody else's is what the host is reached by, until that has gone as well."""
    before = reached.ns.snapshot()
    reached.plug(lan())
    reached.ns.ip("link", "add", "theirs", "type", "veth", "peer", "name", "other")
    reached.ns.ip("link", "set", "theirs", "master", "br0")
    reached.unplug(lan())
    assert not collect(reached) & {"bridge br0", "addresses of eth1", "device eth1"}
    assert reaches(router, "192.0.2.2", "2001:db8::3") == ["192.0.2.2", "2001:db8::3"]
    reached.ns.ip("link", "delete", "theirs")
    assert "bridge br0" in collect(reached)
    assert differences(before, reached.ns.snapshot()) == []


def test_garbage_collection_spares_a_bridge_whose_interface_is_gone(reached):
    """The host's addresses have nowhere else to be; once somebody has moved them, the bridge goes."""
    reached.plug(lan())
    reached.ns.ip("link", "delete", "eth1")
    reached.unplug(lan())
    collect(reached)
    assert "192.0.2.2" in str(reached.ns.snapshot()["addresses"]["br0"])
    reached.ns.ip("address", "flush", "dev", "br0")
    assert "bridge br0" in collect(reached)
    assert reached.ns.link("br0") is None
