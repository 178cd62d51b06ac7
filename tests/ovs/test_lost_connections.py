# SPDX-License-Identifier: Apache-2.0
"""Whatever happens to the connection to the database, a VIF is plugged once, or not at all and one error says why."""

from __future__ import annotations

import json
import re

import pytest

from os_vif import exception
from support import ovs_vifs
from support.ovsdb_proxy import LOSE_ANSWER, LOSE_REQUEST, NO_ANSWER, Fault, writes

TAP = {"create_port": True, "create_tap": True}


@pytest.fixture
def host(host_on, switch, proxy):
    """A host whose way to the database goes through the proxy."""
    return host_on(switch, ovsdb_connection=proxy.remote, ovs_vsctl_timeout=10)


def anything(message):
    return message.get("method") == "transact"


@pytest.mark.parametrize("what", [LOSE_ANSWER, LOSE_REQUEST])
@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("kind", ["hybrid", "tap", "per-port bridge"])
def test_a_plug_is_done_once(switch, host_on, proxy, what, times, kind):
    """The answer is lost after the commit, or the request before it: rows are as without, and there is no error."""
    options = {"per_port_bridge": kind == "per-port bridge"}
    vif = ovs_vifs.hybrid() if kind == "hybrid" else ovs_vifs.native(**TAP)
    undisturbed = host_on(switch, **options)
    undisturbed.plug(vif)
    expected = switch.look()
    undisturbed.unplug(vif)
    switch.clean()
    proxy.faults = [Fault(what, times=times)]
    host = host_on(switch, ovsdb_connection=proxy.remote, **options)
    host.plug(vif)
    assert switch.look() == expected
    assert proxy.faults[0].times == 0 or what == LOSE_ANSWER
    proxy.faults = [Fault(what, times=times)]
    host.unplug(vif)
    assert set(switch.rows("Port")) == {"br-int"}


def test_a_lost_question_is_asked_again(switch, host, proxy):
    """Every first answer on a connection is lost, reading and writing alike."""
    proxy.faults = [Fault(LOSE_ANSWER, to=anything, times=5)]
    host.plug(ovs_vifs.native(**TAP))
    assert set(switch.rows("Port")) == {"br-int", ovs_vifs.tap()}
    assert proxy.connections == 6


BAD_ANSWERS = {
    "not JSON": (b"\x7fELF and so on", "the server does not speak JSON-RPC: '\\x7fELF and so on' is not the beginning"),
    "not UTF-8": (b'{"id": "\xff\xfe"}', "the server does not speak JSON-RPC: 'utf-8' codec can't decode byte 0xff"),
    "broken JSON": (
        b'{"id": 1, nonsense, "more": [1, 2, 3]}',
        "the server does not speak JSON-RPC: Expecting property",
    ),
    "a list": (b"[1, 2, 3]", "the server does not speak JSON-RPC: '[1, 2, 3]' is not the beginning of an object"),
    "neither request nor answer": (b'{"id": 1}', 'the server does not speak JSON-RPC: {"id": 1} is neither a request'),
    "another id": (
        b'{"id": 4711, "result": [], "error": null}',
        "the server does not speak JSON-RPC: it answers a request that was not made (4711)",
    ),
    "an id of another type": (
        b'{"id": [1], "result": [], "error": null}',
        "the server does not speak JSON-RPC: it answers a request that was not made ([1])",
    ),
}


@pytest.mark.parametrize(("answer", "words"), BAD_ANSWERS.values(), ids=BAD_ANSWERS)
def test_a_malformed_answer_is_an_error_and_all_is_undone(switch, host, proxy, answer, words):
    """What the server did is not known, so it is undone; one error tells what came. The next plug works."""
    vif = ovs_vifs.native(**TAP)
    switch.vsctl("add-br", "br-int", "--", "set", "Bridge", "br-int", "datapath_type=netdev")
    before, seen = switch.look(), switch.ns.snapshot()
    proxy.faults = [Fault(answer)]
    with pytest.raises(exception.StepFailed) as caught:
        host.plug(vif)
    assert str(caught.value).startswith(
        "Could not add port tap6d3e0001-4c to Open vSwitch bridge br-int (device tap6d3e0001-4c, VIF"
        f" 6d3e0001-4c2d-4b8e-9d5e-3c1f0a9b8c7d): the connection to {proxy.remote} was lost: {words}"
    ), str(caught.value)
    switch.settle()
    assert (switch.look(), switch.ns.snapshot()) == (before, seen)
    host.plug(vif)
    assert host.plan(vif) == []


WRONG_SHAPES = {
    "no list": (b'"result": {"x": 1}', "{'x': 1}\", which is no list of results"),
    "too short": (b'"result": [{}]', "'[{}]', which does not fit what it was asked"),
    "no objects": (b'"result": [1,2,3,4,5,6,7,8,9]', "'[1, 2, 3, 4, 5, 6, 7, 8, 9]', which does not fit"),
}


@pytest.mark.parametrize(("result", "words"), WRONG_SHAPES.values(), ids=WRONG_SHAPES)
def test_an_answer_of_the_wrong_shape_is_an_error(switch, host, proxy, result, words):
    """JSON-RPC it is, but no answer to what was asked: reading fails before anything is touched, writing is undone."""
    vif = ovs_vifs.native(**TAP)

    def spoil(to):
        def remember(message):
            if to(message):
                fault.what = b'{"id": %d, "error": null, %b}' % (message["id"], result)
                return True
            return False

        fault = Fault(b"", to=remember)
        proxy.faults = [fault]

    switch.vsctl("add-br", "br-int", "--", "set", "Bridge", "br-int", "datapath_type=netdev")
    before, seen = switch.look(), switch.ns.snapshot()
    for to in (anything, writes):
        spoil(to)
        with pytest.raises(exception.StepFailed, match=re.escape(words)):
            host.plug(vif)
        switch.settle()
        assert (switch.look(), switch.ns.snapshot()) == (before, seen)


#: What a row of each table has, in the form of the schema.
ROW = {
    "_uuid": ["uuid", "0e5f3b8e-2f0d-4b0f-9a52-6f766969d0b5"], "name": "br-int", "datapath_type": "netdev",
    "external_ids": ["map", []], "ports": ["set", []], "qos": ["set", []], "type": "", "options": ["map", []],
    "mtu_request": ["set", []], "ofport": 1, "error": ["set", []], "datapath_types": "netdev",
    "iface_types": ["set", ["internal", "patch"]],
}  # fmt: skip

WRONG_COLUMNS = {
    "_uuid": (5, "Bridge._uuid is 5, and not a UUID"),
    "name": (["a"], "Bridge.name is ['a'], and not a string"),
    "external_ids": (["map", [["a"]]], "Bridge.external_ids is ['map', [['a']]], and not a map of strings"),
    "ports": ([], "Bridge.ports is [], and not a set of UUIDs"),
    "qos": (["set", [1]], "Port.qos is ['set', [1]], and not a UUID, or none"),
    "ofport": ("1", "Interface.ofport is '1', and not a number, or none"),
    "mtu_request": (True, "Interface.mtu_request is True, and not a number, or none"),
    "error": ({}, "Interface.error is {}, and not a string, or none"),
    "options": (["set", []], "Interface.options is ['set', []], and not a map of strings"),
    "iface_types": (["set", [["x"]]], "Open_vSwitch.iface_types is ['set', [['x']]], and not a set of strings"),
}


@pytest.mark.parametrize("column", WRONG_COLUMNS)
def test_a_column_of_another_type_is_an_error(switch, host, proxy, column):
    """Nothing is touched; a row that lacks the column is told of too."""
    value, words = WRONG_COLUMNS[column]

    def spoil(row):
        def results(message):
            operations = message["params"][1:]
            return [{"rows": [{name: row[name] for name in one["columns"] if name in row}]} for one in operations]

        def to(message):
            if anything(message):
                text = json.dumps({"id": message["id"], "error": None, "result": results(message)})
                fault.what = text.encode()
                return True
            return False

        fault = Fault(b"", to=to)
        proxy.faults = [fault]

    before = switch.look()
    for row, complaint in ((ROW | {column: value}, words), (ROW, "")):
        spoil({name: one for name, one in row.items() if complaint or name != column})
        with pytest.raises(exception.StepFailed) as caught:
            host.plug(ovs_vifs.native(**TAP))
        assert f"the server's answer is not of its schema: {complaint or 'a row of'}" in str(caught.value)
        assert complaint or f"has no column {column}" in str(caught.value)
    assert switch.look() == before


def test_an_error_of_the_server_is_told_in_its_words(switch, host, proxy):
    """The server refuses the request itself."""

    def refuse(message):
        fault.what = b'{"id": %d, "error": {"error": "not allowed", "details": "go away"}}' % message["id"]
        return anything(message)

    fault = Fault(b"", to=refuse)
    proxy.faults = [fault]
    with pytest.raises(exception.StepFailed) as caught:
        host.plug(ovs_vifs.native(**TAP))
    assert str(caught.value) == (
        f"Could not read the database of Open vSwitch at {proxy.remote} (device br-int, VIF"
        " 6d3e0001-4c2d-4b8e-9d5e-3c1f0a9b8c7d): not allowed: go away"
    )
    assert switch.rows("Bridge") == {}


def test_a_server_that_does_not_answer_is_given_up(switch, host_on, proxy):
    """The deadline is the one of the option, the error says what was waited for, and everything is undone."""
    host = host_on(switch, ovsdb_connection=proxy.remote, ovs_vsctl_timeout=1)
    before = switch.ns.link_names()
    proxy.faults = [Fault(NO_ANSWER)]
    with pytest.raises(exception.StepFailed) as caught:
        host.plug(ovs_vifs.native(**TAP))
    assert str(caught.value).endswith("Gave up after 1 seconds while waiting for the answer to transact from OVSDB.")
    assert switch.rows("Port") == {}
    switch.settle()
    assert switch.ns.link_names() - {"ovs-netdev"} == before - {"ovs-netdev"}
    proxy.faults = [Fault(NO_ANSWER, to=anything)]
    with pytest.raises((exception.StepFailed, exception.DeadlineExceeded), match="Gave up after 1 seconds"):
        host.plug(ovs_vifs.native(**TAP))


def test_nobody_listens(switch, host_on):
    """Every remote is named with its reason, when the time of the option is over; nothing was touched."""
    host = host_on(switch, ovsdb_connection="unix:/nosuch,tcp:127.0.0.1:1", ovs_vsctl_timeout=1)
    with switch.ns.monitor(quiet=0) as monitor, pytest.raises(exception.StepFailed) as caught:
        host.plug(ovs_vifs.native(**TAP))
    assert str(caught.value) == (
        "Could not read the database of Open vSwitch at unix:/nosuch,tcp:127.0.0.1:1 (device br-int, VIF"
        " 6d3e0001-4c2d-4b8e-9d5e-3c1f0a9b8c7d): no OVSDB server could be reached (unix:/nosuch: No such file or"
        " directory; tcp:127.0.0.1:1: Connection refused)"
    )
    assert monitor.events == []


def test_the_first_remote_that_answers_is_used(switch, host_on):
    """As ovsdb(7) has it: several, separated by commas."""
    host = host_on(switch, ovsdb_connection=f"unix:/nosuch, tcp:127.0.0.1:1,{switch.remote}")
    host.plug(ovs_vifs.native(**TAP))
    assert ovs_vifs.tap() in switch.rows("Port")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "'' is empty."),
        (" , ", "' , ' is empty."),
        ("unix:", "'unix:' is not one of unix:PATH, tcp:HOST:PORT and ssl:HOST:PORT."),
        ("/run/db.sock", "'/run/db.sock' is not one of unix:PATH, tcp:HOST:PORT and ssl:HOST:PORT."),
        ("tcp:127.0.0.1:0", "'tcp:127.0.0.1:0' has no port between 1 and 65535: '0'."),
        ("tcp:127.0.0.1:http", "'tcp:127.0.0.1:http' has no port between 1 and 65535: 'http'."),
        ("ssl:[::1]:70000", "'ssl:[::1]:70000' has no port between 1 and 65535: '70000'."),
    ],
)
def test_a_remote_that_is_none_is_refused(host_on, switch, text, words):
    """Before anything is tried."""
    with pytest.raises(exception.InvalidRequest) as caught:
        host_on(switch, ovsdb_connection=text).plug(ovs_vifs.native(**TAP))
    assert str(caught.value) == f"ovsdb_connection: {words}"
