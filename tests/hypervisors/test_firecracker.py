# SPDX-License-Identifier: Apache-2.0
"""Firecracker: its JSON, held against its published API, and what it cannot do."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from oslo_config import cfg

from os_vif import exception
from os_vif.hypervisors.driver import Guest
from os_vif.loading import drivers
from os_vif.objects.network import Network
from os_vif.objects.vif import VIFPortProfileOpenVSwitch, VIFVHostUser
from support import unix_http, vifs
from support.parts import require_tun

ID = vifs.identity(1)
SCHEMA = json.loads((Path(__file__).parents[1] / "data" / "firecracker_interface.json").read_text())
PLAIN = {"iface_id": f"net_{ID.replace('-', '_')}", "host_dev_name": "tap1", "guest_mac": "52:54:00:00:00:01"}


@pytest.fixture
def driver():
    yield drivers.load(drivers.HYPERVISORS, "firecracker")
    cfg.CONF.clear_override("advertise_mtu", group="os_vif_hypervisor_firecracker")


def guest(**more):
    return Guest("guest", vifs.INSTANCE.uuid, **more)


@pytest.mark.parametrize(
    ("advertise", "options", "more"),
    [
        (False, {}, {}),
        (True, {}, {"mtu": 1450}),
        (
            False,
            {"rx_bytes_per_second": "1000000"},
            {"rx_rate_limiter": {"bandwidth": {"size": 1000000, "refill_time": 1000}}},
        ),
    ],
)
def test_the_json(driver, advertise, options, more):
    """As the published schema has it."""
    cfg.CONF.set_override("advertise_mtu", advertise, group="os_vif_hypervisor_firecracker")
    rendering = driver.render(vifs.generic(network=Network(mtu=1450)), guest(options=options))
    assert rendering.data == json.loads(rendering.text) == PLAIN | more
    jsonschema.validate(rendering.data, SCHEMA)


@pytest.mark.parametrize(
    ("vif", "wanted", "reason"),
    [
        (VIFVHostUser(id=ID), {}, "firecracker knows no such interfaces."),
        (vifs.generic(), {"model": "e1000"}, "the guest is to see e1000, and Firecracker has virtio only."),
        (vifs.generic(), {"queues": 2}, "2 queues are wanted, and Firecracker has one."),
        (
            vifs.generic(port_profile=VIFPortProfileOpenVSwitch(multiqueue=True)),
            {},
            "one queue is wanted, and its tap has several (multiqueue of the port profile).",
        ),
        (
            vifs.generic(),
            {"options": {"tx_bytes_per_second": "fast"}},
            "the guest's option tx_bytes_per_second must be a number, not 'fast'.",
        ),
    ],
)
def test_what_it_cannot_take_is_refused(driver, vif, wanted, reason):
    """By the name of what is wrong with it."""
    with pytest.raises(exception.CannotRender) as caught:
        driver.render(vif, guest(**wanted))
    assert str(caught.value) == f"firecracker cannot be given VIF {ID} ({type(vif).__name__}): {reason}"


def test_it_takes_taps_of_one_queue(driver, options):
    """From the tap plugin, and from Open vSwitch where it is there."""
    require_tun()
    options("os_vif_ovs", ovsdb_connection="unix:/nowhere/db.sock")
    offer = driver.offer(guest(), "host-1")
    assert [(one.name, one.constraints.max_queues, one.constraints.device_by) for one in offer.candidates] == [
        ("tap", 1, ["plugin"])
    ]
    assert [one.name for one in offer.withdrawn] == ["ovs"]


def test_a_running_machine_takes_none(driver):
    """Its API has interfaces before the start only."""
    with pytest.raises(exception.HotPlugFailed) as caught:
        driver.attach(vifs.generic(), guest())
    assert str(caught.value) == (
        f"firecracker did not attach interface {ID} of guest:"
        " this hypervisor takes interfaces only before the guest is started."
    )


def test_a_check_sees_what_a_guest_was_started_without(driver):
    """A machine that has yet to start, or does not answer, is not judged."""
    state, config = {"state": "Not started"}, {"network-interfaces": []}
    with unix_http.answering({"/": state, "/vm/config": config}) as path:
        known = guest(endpoint=path)
        assert driver.check(vifs.generic(), known) is None
        state["state"] = "Running"
        (gone,) = driver.check(vifs.generic(), known)
        assert (gone.code, gone.mendable) == ("guest-device-gone", False)
        assert (gone.text, gone.hint) == (
            "Firecracker has no interface on tap tap1: the guest was started without it.",
            "Start the guest with the interface.",
        )
        config["network-interfaces"] = [PLAIN]
        assert driver.check(vifs.generic(), known) == ()
        config["network-interfaces"] = [{"iface_id": "net"}]
        assert driver.check(vifs.generic(), known) is None
    assert driver.check(vifs.generic(), known) is None
    assert driver.check(vifs.generic(), guest()) is None
