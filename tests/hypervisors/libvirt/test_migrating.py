# SPDX-License-Identifier: Apache-2.0
"""A guest of a real libvirt moves from host to host while it runs, and its interface with it, by the command."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from support.libvirt import Libvirtd
from support.vif_command import command

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
        sides = ("--hypervisor", "libvirt", "--host", self.name, "--hot") if words[-1] in ("attach", "prepare") else ()
        return self.vif(*words, guest.name, "--uuid", guest.uuid, "--network", "blue", *sides)

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
