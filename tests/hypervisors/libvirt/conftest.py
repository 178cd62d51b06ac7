# SPDX-License-Identifier: Apache-2.0
"""What the machine's PCI devices look like, a check by libvirt's own grammar, and a libvirt beside a switch."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from oslo_config import cfg

from hypervisors.libvirt import cases
from os_vif.hypervisors.libvirt.driver import LibvirtDriver
from os_vif.hypervisors.libvirt.host_devices import HostDevices
from support.libvirt import Libvirtd
from support.ovs import in_a_namespace
from support.parts import missing, require

_SCHEMA = Path("/usr/share/libvirt/schemas/domain.rng")

_DOMAIN = """<domain type='kvm'><name>guest-1</name><memory unit='MiB'>96</memory>
<os><type arch='x86_64' machine='q35'>hvm</type></os><devices>{}</devices></domain>
"""


@pytest.fixture
def devices(tmp_path):
    """A tree of sysfs: a virtual function with a network device, and one that is a vDPA device; and an IOMMU."""
    pci = tmp_path / "sys/bus/pci/devices"
    (pci / cases.PCI / "net" / cases.NETDEV).mkdir(parents=True)
    (pci / cases.VDPA_PCI / "vdpa0" / "vhost-vdpa-3").mkdir(parents=True)
    (tmp_path / "sys/kernel/iommu_groups/0").mkdir(parents=True)
    return HostDevices(tmp_path / "sys")


@pytest.fixture
def new_driver():
    """Makes a driver, with options of the test's own: new_driver(version="9.0.0")."""

    def make(**values):
        conf = cfg.ConfigOpts()
        conf.register_opts(list(LibvirtDriver.CONFIG_OPTS), group="driver")
        conf([], project="os-vif-tests", default_config_files=[])
        for name, value in values.items():
            conf.set_override(name, value, group="driver")
        return LibvirtDriver("libvirt", conf.driver)

    return make


@pytest.fixture
def complaints_of_libvirt(tmp_path):
    """Validates domains with these devices (by name) by libvirt's grammar; returns what it says against them."""
    require("xmllint", "libxml2-utils")
    if not _SCHEMA.exists():
        missing("libvirt's grammar is not installed: apt-get install --no-install-recommends libvirt0")

    def check(elements):
        files = {}
        for number, (name, text) in enumerate(elements.items()):
            path = tmp_path / f"{number}.xml"
            path.write_text(_DOMAIN.format(text))
            files[f"{path} validates"] = name
        done = subprocess.run(
            ["xmllint", "--noout", "--relaxng", _SCHEMA, *(line.split()[0] for line in files)],
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stderr.splitlines()
        return [name for line, name in files.items() if line not in said], done.stderr

    return check


@pytest.fixture(scope="session")
def _switch(_namespaces_possible):
    """An Open vSwitch in the namespace of all that is here; its bridge has an address on each of the networks."""
    with in_a_namespace() as made:
        yield made


@pytest.fixture(scope="session")
def _libvirtd(_switch):
    made = Libvirtd(_switch.ns, switch=_switch.directory)
    yield made
    made.close()


@pytest.fixture
def switch(_switch):
    """The same, with no ports."""
    yield _switch
    _switch.clean()


@pytest.fixture
def libvirtd(_libvirtd, switch):
    """A libvirt in the namespace of the switch, without guests."""
    yield _libvirtd
    _libvirtd.clean()


@pytest.fixture
def ns(libvirtd, switch):
    """Where libvirt, its guests' taps and the switch are."""
    return switch.ns


@pytest.fixture
def driver(new_driver, libvirtd):
    """A driver that knows where libvirt is."""
    return new_driver(uri=libvirtd.uri)
