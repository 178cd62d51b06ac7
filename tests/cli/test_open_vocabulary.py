# SPDX-License-Identifier: Apache-2.0
"""Resources of a third party's own, by the example package: in use, then gone, then broken."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from os_vif.cli.exit_code import ExitCode
from os_vif.objects.network import Network
from support import vifs
from support.parts import require_tun, require_vxlan
from support.pinging import comes_to_reach
from support.vif_command import EXAMPLES, command, without_rights

ID = vifs.identity(1)
ENTRY_POINTS = """
[os_vif]
vxlan = vif_plug_vxlan.plugin:VxlanPlugin
[os_vif.backends]
vxlan = {backend}
"""
BACKEND = "vif_plug_vxlan.backend:VxlanBackend"


@pytest.fixture
def package(tmp_path, monkeypatch, new_netns):
    """The example, installed for this test; package("module:Class") has its entry point lead elsewhere."""
    require_tun()
    require_vxlan(new_netns())
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

    def __init__(self, ns, directory, number, peers, state="", vif=1):
        self.ns = ns
        self._state, self._config, self._file = (directory / f"{state}{number}{end}" for end in ("", ".conf", ".json"))
        self.journal = self._state / "journal.db"
        self._config.write_text(f"[os_vif_vxlan]\nlocal = 192.0.2.{number}\npeers = {peers}\n")
        vif = vifs.generic(f"tap{vif}", number=vif, network=Network(vlan=701))
        vif.plugin = "vxlan"
        self._file.write_text(json.dumps({"vif": vif.obj_to_primitive(), "instance": vifs.INSTANCE.obj_to_primitive()}))

    def vif(self, *words, prefix=()):
        more = ("--state-dir", self._state, "--config-file", self._config)
        return self.ns.run([*prefix, command(), *words, *more], check=False, env=dict(os.environ))

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


REASON = "The backend vxlan cannot be used: no installed package has an entry point vxlan in the group os_vif.backends."
HINT = (
    "Install the package again, as it was when the VIF was plugged, or mend it. Meanwhile `vif unplug --id` takes away"
    " all else of a VIF, and what the package made stays; if it is gone for good, `vif journal forget` has that"
    " forgotten."
)
ALONE = f"VXLAN device vx701 (vxlan:Vxlan) of VIF {ID} is left alone. {REASON}"


@pytest.fixture
def gone(package, machine, monkeypatch):
    """A host on which a VIF was plugged with a package that is not there any more; gone.back() installs it again."""
    assert machine.plug().returncode == 0
    monkeypatch.delenv("PYTHONPATH")
    machine.back = lambda: monkeypatch.setenv("PYTHONPATH", str(package()))
    return machine


def test_without_its_package_what_is_there_is_told_of(gone):
    """By every command that tells of VIFs: which kind, of which VIF, why, and what to do. Nothing is touched."""
    before = gone.ns.link_names()
    for words, code in ((["list"], 0), (["show", ID], 0), (["gc"], 0), (["check"], 1), (["repair"], 1)):
        told = gone.vif(*words)
        assert told.stderr.count(f"warning: {ALONE} {HINT}\n") == 1, words
        assert told.returncode == code, words
    assert [one["status"] for one in json.loads(gone.vif("list", "-o", "json").stdout)] == ["plugged"]
    assert gone.vif("gc").stdout == "Nothing to remove.\n"
    assert gone.ns.link_names() == before
    gone.back()
    assert gone.vif("check").stdout == f"ok       {ID}\n"


def test_without_its_package_it_is_shown_as_it_is_recorded(gone):
    """Beside the other resources of its VIF, in JSON word for word."""
    assert gone.vif("show", ID).stdout.splitlines()[-3:] == [
        "bridge vxbr701      yes         yes     -",
        "VXLAN device vx701  yes         yes     -",
        "tap tap1            yes         no      -",
    ]
    without = json.loads(gone.vif("show", ID, "-o", "json").stdout)
    gone.back()
    assert json.loads(gone.vif("show", ID, "-o", "json").stdout)["resources"] == without["resources"]


def test_without_its_package_the_plugin_is_missed_once_for_each_vif(gone):
    """The VIF counts once, and others are checked."""
    checked = gone.vif("check")
    assert checked.stdout == f"failed   {ID}\n"
    assert checked.stderr.splitlines()[1:] == [
        "error: There is no VIF plug-in named vxlan.",
        "  hint: `vif host-info` lists the plugins that are installed; one that failed to load says why in the log.",
    ]


def test_without_its_package_the_journal_is_whole(gone):
    """To verify tells of the kind that nobody knows, and what to do; to rebuild loses nothing."""
    verified = gone.vif("journal", "verify")
    assert verified.returncode == 1
    assert verified.stdout.splitlines()[1:] == [f"{ALONE_ROW}  {ID}", HINT]
    gone.vif("journal", "backup")
    gone.journal.unlink()
    rebuilt = gone.vif("journal", "rebuild")
    assert rebuilt.returncode == 0
    assert rebuilt.stdout.splitlines()[1].startswith(f"{ID}  the backup of ")
    gone.back()
    assert gone.vif("check").stdout == f"ok       {ID}\n"


ALONE_ROW = f"VXLAN device vx701 (vxlan:Vxlan) is left alone. {REASON}"


def test_without_its_package_the_rest_of_a_vif_can_go(gone):
    """What the package made stays, and is known, until it is back; garbage collection takes it away then."""
    unplugged = gone.vif("unplug", "--id", ID)
    assert unplugged.returncode == 0
    assert unplugged.stderr == (
        f"warning: Left behind: VXLAN device vx701: {REASON[:-1]}; once it can, `vif gc` takes it away.\n"
    )
    assert gone.ns.link_names() == {"vxbr701", "vx701"}
    for _ in range(2):
        collected = gone.vif("gc")
        assert (collected.returncode, collected.stdout) == (0, "Nothing to remove.\n")
        assert collected.stderr == f"warning: {ALONE.replace(f'VIF {ID}', 'no VIF any more')} {HINT}\n"
    gone.back()
    collected = gone.vif("gc")
    assert collected.stdout.splitlines()[1:] == ["bridge vxbr701  was shared, and no VIF uses it any more  removed"]
    assert (collected.returncode, gone.ns.link_names()) == (0, set())


def test_what_is_gone_for_good_is_forgotten_when_it_is_asked_for(gone):
    """Once no VIF uses it; the device stays, and nothing is told of it any more."""
    refused = gone.vif("journal", "forget", "vxlan:Vxlan")
    assert refused.returncode == ExitCode.BAD_INPUT
    assert refused.stderr == (f"error: kind: VIF {ID} uses VXLAN device vx701; unplug it first (`vif unplug --id`).\n")
    gone.vif("unplug", "--id", ID)
    shown = gone.vif("journal", "forget", "vxlan:Vxlan", "--dry-run")
    assert shown.stdout.splitlines()[1] == "VXLAN device vx701  would be forgotten; it stays on the host"
    assert "vxlan:Vxlan" in gone.vif("list").stderr
    forgotten = gone.vif("journal", "forget", "vxlan:Vxlan")
    assert forgotten.stdout.splitlines()[1] == "VXLAN device vx701  forgotten; it stays on the host"
    assert gone.vif("list").stderr == ""
    assert gone.ns.link_names() == {"vxbr701", "vx701"}
    again = gone.vif("journal", "forget", "vxlan:Vxlan")
    assert again.stderr == (
        "error: kind: nothing of the kind vxlan:Vxlan is recorded whose backend cannot be used here.\n"
    )


def test_what_is_there_is_not_forgotten(package, machine):
    """A kind whose backend is installed goes by unplugging, and by garbage collection."""
    machine.plug()
    refused = machine.vif("journal", "forget", "vxlan:Vxlan")
    assert refused.returncode == ExitCode.BAD_INPUT
    assert machine.vif("check").stdout == f"ok       {ID}\n"


def test_without_its_package_others_are_not_concerned(gone, tmp_path):
    """They are plugged, checked, repaired and unplugged."""
    file = tmp_path / "other.json"
    vif = vifs.generic("tap2", number=2)
    file.write_text(json.dumps({"vif": vif.obj_to_primitive(), "instance": vifs.INSTANCE.obj_to_primitive()}))
    assert gone.vif("plug", file).returncode == 0
    gone.ns.ip("link", "set", "tap2", "down")
    assert gone.vif("repair", file).stdout.splitlines()[0] == f"repaired  {vifs.identity(2)}"
    assert gone.vif("check", file).stdout == f"ok       {vifs.identity(2)}\n"
    assert gone.vif("unplug", "--id", vifs.identity(2)).returncode == 0


BROKEN = {
    "nowhere:Backend": "cannot be imported: ModuleNotFoundError(\"No module named 'nowhere'\")",
    "quits:Quits": "cannot be imported: SystemExit(3)",
    "json:dumps": "cannot be made: TypeError('dumps() takes 1 positional argument but 2 were given')",
    "hollow:Hollow": "has no read(), converge(), remove(), run()",
}


@pytest.mark.parametrize("backend", BROKEN)
def test_a_backend_that_is_none(package, machine, backend):
    """Its package is named, and nothing is touched; garbage collection goes on without it."""
    (package(backend) / "hollow.py").write_text("class Hollow:\n    def __init__(self, *_): pass\n")
    (package(backend) / "quits.py").write_text("import sys\nsys.exit(3)\n")
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
        "        super().run(operations, context)\n"
        "        if operations[0].name == 'vxlan.add-peer': raise KeyError('peer')\n"
    )
    package("liar:Liar")
    refused = machine.plug()
    assert refused.returncode == 1
    assert "the backend vxlan (liar:Liar of vif-plug-vxlan 1.0.0) failed in run(): KeyError('peer')" in refused.stderr
    assert machine.ns.link_names() == set()


def test_without_rights_it_is_looked_at_and_not_changed(package, machine):
    """os-vif's privileged helper does nothing for backends of others, and the error says so."""
    machine.plug()
    peer = ("00:00:00:00:00:00", "dev", "vx701", "dst", "192.0.2.2")
    machine.ns.run(["bridge", "fdb", "delete", *peer])
    checked = machine.vif("check", prefix=without_rights())
    assert checked.stdout.splitlines()[:2] == [f"differs  {ID}", "         not done: add peer 192.0.2.2 of vx701"]
    refused = machine.vif("repair", prefix=without_rights())
    assert refused.returncode == ExitCode.NOT_PERMITTED
    assert refused.stderr == (
        "error: Not permitted to do vxlan.add-peer: this process is neither root nor holds CAP_NET_ADMIN, and os-vif's"
        " privileged helper does nothing for backends of others.\n"
        "  hint: Run it as root or with CAP_NET_ADMIN. A package that is to work without has to bring a helper of its"
        " own.\n"
    )
    assert machine.vif("repair").returncode == 0


def test_two_services_share_the_device(package, netns, tmp_path):
    """Each has a journal of its own; the device goes with the last VIF of both."""
    services = [
        Machine(netns, tmp_path, 1, "192.0.2.2"),
        Machine(netns, tmp_path, 1, "192.0.2.2", state="other", vif=2),
    ]
    for service in services:
        assert service.plug().returncode == 0
    assert services[0].vif("unplug", "--id", vifs.identity(1)).returncode == 0
    assert services[1].vif("check").stdout == f"ok       {vifs.identity(2)}\n"
    assert netns.link_names() == {"vxbr701", "vx701", "tap2"}
    assert services[1].vif("unplug", "--id", vifs.identity(2)).returncode == 0
    assert netns.link_names() == set()
