# SPDX-License-Identifier: Apache-2.0
"""The XML that Nova makes of the same VIF, by an interpreter that has Nova and upstream os-vif."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from hypervisors.libvirt.cases import CASES, MAC, PCI, PORT, guest
from os_vif.hypervisors.libvirt.rendering import render
from support.parts import missing

PYTHON = Path(__file__).resolve().parents[3] / ".venv-compat-upstream" / "bin" / "python"
WORKER = Path(__file__).with_name("nova_worker.py")

_PORT = {"id": PORT, "address": MAC, "devname": "tap1"}

#: What Nova takes in a model of its own, and not as an object of os-vif.
PORTS = {
    "tap, by its plugin": {**_PORT, "type": "tap"},
    "macvtap by libvirt, bridge": {
        **_PORT,
        "type": "macvtap",
        "details": {"macvtap_source": "eth1", "physical_interface": "eth1", "macvtap_mode": "bridge"},
    },
    "virtual function with a VLAN": {
        **_PORT,
        "type": "hw_veb",
        "vnic_type": "direct",
        "profile": {"pci_slot": PCI},
        "details": {"vlan": "42"},
    },
    "physical function": {
        **_PORT,
        "type": "hostdev_physical",
        "vnic_type": "direct-physical",
        "profile": {"pci_slot": PCI},
    },
}

#: Nova has no such thing, or looks for the device on the machine it runs on; and for 802.1Qbg it writes an element for
#: each parameter, which libvirt's grammar does not take.
NOT_IN_NOVA = {
    "macvtap, by its plugin",
    "macvtap by libvirt, vepa",
    "macvtap by libvirt, passthrough",
    "macvtap on a VLAN device",
    "macvtap on a virtual function, with a VLAN",
    "802.1Qbh, macvtap",
    "virtual function, 802.1Qbh",
    "802.1Qbg",
    "vDPA",
}


@pytest.fixture(scope="module")
def nova():
    """Asks Nova."""
    if not PYTHON.exists():
        missing(f"Nova is not installed in {PYTHON.parents[1]}: make .venv-compat/.ready")
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen([PYTHON, WORKER], text=True, **pipes) as process:

        def ask(question):
            process.stdin.write(json.dumps(question) + "\n")
            process.stdin.flush()
            for line in process.stdout:
                if line.startswith("ANSWER "):
                    return json.loads(line.removeprefix("ANSWER "))
            return pytest.fail(f"Nova gave no answer:\n{process.stderr.read()}", pytrace=False)

        yield ask
        process.communicate()


def question(case):
    """The case in Nova's words."""
    wanted = guest(**case.guest)
    options = {**wanted.options}
    specs = {f"quota:vif_{name}": value for name, value in options.items() if "bound_" in name}
    if wanted.queues > 1:
        specs["hw:vif_multiqueue_enabled"] = "true"
    if "packed" in options:
        specs["hw:virtio_packed_ring"] = "true"
    sizes = {name: int(options[name]) for name in ("rx_queue_size", "tx_queue_size") if name in options}
    asked = {
        "virt_type": options.get("virt_type", "kvm"),
        "vcpus": wanted.queues,
        "extra_specs": specs,
        "image": {"hw_vif_model": wanted.model or "virtio"},
        "options": sizes,
    }
    if case.name in PORTS:
        return {**asked, "port": PORTS[case.name]}
    vnic_type = "direct" if case.name.startswith("virtual function") else "normal"
    return {**asked, "vif": case.vif.obj_to_primitive(), "vnic_type": vnic_type}


def unordered(element):
    """An element as what compares without regard to the order of its children, which libvirt has none for."""
    return element.tag, sorted(element.attrib.items()), sorted(unordered(child) for child in element)


@pytest.mark.parametrize("case", [case for case in CASES if case.name not in NOT_IN_NOVA], ids=lambda case: case.name)
def test_nova_says_the_same(case, nova, devices):
    ours = render(case.vif, guest(**without_filter(case.guest)), devices=devices)
    assert unordered(ours) == unordered(ElementTree.fromstring(nova(question(case))))


def without_filter(wanted):
    """Nova has no filters of libvirt's any more."""
    options = {name: value for name, value in wanted.get("options", {}).items() if not name.startswith("filter")}
    return {**wanted, "options": options}


def test_the_tables_name_cases():
    assert {case.name for case in CASES} >= NOT_IN_NOVA | set(PORTS)
