# SPDX-License-Identifier: Apache-2.0
"""What is offered for which libvirt, machine and guest; and that what is offered can be rendered."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hypervisors.libvirt import cases
from hypervisors.libvirt.cases import guest
from os_vif import exception
from os_vif.hypervisors.libvirt import offers
from os_vif.hypervisors.libvirt.driver import LibvirtDriver
from os_vif.hypervisors.libvirt.host_devices import HostDevices
from os_vif.hypervisors.libvirt.rendering import render
from os_vif.hypervisors.libvirt.versions import Capabilities, parse
from os_vif.loading import drivers
from os_vif.negotiation.binding_types import BINDING_TYPES
from os_vif.negotiation.offer import BY_HYPERVISOR, BY_PLUGIN
from os_vif.objects.network import Network
from os_vif.objects.vif import VIFDirect, VIFGeneric, VIFPortProfileOpenVSwitch
from support import require

VERSIONS = ("0.9.10", "1.0.5", "1.2.16", "1.3.2", "3.0.0", "5.6.0", "9.0.0")


def bound(name, device_by, *, multiqueue):
    """A VIF as a network side makes it for a candidate."""
    profile = VIFPortProfileOpenVSwitch(interface_id=cases.PORT, multiqueue=multiqueue)
    if name == "ovs":
        return cases.ovs(create_port=True, create_tap=device_by == BY_PLUGIN, multiqueue=multiqueue)
    return {
        "vhostuser": cases.vhost_user(),
        "vhostuser-noop": cases.vhost_user(),
        "bridge": cases.bridge(mtu=1450),
        "ovs-hybrid": cases.bridge(mtu=1450),
        "tap": cases.made(VIFGeneric, plugin="tap", vif_name="tap1", port_profile=profile),
        "macvtap": cases.made(VIFDirect, plugin="macvtap", vif_name="mvt1", mode="bridge"),
        "hostdev": cases.host_device(),
        "ovs-hostdev": cases.host_device(plugin="ovs", port_profile=profile, network=Network(bridge="br-int")),
    }[name]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("model", ["", "e1000"])
def test_what_is_offered_can_be_rendered(version, model, devices):
    """For whoever makes the device, and with as many queues as is said."""
    can, wanted = Capabilities(parse(version)), guest(model=model)
    left_out = offers.unusable(can, wanted, devices)
    for name, constraints in offers.table(can, wanted).items():
        if name in left_out or (model and constraints.guest_models and model not in constraints.guest_models):
            continue
        several = constraints.max_queues != 1
        for device_by in constraints.device_by or [""]:
            vif = bound(name, device_by, multiqueue=several)
            assert render(vif, guest(model=model, queues=2 if several else 1), can, devices) is not None


def test_the_table_holds_known_binding_types_best_first():
    table = offers.table(Capabilities(), guest())
    assert list(table) == [
        *("vhostuser", "ovs", "bridge", "tap", "ovs-hybrid", "macvtap", "ovs-hostdev", "hostdev", "vhostuser-noop")
    ]
    assert set(table) <= set(BINDING_TYPES)
    assert table["ovs"].device_by == [BY_PLUGIN, BY_HYPERVISOR]


@pytest.mark.parametrize(
    ("version", "device_by", "left_out"),
    [
        ("9.0.0", [BY_PLUGIN, BY_HYPERVISOR], set()),
        ("5.6.0", [BY_PLUGIN, BY_HYPERVISOR], {"macvtap"}),
        ("1.3.2", [BY_PLUGIN], {"macvtap"}),
        ("1.2.6", [BY_PLUGIN], {"macvtap", "vhostuser", "vhostuser-noop"}),
        ("0.9.10", [BY_PLUGIN], {"macvtap", "vhostuser", "vhostuser-noop", "hostdev", "ovs-hostdev"}),
    ],
)
def test_an_older_libvirt_is_offered_less(version, device_by, left_out, devices):
    """Before libvirt could make taps of its own for Open vSwitch, the plugin makes them."""
    can = Capabilities(parse(version))
    assert offers.table(can, guest())["ovs"].device_by == device_by
    unusable = offers.unusable(can, guest(), devices)
    assert set(unusable) == left_out
    assert all(lack.code == "libvirt-version" and version in lack.reason for lack in unusable.values())


@pytest.mark.parametrize(
    ("more", "code", "left_out"),
    [
        ({"model": "e1000"}, "guest-model", {"hostdev", "ovs-hostdev"}),
        (
            {"options": {"inbound_average": "1000"}},
            "traffic-options",
            {"hostdev", "ovs-hostdev", "vhostuser", "vhostuser-noop"},
        ),
        ({"model": "virtio"}, "", set()),
    ],
)
def test_a_guest_is_not_offered_what_its_wishes_rule_out(more, code, left_out, devices):
    unusable = offers.unusable(Capabilities(), guest(**more), devices)
    assert {name: lack.code for name, lack in unusable.items()} == dict.fromkeys(left_out, code)


def test_without_an_iommu_no_device_is_handed_over(tmp_path):
    unusable = offers.unusable(Capabilities(), guest(), HostDevices(tmp_path))
    assert {name: lack.code for name, lack in unusable.items()} == {"hostdev": "no-iommu", "ovs-hostdev": "no-iommu"}


def test_the_offer_without_a_libvirt_by_version_and_what_is_said_of_the_guest(options, new_driver):
    """Open vSwitch does not run here."""
    options("os_vif_ovs", ovsdb_connection="unix:/nowhere/db.sock")
    driver = new_driver(uri="qemu+unix:///system?socket=/nowhere", version="5.6", lease=30)
    offer = driver.offer(guest(shared_memory=True), "host1")
    assert (offer.host, offer.hypervisor, offer.lease) == ("host1", "libvirt 5.6.0", 30)
    assert offer.migration_methods == ["live", "cold"]
    assert [candidate.name for candidate in offer.candidates][0:2] == ["bridge", "tap"]
    assert [candidate.name for candidate in offer.candidates][-1] == "vhostuser-noop"
    withdrawn = {lack.name: lack.code for lack in offer.withdrawn}
    assert withdrawn.items() >= {"ovs": "ovs-unreachable", "macvtap": "libvirt-version"}.items()
    assert driver.render(cases.bridge(), guest()).text.startswith('<interface type="bridge">\n  <mac address=')


def test_a_libvirt_that_does_not_answer_is_named_with_its_own_words(new_driver):
    require(module="libvirt", package="libvirt-python")
    driver = new_driver(uri="qemu+unix:///system?socket=/nowhere")
    with pytest.raises(exception.HypervisorUnavailable) as caught:
        driver.offer(guest(), "host1")
    assert str(caught.value).startswith("libvirt: qemu+unix:///system?socket=/nowhere: ")
    assert "No such file or directory" in str(caught.value)
    assert caught.value.retriable


def test_with_a_version_configured_the_rest_is_offered_where_nobody_answers(options, new_driver):
    require(module="libvirt", package="libvirt-python")
    options("os_vif_ovs", ovsdb_connection="unix:/nowhere/db.sock")
    offer = new_driver(uri="qemu+unix:///system?socket=/nowhere", version="9.0.0").offer(guest(), "host1")
    assert "bridge" in [candidate.name for candidate in offer.candidates]
    [reason] = [lack.reason for lack in offer.withdrawn if lack.name == "vhostuser"]
    assert reason.startswith(
        "it needs shared memory. Nobody said whether guest-1 has that, and libvirt cannot be asked:"
    )


def test_without_libvirts_own_module_the_error_says_what_to_install():
    code = """
import sys
sys.modules["libvirt"] = None
from os_vif import exception
from os_vif.hypervisors.libvirt import connection
try:
    connection.module()
except exception.HypervisorUnavailable as error:
    print(error, error.hint)
"""
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.startswith("libvirt: ")
    assert "pip install libvirt-python" in printed


def test_the_driver_is_found_by_its_name():
    assert isinstance(drivers.load(drivers.HYPERVISORS, "libvirt"), LibvirtDriver)
