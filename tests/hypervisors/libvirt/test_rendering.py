# SPDX-License-Identifier: Apache-2.0
"""The XML of every kind of VIF: word for word, by libvirt's own grammar, and what is refused for which reason."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from hypervisors.libvirt import cases
from hypervisors.libvirt.cases import CASES, guest
from os_vif import exception
from os_vif.hypervisors.libvirt.matching import find
from os_vif.hypervisors.libvirt.rendering import render, skeleton
from os_vif.hypervisors.libvirt.versions import Capabilities, parse
from os_vif.objects.network import Network
from os_vif.objects.vif import VIFBridge, VIFGeneric, VIFNestedDPDK, VIFOpenVSwitch


def text(element):
    return ElementTree.tostring(element, encoding="unicode")


def plain(xml):
    """The same XML, written in the one way that compares."""
    return ElementTree.canonicalize(xml)


def render_for(version, vif, devices=None, **more):
    return text(render(vif, guest(**more), Capabilities(parse(version)), devices))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_kind(case, devices):
    """Its XML, in this order: what tells it apart, the guest's side, the host's, the traffic."""
    assert plain(text(render(case.vif, guest(**case.guest), devices=devices))) == plain(case.xml)


def test_all_is_valid_by_libvirts_grammar(devices, complaints_of_libvirt):
    rendered = {case.name: text(render(case.vif, guest(**case.guest), devices=devices)) for case in CASES}
    invalid, words = complaints_of_libvirt({**rendered, "not valid": "<interface type='nonsense'/>"})
    assert invalid == ["not valid"], words


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_kind_is_found_again_by_what_does_not_depend_on_the_guest(case, devices):
    """In a domain that has all the others too."""
    domain = ElementTree.Element("domain")
    others = ElementTree.SubElement(domain, "devices")
    rendered = render(case.vif, guest(**case.guest), devices=devices)
    others.append(rendered)
    assert find(skeleton(case.vif, devices), domain) is rendered
    others.remove(rendered)
    assert find(skeleton(case.vif, devices), domain) is None


@pytest.mark.parametrize(
    ("version", "vif", "xml"),
    [
        ("5.6.0", cases.ovs(create_port=True, create_tap=True), "<target dev='tap1'/>"),
        ("5.6.0", cases.made(VIFGeneric, plugin="tap", vif_name="tap1"), "<target dev='tap1'/>"),
        ("1.3.2", cases.ovs(create_port=True, create_tap=True), "<script path=''/><target dev='tap1'/>"),
        ("3.0.0", cases.bridge(mtu=1450), "<source bridge='br0'/><target dev='tap1'/>"),
    ],
)
def test_an_older_libvirt_is_told_less_and_does_the_same(version, vif, xml):
    """It opens taps that exist all the same, QEMU's script for taps is not run, and the bridge's MTU is the tap's."""
    kind = "bridge" if isinstance(vif, VIFBridge) else "ethernet"
    mac = f"<mac address='{cases.MAC}'/><model type='virtio'/>"
    assert plain(render_for(version, vif)) == plain(f"<interface type='{kind}'>{mac}{xml}</interface>")


def test_a_libvirt_before_driver_names_gets_none():
    assert "driver" not in render_for("0.8.7", cases.bridge(), options={"virt_type": "qemu"})


@pytest.mark.parametrize(
    ("version", "vif", "reason"),
    [
        ("0.9.10", cases.ovs(), "adding ports to Open vSwitch (<virtualport type='openvswitch'>) needs libvirt 0.9.11"),
        ("1.3.2", cases.ovs(create_port=True), "making the tap of an <interface type='ethernet'> needs libvirt 1.3.3"),
        ("1.2.6", cases.vhost_user(), "vhost-user needs libvirt 1.2.7"),
        ("0.9.10", cases.host_device(), "a virtual function with a MAC address (<interface type='hostdev'>) needs"),
        ("0.9.12", cases.host_device(network=Network(vlan=7)), "the VLAN of a virtual function (<vlan>) needs"),
        ("6.8.0", cases.host_device(cases.VDPA_PCI), "vDPA devices needs libvirt 6.9.0, and this is 6.8.0."),
        ("5.6.0", CASES[[c.name for c in CASES].index("macvtap, by its plugin")].vif, "needs libvirt 5.7.0"),
    ],
)
def test_what_an_older_libvirt_cannot_be_told_is_refused(version, vif, reason, devices):
    with pytest.raises(exception.CannotRender) as caught:
        render_for(version, vif, devices)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("vif", "more", "reason"),
    [
        (cases.made(VIFNestedDPDK, pci_address="x", dev_driver="y"), {}, "libvirt knows no such interfaces."),
        (cases.made(VIFBridge, vif_name="tap1"), {}, "bridge_name must be set, because libvirt puts the tap into"),
        (cases.made(VIFOpenVSwitch, vif_name="tap1"), {}, "port_profile must be set, because it says who makes"),
        (
            cases.made(VIFOpenVSwitch, vif_name="tap1", port_profile=cases.QBH),
            {},
            "its port profile must be a VIFPortProfileOpenVSwitch, and is a VIFPortProfile8021Qbh.",
        ),
        (cases.bridge(), {"model": "e1000", "queues": 2}, "to have 2 pairs of queues, and e1000 has one."),
        (cases.vhost_user(), {"model": "e1000"}, "vhost-user needs a virtio device, and the guest is to see e1000."),
        (
            cases.ovs(create_port=True, create_tap=True),
            {"queues": 2},
            "its tap is made for one pair of queues, and the guest is to have 2.",
        ),
        (
            cases.ovs(create_port=True, create_tap=True, multiqueue=True),
            {},
            "its tap is made for several pairs of queues, and the guest is to have 1.",
        ),
        (cases.vhost_user(), {"options": {"inbound_average": "1"}}, "cannot limit the bandwidth of what does not pass"),
        (cases.ovs(), {"options": {"filter": "clean-traffic"}}, "filters the traffic of taps only"),
        (cases.bridge(), {"options": {"inbound_peak": "1"}}, "option inbound_peak needs inbound_average beside it."),
        (cases.bridge(), {"options": {"packed": "maybe"}}, "option packed is 'maybe', which is neither yes nor no."),
        (cases.bridge(), {"options": {"rx_queue_size": "-1"}}, "option rx_queue_size is '-1', which is not a number."),
        (cases.bridge(), {"options": {"inbound_avrage": "1"}}, "the guest's option inbound_avrage is not known; known"),
        (cases.bridge(), {"options": {"filter.IP": "1"}}, "option filter.IP is of no use without the option filter."),
        (
            cases.direct("passthrough", dev_address="0000:99:00.0"),
            {},
            "there is no network device at PCI address 0000:99:00.0 for a macvtap to be on.",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(vif, more, reason, devices):
    with pytest.raises(exception.CannotRender) as caught:
        render(vif, guest(**more), devices=devices)
    assert str(caught.value).startswith(f"libvirt cannot be given VIF {cases.PORT} ({type(vif).__name__}): ")
    assert reason in str(caught.value)
