# SPDX-License-Identifier: Apache-2.0
"""A guest with a network card that has virtual functions: tests that use the fixture `card` run in there."""

from __future__ import annotations

import os

import pytest

from support.guest import Elsewhere
from support.guest.elsewhere import INSIDE
from support.sriov import RealCard

_elsewhere = Elsewhere(("igb", "igbvf", "macvtap"), cards=1)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    if "card" not in pyfuncitem.fixturenames or os.environ.get(INSIDE):
        return None
    _elsewhere.report(pyfuncitem)
    return True


@pytest.fixture
def card():
    """The card, with two virtual functions; none outside of the guest."""
    if not os.environ.get(INSIDE):
        yield None
        return
    card = RealCard()
    card.make(2)
    yield card
    card.make(0)
