# SPDX-License-Identifier: Apache-2.0
"""`vif check`, `repair`, `restore` and `gc` see to the DHCP servers of networks as they do to VIFs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
from pathlib import Path

import pytest

from os_vif.host.journal import state_directory
from support import differences, require
from support.vif_command import command


@pytest.fixture(autouse=True)
def _parts(monkeypatch):
    require("dnsmasq", "dnsmasq-base")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("TERM", "dumb")


@pytest.fixture
def state():
    return Path(os.environ["OS_VIF_STATE_DIR"])


@pytest.fixture
def vif(netns):
    """Runs `vif ...` in the namespace."""
    return lambda *arguments: netns.run([command(), *map(str, arguments)], check=False)


@pytest.fixture
def blue(netns, vif, state):
    """A network with DHCP, as JSON has it. Its server does not outlive the test."""
    network = json.loads(vif("network", "create", "blue", "--cidr", "192.0.2.0/24", "--dhcp", "-o", "json").stdout)
    yield network
    vif("repair")
    for port in json.loads(vif("network", "ports", "-o", "json").stdout):
        vif("detach", "guest", "--port", port["port_id"])
    vif("network", "delete", "blue")
    if (process := pid(network)) and Path(f"/proc/{process}").exists():
        os.kill(process, signal.SIGKILL)


def pid(network):
    try:
        return int((state_directory.RUN_DIRECTORY / "dhcp" / network["id"] / "pid").read_text())
    except FileNotFoundError:
        return 0


def kill(network, number=signal.SIGKILL):
    process = os.pidfd_open(pid(network))
    signal.pidfd_send_signal(process, number)
    os.close(process)


def serves(netns, network):
    """Its process runs, and its address is on the bridge."""
    found = (
        netns.ip_json("-4", "address", "show", "dev", network["bridge"])
        if network["bridge"] in netns.link_names()
        else []
    )
    given = [address["local"] for link in found for address in link.get("addr_info", [])]
    words = Path(f"/proc/{pid(network)}/cmdline").read_bytes() if Path(f"/proc/{pid(network)}").exists() else b""
    return b"dnsmasq" in words and given == ["192.0.2.1"]


def _kill(netns, network):
    kill(network)


def _stop(netns, network):
    kill(network, signal.SIGSTOP)


def _delete_bridge(netns, network):
    netns.ip("link", "delete", network["bridge"])


def _flush(netns, network):
    netns.ip("address", "flush", "dev", network["bridge"])


def _forget_a_guest(netns, network):
    (state_directory.RUN_DIRECTORY / "dhcp" / network["id"] / "hosts").write_text("")


@pytest.mark.parametrize(
    ("break_it", "told"),
    [
        (_kill, ["dnsmasq does not run"]),
        (_stop, ["dnsmasq is stopped, by a signal"]),
        (_delete_bridge, ["its bridge {bridge} is not there"]),
        (_flush, ["its address 192.0.2.1/24 is not on {bridge}"]),
        (_forget_a_guest, ["dnsmasq does not know all that it is to tell"]),
    ],
)
def test_check_tells_and_repair_puts_right(netns, vif, blue, break_it, told):
    """Exit code 4, for people and for programs, until it is repaired; nothing is to do then."""
    assert vif("attach", "guest", "--network", "blue", "--hypervisor", "qemu").returncode == 0
    assert vif("check").returncode == 0
    break_it(netns, blue)
    told = [text.format(**blue) for text in told]
    checked = vif("check", "-o", "json")
    assert checked.returncode == 4
    (service,) = [one for one in json.loads(checked.stdout) if one.get("service")]
    assert service == {
        "vif_id": service["vif_id"],
        "service": "DHCP server of network blue",
        "network": "blue",
        "error": None,
        "state": "differs",
        "ok": False,
        "differences": told,
        "degradations": [],
        "gone": False,
        "repairable": True,
        "note": "",
    }
    assert f"differs  DHCP server of network blue\n         {told[0]}\n" in vif("check").stdout
    repaired = vif("repair")
    assert repaired.returncode == 0, repaired.stderr
    assert "repaired  DHCP server of network blue\n" in repaired.stdout
    assert serves(netns, blue)
    assert vif("check").returncode == 0
    assert "DHCP" not in vif("repair").stdout


def test_restore_starts_it(netns, vif, blue):
    """After a reboot neither the process nor what is in /run is there."""
    kill(blue)
    shutil.rmtree(state_directory.RUN_DIRECTORY / "dhcp")
    restored = vif("restore")
    assert restored.returncode == 0, restored.stderr
    assert "repaired  DHCP server of network blue\n          dnsmasq does not run\n" in restored.stdout
    assert serves(netns, blue)


def test_what_cannot_be_repaired_is_told(netns, vif, blue, state):
    """In the words of the error, with an exit code that says so."""
    kill(blue)
    hidden = state_directory.RUN_DIRECTORY / "dhcp"
    hidden.rename(hidden.with_name("hidden"))
    for place in (hidden, state / "dhcp"):
        shutil.rmtree(place, ignore_errors=True)
        place.write_text("in the way")
    try:
        repaired = vif("repair")
        assert repaired.returncode not in (0, 70), repaired.stderr
        assert "failed    DHCP server of network blue\n" in repaired.stdout
        assert "the DHCP server of network blue" in repaired.stderr
    finally:
        for place in (hidden, state / "dhcp"):
            place.unlink()
        hidden.with_name("hidden").rename(hidden)


def test_gc_ends_servers_of_networks_that_are_gone(netns, vif, blue, state):
    """With what was plugged for them; not while somebody is on the bridge, and not because the database is lost."""
    (state / "networks.db").rename(state / "lost.db")
    assert vif("gc").stdout == "Nothing to remove.\n"
    (state / "lost.db").rename(state / "networks.db")
    with sqlite3.connect(state / "networks.db") as database:
        database.execute("UPDATE network SET mtu = 'many'")
    assert vif("gc").stdout == "Nothing to remove.\n"  # it cannot be read, and is there
    assert serves(netns, blue)
    with sqlite3.connect(state / "networks.db") as database:
        database.execute("DELETE FROM subnet")
        database.execute("DELETE FROM address")
        database.execute("DELETE FROM network")
    netns.ip("link", "add", "guest", "type", "veth", "peer", "name", "theirs")
    netns.ip("link", "set", "guest", "master", blue["bridge"])
    assert vif("gc").stdout == "Nothing to remove.\n"
    assert serves(netns, blue)
    netns.ip("link", "delete", "guest")
    would = vif("gc", "--dry-run", "-o", "json")
    assert [(one["kind"], one["what"], one["reason"]) for one in json.loads(would.stdout)] == [
        ("service", "DHCP server of network blue", "its network is gone")
    ]
    assert serves(netns, blue)
    assert vif("gc").returncode == 0
    assert pid(blue) == 0
    assert netns.link_names() == set()
    assert vif("list", "-o", "json").stdout.strip() == "[]"


def test_gc_keeps_what_networks_need(netns, vif, blue):
    """A network's server is no guest's VIF; nobody has to name it among those to keep."""
    before = netns.snapshot()
    assert vif("gc", "--keep", "none").stdout == "Nothing to remove.\n"
    assert differences(before, netns.snapshot()) == []
    assert serves(netns, blue)


def test_another_namespace_minds_its_own(netns, new_netns, vif, blue):
    """Where the network was not made there is nothing to check, to repair or to collect."""
    other = new_netns()
    kill(blue)
    assert other.run([command(), "check", "-o", "json"]).stdout.strip() == "[]"
    other.run([command(), "repair"])
    other.run([command(), "gc"])
    assert other.link_names() == set()
    assert vif("check").returncode == 4


def test_nothing_is_made_to_look_for_services(vif, state):
    """No database comes into being where there are no networks."""
    assert vif("check").returncode == 0
    assert not (state / "networks.db").exists()
