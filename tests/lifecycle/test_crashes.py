# SPDX-License-Identifier: Apache-2.0
"""Killed at any step, the same command finishes, and the one back takes everything away."""

from __future__ import annotations

import os
import signal

import pytest

from lifecycle.hosts import guest
from os_vif import lifecycle
from os_vif.lifecycle.attachments import Attachments


def killed_at(number, host, function):
    """Calls a function on a host in a process that is killed as it writes down its step of that number.

    Odd ones are killed after writing, even ones before: either can happen.
    """
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), f"it was over before step {number // 2}"
        return
    try:
        _die_at(number)
        host.do(function)
    finally:
        os._exit(0)


def _die_at(number):
    put, calls = Attachments.put, iter(range(100))

    def dying(*arguments, **named):
        here = next(calls) == number // 2
        if here and number % 2 == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        done = put(*arguments, **named)
        if here:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    Attachments.put = dying


@pytest.mark.parametrize("number", range(10))
def test_attach_killed_is_finished_by_attach(host, networks, new_netns, number):
    namespace = new_netns()
    spec = guest(namespace)
    killed_at(number, host, lambda: lifecycle.attach(spec, host.parties()))
    host.attach(spec)
    assert host.attachments() == {spec.key: "active"}
    assert networks.bindings() == {"one": "ACTIVE"}
    assert len(networks.ports()) == 1
    assert namespace.link_names() == {"eth0"}
    host.detach(spec)
    assert networks.ports() == []
    assert host.traces() == []


@pytest.mark.parametrize("number", range(1, 10))
def test_attach_killed_is_taken_back_by_detach(host, networks, new_netns, number):
    namespace = new_netns()
    spec = guest(namespace)
    killed_at(number, host, lambda: lifecycle.attach(spec, host.parties()))
    host.detach(spec)
    assert networks.ports() == []
    assert host.traces() == []
    assert namespace.link_names() == set()


@pytest.mark.parametrize("number", range(2))
def test_detach_killed_is_finished_by_detach(host, networks, new_netns, number):
    spec = guest(new_netns())
    host.attach(spec)
    killed_at(number, host, lambda: lifecycle.detach(spec.key, host.parties()))
    host.detach(spec)
    assert networks.ports() == []
    assert host.traces() == []
