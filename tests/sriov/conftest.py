# SPDX-License-Identifier: Apache-2.0
"""A guest with a network card that has virtual functions, and with a simulated switch: all tests here run in there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.guest import Elsewhere
from support.guest.elsewhere import INSIDE

MODULES = ("igb", "igbvf", "macvtap", "netdevsim", "openvswitch", "veth", "tun", "nf_tables")
_elsewhere = Elsewhere(MODULES, cards=1, directory=Path(__file__).parent)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    if os.environ.get(INSIDE):
        return None
    _elsewhere.report(pyfuncitem)
    return True


@pytest.fixture
def inside():
    """Whether the test is about to run: outside of the guest its fixtures are made for nothing."""
    return bool(os.environ.get(INSIDE))
