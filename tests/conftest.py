# SPDX-License-Identifier: Apache-2.0
"""Fixtures for everybody. The whole test run lives in network and mount namespaces of its own (see support.kernel)."""

from __future__ import annotations

import getpass
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from support import kernel, missing, ovs, require
from support.dpdk import DpdkSwitch
from support.netns import Namespace
from support.neutron import NeutronServer

# Never by the clock: the machine may be busy. Always the same examples where nobody is there to look at a new one.
hypothesis.settings.register_profile("os_vif", deadline=None, derandomize=bool(os.environ.get("CI")), print_blob=True)
hypothesis.settings.load_profile("os_vif")

REPOSITORY = Path(__file__).resolve().parents[1]
_WHY_NOT_ISOLATED = pytest.StashKey[str]()

#: Where the tests of a directory share what takes long to start: a virtual machine, a Neutron server.
_TOGETHER = ("sriov", "networks_neutron", "neutron_ml2")

#: Directories and files that take long: begun first, so that at the end no process is alone with one.
_LONG = (
    "networks_neutron",
    "linux_bridge/test_vlan_devices.py",
    "sriov",
    "neutron_ml2",
    "engine/test_crashes.py",
    "hypervisors/libvirt/test_guests.py",
    "hypervisors/qemu/test_hot_plug.py",
    "lifecycle/test_guests_moving.py",
    "lifecycle/test_neutron_guests.py",
    "objects/test_differential.py",
    "hypervisors/libvirt/test_migrating.py",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tells pytest-xdist (make test) what one process is to run, and in which order to begin with it."""
    if not config.pluginmanager.hasplugin("xdist"):
        return
    order = {name: number for number, name in enumerate(_LONG)}
    groups = {item: _group(item.path) for item in items}
    items.sort(key=lambda item: order.get(groups[item], len(order)))
    for item in items:
        item.add_marker(pytest.mark.xdist_group(groups[item]))


def _group(path: Path) -> str:
    try:
        name = path.relative_to(Path(__file__).parent)
    except ValueError:  # of the examples
        return str(path)
    return name.parts[0] if name.parts[0] in _TOGETHER else str(name)


def pytest_configure(config: pytest.Config) -> None:
    # Who is not root often lacks these, and `ip netns exec iptables` with them.
    os.environ["PATH"] = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
    # A shell's background jobs ignore Ctrl-C, and what they start does as well; tests send it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # In a user namespace we look like root to pytest, which would take root's temporary directory for ours.
    os.environ.setdefault("LOGNAME", getpass.getuser())
    config.stash[_WHY_NOT_ISOLATED] = ""
    if os.environ.get("OS_VIF_TESTS_NOT_ISOLATED"):  # to look at a test from outside, with `ip netns`
        if os.geteuid() != 0:
            config.stash[_WHY_NOT_ISOLATED] = "not root, and OS_VIF_TESTS_NOT_ISOLATED is set"
        return
    try:
        kernel.isolate()
    except OSError as error:
        config.stash[_WHY_NOT_ISOLATED] = str(error)


@pytest.fixture(autouse=True)
def _state_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reads or writes this machine's journal, nor that of another test, nor reads this machine's options."""
    monkeypatch.setenv("OS_VIF_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("OS_VIF_CONFIG_DIR", str(tmp_path / "etc"))


@pytest.fixture(scope="session")
def _namespaces_possible(request: pytest.FixtureRequest) -> None:
    require("ip", "iproute2")
    require("iptables-save", "iptables")
    why_not = request.config.stash[_WHY_NOT_ISOLATED]
    if why_not:
        missing(f"network namespaces cannot be made here ({why_not}); run the tests as root: sudo make test")


@pytest.fixture
def new_netns(_namespaces_possible: None) -> Iterator[Callable[[], Namespace]]:
    """Makes network namespaces, as many as the test wants; all are removed after it."""
    made: list[Namespace] = []

    def make() -> Namespace:
        made.append(Namespace())
        return made[-1]

    yield make
    for namespace in reversed(made):
        namespace.close()


@pytest.fixture
def netns(new_netns: Callable[[], Namespace]) -> Namespace:
    """One throwaway network namespace; see support.netns.Namespace for what it can do."""
    return new_netns()


@pytest.fixture(scope="session")
def _shared_switch(_namespaces_possible: None) -> Iterator[ovs.Switch]:
    with ovs.in_a_namespace() as switch:
        yield switch


@pytest.fixture
def switch(_shared_switch: ovs.Switch) -> Iterator[ovs.Switch]:
    """The Open vSwitch that most tests use, one after the other; empty at first, and emptied afterwards."""
    yield _shared_switch
    _shared_switch.clean()


@pytest.fixture
def own_switch(netns: Namespace) -> Iterator[ovs.Switch]:
    """One in the test's own namespace."""
    made = ovs.Switch(netns)
    yield made
    made.close()


@pytest.fixture
def dpdk_switch(netns: Namespace) -> Iterator[DpdkSwitch]:
    """The same with DPDK."""
    made = DpdkSwitch(netns)
    yield made
    made.close()


@pytest.fixture
def new_switch(new_netns: Callable[[], Namespace]) -> Iterator[Callable[..., ovs.Switch]]:
    """Makes switches that a test may break, each in a namespace of its own: new_switch("--enable-dummy=system")."""
    made: list[ovs.Switch] = []

    def make(*arguments: str, **options: Any) -> ovs.Switch:
        made.append(ovs.Switch(new_netns(), *arguments, **options))
        return made[-1]

    yield make
    for switch in made:
        switch.close()


@pytest.fixture(scope="session")
def oracle_python() -> Path:
    """The interpreter that has upstream os-vif, for differential tests: run it as a subprocess."""
    python = Path(os.environ.get("OS_VIF_ORACLE_PYTHON") or REPOSITORY / ".venv-upstream" / "bin" / "python")
    if not python.exists():
        missing(f"upstream os-vif is not installed in {python.parents[1]}: make .venv-upstream")
    return python


@pytest.fixture(scope="session")
def neutron_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., NeutronServer]]:
    """A real Neutron; see support.neutron.NeutronServer for what can be configured. One each for the whole session."""
    started: dict[str, NeutronServer] = {}

    def serve(**configuration: Any) -> NeutronServer:
        key = repr(sorted(configuration.items()))
        if key not in started:
            started[key] = NeutronServer(tmp_path_factory.mktemp("neutron"), **configuration)
        return started[key]

    yield serve
    for server in started.values():
        server.close()
