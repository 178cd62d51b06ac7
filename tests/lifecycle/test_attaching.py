# SPDX-License-Identifier: Apache-2.0
"""Attach gives a guest an interface that works, and detach, or a failure, leaves nothing."""

from __future__ import annotations

import pytest

from lifecycle.hosts import guest
from os_vif import exception
from os_vif.hypervisors.netns import NetnsDriver
from os_vif.networks.local.driver import LocalDriver


def test_two_guests_talk_and_leave_without_a_trace(host, networks, new_netns):
    one, two = new_netns(), new_netns()
    addresses = []
    for number, namespace in enumerate((one, two), 1):
        done = host.attach(guest(namespace, number))
        addresses.append(networks.driver().show(str(done.answer.vif.id)).ip_addresses[0])
    assert done.answer.choice == "bridge"
    assert set(host.attachments().values()) == {"active"}
    assert networks.bindings() == {"one": "ACTIVE"}
    one.run(["ping", "-c", "1", "-w", "60", addresses[1]])
    for number, namespace in enumerate((one, two), 1):
        host.detach(guest(namespace, number))
    assert networks.ports() == []
    assert host.traces() == []
    assert one.link_names() == set()


def test_attaching_again_changes_nothing(host, networks, new_netns):
    spec = guest(new_netns())
    first = host.attach(spec)
    ports = networks.ports()
    with host.ns.monitor() as monitor:
        second = host.attach(spec)
    assert monitor.events == []
    assert networks.ports() == ports
    assert second.answer == first.answer


def test_a_guest_has_several_interfaces_on_one_network(host, networks, new_netns):
    namespace = new_netns()
    for name in ("first", "second"):
        host.attach(guest(namespace, name=name))
    assert namespace.link_names() == {"eth0", "eth1"}
    host.detach(guest(namespace, name="first"))
    assert namespace.link_names() == {"eth1"}
    assert len(networks.ports()) == 1


class TheFault(exception.HypervisorError):
    """What a test has a step fail with."""


def fail(*arguments, **named):
    raise TheFault("the test's fault")


@pytest.mark.parametrize(
    ("side", "step"),
    [(NetnsDriver, "render"), (NetnsDriver, "attach"), (LocalDriver, "activate")],
)
def test_whichever_step_fails_nothing_is_left(host, networks, new_netns, monkeypatch, side, step):
    namespace = new_netns()
    monkeypatch.setattr(side, step, fail)
    with pytest.raises(TheFault):
        host.attach(guest(namespace))
    assert networks.ports() == []
    assert host.traces() == []
    assert namespace.link_names() == set()


def test_a_device_in_the_way_leaves_nothing(host, networks, new_netns):
    """Plugging fails: the network's bridge has the name of somebody's device of another kind."""
    networks.create("red", bridge="taken", cidrs=["198.51.100.0/24"])
    host.ns.ip("link", "add", "taken", "type", "veth", "peer", "name", "other")
    with pytest.raises(exception.PlugException, match="Device taken is in the way"):
        host.attach(guest(new_netns(), network="red"))
    assert networks.ports() == []
    assert host.attachments() == {}
    host.ns.ip("link", "del", "taken")
    assert host.traces() == []


def test_a_repetition_that_fails_does_not_take_away_what_worked(host, networks, new_netns, monkeypatch):
    spec = guest(new_netns())
    host.attach(spec)
    before = host.ns.snapshot(), networks.ports(), host.attachments()
    with monkeypatch.context() as patch:
        patch.setattr(NetnsDriver, "attach", fail)
        with pytest.raises(TheFault):
            host.attach(spec)
    assert (host.ns.snapshot(), networks.ports(), host.attachments()) == before


def test_undoing_that_fails_is_told_and_can_be_gone_on_with(host, networks, new_netns, monkeypatch):
    spec = guest(new_netns())
    with monkeypatch.context() as patch:
        patch.setattr(NetnsDriver, "attach", fail)
        patch.setattr(LocalDriver, "unbind", fail)
        with pytest.raises(exception.UndoFailed) as caught:
            host.attach(spec)
    assert str(caught.value) == ("the test's fault. Undoing failed as well: could not unbind it: the test's fault.")
    assert len(networks.ports()) == 1
    host.detach(spec)
    assert networks.ports() == []
    assert host.traces() == []


def test_nothing_acceptable_names_every_candidate(host, networks, new_netns):
    """Both those that the network side refuses and those that this host has withdrawn; nothing is left."""
    networks.create("green", switch="ovs", cidrs=["198.51.100.0/24"])
    with pytest.raises(exception.BindingRefused) as caught:
        host.attach(guest(new_netns(), network="green"))
    told = {refusal.candidate: refusal.code for refusal in caught.value.refusals}
    assert told == {"bridge": "unsupported-type", "ovs": "withdrawn", "ovs-hybrid": "withdrawn"}
    assert networks.ports() == []
    assert host.traces() == []


def test_detaching_what_is_not_attached_says_so(host, new_netns):
    with pytest.raises(exception.NotAttached, match="has no interface on blue here"):
        host.detach(guest(new_netns()))
