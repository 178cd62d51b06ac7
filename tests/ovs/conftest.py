# SPDX-License-Identifier: Apache-2.0
"""A real Open vSwitch, hosts that plug into it, and upstream os-vif beside them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from os_vif.plugins.ovs import OvsPlugin
from support import plugging, vifs
from support.ovs import in_a_namespace
from support.ovsdb_proxy import Proxy

UPSTREAM = Path(__file__).parents[1] / "support" / "ovs_upstream.py"


@pytest.fixture(scope="session")
def _shared_kernel_switch(_namespaces_possible):
    with in_a_namespace("--enable-dummy=system") as switch:
        yield switch


@pytest.fixture
def kernel_switch(_shared_kernel_switch):
    """As `switch`, with a datapath that counts as the kernel's and carries nothing."""
    yield _shared_kernel_switch
    _shared_kernel_switch.clean()


@pytest.fixture
def host_on(tmp_path):
    """Makes a host that plugs into a switch, with options of the test's own: host_on(switch, isolate_vif=True).

    ``sysfs`` is a tree that tells of its network cards.
    """

    made = []

    def make(switch, *, sysfs=Path("/sys"), **options):
        values = {"ovsdb_connection": switch.remote, "ovs_vsctl_timeout": 20, **options}
        made.append(plugging.PlugHost(switch.ns, tmp_path, plugging.configured(OvsPlugin, **values), sysfs=sysfs))
        return made[-1]

    yield make
    for host in made:
        host.engine.backends["ovs"].close()


@pytest.fixture
def new_host(switch, host_on):
    """The same on the shared switch: new_host(isolate_vif=True)."""
    return lambda **options: host_on(switch, **options)


@pytest.fixture
def host(new_host):
    """A host with the default options."""
    return new_host()


class Upstream:
    """Upstream os-vif, in the namespace of a switch; with ``sysfs``, that tree is its /sys."""

    def __init__(self, python, switch, sysfs=None):
        self._switch = switch
        mounting = ["sh", "-c", 'mount --bind "$0" /sys && exec "$@"', sysfs] if sysfs else []
        self._process = switch.ns.popen(
            [*mounting, python, "-P", "-W", "ignore", UPSTREAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def plug(self, vif, **options):
        """Plugs with the options given."""
        self._do("plug", vif, options)

    def unplug(self, vif, **options):
        """Unplugs with the options given."""
        self._do("unplug", vif, options)

    def _do(self, action, vif, options):
        values = {"ovsdb_connection": self._switch.remote, "ovs_vsctl_timeout": 20, **options}
        request = [values, action, vif.obj_to_primitive(), vifs.INSTANCE.obj_to_primitive()]
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "upstream has ended"
        assert json.loads(answer) is None, answer

    def close(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@pytest.fixture(scope="session")
def upstream_on(oracle_python):
    """Upstream os-vif on a switch: upstream_on(switch). One process each, for the session."""
    started = {}

    def on(switch, sysfs=None):
        if (switch.remote, sysfs) not in started:
            started[switch.remote, sysfs] = Upstream(oracle_python, switch, sysfs)
        return started[switch.remote, sysfs]

    yield on
    for upstream in started.values():
        upstream.close()


@pytest.fixture
def upstream(upstream_on, switch):
    """Upstream os-vif on the shared switch."""
    return upstream_on(switch)


@pytest.fixture
def guest(switch, new_netns):
    """A guest behind a plugged VIF: guest("br0", "tap1", "10.0.0.1/24").

    As a hypervisor does, it gives the VIF a device of the name that it says: a port of a Linux bridge, or with
    ``bridge`` "" one that Open vSwitch opens by itself.
    """

    def add(bridge, tap, address, mtu=1450):
        other = new_netns()
        switch.ns.ip("link", "add", tap, "mtu", str(mtu), "type", "veth", "peer", "name", "eth0", "netns", other.name)
        if bridge:
            switch.ns.ip("link", "set", tap, "master", bridge)
        switch.ns.ip("link", "set", tap, "up")
        other.ip("address", "add", address, "dev", "eth0")
        other.ip("link", "set", "eth0", "mtu", str(mtu), "up")
        return other

    return add


@pytest.fixture
def proxy_on():
    """Stands before the database of a switch; its faults are to be set by the test: proxy_on(switch)."""
    made = []

    def make(switch):
        made.append(Proxy(switch.remote.partition(":")[2], f"{switch.directory}/proxy.sock"))
        return made[-1]

    yield make
    for proxy in made:
        proxy.close()


@pytest.fixture
def proxy(proxy_on, switch):
    """The same before the shared switch."""
    return proxy_on(switch)
