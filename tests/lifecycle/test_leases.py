# SPDX-License-Identifier: Apache-2.0
"""A binding that nobody activated is taken back when its lease has run out, with what was plugged for it."""

from __future__ import annotations

import time

import pytest

from lifecycle.hosts import guest
from lifecycle.test_crashes import killed_at
from os_vif import lifecycle
from os_vif.loading import drivers

#: The step before attach() activates: bound, plugged, given to the guest.
BEFORE_ACTIVATION = 6


@pytest.fixture
def abandoned(host, networks, new_netns, monkeypatch):
    """An interface whose attaching was killed; and the network side as gc loads it."""
    load = drivers.load
    monkeypatch.setattr(
        drivers, "load", lambda group, name: networks.driver() if group == drivers.NETWORKS else load(group, name)
    )
    spec = guest(new_netns())
    killed_at(BEFORE_ACTIVATION, host, lambda: lifecycle.attach(spec, host.parties()))
    assert len(networks.ports()) == 1
    return spec


def collect(host, *, dry_run=False):
    return host.do(lambda: lifecycle.collect(host.name, dry_run=dry_run))


def after_the_lease(monkeypatch):
    later = time.time() + 601
    monkeypatch.setattr(time, "time", lambda: later)


def test_before_its_lease_has_run_out_it_stays(abandoned, host, networks):
    assert collect(host) == []
    assert len(networks.ports()) == 1


def test_after_that_nothing_is_left(abandoned, host, networks, monkeypatch):
    after_the_lease(monkeypatch)
    (would,) = collect(host, dry_run=True)
    assert (would.binding.host, would.error) == ("one", None)
    assert len(networks.ports()) == 1
    (done,) = collect(host)
    assert done.error is None
    assert networks.ports() == []
    assert host.traces() == []


def test_what_was_finished_meanwhile_stays(abandoned, host, networks, monkeypatch):
    host.attach(abandoned)
    after_the_lease(monkeypatch)
    assert collect(host) == []
    assert host.attachments() == {abandoned.key: "active"}


def test_a_network_side_that_cannot_be_asked_is_told_of(host):
    (told,) = host.do(lambda: lifecycle.collect(host.name, ["neutrino"], dry_run=False))
    assert (told.network_driver, told.binding) == ("neutrino", None)
    assert str(told.error).startswith("There is no network driver neutrino: installed are: local")
