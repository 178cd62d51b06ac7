# SPDX-License-Identifier: Apache-2.0
"""A guest of a real libvirt moves from host to host while it runs, and its interface with it, by the command."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import pytest

from os_vif.hypervisors.driver import Guest
from os_vif.hypervisors.libvirt.rendering import render
from os_vif.objects.network import Network
from os_vif.plugins.linux_bridge import LinuxBridgePlugin
from os_vif.plugins.tap import TapPlugin
from support import plugging, vifs
from support.libvirt import Libvirtd
from support.vif_command import command

ANY = Guest(name="any", uuid=vifs.INSTANCE.uuid)
CONFIGURATION = """
[os_vif_network_local]
database = {directory}/networks.db
[os_vif_hypervisor_libvirt]
uri = {uri}
"""


@dataclass
class Host:
    """A host: a network namespace with a libvirt, and a place where os-vif keeps its records."""

    name: str
    ns: Any
    libvirtd: Libvirtd
    directory: Any

    def vif(self, *arguments):
        """Runs the command there; returns what it answers."""
        configuration = self.directory / f"{self.name}.conf"
        configuration.write_text(CONFIGURATION.format(directory=self.directory, uri=self.libvirtd.uri))
        more = ["--config-file", configuration, "--state-dir", self.directory / self.name, "--output", "json"]
        printed = self.ns.run([command(), *arguments, *more]).stdout
        return json.loads(printed) if printed.strip() else None

    def interface(self, *words, guest):
        """The same, about the guest's interface on the network."""
        parties = (
            ("--hypervisor", "libvirt", "--host", self.name, "--hot") if words[-1] in ("attach", "prepare") else ()
        )
        return self.vif(*words, guest.name, "--uuid", guest.uuid, "--network", "blue", *parties)

    def ns_directory(self, plugin):
        """A place for the records of an engine."""
        made = self.directory / f"{self.name}-{plugin.__name__}"
        made.mkdir()
        return made

    def devices(self):
        """What plugging has made."""
        return [name for name in self.ns.link_names() if name.startswith(("tap", "brq"))]


@pytest.fixture
def hosts(new_netns, tmp_path):
    """Two hosts with a wire between them, which is the network's way out."""
    one, two = new_netns(), new_netns()
    one.ip("link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", two.name)
    made = [Host(name, ns, Libvirtd(ns), tmp_path) for name, ns in (("one", one), ("two", two))]
    for host in made:
        host.ns.ip("link", "set", "wire", "up")
    yield made
    for host in made:
        host.libvirtd.close()


def test_a_guest_moves_with_its_interface(hosts):
    """It is reached before and after; the source keeps nothing, and the binding is the destination's."""
    source, destination = hosts
    source.vif("network", "create", "blue", "--cidr", "10.0.1.0/24", "--uplink", "wire")
    with source.libvirtd.guest("mover") as mover, destination.libvirtd.guest("peer") as peer:
        addresses = {}
        for guest, host in ((mover, source), (peer, destination)):
            guest.wait()
            answer = host.interface("attach", guest=guest)
            guest.configure(answer["mac_address"], answer["ip_addresses"][0])
            addresses[guest.name] = answer["ip_addresses"][0].partition("/")[0]
        assert mover.reaches(addresses["peer"])
        destination.interface("migrate", "prepare", guest=mover)
        mover.move(destination.libvirtd)
        destination.interface("migrate", "activate", guest=mover)
        source.interface("detach", guest=mover)
        assert mover.reaches(addresses["peer"])
        assert peer.reaches(addresses["mover"])
        assert source.devices() == []
        assert len(destination.devices()) == 3
        assert destination.libvirtd.virsh("dumpxml", "mover").count("<interface") == 1
        ports = destination.vif("network", "ports")
        assert [binding["host"] for port in ports for binding in port["bindings"]] == ["two", "two"]


def test_a_guest_moves_to_where_its_port_is_bound_in_another_way(hosts, new_driver):
    """A tap that libvirt makes at the source, one that the plugin makes at the destination."""
    source, destination = hosts
    network = Network(bridge="br1", bridge_interface="wire", should_provide_bridge=True)
    there = vifs.generic("tap1", network=network)
    pairs = (
        (source, LinuxBridgePlugin, vifs.bridge("br1", bridge_interface="wire")),
        (destination, TapPlugin, there),
        (destination, LinuxBridgePlugin, vifs.bridge("br1", number=2, bridge_interface="wire")),
    )
    for host, plugin, vif in pairs:
        plugging.PlugHost(host.ns, host.ns_directory(plugin), plugging.configured(plugin)).plug(vif)
    here, _, beside = (new_driver(uri=host.libvirtd.uri).render(vif, ANY).text for host, _, vif in pairs)
    first = source.libvirtd.guest("mover", here, address="10.0.1.1/24")
    with first as mover, destination.libvirtd.guest("peer", beside, address="10.0.1.2/24") as peer:
        mover.wait()
        peer.wait()
        assert mover.reaches("10.0.1.2")
        domain = ElementTree.fromstring(source.libvirtd.virsh("dumpxml", "--migratable", "mover"))
        elsewhere = render(there, ANY)
        elsewhere.append(domain.find("devices/interface/address"))
        domain.find("devices").remove(domain.find("devices/interface"))
        domain.find("devices").append(elsewhere)
        mover.move(destination.libvirtd, xml=ElementTree.tostring(domain, encoding="unicode"))
        assert mover.reaches("10.0.1.2")
        assert "<interface type='ethernet'>" in destination.libvirtd.virsh("dumpxml", "mover")
