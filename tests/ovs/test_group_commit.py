# SPDX-License-Identifier: Apache-2.0
"""What several threads plug and unplug while the switch is busy is one transaction; who fails, fails alone."""

from __future__ import annotations

import threading
import time

import pytest

from os_vif import exception
from support import ovs_vifs
from support.ovsdb_proxy import LOSE_ANSWER, LOSE_REQUEST, Fault

TAP = {"create_port": True, "create_tap": True}
LONG = 30


@pytest.fixture
def host(host_on, switch, proxy):
    """A host whose way to the database goes through the proxy, and whose threads wait for each other patiently."""
    host = host_on(switch, ovsdb_connection=proxy.remote)
    host.engine.plugs.patience = host.engine.unplugs.patience = LONG
    return host


def at_once(proxy, turns, act, vifs):
    """One thread for each VIF; the transaction of the first lasts until all others have come. Errors by VIF."""
    first_came, errors = threading.Event(), {}

    def hold():
        first_came.set()
        end = time.monotonic() + LONG
        while turns.waiting() < len(vifs) - 1:
            assert time.monotonic() < end
            time.sleep(0.001)

    def one(vif):
        try:
            act(vif)
        except exception.HostError as error:
            errors[vif.id] = error

    proxy.faults.insert(0, Fault(hold))
    threads = [threading.Thread(target=one, args=(vif,)) for vif in vifs]
    for thread in threads:
        thread.start()
        assert first_came.wait(LONG)
    for thread in threads:
        thread.join(LONG)
    return errors


def native(count):
    return [ovs_vifs.native(**TAP, number=number) for number in range(1, count + 1)]


def taps(vifs):
    return {vif.vif_name for vif in vifs}


def test_sixteen_threads_need_two_transactions(switch, host, proxy):
    """To plug: the first thread's, and one for the fifteen that have come meanwhile. The same to unplug."""
    vifs = native(16)
    with switch.watch() as watch:
        assert at_once(proxy, host.engine.plugs, host.plug, vifs) == {}
        assert len(watch.changes()) == 2
        assert set(switch.rows("Port")) == {"br-int", *taps(vifs)}
        assert all(row["ofport"] > 0 for row in switch.rows("Interface").values() if row["name"] != "br-int")
        assert [host.plan(vif) for vif in vifs] == [[]] * 16
        assert at_once(proxy, host.engine.unplugs, host.unplug, vifs) == {}
        assert len(watch.changes()) == 2
    assert set(switch.rows("Port")) == {"br-int"}
    assert switch.ns.link_names() & taps(vifs) == set()


def test_each_thread_is_told_of_its_own_vif(switch, host, proxy):
    """The plan that it gets has the steps of that VIF, and no others'."""
    plans = {}
    at_once(proxy, host.engine.plugs, lambda vif: plans.update({vif.id: host.plug(vif)}), vifs := native(4))
    for vif in vifs[1:]:
        assert {step.device for step in plans[vif.id]} == {vif.vif_name}
        assert plans[vif.id].vif_id == vif.id


def test_a_bad_one_fails_alone(switch, host, proxy):
    """Its interface id is another's already; what it had come to by then is undone, the others are plugged."""
    vifs = native(6)
    taken = switch.vsctl(
        "add-br", "br-other", "--", "set", "Interface", "br-other", f"external_ids:iface-id={vifs[3].id}"
    )
    assert taken == ""
    errors = at_once(proxy, host.engine.plugs, host.plug, vifs)
    assert {vif_id: str(error) for vif_id, error in errors.items()} == {
        vifs[3].id: "Could not add port tap6d3e0004-4c to Open vSwitch bridge br-int (device tap6d3e0004-4c, VIF"
        f" {vifs[3].id}): another interface has the iface-id {vifs[3].id} already"
    }
    good = [vif for vif in vifs if vif is not vifs[3]]
    assert set(switch.rows("Port")) == {"br-int", "br-other", *taps(good)}
    assert switch.ns.link_names() & taps(vifs) == taps(good)
    assert [host.plan(vif) for vif in good] == [[]] * 5


def test_one_that_the_switch_cannot_open_fails_alone(switch, host, proxy):
    """The error is the switch's word on that interface."""
    vifs = [*native(4), ovs_vifs.vhost_user("client", number=9)]
    errors = at_once(proxy, host.engine.plugs, host.plug, vifs)
    assert list(errors) == [vifs[4].id]
    assert "vhu6d3e0009-4c" in str(errors[vifs[4].id])
    assert set(switch.rows("Port")) == {"br-int", *taps(vifs[:4])}


@pytest.mark.parametrize("what", [LOSE_ANSWER, LOSE_REQUEST])
def test_a_lost_reply_to_a_group(switch, host, proxy, what):
    """It is found out whether the transaction was done; no thread notices, and no row is there twice."""
    vifs = native(8)
    for turns, act, left in ((host.engine.plugs, host.plug, taps(vifs)), (host.engine.unplugs, host.unplug, set())):
        proxy.faults = [Fault(what)]
        assert at_once(proxy, turns, act, vifs) == {}
        assert [fault.times for fault in proxy.faults] == [0, 0]
        assert set(switch.rows("Port")) == set(switch.rows("Interface")) == {"br-int", *left}


def test_who_needs_nothing_is_left_alone(switch, host, proxy):
    """One VIF of a group is plugged already, and is as it should be: its record stays as it was."""
    vifs = native(5)
    host.plug(vifs[4])
    (before,) = host.engine.journal.records()
    assert at_once(proxy, host.engine.plugs, host.plug, vifs) == {}
    records = {record.vif_id: record for record in host.engine.journal.records()}
    assert records[vifs[4].id] == before
    assert len(records) == 5
