# SPDX-License-Identifier: Apache-2.0
"""Resources of a third party's own, by the example package: in use, then gone, then broken."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from os_vif.objects.network import Network
from support import vifs
from support.parts import require_tun
from support.pinging import comes_to_reach
from support.vif_command import EXAMPLES, command

ID = vifs.identity(1)
ENTRY_POINTS = """
[os_vif]
vxlan = vif_plug_vxlan.plugin:VxlanPlugin
[os_vif.backends]
vxlan = {backend}
"""
BACKEND = "vif_plug_vxlan.backend:VxlanBackend"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """The example, installed for this test; package("module:Class") has its entry point lead elsewhere."""
    require_tun()
    place = tmp_path / "site"
    shutil.copytree(EXAMPLES / "vxlan" / "src", place)
    metadata = place / "vif_plug_vxlan-1.0.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: vif-plug-vxlan\nVersion: 1.0.0\n")
    monkeypatch.setenv("PYTHONPATH", str(place))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def install(backend=BACKEND):
        (metadata / "entry_points.txt").write_text(ENTRY_POINTS.format(backend=backend))
        return place

    install()
    return install


class Machine:
    """A host with a state directory and a configuration of its own."""

    def __init__(self, ns, directory, number, peers):
        self.ns = ns
        self._state, self._config, self._file = (directory / f"{number}{end}" for end in ("", ".conf", ".json"))
        self.journal = self._state / "journal.db"
        self._config.write_text(f"[os_vif_vxlan]\nlocal = 192.0.2.{number}\npeers = {peers}\n")
        vif = vifs.generic(number=1, network=Network(vlan=701))
        vif.plugin = "vxlan"
        self._file.write_text(json.dumps({"vif": vif.obj_to_primitive(), "instance": vifs.INSTANCE.obj_to_primitive()}))

    def vif(self, *words):
        more = ("--state-dir", self._state, "--config-file", self._config)
        return self.ns.run([command(), *words, *more], check=False, env=dict(os.environ))

    def plug(self):
        return self.vif("plug", self._file)


@pytest.fixture
def machine(package, netns, tmp_path):
    return Machine(netns, tmp_path, 1, "192.0.2.2")


def test_guests_reach_each_other_across_hosts(package, new_netns, tmp_path):
    """Each host's device knows the other's address; what is recorded is shown, checked, and taken away."""
    spaces = [new_netns(), new_netns()]
    spaces[0].ip("link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", spaces[1].name)
    hosts = [Machine(ns, tmp_path, number, f"192.0.2.{3 - number}") for number, ns in enumerate(spaces, 1)]
    for number, host in enumerate(hosts, 1):
        host.ns.ip("address", "add", f"192.0.2.{number}/24", "dev", "wire")
        host.ns.ip("link", "set", "wire", "up")
        assert host.plug().stderr == ""
    guests = [new_netns(), new_netns()]
    for number, (host, guest) in enumerate(zip(hosts, guests, strict=True), 1):
        host.ns.ip("link", "add", "near", "type", "veth", "peer", "name", "eth0", "netns", guest.name)
        host.ns.ip("link", "set", "near", "master", "vxbr701", "up")
        guest.ip("address", "add", f"10.0.0.{number}/24", "dev", "eth0")
        guest.ip("link", "set", "eth0", "mtu", "1450", "up")
    assert comes_to_reach(guests[0], "10.0.0.2")
    shown = hosts[0].vif("show", ID).stdout
    assert "VXLAN device vx701" in shown
    assert hosts[0].vif("check").returncode == 0
    guests[0].ip("link", "delete", "eth0")
    unplugged = hosts[0].vif("unplug", "--id", ID)
    assert (unplugged.returncode, unplugged.stderr) == (0, "")
    assert hosts[0].ns.link_names() == {"wire"}


GONE = (
    "What is held of vxlan/vx701 in {} cannot be read: The backend vxlan cannot be used:"
    " no installed package has an entry point vxlan in the group os_vif.backends."
)
HINT = (
    "Install the package again, as it was when the VIF was plugged, or mend it. `vif unplug --id` takes away what else"
    " there is of a VIF meanwhile; what the package made stays until it is back."
)


def test_without_its_package_all_else_goes_on(package, machine, monkeypatch):
    """What cannot be read is told of by name, and what to do; all is well once the package is back."""
    machine.plug()
    before, gone = machine.ns.link_names(), GONE.format(machine.journal)
    monkeypatch.delenv("PYTHONPATH")
    assert machine.vif("list").stdout.splitlines()[1].startswith("tap1    vxlan   plugged")
    shown = machine.vif("show", ID)
    assert "tap tap1        yes         no      -" in shown.stdout
    assert shown.stderr == f"warning: {gone} It is taken for not recorded. {HINT}\n"
    for words in (["check"], ["repair"], ["gc", "--dry-run"], ["journal", "verify"]):
        told = machine.vif(*words)
        assert told.returncode == 1, words
        assert gone in told.stdout + told.stderr, words
        assert HINT in told.stderr, words
    assert machine.ns.link_names() == before
    monkeypatch.setenv("PYTHONPATH", str(package()))
    assert machine.vif("check").stdout == f"ok       {ID}\n"


def test_without_its_package_the_rest_of_a_vif_can_go(package, machine, monkeypatch):
    """What the package made stays until it is back, and is garbage then."""
    machine.plug()
    monkeypatch.delenv("PYTHONPATH")
    unplugged = machine.vif("unplug", "--id", ID)
    assert unplugged.returncode == 0
    assert unplugged.stderr == f"warning: {GONE.format(machine.journal)} It is taken for not recorded. {HINT}\n"
    assert machine.ns.link_names() == {"vxbr701", "vx701"}
    monkeypatch.setenv("PYTHONPATH", str(package()))
    for name in ("VXLAN device vx701", "bridge vxbr701"):
        collected = machine.vif("gc").stdout.splitlines()[1]
        assert collected.split("  ")[0] == name
        assert collected.endswith("was shared, and no VIF uses it any more  removed")
    assert machine.ns.link_names() == set()


BROKEN = {
    "nowhere:Backend": "cannot be imported: ModuleNotFoundError(\"No module named 'nowhere'\")",
    "json:dumps": "cannot be made: TypeError('dumps() takes 1 positional argument but 2 were given')",
    "hollow:Hollow": "has no read(), converge(), remove(), run()",
}


@pytest.mark.parametrize("backend", BROKEN)
def test_a_backend_that_is_none(package, machine, backend):
    """Its package is named, and nothing is touched; garbage collection goes on without it."""
    (package(backend) / "hollow.py").write_text("class Hollow:\n    def __init__(self, *_): pass\n")
    refused = machine.plug()
    assert (refused.returncode, refused.stdout) == (1, "")
    words = f"The backend vxlan cannot be used: {backend} of vif-plug-vxlan 1.0.0 {BROKEN[backend]}."
    assert refused.stderr == f"error: VIF {ID}: {words}\n  hint: {HINT}\n"
    assert machine.ns.link_names() == set()
    collected = machine.vif("gc", "--dry-run")
    assert collected.returncode == 1
    assert words in collected.stdout


LIARS = {
    "read": ("1 / 0", "ZeroDivisionError('division by zero')."),
    "converge": ("None", "it returned None, which is no Outcome."),
    "remove": ("[None]", "it returned None, which is no Step."),
}


@pytest.mark.parametrize("method", LIARS)
def test_a_backend_that_does_what_none_does(package, machine, method):
    """The error says whose fault it is; a plug leaves nothing."""
    value, words = LIARS[method]
    if method == "remove":
        machine.plug()
    (package() / "liar.py").write_text(
        "from vif_plug_vxlan.backend import VxlanBackend\n"
        f"class Liar(VxlanBackend):\n    def {method}(self, *_):\n        return {value}\n"
    )
    package("liar:Liar")
    done = machine.vif("unplug", "--id", ID) if method == "remove" else machine.plug()
    assert done.returncode == 1
    error = f"The backend vxlan (liar:Liar of vif-plug-vxlan 1.0.0) failed in {method}(): {words}"
    assert error in done.stderr
    if method != "remove":
        assert machine.ns.link_names() == set()
    package()
    assert machine.vif("unplug", "--id", ID).returncode == (0 if method == "remove" else 6)
    assert machine.ns.link_names() == set()


def test_a_step_that_fails_in_the_middle_is_undone(package, machine):
    """The error is the step's, with what the backend raised."""
    (package() / "liar.py").write_text(
        "from vif_plug_vxlan.backend import VxlanBackend\n"
        "class Liar(VxlanBackend):\n"
        "    def run(self, operations, context):\n"
        "        super().run(operations[:2], context)\n"
        "        if len(operations) > 2: raise KeyError('peer')\n"
    )
    package("liar:Liar")
    refused = machine.plug()
    assert refused.returncode == 1
    assert "the backend vxlan (liar:Liar of vif-plug-vxlan 1.0.0) failed in run(): KeyError('peer')" in refused.stderr
    assert machine.ns.link_names() == set()
