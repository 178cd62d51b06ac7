# SPDX-License-Identifier: Apache-2.0
"""A host in a namespace, the driver `netns` on it, and VIFs with addresses."""

from __future__ import annotations

import subprocess

import pytest

from os_vif.hypervisors.driver import Guest
from os_vif.loading import drivers
from os_vif.objects.fixed_ip import FixedIP, FixedIPList
from os_vif.objects.network import Network
from os_vif.objects.route import Route, RouteList
from os_vif.objects.subnet import Subnet, SubnetList
from os_vif.objects.vif import VIFBridge
from support import vifs


class Host:
    """What the driver does to guests, done by a thread inside the host's namespace."""

    def __init__(self, namespace):
        self.ns = namespace
        self.driver = drivers.load(drivers.HYPERVISORS, "netns")

    def attach(self, vif, guest):
        self.ns.inside(lambda: self.driver.attach(vif, guest))

    def detach(self, vif, guest):
        self.ns.inside(lambda: self.driver.detach(vif, guest))


@pytest.fixture
def host(netns):
    """A host with a Linux bridge br0, which nothing of changes with the first port and the last."""
    netns.ip("link", "add", "br0", "address", "02:00:00:00:00:b0", "type", "bridge")
    netns.ip("link", "set", "br0", "mtu", "1500")
    netns.ip("link", "add", "port", "master", "br0", "type", "veth", "peer", "name", "far")
    for name in ("br0", "port", "far"):
        netns.run(["sh", "-c", f"echo 1 >/proc/sys/net/ipv6/conf/{name}/disable_ipv6"])
    netns.ip("link", "set", "br0", "up")
    return Host(netns)


@pytest.fixture
def guest_in():
    """Makes a guest in a namespace: guest_in(namespace), guest_in(namespace, ifname="lan")."""
    return lambda namespace, **options: Guest("guest", vifs.INSTANCE.uuid, endpoint=namespace.name, options=options)


@pytest.fixture
def homeless():
    """A guest without a namespace; one of its name does not outlive the test."""
    guest = Guest("os-vif-test-guest", vifs.INSTANCE.uuid)
    yield guest
    subprocess.run(["ip", "netns", "delete", guest.name], check=False, capture_output=True)


def subnet(number, *, gateway="10.0.0.254", cidr="10.0.0.0/24", address=None, routes=()):
    address = address or f"10.0.0.{number}"
    return Subnet(
        cidr=cidr,
        gateway=gateway,
        ips=FixedIPList(objects=[FixedIP(address=address)]),
        routes=RouteList(objects=[Route(cidr=cidr, gateway=gateway) for cidr, gateway in routes]),
    )


@pytest.fixture
def bridged():
    """Makes a VIF on br0 with the address 10.0.0.<number>: bridged(1, mtu=1450)."""

    def make(number, *, subnets=None, mtu=1450, bridge="br0"):
        network = Network(bridge=bridge, mtu=mtu, subnets=SubnetList(objects=subnets or [subnet(number)]))
        return VIFBridge(
            id=vifs.identity(number),
            address=f"52:54:00:00:00:{number:02X}",
            plugin="linux_bridge",
            vif_name=f"tap{number}",
            bridge_name=bridge,
            network=network,
        )

    make.subnet = subnet
    return make
