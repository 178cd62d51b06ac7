# SPDX-License-Identifier: Apache-2.0
"""A fake host does as the kernel does: what makes tests on it worth something."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from os_vif.host.contract.operations import Operation
from testing.differential import on_fake, on_kernel, without_chance
from testing.operations import layer3_histories, link_histories

pytestmark = pytest.mark.usefixtures("netns")

_relaxed = settings(
    deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


def _compare(operations: list[Operation]) -> None:
    fake_answers, fake_state, chosen = on_fake(operations)
    real_answers, real_state = on_kernel(operations)
    both = list(zip(operations, fake_answers, real_answers, strict=True))
    assert [pair for pair in both if pair[1] != pair[2]] == []
    assert without_chance(fake_state, chosen) == without_chance(real_state, chosen)


@_relaxed
@given(link_histories)
def test_devices(history):
    """Whatever is done to devices, the fake host accepts and refuses as the kernel, and looks the same afterwards."""
    _compare([*history[0], *history[1]])


@_relaxed
@given(layer3_histories)
def test_addresses_and_routes(history):
    """The same for addresses and routes, which come and go with devices and with each other."""
    _compare([*history[0], *history[1]])
