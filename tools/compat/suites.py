# SPDX-License-Identifier: Apache-2.0
"""Which of the clients' own tests are run: those that use os_vif, or test code that does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Suite:
    """Tests that one process runs."""

    name: str
    #: Modules, classes, or packages, of which all modules are taken.
    tests: tuple[str, ...]
    #: Only tests whose id matches one of these, `*` standing for anything.
    patterns: tuple[str, ...] = ()
    #: Modules to import first: what the tests find registered when their project runs all of its tests.
    preload: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


#: The way nova-compute runs by default from Nova 34 on; it makes importing eventlet an error.
NATIVE_THREADS = {"OS_NOVA_DISABLE_EVENTLET_PATCHING": "true"}

#: The longest first, so that they do not run alone in the end.
SUITES = (
    Suite(
        "nova: libvirt driver",
        (
            "nova.tests.unit.virt.libvirt.test_driver",
            "nova.tests.unit.virt.test_virt_drivers.LibvirtConnTestCase",
        ),
        environment=NATIVE_THREADS,
    ),
    Suite(
        "nova: VIFs and objects",
        (
            "nova.tests.unit.network.test_os_vif_util",
            "nova.tests.unit.virt.libvirt.test_vif",
            "nova.tests.unit.objects.test_migrate_data",
            "nova.tests.unit.objects.test_objects",
            "nova.tests.unit.virt.zvm.test_driver",
            "nova.tests.unit.cmd.test_compute",
        ),
        environment=NATIVE_THREADS,
    ),
    Suite(
        "nova: functional, VIF models",
        ("nova.tests.functional.libvirt.test_vif_model",),
        environment=NATIVE_THREADS,
    ),
    Suite("kuryr-kubernetes: all", ("kuryr_kubernetes.tests.unit",)),
    Suite(
        "neutron: OVS agent, smart NICs",
        ("neutron.tests.unit.plugins.ml2.drivers.openvswitch.agent.test_ovs_neutron_agent",),
        patterns=("*smartnic*",),
        preload=("neutron.plugins.ml2.plugin",),
    ),
)

_INTERNALS = (
    "these set os_vif._EXT_MANAGER, a private variable of upstream's, expect its very calls of stevedore, and plug a"
    " mock, which cannot be recorded"
)

#: Tests that pass with upstream and are known to fail here, and why that is right.
KNOWN: Mapping[str, str] = {
    f"kuryr_kubernetes.tests.unit.test_os_vif_plug_noop.TestNoOpPlugin.{name}": _INTERNALS
    for name in ("test_initialize", "test_plug", "test_unplug")
}
