# SPDX-License-Identifier: Apache-2.0
"""The instruments are right: what a namespace's snapshot and monitor see, and what they do not."""

import socket
import threading
from pathlib import Path

import pytest

from support import differences
from support.netns import CommandFailed


def test_a_namespace_starts_empty_and_away_from_this_machine(netns):
    assert netns.link_names() == set()
    assert socket.if_nameindex() == [(1, "lo")]
    assert "UP" in netns.link("lo")["flags"]


def test_commands_run_inside_and_failures_show_what_was_printed(netns):
    netns.ip("link", "add", "br0", "type", "bridge")
    assert netns.link("br0")["linkinfo"]["info_kind"] == "bridge"
    assert netns.link("nothere") is None
    assert netns.run(["ls", "/sys/class/net"]).stdout.split() == ["br0", "lo"]
    with pytest.raises(CommandFailed, match="Cannot find device"):
        netns.ip("link", "set", "nothere", "up")


def test_python_runs_inside_and_answers_in_json(netns, tmp_path):
    netns.ip("link", "add", "br0", "type", "bridge")
    code = """
        import json, socket, sys
        print(json.dumps([sys.argv[1:], sorted(name for _, name in socket.if_nameindex())]))
    """
    assert netns.python(code, "a", 1) == [["a", "1"], ["br0", "lo"]]
    script = tmp_path / "script.py"
    script.write_text("import json; print(json.dumps({'x': 1}))")
    assert netns.python(script) == {"x": 1}


def test_enter_moves_this_thread_and_those_it_starts_and_brings_it_back(netns):
    netns.ip("link", "add", "br0", "type", "bridge")
    outside = Path("/proc/thread-self/ns/net").readlink()
    seen = []
    with netns.enter():
        thread = threading.Thread(target=lambda: seen.append(socket.if_nametoindex("br0")))
        thread.start()
        thread.join()
        assert Path("/proc/sys/net/ipv6/conf/br0").is_dir()
    assert seen
    assert Path("/proc/thread-self/ns/net").readlink() == outside
    with pytest.raises(OSError):
        socket.if_nametoindex("br0")


def test_namespaces_are_apart_and_children_are_killed_with_them(new_netns):
    one, two = new_netns(), new_netns()
    one.ip("link", "add", "br0", "type", "bridge")
    assert two.link_names() == set()
    child = two.popen(["sleep", "600"])
    assert child.poll() is None
    two.close()
    assert child.poll() == -9
    assert not Path("/run/netns", two.name).exists()


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        (["ip", "link", "set", "br0", "mtu", "1400"], "links/br0/mtu: 1500 -> 1400"),
        (["ip", "link", "set", "br0", "alias", "x"], "links/br0/ifalias: None -> x"),
        (["ip", "link", "set", "br0", "group", "7"], "links/br0/group"),
        (["ip", "link", "set", "br0", "promisc", "on"], "links/br0/promiscuity: 0 -> 1"),
        (["ip", "link", "set", "br0", "down"], "links/br0/flags"),
        (["ip", "link", "set", "v1", "nomaster"], "links/v1/master: br0 -> None"),
        (["ip", "link", "set", "v1", "address", "02:00:00:00:00:09"], "links/v1/address"),
        (["ip", "link", "set", "br0", "type", "bridge", "ageing_time", "0"], "links/br0/linkinfo/info_data"),
        (["ip", "link", "delete", "v1"], "links/v1"),
        (["ip", "addr", "add", "192.0.2.1/24", "dev", "br0"], "addresses/br0"),
        (["ip", "route", "add", "198.51.100.0/24", "dev", "br0"], "routes/-4: new"),
        (["ip", "rule", "add", "from", "192.0.2.9", "table", "9"], "rules/-4: new"),
        (["sysctl", "-qw", "net.ipv4.conf.br0.arp_ignore=1"], "sysctls/ipv4/br0/arp_ignore: 0 -> 1"),
        (["iptables", "-A", "FORWARD", "-i", "br0", "-j", "DROP"], "firewall/iptables-save: new: filter: -A FORWARD"),
        (["ip6tables", "-N", "ours"], "firewall/ip6tables-save: new: filter: :ours"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_snapshot_sees(netns, change, shown):
    netns.ip("link", "add", "br0", "type", "bridge")
    netns.ip("link", "add", "v1", "type", "veth", "peer", "name", "v2")
    netns.ip("link", "set", "v1", "master", "br0")
    netns.ip("link", "set", "br0", "up")
    before = netns.snapshot()
    netns.run(change)
    seen = differences(before, netns.snapshot())
    assert any(line.startswith(shown) for line in seen), seen


def test_snapshot_is_equal_when_a_change_was_taken_back(netns):
    netns.ip("link", "add", "br0", "type", "bridge")
    netns.ip("addr", "add", "192.0.2.1/24", "dev", "br0")
    netns.ip("link", "set", "br0", "up")
    before = netns.snapshot()
    netns.ip("link", "add", "v1", "type", "veth", "peer", "name", "v2")
    netns.ip("link", "set", "v1", "master", "br0", "up")
    netns.run(["iptables", "-I", "FORWARD", "-j", "ACCEPT"])
    netns.run(["iptables", "-D", "FORWARD", "-j", "ACCEPT"])
    assert differences(before, netns.snapshot())
    netns.ip("link", "delete", "v1")
    after = netns.snapshot()
    assert differences(before, after) == [] or differences(before, after)[0].startswith("links/br0/address")


def test_monitor_sees_every_kind_of_write(netns):
    netns.ip("link", "add", "br0", "type", "bridge")
    with netns.monitor() as monitor:
        netns.ip("link", "set", "br0", "mtu", "1400")
        netns.ip("addr", "add", "192.0.2.1/24", "dev", "br0")
        netns.ip("link", "add", "v1", "type", "veth", "peer", "name", "v2")
        netns.ip("link", "set", "v1", "master", "br0")
        netns.run(["iptables", "-I", "FORWARD", "-j", "ACCEPT"])
        netns.ip("link", "delete", "v1")
    assert {"newlink br0", "newaddr br0", "newlink v1", "newlink v2", "dellink v1", "nft-newgen"} <= set(
        monitor.kinds()
    )


def test_monitor_sees_nothing_where_nothing_is_written(netns):
    netns.ip("link", "add", "br0", "type", "bridge")
    netns.ip("link", "set", "br0", "up")
    netns.ip("link", "add", "v1", "type", "veth", "peer", "name", "v2")
    netns.ip("link", "set", "v1", "master", "br0", "up")
    netns.ip("link", "set", "v2", "up")
    with netns.monitor() as monitor:
        netns.snapshot()
        netns.run(["cat", "/proc/sys/net/ipv6/conf/br0/disable_ipv6"])
    assert monitor.events == []
