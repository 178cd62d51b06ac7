# SPDX-License-Identifier: Apache-2.0
"""Ways to cut off guests on Open vSwitch: each is seen by their packets, told by a check, and mended or left."""

from __future__ import annotations

import contextlib
import json
import signal
import time
from dataclasses import dataclass

import pytest

import os_vif
from os_vif.loading import plugins
from os_vif.plugging import current
from support import ovs_vifs, vifs
from support.pinging import comes_to_reach, reaches
from support.vif_command import command

KINDS = {
    "native": [ovs_vifs.native(number=number, create_port=True) for number in (1, 2)],
    "hybrid": [ovs_vifs.hybrid(number=number) for number in (1, 2)],
}
#: The port of the switch and the guest's own device.
PORTS = {"native": "tap6d3e0001-4c", "hybrid": "qvo6d3e0001-4c"}
TAP = "tap6d3e0001-4c"


@dataclass(frozen=True)
class Breakage:
    """``commands`` are run on the host, by a shell: {vsctl}, {ofctl} and {port} stand for what they say.

    ``code``: of the degradation; "" where the check says "differs".
    """

    commands: str
    code: str
    text: str
    mends: str = ""


BREAKAGES = {
    "the guest's device down": Breakage("ip link set {tap} down", "", "not done: bring {tap} up"),
    "no port": Breakage("{vsctl} del-port {port}", "", "not done: add port {port} to Open vSwitch bridge br-int"),
    "a VLAN of its own": Breakage(
        "{vsctl} set Port {port} tag=7",
        "wrong-vlan",
        "Port {port} is in VLAN 7, where nobody else is: neither os-vif nor an agent put it there.",
        "{vsctl} clear Port {port} tag",
    ),
    "another VLAN than its agent's": Breakage(
        "for p in {port} {other}; do {vsctl} set Port $p tag=5 other_config:tag=5; done; {vsctl} set Port {port} tag=7",
        "wrong-vlan",
        "Port {port} is in VLAN 7, and Neutron's agent put it into VLAN 5.",
        "{vsctl} set Port {port} tag=5",
    ),
    "the dead VLAN": Breakage(
        "{vsctl} set Port {port} tag=4095; {ofctl} add-flow {mgmt} priority=65535,dl_vlan=4095,actions=drop",
        "dead-vlan",
        "Port {port} is in the dead VLAN 4095: it reaches nobody.",
        "{vsctl} clear Port {port} tag",
    ),
    "trunks": Breakage(
        "{vsctl} set Port {port} vlan_mode=trunk trunks=8,9",
        "wrong-vlan",
        "Port {port} takes only what is tagged with VLAN 8, 9: the guest's frames are not.",
        "{vsctl} clear Port {port} vlan_mode trunks",
    ),
    "a flow that drops": Breakage(
        "{ofctl} add-flow {mgmt} priority=100,in_port={port},actions=drop",
        "flow-drop",
        "Flows of bridge br-int drop all that comes from port {port}: table 0, in_port={number}, priority 100.",
        "{ofctl} del-flows --strict {mgmt} priority=100,in_port={port}",
    ),
    "a flow of a later table": Breakage(
        "{ofctl} add-flow {mgmt} 'priority=9,in_port={port},actions=resubmit(,60)';"
        " {ofctl} add-flow {mgmt} table=60,priority=3,dl_src=52:54:00:00:00:01,actions=drop",
        "flow-drop",
        "Flows of bridge br-int drop all that comes from port {port}: table 60, dl_src=52:54:00:00:00:01, priority 3.",
        "{ofctl} del-flows --strict {mgmt} priority=9,in_port={port}",
    ),
    "no flows": Breakage(
        "{ofctl} del-flows {mgmt}",
        "flow-drop",
        "Flows of bridge br-int drop all that comes from port {port}: table 0, no match.",
        "{ofctl} add-flow {mgmt} priority=0,actions=normal",
    ),
}

#: kind, device: what of a VIF is renamed.
RENAMED = [("hybrid", "qbr6d3e0001-4c"), ("hybrid", "qvb6d3e0001-4c"), ("hybrid", "qvo6d3e0001-4c")]

DAEMON = {
    "ended": (lambda switch: _stopped(switch, signal.SIGTERM), "switch-dead"),
    "killed": (lambda switch: _stopped(switch, signal.SIGKILL), "switch-dead"),
    "hanging": (lambda switch: switch.frozen("ovs-vswitchd"), "switch-hangs"),
}
TEXTS = {
    "switch-dead": "ovs-vswitchd does not run: nobody acts on what is in the database of Open vSwitch.",
    "switch-hangs": "ovs-vswitchd does not answer: asked for its version, it said nothing within 3 seconds.",
}


@contextlib.contextmanager
def _stopped(switch, how):
    switch.stop("ovs-vswitchd", how)
    yield
    switch.start_vswitchd()


@pytest.fixture
def api_on(host_on, monkeypatch):
    """The public functions, on a host that plugs into a switch: api_on(switch)."""

    def make(switch, **options):
        host = host_on(switch, **options)
        os_vif.initialize()
        monkeypatch.setitem(plugins.plugins(), "ovs", host.plugin)
        current.use(host.engine)
        return host

    yield make
    current.use(None)


@pytest.fixture
def api(api_on, switch):
    return api_on(switch)


@pytest.fixture
def guests_of(guest):
    """Two guests that reach each other: guests_of(api, "native")."""

    def make(api, kind):
        api.plug(*KINDS[kind])
        pair = [
            guest(vif.bridge_name if kind == "hybrid" else "", vif.vif_name, f"10.0.0.{number}/24")
            for number, vif in enumerate(KINDS[kind], 1)
        ]
        assert comes_to_reach(pair[1], "10.0.0.1")
        assert check(api, kind).state == "ok"
        return pair

    return make


def check(host, kind):
    return host.ns.inside(lambda: os_vif.check(KINDS[kind][0], vifs.INSTANCE))


def repair(host, kind):
    return [step.text for step in host.ns.inside(lambda: os_vif.repair(KINDS[kind][0], vifs.INSTANCE))]


def words(switch, kind):
    """What stands in texts and commands."""
    port = PORTS[kind]
    return {
        "tap": TAP,
        "port": port,
        "other": port.replace("0001", "0002"),
        "number": switch.rows("Interface")[port]["ofport"],
        "vsctl": f"ovs-vsctl --db={switch.remote}",
        "ofctl": "ovs-ofctl",
        "mgmt": f"unix:{switch.directory}/br-int.mgmt",
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", BREAKAGES)
def test_a_guest_that_is_cut_off_is_not_ok(switch, api, guests_of, name, kind):
    """What os-vif made is mended; what is the network side's is told, and left."""
    guests = guests_of(api, kind)
    breakage, known = BREAKAGES[name], words(switch, kind)
    switch.ns.run(["sh", "-ec", breakage.commands.format(**known)])
    switch.settle()
    for one in guests:
        one.ip("neighbour", "flush", "all")
    assert not reaches(guests[1], "10.0.0.1")
    found = check(api, kind)
    if breakage.code:
        told = [(one.code, one.object, one.text) for one in found.degradations]
        assert told == [(breakage.code, known["port"], breakage.text.format(**known))]
        assert (found.state, found.differences, repair(api, kind)) == ("degraded", (), [])
        switch.ns.run(["sh", "-ec", breakage.mends.format(**known)])
    else:
        assert found.differences[0] == breakage.text.format(**known)
        assert (found.state, found.repairable) == ("differs", True)
        assert repair(api, kind)
    assert comes_to_reach(guests[1], "10.0.0.1")
    assert check(api, kind).state == "ok"


@pytest.mark.parametrize(("kind", "device"), RENAMED)
def test_a_device_that_was_renamed_gets_its_name_back(switch, api, guests_of, kind, device):
    """And is not made a second time."""
    guests = guests_of(api, kind)
    before = {name: switch.ns.link(name)["ifindex"] for name in switch.ns.link_names()}
    for change in (["down"], ["name", "other"]):
        switch.ns.ip("link", "set", device, *change)
    switch.ns.ip("link", "set", "other", "up")
    assert check(api, kind).differences == (f"{device} was renamed to other",)
    assert repair(api, kind)[0] == f"rename other back to {device}"
    assert {name: switch.ns.link(name)["ifindex"] for name in switch.ns.link_names()} == before
    assert comes_to_reach(guests[1], "10.0.0.1")
    assert check(api, kind).state == "ok"


@pytest.mark.parametrize("how", DAEMON)
def test_a_switch_that_does_not_work_is_not_ok(new_switch, api_on, new_netns, how):
    """Its database is there, and has all that it shall have."""
    switch = new_switch()
    api = api_on(switch)
    api.plug(*KINDS["native"])
    _, second = (_guest(switch, new_netns(), number) for number in (1, 2))
    assert comes_to_reach(second, "10.0.0.1")
    assert check(api, "native").state == "ok"
    breaking, code = DAEMON[how]
    with breaking(switch):
        assert not reaches(second, "10.0.0.1")
        found = check(api, "native")
        assert [(one.code, one.object, one.text) for one in found.degradations] == [(code, "ovs-vswitchd", TEXTS[code])]
        assert (found.state, found.differences) == ("degraded", ())
    assert comes_to_reach(second, "10.0.0.1")
    assert check(api, "native").state == "ok"


def _guest(switch, other, number):
    tap = ovs_vifs.tap(number)
    switch.ns.ip("link", "add", tap, "mtu", "1450", "type", "veth", "peer", "name", "eth0", "netns", other.name)
    switch.ns.ip("link", "set", tap, "up")
    other.ip("address", "add", f"10.0.0.{number}/24", "dev", "eth0")
    other.ip("link", "set", "eth0", "mtu", "1450", "up")
    return other


def test_a_switch_that_hangs_is_waited_for_once_by_many_vifs(new_switch, host_on, tmp_path):
    """Not three seconds for each."""
    switch = new_switch()
    many = [ovs_vifs.native(number=number, create_port=True) for number in range(1, 41)]
    host_on(switch).plug(*many)
    config, file = tmp_path / "vif.conf", tmp_path / "vifs.json"
    config.write_text(f"[os_vif_ovs]\novsdb_connection = {switch.remote}\n")
    pairs = [{"vif": vif.obj_to_primitive(), "instance": vifs.INSTANCE.obj_to_primitive()} for vif in many]
    file.write_text(json.dumps(pairs))
    with switch.frozen("ovs-vswitchd"):
        began = time.monotonic()
        checked = switch.ns.run(
            [command(), "check", file, "--state-dir", tmp_path, "--config-file", config, "-o", "json"], check=False
        )
        seconds = time.monotonic() - began
    assert checked.returncode == 7
    assert {one["code"] for result in json.loads(checked.stdout) for one in result["degradations"]} == {"switch-hangs"}
    assert seconds < 3 * len(many) / 2


@pytest.mark.parametrize("how", ["deleted", "moved"])
def test_a_device_that_vanished_from_under_the_switch_is_not_ok(switch, api, guests_of, new_netns, how):
    """It was there, as the switch knows; that of a guest that is to start never was."""
    _, second = guests_of(api, "native")
    elsewhere = new_netns()
    switch.ns.ip("link", *(["delete", TAP] if how == "deleted" else ["set", TAP, "netns", elsewhere.name]))
    switch.settle()
    assert not reaches(second, "10.0.0.1")
    found = check(api, "native")
    text = f"Device {TAP}, which Open vSwitch had open, is gone: deleted, renamed, or moved elsewhere."
    assert (found.state, [(one.code, one.text) for one in found.degradations]) == (
        "degraded",
        [("device-vanished", text)],
    )
    assert repair(api, "native") == []
    if how == "moved":
        elsewhere.ip("link", "set", TAP, "netns", switch.ns.name)
        switch.ns.ip("link", "set", TAP, "up")
        assert [one.code for one in check(api, "native").degradations] == ["port-stale"]


def test_a_device_that_was_made_anew_under_a_switch_in_userspace_is_not_ok(switch, api, guest, guests_of):
    """It says that all is well, and reads from the one that is no more."""
    _, second = guests_of(api, "native")
    switch.ns.ip("link", "delete", TAP)
    guest("", TAP, "10.0.0.1/24")
    switch.settle()
    assert not reaches(second, "10.0.0.1")
    found = check(api, "native")
    assert [(one.code, one.text) for one in found.degradations] == [
        ("port-stale", f"Open vSwitch has an earlier device of the name {TAP} open: this one gets nothing.")
    ]
    api.unplug(KINDS["native"][0])
    api.plug(KINDS["native"][0])
    assert comes_to_reach(second, "10.0.0.1")
    assert check(api, "native").state == "ok"


def test_what_the_switch_says_of_a_port_is_told(switch, api, guests_of):
    """In its own words."""
    guests_of(api, "native")
    switch.transact(
        {"op": "update", "table": "Interface", "where": [["name", "==", TAP]], "row": {"error": "it is on fire"}}
    )
    (found,) = check(api, "native").degradations
    assert (found.code, found.text) == ("port-error", f"Open vSwitch cannot use port {TAP}: it is on fire.")


def test_before_the_guest_starts_nothing_is_missed(switch, api):
    """Its device comes with it: that Open vSwitch cannot open it yet is as it should be."""
    api.plug(*KINDS["native"])
    switch.settle()
    assert switch.rows("Interface")[TAP]["error"]
    assert check(api, "native").state == "ok"


def test_a_vlan_that_leads_somewhere_is_somebodys_choice(switch, api, guests_of):
    """By hand, say: there is another port in it, or one that carries all."""
    guests_of(api, "native")
    switch.ns.ip("link", "add", "eth9", "type", "veth", "peer", "name", "wire")
    switch.vsctl("add-port", "br-int", "eth9", "--", "set", "Port", TAP, "tag=7")
    assert check(api, "native").state == "ok"


def test_the_port_that_a_hypervisor_has_made_is_looked_at(switch, api):
    """libvirt makes a native VIF's port itself, and Neutron's agent may not have come yet."""
    vif = ovs_vifs.native(number=1)
    api.plug(vif)
    switch.ns.ip("link", "add", TAP, "type", "veth", "peer", "name", "inside")
    switch.ns.ip("link", "set", TAP, "up")
    switch.vsctl("add-port", "br-int", TAP, "--", "set", "Interface", TAP, f"external_ids:iface-id={vif.id}")
    look = lambda: switch.ns.inside(lambda: os_vif.check(vif, vifs.INSTANCE))  # noqa: E731
    assert look().state == "ok"
    switch.vsctl("set", "Port", TAP, "tag=4095")
    assert [one.code for one in look().degradations] == ["dead-vlan"]


@pytest.mark.parametrize("kind", ["tap", "hybrid"])
def test_an_interface_that_was_made_internal_is_mended_by_one_repair(switch, api, kind):
    """The switch takes the device for its own then, and deletes it when it is none any more."""
    vif = ovs_vifs.native(create_port=True, create_tap=True) if kind == "tap" else ovs_vifs.hybrid()
    api.plug(vif)
    port = TAP if kind == "tap" else PORTS["hybrid"]
    before = switch.ns.link(port)["linkinfo"]
    switch.vsctl("set", "Interface", port, "type=internal")
    switch.settle()
    on_host = switch.ns.inside
    assert on_host(lambda: os_vif.check(vif, vifs.INSTANCE)).state == "differs"
    assert on_host(lambda: os_vif.repair(vif, vifs.INSTANCE))
    for _ in range(2):
        assert on_host(lambda: os_vif.check(vif, vifs.INSTANCE)).state == "ok"
        switch.settle()
    assert switch.rows("Interface")[port]["type"] == ""
    assert switch.ns.link(port)["linkinfo"] == before
