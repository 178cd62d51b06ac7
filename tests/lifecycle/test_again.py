# SPDX-License-Identifier: Apache-2.0
"""The same interface asked for again: otherwise, by another road, after it has moved away, after an interruption."""

from __future__ import annotations

import dataclasses

import pytest

from lifecycle.hosts import guest
from lifecycle.test_crashes import killed_at
from os_vif import exception, lifecycle
from os_vif.hypervisors.netns import NetnsDriver
from os_vif.lifecycle import Parties
from os_vif.networks.local.driver import LocalDriver

#: Steps at which test_crashes.killed_at() kills: when all is done but the activation.
BEFORE_ACTIVATION = 6

OTHER_QUEUES = "queues 4 instead of 1"
OTHER_ADDRESS = "MAC address 52:54:00:00:00:01 instead of none"


def unreachable(*arguments, **named):
    raise exception.NetworkUnavailable(driver="local", reason="the test's fault.")


def with_queues(spec, queues):
    return dataclasses.replace(spec, guest=dataclasses.replace(spec.guest, queues=queues))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda spec: with_queues(spec, 4), OTHER_QUEUES),
        (lambda spec: dataclasses.replace(spec, mac_address="52:54:00:00:00:01"), OTHER_ADDRESS),
        (lambda spec: dataclasses.replace(spec, network="red", name="blue"), "network red instead of blue"),
    ],
)
def test_what_is_in_use_is_not_made_into_something_else(host, networks, new_netns, change, told):
    """Neither side hears of it: the port keeps its binding, and the guest its interface."""
    networks.create("red", cidrs=["198.51.100.0/24"])
    spec = guest(new_netns())
    host.attach(spec)
    before = networks.ports(), host.attachments()
    with host.ns.monitor() as monitor, pytest.raises(exception.AttachedOtherwise) as caught:
        host.attach(change(spec))
    assert str(caught.value) == f"vm1 has the interface blue already; asked for now: {told}."
    assert caught.value.hint.startswith("`vif detach vm1 --as blue` takes it away.")
    assert monitor.events == []
    assert (networks.ports(), host.attachments()) == before


def test_another_hypervisor_is_something_else(host, new_netns):
    spec = guest(new_netns())
    host.attach(spec)
    with pytest.raises(exception.AttachedOtherwise, match="hypervisor qemu instead of netns"):
        host.attach(spec, host.parties("qemu"))


def test_what_the_host_offers_by_now_does_not_rebind_what_is_in_use(host, networks, new_netns, monkeypatch):
    """Open vSwitch was started since, say."""
    spec = guest(new_netns())
    host.attach(spec)
    before = networks.ports()
    offer = NetnsDriver.offer

    def another(*arguments):
        made = offer(*arguments)
        made.hypervisor = "netns 2"
        return made

    monkeypatch.setattr(NetnsDriver, "offer", another)
    host.attach(spec)
    assert networks.ports() == before


def test_what_was_wired_before_its_guest_ran_is_given_to_it_when_it_runs(host, new_netns):
    namespace = new_netns()
    cold, hot = guest(namespace, hot=False), guest(namespace)
    host.attach(cold)
    assert namespace.link_names() == set()
    host.attach(hot)
    assert namespace.link_names() == {"eth0"}
    host.attach(cold)
    host.detach(cold)
    assert namespace.link_names() == set()
    assert host.traces() == []


def test_a_guest_that_has_moved_away_is_not_wired_here_again(host, new_host, networks, new_netns):
    """Whoever asks is told what to do."""
    spec, elsewhere = guest(new_netns()), new_host("two")
    host.attach(spec)
    there = guest(new_netns())
    elsewhere.do(lambda: lifecycle.prepare(there, elsewhere.parties()))
    elsewhere.do(lambda: lifecycle.activate(there.key, elsewhere.parties()))
    with host.ns.monitor() as monitor, pytest.raises(exception.BindingChanged) as caught:
        host.attach(spec)
    assert monitor.events == []
    assert caught.value.hint == (
        "If vm1 was migrated away, `vif detach vm1 --as blue` takes away what it has left here."
        " If it is to have the interface here, detach it, and attach it again."
    )
    host.detach(spec)
    assert networks.bindings() == {"two": "ACTIVE"}
    assert host.traces() == []


def test_finishing_what_was_cut_off_fails_and_all_of_it_is_taken_back(host, networks, new_netns, monkeypatch):
    """Also what the call before had done, although this one came to no step of its own."""
    namespace = new_netns()
    spec = guest(namespace)
    killed_at(BEFORE_ACTIVATION, host, lambda: lifecycle.attach(spec, host.parties()))
    assert namespace.link_names() == {"eth0"}
    monkeypatch.setattr(LocalDriver, "bind", unreachable)
    with pytest.raises(exception.NetworkUnavailable):
        host.attach(spec)
    assert namespace.link_names() == set()
    assert networks.ports() == []
    assert host.traces() == []


def test_preparing_again_fails_and_what_was_prepared_stays(host, new_host, networks, new_netns, monkeypatch):
    elsewhere, spec = new_host("two"), guest(new_netns())
    host.attach(guest(new_netns()))
    elsewhere.do(lambda: lifecycle.prepare(spec, elsewhere.parties()))
    with monkeypatch.context() as patch:
        patch.setattr(LocalDriver, "bind", unreachable)
        with pytest.raises(exception.NetworkUnavailable):
            elsewhere.do(lambda: lifecycle.prepare(spec, elsewhere.parties()))
    assert elsewhere.attachments() == {spec.key: "prepared"}
    elsewhere.do(lambda: lifecycle.abort(spec.key, elsewhere.parties()))
    assert elsewhere.traces() == []


def test_a_prepared_binding_that_was_collected_can_be_prepared_again_or_given_up(host, new_host, networks, new_netns):
    """Its lease ran out, and somebody took it back: it is certain that nothing was cut over."""
    elsewhere, spec = new_host("two"), guest(new_netns())
    host.attach(guest(new_netns()))
    for again in (True, False):
        prepared = elsewhere.do(lambda: lifecycle.prepare(spec, elsewhere.parties()))
        networks.driver().unbind(str(prepared.answer.vif.id), "two")
        with pytest.raises(exception.NetworkNotFound) as caught:
            elsewhere.do(lambda: lifecycle.activate(spec.key, elsewhere.parties()))
        assert caught.value.hint.endswith("`vif migrate abort vm1 --as blue` gives it up.")
        assert elsewhere.attachments() == {spec.key: "prepared"}
        if not again:
            elsewhere.do(lambda: lifecycle.abort(spec.key, elsewhere.parties()))
    assert elsewhere.traces() == []
    assert networks.bindings() == {"one": "ACTIVE"}


def test_by_force_what_is_here_goes_and_the_rest_is_told(host, networks, new_netns, monkeypatch):
    """The network side is gone for good; first an attempt without force, which keeps the record."""
    namespace = new_netns()
    spec = guest(namespace)
    host.attach(spec)
    monkeypatch.setattr(LocalDriver, "unbind", unreachable)
    with pytest.raises(exception.LifecycleError) as caught:
        host.detach(spec)
    assert str(caught.value) == "Could not detach blue from vm1: could not unbind it: local: the test's fault."
    assert "`vif detach --force vm1 --as blue`" in caught.value.hint
    assert host.attachments() == {spec.key: "detaching"}
    left = host.do(lambda: lifecycle.detach(spec.key, host.parties(), force=True))
    assert left == ["could not unbind it: local: the test's fault."]
    assert namespace.link_names() == set()
    assert host.traces() == []
    assert len(networks.ports()) == 1


def test_by_force_a_driver_that_cannot_be_loaded_is_no_obstacle(host, networks, new_netns):
    spec = guest(new_netns())
    attached = host.attach(spec).attachment
    gone = dataclasses.replace(attached, network_driver="neutrino", hypervisor="lantern")
    with pytest.raises(exception.DriverUnavailable):
        host.do(lambda: Parties.of(gone))
    left = host.do(lambda: lifecycle.detach(spec.key, Parties.left_of(gone), force=True))
    assert [line.partition(": installed")[0] for line in left] == [
        "could not take it from the guest: There is no hypervisor driver lantern",
        "could not unbind it: There is no network driver neutrino",
    ]
    assert host.attachments() == {}
    assert host.engine.journal.records() == []


def test_a_migration_that_cannot_be_finished_is_got_rid_of_by_force(host, new_host, networks, new_netns, monkeypatch):
    elsewhere, spec = new_host("two"), guest(new_netns())
    host.attach(guest(new_netns()))
    elsewhere.do(lambda: lifecycle.prepare(spec, elsewhere.parties()))
    with monkeypatch.context() as patch:
        patch.setattr(LocalDriver, "activate", unreachable)
        with pytest.raises(exception.NetworkUnavailable):
            elsewhere.do(lambda: lifecycle.activate(spec.key, elsewhere.parties()))
    assert elsewhere.attachments() == {spec.key: "cutting-over"}
    with pytest.raises(exception.WrongPhase) as caught:
        elsewhere.detach(spec)
    assert caught.value.hint == "`vif migrate activate vm1 --as blue` finishes it."
    assert elsewhere.do(lambda: lifecycle.detach(spec.key, elsewhere.parties(), force=True)) == []
    assert elsewhere.traces() == []
