# SPDX-License-Identifier: Apache-2.0
"""A guest moves: prepared beside the source, cut over once, given up without the source noticing."""

from __future__ import annotations

import pytest

from lifecycle.hosts import guest
from lifecycle.test_crashes import killed_at
from os_vif import exception, lifecycle
from os_vif.hypervisors.netns import NetnsDriver


@pytest.fixture
def networks(networks):
    """The network "blue" leads from host to host."""
    networks.manager.delete("blue")
    networks.create(uplink="up0")
    return networks


@pytest.fixture
def hosts(networks, new_host, new_netns):
    """Two hosts with a wire between them."""
    source, destination = new_host("one"), new_host("two")
    source.ns.ip("link", "add", "up0", "type", "veth", "peer", "name", "up0", "netns", destination.ns.name)
    for host in (source, destination):
        bring_up(host)
    return source, destination


def bring_up(host):
    """Without IPv6, for which the kernel adds addresses and routes in its own time."""
    host.ns.run(["sysctl", "-qw", "net.ipv6.conf.up0.disable_ipv6=1"])
    host.ns.ip("link", "set", "up0", "up")
    host.renew()


def prepare(host, spec):
    return host.do(lambda: lifecycle.prepare(spec, host.parties()))


def activate(host, spec):
    return host.do(lambda: lifecycle.activate(spec.key, host.parties()))


def abort(host, spec):
    host.do(lambda: lifecycle.abort(spec.key, host.parties()))


def test_a_guest_moves_and_keeps_its_addresses(hosts, networks, new_netns):
    """Another guest, on the destination, reaches it before and after; the source is left without a trace."""
    source, destination = hosts
    peer, old, new = new_netns(), new_netns(), new_netns()
    destination.attach(guest(peer, 2))
    address = next(iter(source.attach(guest(old)).answer.vif.network.subnets.objects)).ips.objects[0].address
    ping = ["ping", "-c", "1", "-w", "60", str(address)]
    peer.run(ping)
    prepare(destination, guest(new))
    assert networks.bindings_of(guest(new)) == {"one": "ACTIVE", "two": "INACTIVE"}
    peer.run(ping)
    activate(destination, guest(new))
    source.detach(guest(old))
    peer.run(ping)
    assert networks.bindings_of(guest(new)) == {"two": "ACTIVE"}
    assert source.traces() == []
    for spec in (guest(new), guest(peer, 2)):
        destination.detach(spec)
    assert destination.traces() == []
    assert networks.ports() == []


def test_given_up_the_source_goes_on_as_before(hosts, networks, new_netns):
    source, destination = hosts
    spec = guest(new_netns())
    source.attach(spec)
    before = source.ns.snapshot(), networks.ports()
    prepare(destination, guest(new_netns()))
    abort(destination, spec)
    assert (source.ns.snapshot(), networks.ports()) == before
    assert destination.traces() == []


def test_of_two_destinations_one_wins(hosts, networks, new_host, new_netns):
    """Activation is compare and swap: the other is told that things have changed, and can be given up."""
    source, destination = hosts
    other = new_host("three")
    other.ns.ip("link", "add", "up0", "type", "veth", "peer", "name", "far")
    bring_up(other)
    source.attach(guest(new_netns()))
    spec = guest(new_netns())
    prepare(destination, spec)
    lost = guest(new_netns())
    prepare(other, lost)
    activate(destination, spec)
    with pytest.raises(exception.BindingChanged):
        activate(other, lost)
    abort(other, lost)
    assert other.traces() == []
    assert networks.bindings() == {"one": "INACTIVE", "two": "ACTIVE"}


@pytest.mark.parametrize("number", range(6))
def test_prepare_killed_is_finished_or_given_up(hosts, networks, new_netns, number):
    source, destination = hosts
    source.attach(guest(new_netns()))
    before = networks.ports()
    spec = guest(new_netns())
    for finish in (True, False):
        killed_at(number, destination, lambda: lifecycle.prepare(spec, destination.parties()))
        if finish:
            prepare(destination, spec)
            assert networks.bindings() == {"one": "ACTIVE", "two": "INACTIVE"}
        if finish or number:
            abort(destination, spec)
        assert networks.ports() == before
        assert destination.traces() == []


@pytest.mark.parametrize("number", range(4))
def test_activate_killed_is_finished(hosts, networks, new_netns, number):
    source, destination = hosts
    source.attach(guest(new_netns()))
    new = new_netns()
    spec = guest(new)
    prepare(destination, spec)
    killed_at(number, destination, lambda: lifecycle.activate(spec.key, destination.parties()))
    activate(destination, spec)
    assert networks.bindings() == {"one": "INACTIVE", "two": "ACTIVE"}
    assert destination.attachments() == {spec.key: "active"}
    assert new.link_names() == {"eth0"}


def test_once_cut_over_there_is_no_way_but_on(hosts, networks, new_netns, monkeypatch):
    """The network has switched; only the guest could not be given its interface."""
    source, destination = hosts
    source.attach(guest(new_netns()))
    spec = guest(new_netns())
    prepare(destination, spec)
    with monkeypatch.context() as patch:
        patch.setattr(NetnsDriver, "attach", _fail)
        with pytest.raises(exception.HypervisorError):
            activate(destination, spec)
    with pytest.raises(exception.WrongPhase) as caught:
        abort(destination, spec)
    assert str(caught.value) == "The migration of vm1 is cutting-over; aborting it is not possible then."
    activate(destination, spec)
    assert destination.attachments() == {spec.key: "active"}


def test_what_is_attached_here_cannot_be_prepared_to_come_here(hosts, networks, new_netns):
    source, _ = hosts
    spec = guest(new_netns())
    source.attach(spec)
    with pytest.raises(exception.WrongPhase):
        prepare(source, spec)
    assert networks.bindings() == {"one": "ACTIVE"}


def _fail(*arguments):
    raise exception.HypervisorError("the test's fault")
