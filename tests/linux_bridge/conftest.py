# SPDX-License-Identifier: Apache-2.0
"""A namespace that the Linux bridge plugin plugs into, and guests on its bridges."""

from __future__ import annotations

import time

import pytest

from os_vif.plugins.linux_bridge import LinuxBridgePlugin
from support import plugging
from support.guest import Elsewhere


@pytest.fixture
def new_host(netns, tmp_path):
    """Makes a host with options of the test's own: new_host(flat_interface="eth9")."""

    def make(**options):
        return plugging.PlugHost(netns, tmp_path, plugging.configured(LinuxBridgePlugin, **options))

    return make


@pytest.fixture
def host(new_host):
    """A host with the default options."""
    return new_host()


@pytest.fixture
def wire(netns):
    """An interface eth9 of the host, up, with a far end called wire; IPv6 is off, so that nothing comes by itself."""
    netns.ip("link", "add", "eth9", "address", "02:00:00:00:00:09", "type", "veth", "peer", "name", "wire")
    for name in ("eth9", "wire"):
        netns.run(["sh", "-c", f"echo 1 >/proc/sys/net/ipv6/conf/{name}/disable_ipv6"])
        netns.ip("link", "set", name, "up")
    return "eth9"


@pytest.fixture
def guest(netns, new_netns):
    """Puts a guest, a namespace with the address given, on a bridge of the host, as a hypervisor would its tap."""

    def add(bridge, tap, address, mtu=1500):
        other = new_netns()
        netns.ip("link", "add", tap, "mtu", str(mtu), "type", "veth", "peer", "name", "eth0", "netns", other.name)
        netns.ip("link", "set", tap, "master", bridge, "up")
        other.ip("address", "add", address, "dev", "eth0")
        other.ip("link", "set", "eth0", "mtu", str(mtu), "up")
        return other

    return add


@pytest.fixture
def eventually():
    """Waits until a condition holds; what never holds fails by its deadline."""

    def wait(condition, seconds=60):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it never came true"
            time.sleep(0.1)

    return wait


#: What the tests of VLAN devices need of a kernel.
MODULES = ("8021q", "bridge", "veth", "tun", "macvtap", "nf_tables", "nft_compat")
_elsewhere = Elsewhere(MODULES)


@pytest.fixture
def vlans():
    """For tests that need VLAN devices: where this kernel has none, they run in a guest whose kernel has."""


@pytest.fixture
def without_8021q(netns):
    """For tests of what happens where the kernel makes no VLAN devices."""
    if has_vlans(netns):
        pytest.skip("this kernel has 8021q: nothing is refused here")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    if "vlans" not in pyfuncitem.fixturenames or has_vlans(pyfuncitem.funcargs["netns"]):
        return None
    _elsewhere.report(pyfuncitem)
    return True


def has_vlans(namespace):
    """Whether this kernel, with the modules it can load, makes VLAN devices."""
    namespace.ip("link", "add", "probe", "type", "veth", "peer", "name", "probed")
    make = ["ip", "link", "add", "link", "probe", "name", "probe.1", "type", "vlan", "id", "1"]
    made = namespace.run(make, check=False)
    namespace.ip("link", "delete", "probe")
    return made.returncode == 0
