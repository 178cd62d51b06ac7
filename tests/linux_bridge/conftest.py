# SPDX-License-Identifier: Apache-2.0
"""A namespace that the Linux bridge plugin plugs into, and guests on its bridges."""

from __future__ import annotations

import pytest

from os_vif.plugins.linux_bridge import LinuxBridgePlugin
from support import plugging


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
