# SPDX-License-Identifier: Apache-2.0
"""Guests get their addresses by DHCP, from a real dnsmasq, asked for by a real client in a namespace."""

from __future__ import annotations

import contextlib
import os
import pwd
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import os_vif
from os_vif import exception
from os_vif.host.journal import state_directory
from os_vif.networks.local import confinement, server_files
from os_vif.networks.local.dnsmasq import Dnsmasq
from os_vif.plugging import current, upkeep
from os_vif.testing import offers
from os_vif.testing.conformance.processes import start, wait
from support import differences, require
from support.network_side import Side
from support.unprivileged import NOBODY, require_second_user

STRANGER = Path(__file__).with_name("dhcp_stranger.py")
_SHOW = 'echo "$1 $ip $mask $router $mtu $serverid"'


@pytest.fixture(autouse=True)
def _parts():
    require("dnsmasq", "dnsmasq-base")
    require("busybox", "busybox-static")


@pytest.fixture
def host(netns, side, monkeypatch):
    """A host with a network side; what is made on it goes before the host does."""
    with netns.enter():
        before = current.in_use()
        current.use(None)
        yield netns
        for network in side.manager.networks():
            for port in side.manager.ports(network.id):
                for binding in port.bindings:
                    side.driver.unbind(port.port_id, binding.host)
            side.manager.delete(network.id)
        current.use(before)


@pytest.fixture
def bind(side):
    """Binds a port on the first host."""
    return lambda **fields: side.bind(offers.offer("bridge", "ovs"), **fields)


@pytest.fixture
def ask(host, new_netns, tmp_path):
    """What a guest with a VIF is told by DHCP; "" for nothing. The guest lets go of nothing when it goes."""
    script = tmp_path / "told"
    script.write_text(f"#!/bin/sh\n{_SHOW}\n")
    script.chmod(0o755)

    def do(vif, mac=""):
        guest, name, bridge = new_netns(), vif.vif_name, vif.bridge_name
        host.ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", guest.name)
        host.ip("link", "set", name, "master", bridge, "up")
        guest.ip("link", "set", "eth0", "address", mac or vif.address, "up")
        told = guest.run(
            ["busybox", "udhcpc", "-i", "eth0", "-n", "-q", "-t", "3", "-T", "1", "-O", "mtu", "-s", script],
            check=False,
        )
        host.ip("link", "delete", name)
        guest.close()
        bound = [line for line in told.stdout.splitlines() if line.startswith("bound ")]
        return bound[0].removeprefix("bound ") if bound else ""

    return do


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""  # empty for one that nobody has waited for
    except FileNotFoundError:
        return False


def test_each_guest_is_told_its_own_address(side, host, bind, ask):
    """With the gateway, the MTU, and no other; a MAC that nobody knows is told nothing."""
    network = side.create(gateways=["192.0.2.254"], mtu=1450, dhcp=True)
    host.ip("address", "add", "192.0.2.254/24", "dev", network.bridge)
    one, other = bind().vif, bind().vif
    addresses = [side.driver.show(vif.id).ip_addresses[0] for vif in (one, other)]
    assert ask(other) == f"{addresses[1]} 24 192.0.2.254 1450 192.0.2.1"
    assert ask(one) == f"{addresses[0]} 24 192.0.2.254 1450 192.0.2.1"
    assert ask(one, mac="52:54:00:00:00:01") == ""


def test_without_a_gateway_none_is_told(side, bind, ask):
    """A guest would send to the DHCP server what it is not for."""
    side.create(dhcp=True)
    vif = bind().vif
    assert ask(vif) == "{} 24  1500 192.0.2.1".format(*side.driver.show(vif.id).ip_addresses)


def test_a_gateway_that_nobody_has_is_not_told(side, host, bind, ask):
    """Guests would send there what leaves the subnet, and it would be lost; once somebody has it, they are told."""
    network = side.create(gateways=["192.0.2.254"], dhcp=True)
    vif = bind().vif
    told = "{} 24 {} 1500 192.0.2.1"
    assert side.manager.gateways_of_nobody(network) == ["192.0.2.254"]
    assert ask(vif) == told.format(*side.driver.show(vif.id).ip_addresses, "")
    host.ip("address", "add", "192.0.2.254/24", "dev", network.bridge)
    assert [service.differences for service in side.driver.check_services()] == [
        ("dnsmasq does not know all that it is to tell",)
    ]
    side.driver.repair_services()
    assert ask(vif) == told.format(*side.driver.show(vif.id).ip_addresses, "192.0.2.254")
    assert side.manager.gateways_of_nobody(network) == []


def test_a_gateway_beyond_a_device_that_somebody_put_there(side, host, new_netns, bind, ask):
    """Somebody else's device on the bridge leads out."""
    network = side.create(gateways=["192.0.2.254"], dhcp=True)
    router = new_netns()
    host.ip("link", "add", "out", "type", "veth", "peer", "name", "eth0", "netns", router.name)
    host.ip("link", "set", "out", "master", network.bridge, "up")
    router.ip("address", "add", "192.0.2.254/24", "dev", "eth0")
    router.ip("link", "set", "eth0", "up")
    side.driver.repair_services()
    assert side.manager.gateways_of_nobody(network) == []
    vif = bind().vif
    assert ask(vif).split()[2] == "192.0.2.254"


def test_the_address_of_somebody_else_is_not_taken(side, host, new_netns):
    """On an uplink, say; the router would no longer be reached."""
    router = new_netns()
    host.ip("link", "add", "eth1", "type", "veth", "peer", "name", "eth0", "netns", router.name)
    host.ip("link", "set", "eth1", "up")
    router.ip("address", "add", "192.0.2.100/24", "dev", "eth0")
    router.ip("link", "set", "eth0", "up")
    before = host.snapshot()
    wanted = {"uplink": "eth1", "pools": ["192.0.2.100-192.0.2.199"], "dhcp": True, "force": True}
    with pytest.raises(exception.NetworkConflict, match=r"Somebody on brq\S+ has 192.0.2.100, the address of the DHCP"):
        side.create(**wanted)
    assert (side.manager.networks(), differences(before, host.snapshot())) == ([], [])
    host.ip("address", "add", "192.0.2.99/24", "dev", "eth1")
    host.ip("route", "add", "default", "via", "192.0.2.100")  # now it is known without asking
    (subnet,) = side.create(**wanted).subnets
    assert subnet.dhcp_server == "192.0.2.101"


def test_on_an_uplink_strangers_get_no_answer(side, host, new_netns, bind, ask):
    """Neither an offer nor a refusal of what they have from somebody else; guests of the network are served."""
    lan = new_netns()
    host.ip("link", "add", "eth1", "type", "veth", "peer", "name", "eth0", "netns", lan.name)
    host.ip("link", "set", "eth1", "up")
    lan.ip("link", "set", "eth0", "up")
    side.create(uplink="eth1", pools=["192.0.2.100-192.0.2.199"], dhcp=True, force=True)
    assert ask(bind().vif).startswith("192.0.2.101 ")
    for asked in ("192.0.2.7", "192.0.2.101", "10.0.0.9"):
        got = lan.run([sys.executable, STRANGER, "eth0", asked], check=False)
        assert (got.stdout, got.returncode) == ("", 0), got.stderr


def test_an_address_is_given_on_at_once(side, bind, ask):
    """Although the guest that had it has let go of nothing, and its lease is still running."""
    side.create(pools=["192.0.2.10-192.0.2.11"], dhcp=True)
    first = bind().vif
    assert ask(first).startswith("192.0.2.11 ")
    side.driver.unbind(first.id, "host-a")
    second = bind().vif
    assert second.address != first.address
    assert ask(second).startswith("192.0.2.11 ")


def test_everything_goes_with_the_network(side, host):
    """The process, the bridge, the address, and the files; nothing is recorded."""
    before = host.snapshot()
    network = side.create(dhcp=True)
    pid = int((side.directory / "dhcp" / network.id / "pid").read_text())
    assert [a["local"] for link in host.ip_json("-4", "addr", "show", network.bridge) for a in link["addr_info"]] == [
        "192.0.2.1"
    ]
    side.manager.delete("blue")
    assert not _runs(pid)
    assert host.snapshot() == before
    assert list((side.directory / "dhcp").iterdir()) == []
    assert current.engine().journal.records() == []


def test_beside_the_addresses_of_an_uplink(side, host):
    """They move to the bridge and back; its own comes to them and goes, and is nothing to repair."""
    host.ip("link", "add", "eth1", "type", "veth", "peer", "name", "wire")
    host.run(["sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/eth1/disable_ipv6"])
    host.ip("address", "add", "10.0.0.5/24", "dev", "eth1")
    host.ip("link", "set", "eth1", "up")
    host.ip("link", "set", "wire", "up")
    before = host.snapshot()
    network = side.create(uplink="eth1", pools=["192.0.2.1-192.0.2.9"], dhcp=True, force=True)
    (link,) = host.ip_json("-4", "addr", "show", network.bridge)
    assert {address["local"] for address in link["addr_info"]} == {"10.0.0.5", "192.0.2.1"}
    (record,) = os_vif.records()
    assert os_vif.check(*upkeep.recorded_pair(record)).ok
    side.manager.delete("blue")
    assert differences(before, host.snapshot()) == []


def test_killed_it_is_started_by_the_next_port(side, host, bind, ask):
    """As after a reboot."""
    network = side.create(dhcp=True)
    pid = int((side.directory / "dhcp" / network.id / "pid").read_text())
    process = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    assert select.select([process], [], [], 10)[0]
    os.close(process)
    assert not side.manager.dhcp_runs(network)
    vif = bind().vif
    assert ask(vif)
    assert side.manager.dhcp_runs(network)


def test_a_port_on_another_host_is_told_of(side, host, new_netns, ask):
    """Both have the same database; the server stays where it is."""
    network = side.create(dhcp=True)
    with new_netns().enter():
        current.use(None)
        vif = side.bind(offers.offer("bridge", host="host-b")).vif
        with pytest.raises(exception.NetworkConflict):
            side.driver.unbind(vif.id, "host-b"), side.manager.delete(network.id)
        vif = side.bind(offers.offer("bridge", host="host-b")).vif
    current.use(None)
    assert ask(vif)


def test_an_address_is_given_on_by_another_host(side, host, bind, new_netns, ask):
    """The server is started anew where it was, not where the port was let go of."""
    side.create(pools=["192.0.2.10-192.0.2.11"], dhcp=True)
    first = bind().vif
    assert ask(first).startswith("192.0.2.11 ")
    with new_netns().enter():
        current.use(None)
        side.driver.unbind(first.id, "host-a")
    current.use(None)
    assert ask(bind().vif).startswith("192.0.2.11 ")


@pytest.mark.parametrize("moment", ["keep", "start"])
def test_killed_while_a_network_is_made(side, host, monkeypatch, moment):
    """There is a network, which can be deleted, and nothing is left then."""
    before = host.snapshot()

    def make():
        current.use(None)
        Side(side.directory / "networks.db").create(dhcp=True)

    with monkeypatch.context() as patch:
        patch.setattr(Dnsmasq, moment, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        assert wait(start(make)) == -signal.SIGKILL
    side.manager.delete("blue")
    assert host.snapshot() == before
    assert current.engine().journal.records() == []


def test_two_networks_beside_each_other(side, bind, ask):
    """Each server is on its own bridge only."""
    side.create("blue", dhcp=True)
    side.create("red", cidrs=["198.51.100.0/24"], dhcp=True)
    assert ask(bind(network="red").vif).startswith("198.51.100.2 ")
    assert ask(bind(network="blue").vif).startswith("192.0.2.2 ")


def test_without_dnsmasq_nothing_is_made(side, host, monkeypatch):
    """The error says what to install."""
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    before = host.snapshot()
    with pytest.raises(exception.NetworkUnavailable, match="dnsmasq, which serves DHCP, is not installed") as caught:
        side.create(dhcp=True)
    assert caught.value.hint == "apt-get install --no-install-recommends dnsmasq-base"
    assert (side.manager.networks(), host.snapshot()) == ([], before)


@contextlib.contextmanager
def _no_directory(side):
    places = [place / "dhcp" for place in (state_directory.RUN_DIRECTORY, side.directory)]
    for place in places:
        shutil.rmtree(place, ignore_errors=True)
        place.parent.mkdir(exist_ok=True)
        place.write_text("in the way")
    yield
    for place in places:
        place.unlink()


def _port_in_use(side):
    other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    other.bind(("0.0.0.0", 67))
    return other


@pytest.mark.parametrize(
    ("trouble", "words"),
    [(_no_directory, "Not a directory"), (_port_in_use, "failed to bind DHCP server socket: Address already in use")],
)
def test_a_server_that_cannot_start_leaves_nothing(side, host, trouble, words):
    """The system's own words, or dnsmasq's, are the error; a bridge that was there stays."""
    host.ip("link", "add", "br0", "type", "bridge")
    before = host.snapshot()
    with trouble(side), pytest.raises(exception.NetworkUnavailable, match=words):
        side.create(bridge="br0", dhcp=True)
    assert (side.manager.networks(), host.snapshot()) == ([], before)
    assert current.engine().journal.records() == []


def _pid(side, network):
    return int((side.directory / "dhcp" / network.id / "pid").read_text())


def _status(pid):
    return dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())


def test_it_has_a_user_of_its_own_and_three_capabilities(side, host):
    """Whatever a guest makes it do, it is not root; in a user namespace of one user it can be nobody else."""
    network = side.create(dhcp=True)
    status = _status(_pid(side, network))
    needed = f"{1 << 10 | 1 << 12 | 1 << 13:016x}"  # NET_BIND_SERVICE, NET_ADMIN, NET_RAW
    assert [status[f"Cap{which}"] for which in ("Eff", "Prm", "Bnd")] == [needed] * 3
    assert status["NoNewPrivs"] == "1"
    there = {entry.pw_name for entry in pwd.getpwall()}
    who = pwd.getpwnam(next(name for name in ("os-vif-dhcp", "dnsmasq", "nobody") if name in there))
    alone = _users() == 1
    assert status["Uid"].split() == ["0" if alone else str(who.pw_uid)] * 4
    assert alone or status["Groups"].split() == []


def _users():
    return int(Path("/proc/self/uid_map").read_text().split()[2])


def test_the_user_can_be_chosen(new_side, netns, tmp_path):
    """One that is not there is refused, before anything is made."""
    if _users() == 1:
        pytest.skip("a user namespace of one user: run the tests as root")
    with netns.enter():
        current.use(None)
        network = new_side(dhcp_user="nobody").create(dhcp=True)
        try:
            status = _status(_pid(new_side(), network))
            assert status["Uid"].split()[0] == str(pwd.getpwnam("nobody").pw_uid)
            # Another one is followed by the next port; the server of before ends.
            first = _pid(new_side(), network)
            new_side(dhcp_user="daemon").bind(offers.offer("bridge"), key="a")
            status = _status(_pid(new_side(), network))
            assert status["Uid"].split()[0] == str(pwd.getpwnam("daemon").pw_uid)
            assert not _runs(first)
        finally:
            side = new_side(dhcp_user="daemon")
            for port in side.manager.ports():
                side.driver.unbind(port.port_id, "host-a")
            side.manager.delete("blue")
        with pytest.raises(exception.NetworkUnavailable, match="there is no user nonesuch on this machine") as caught:
            new_side(dhcp_user="nonesuch").create(dhcp=True)
        assert "dhcp_user" in caught.value.hint
        assert new_side().manager.networks() == []
        current.use(None)


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_nobody_else_writes_what_it_obeys(side, host, bind, ask, umask):
    """Its user owns but the directory that its process id is in; and can read what changes while it runs."""
    before = os.umask(umask)
    try:
        network = side.create(dhcp=True)
        assert ask(bind().vif)
    finally:
        os.umask(before)
    directory = (side.directory / "dhcp" / network.id).resolve()
    owner = _status(_pid(side, network))["Uid"].split()[0]
    for place in (directory, *directory.iterdir()):
        found = place.lstat()
        mine = found.st_uid == os.geteuid() and (stat.S_ISLNK(found.st_mode) or not found.st_mode & 0o022)
        assert mine or (place.name, str(found.st_uid)) == ("run", owner), place
    assert [found.name for found in (directory / "run").iterdir()] == ["pid"]


def test_its_word_on_which_process_it_is_is_not_believed(side, host, bind):
    """Guests talk to it: it might name any process, a link or a FIFO; what it names is neither ended nor waited for."""
    network = side.create(dhcp=True)
    pid_file = (side.directory / "dhcp" / network.id / "run" / "pid").resolve()
    own = pid_file.read_text()
    victim = subprocess.Popen(["sleep", "1000"])
    try:
        for word in (str(victim.pid), "-1", "0", "1e3", "9" * 400, "", "\udcff"):
            pid_file.write_bytes(word.encode(errors="surrogateescape"))
            assert not side.manager.dhcp_runs(network)
        pid_file.unlink()
        os.mkfifo(pid_file)
        assert not side.manager.dhcp_runs(network)
        pid_file.unlink()
        pid_file.symlink_to("/proc/1/stat")
        assert not side.manager.dhcp_runs(network)
        assert victim.poll() is None
    finally:
        victim.kill()
        victim.wait()
        pid_file.unlink(missing_ok=True)
        pid_file.write_text(own)
    assert side.manager.dhcp_runs(network)


def test_the_owner_of_the_state_directory_does_not_lead_root(side, host, bind, ask):
    """A link, a FIFO or files in place of ours: root's server does not read there, and root does not write there."""
    require_second_user()
    network = side.create(dhcp=True)
    os.kill(_pid(side, network), signal.SIGKILL)
    shutil.rmtree(state_directory.RUN_DIRECTORY / "dhcp")  # as after a reboot
    elsewhere = side.directory / "elsewhere"
    elsewhere.mkdir()
    (side.directory / "dhcp").rename(side.directory / "old")
    planted = side.directory / "dhcp" / network.id
    planted.mkdir(parents=True)
    os.mkfifo(planted / "dnsmasq.conf")
    (planted / "hosts").symlink_to(elsewhere / "hosts")
    (planted / "run").symlink_to(elsewhere)
    for place in (side.directory, side.directory / "dhcp", planted):
        os.chown(place, NOBODY, NOBODY)
    try:
        assert ask(bind().vif)
        assert list(elsewhere.iterdir()) == []
        assert (planted / "dnsmasq.conf").is_fifo()
    finally:
        os.chown(side.directory, os.geteuid(), os.getegid())


def test_a_guest_keeps_its_address_when_the_server_is_started_anew(side, host, bind, ask):
    """It remembers no leases: who is served is written down. Others that go, or a kill, are no reason to lose one."""
    side.create(dhcp=True)
    one, other = bind().vif, bind().vif
    first = ask(one)
    side.driver.unbind(other.id, "host-a")
    assert ask(one) == first


def test_another_user_sees_that_it_runs_and_leaves_it_alone(side, host):
    """A service that shares the database with root: its error says whose server it is; it starts none beside it."""
    require_second_user()
    network = side.create(dhcp=True)
    beside = Path(tempfile.mkdtemp())
    beside.chmod(0o777 | stat.S_ISVTX)

    def look():
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        files = server_files.ServerFiles(network.id, beside)
        assert Dnsmasq(network, files, "").runs
        with pytest.raises(PermissionError, match="it belongs to root, who has to see to it"):
            files.make(confinement.user(""))

    try:
        assert wait(start(look)) == 0
    finally:
        shutil.rmtree(beside)


def test_it_serves_on_a_bridge_that_was_made_anew(side, host, bind, ask):
    """By repair, by the next port, or by somebody else."""
    network = side.create(dhcp=True)
    vif = bind().vif
    assert ask(vif)
    host.ip("link", "delete", network.bridge)
    (found,) = side.driver.repair_services()
    assert (found.differences, found.error) == ((f"its bridge {network.bridge} is not there",), None)
    assert ask(vif)
    host.ip("link", "delete", network.bridge)
    assert ask(bind().vif)
    assert [service.differences for service in side.driver.check_services()] == [()]
    host.ip("link", "delete", network.bridge)
    (record,) = os_vif.records()
    os_vif.repair(*upkeep.recorded_pair(record))
    host.ip("address", "add", "192.0.2.1/24", "dev", network.bridge)
    assert ask(vif)  # by somebody else, and it has noticed
