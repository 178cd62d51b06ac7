# SPDX-License-Identifier: Apache-2.0
"""Random lives of a host, against a dictionary as the model: on the fake host, and a few on the kernel."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from engine.history import History
from engine.places import FakePlace, KernelPlace, Place
from os_vif.testing import own_namespace


class OnAFakeHost(History):
    """Fast, so there are many."""

    def make_place(self, state) -> Place:
        return FakePlace(state)


class OnTheKernel(History):
    """Each life in a namespace of its own; processes die for real."""

    def make_place(self, state) -> Place:
        self.exits.enter_context(own_namespace())
        return KernelPlace(state)


def _lives(count: int, steps: int) -> settings:
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    return settings(max_examples=count, stateful_step_count=steps, deadline=None, suppress_health_check=checks)


def test_lives_of_a_fake_host():
    """Whatever happens: what is plugged is as stated, nothing foreign is touched, and in the end nothing is left."""
    run_state_machine_as_test(OnAFakeHost, settings=_lives(40, 25))


@pytest.mark.usefixtures("netns")
def test_lives_of_the_kernel():
    """The same on the kernel, with real processes killed."""
    run_state_machine_as_test(OnTheKernel, settings=_lives(6, 20))
