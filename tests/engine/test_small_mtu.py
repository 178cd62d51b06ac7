# SPDX-License-Identifier: Apache-2.0
"""Below an MTU of 1280 the kernel takes IPv6 off a device, and its settings with it; above, it brings it back, on."""

from __future__ import annotations

import pytest

from os_vif import exception
from os_vif.host.engine.request import Request
from os_vif.host.state import NO_HOST_IP, Bridge, HostState, Link, Tap
from os_vif.testing import faults


def request(link: type[Link], mtu: int) -> Request:
    resource = link(name="dev0", mtu=mtu, sysctls=NO_HOST_IP)
    return Request("vif-1", "some", HostState((resource,)), "os_vif.privsep", {"mtu": mtu})


@pytest.mark.parametrize("link", [Tap, Bridge])
def test_ipv6_stays_off_when_the_mtu_grows(place, link):
    """A network whose MTU was small and is enlarged: the device has the new MTU, and the host no IPv6 on it."""
    for mtu in (1200, 1500, 1000, 1280):
        place.engine().plug([request(link, mtu)])
        seen = place.look()["dev0"]
        assert seen["mtu"] == mtu
        assert seen["sysctls"]["ipv6/disable_ipv6"] == ("1" if mtu >= 1280 else None)
        assert len(place.engine().plan([request(link, mtu)])) == 0


@pytest.mark.parametrize("link", [Tap, Bridge])
def test_growing_fails(place, link):
    """Whichever step of it fails, the device is as it was."""
    place.engine().plug([request(link, 1200)])
    before = place.look()
    steps = place.engine().plan([request(link, 1500)]).steps
    assert [step.operation.name for step in steps] == ["link.set", "sysctl.set"]
    for number in (1, 2):
        with pytest.raises(exception.StepFailed):
            place.engine(faults.fail_before(number)).plug([request(link, 1500)])
        assert place.look() == before
