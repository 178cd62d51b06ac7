# SPDX-License-Identifier: Apache-2.0
"""The arrows of the house: which room may import which, and which rooms may touch the world outside the process."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src"
OURS = ("os_vif", "vif_plug_linux_bridge", "vif_plug_noop", "vif_plug_ovs")

EVERYTHING = "*"

#: What everybody needs: errors, and reading what others have written.
GROUND = ("os_vif.exception", "os_vif.foreign")

#: The object model.
OBJECTS = ("os_vif.objects", "os_vif.objects.fields", "os_vif.objects.wire")

#: What is below the host: how this process keeps order, the kernel, OVSDB, and the vocabulary of desired state.
STATE, PROCESS, KERNEL, OVSDB = "os_vif.host.state", "os_vif.host.process", "os_vif.host.kernel", "os_vif.host.ovsdb"

#: The engine of desired state, from the ground up; backends are loaded by their names.
CONTRACT, ACCESS, JOURNAL = "os_vif.host.contract", "os_vif.host.access", "os_vif.host.journal"
ENGINE, BACKENDS, DIAGNOSIS = "os_vif.host.engine", "os_vif.host.backends", "os_vif.host.diagnosis"

#: From the public API to the engine.
PLUGGING = ("os_vif.plugging", "os_vif.loading", "os_vif.plugin", "os_vif")

#: What Neutron says of a binding, as objects.
NEUTRONS_WORDS = (
    "os_vif.networks.neutron.vifs", "os_vif.networks.neutron.binding", "os_vif.networks.neutron.provisions",
)  # fmt: skip

#: room: what it may import of ours, besides itself. Names stand for modules and all that is below them. A module is in
#: the room with the longest name that fits. Downward only: nothing here may make a circle, which a test checks.
ROOMS: dict[str, tuple[str, ...]] = {
    # the ground floor: imports nothing, or errors only
    "os_vif.exception": (),
    "os_vif.utils": (),
    "os_vif.foreign": ("os_vif.exception",),
    "os_vif.objects": (*GROUND, "os_vif.objects.fields", "os_vif.objects.wire", "os_vif.objects.refusals"),
    "os_vif.objects.refusals": GROUND,
    "os_vif.objects.fields": (*GROUND, "os_vif.objects.refusals"),
    "os_vif.objects.wire": (*GROUND, "os_vif.objects.refusals", "os_vif.objects.fields"),
    "os_vif.plugins.names": (),
    # the host, from the ground up: it knows devices, not VIFs
    PROCESS: GROUND,
    STATE: GROUND,
    KERNEL: (*GROUND, PROCESS, STATE),
    OVSDB: (*GROUND, PROCESS),
    CONTRACT: (*GROUND, STATE),
    ACCESS: (*GROUND, STATE, PROCESS, KERNEL, CONTRACT),
    JOURNAL: (*GROUND, STATE, PROCESS, KERNEL, CONTRACT),
    ENGINE: (*GROUND, STATE, PROCESS, CONTRACT, ACCESS, JOURNAL),
    DIAGNOSIS: (*GROUND, STATE, PROCESS, KERNEL, OVSDB, CONTRACT, ACCESS),
    BACKENDS: (*GROUND, STATE, PROCESS, KERNEL, OVSDB, CONTRACT, ACCESS, JOURNAL, DIAGNOSIS),
    "os_vif.host": (),
    # a VIF in, desired state out
    "os_vif.plugin": (*GROUND, *OBJECTS, STATE),
    # what others need to bring a kind of resource of their own
    "os_vif.backend": (STATE, KERNEL, CONTRACT, ACCESS, JOURNAL),
    "os_vif.plugins": (*GROUND, *OBJECTS, "os_vif.plugin", STATE, "os_vif.plugins.names"),
    # the privileged helper, which reads the operator's configuration itself
    "os_vif.privsep": (*GROUND, "os_vif.plugins", ACCESS, CONTRACT, KERNEL),
    "vif_plug_linux_bridge": ("os_vif.plugins", "os_vif.plugin"),
    "vif_plug_noop": ("os_vif.plugins", "os_vif.plugin"),
    "vif_plug_ovs": ("os_vif.plugins", "os_vif.plugins.names", "os_vif.plugin"),
    "vif_plug_linux_bridge.privsep": (*GROUND, ACCESS, "os_vif.privsep"),
    "vif_plug_ovs.privsep": (*GROUND, ACCESS, "os_vif.privsep"),
    # who binds what: pure
    "os_vif.negotiation": (*GROUND, *OBJECTS),
    # the public API, on top of plugins and host
    "os_vif.loading": (*GROUND, "os_vif.plugin", PROCESS, OVSDB),
    "os_vif.plugging": (
        *GROUND, *OBJECTS, "os_vif.plugin", "os_vif.loading", STATE, PROCESS, CONTRACT, ACCESS, JOURNAL,
        ENGINE, BACKENDS, DIAGNOSIS,
    ),
    "os_vif": (*GROUND, *OBJECTS, "os_vif.loading", "os_vif.plugging", CONTRACT, JOURNAL, ENGINE),
    # two sides that do not know each other
    "os_vif.networks": (*GROUND, *OBJECTS, "os_vif.negotiation", *PLUGGING),
    # it serves DHCP: an address on a bridge, and a process
    "os_vif.networks.local": (
        *GROUND, *OBJECTS, "os_vif.negotiation", *PLUGGING, "os_vif.networks", "os_vif.plugins.names",
        STATE, PROCESS, KERNEL, CONTRACT, ACCESS, JOURNAL, ENGINE, BACKENDS,
    ),
    "os_vif.networks.neutron": (
        *GROUND, *OBJECTS, "os_vif.negotiation", "os_vif.networks", "os_vif.plugins.names",
        *NEUTRONS_WORDS,
    ),
    # what Neutron says of a binding, as objects; pure, and its server uses it too
    "os_vif.networks.neutron.binding": (*OBJECTS, "os_vif.plugins.names"),
    "os_vif.networks.neutron.vifs": (*OBJECTS, "os_vif.plugins.names", "os_vif.networks.neutron.binding"),
    "os_vif.networks.neutron.provisions": (*OBJECTS, "os_vif.negotiation"),
    "os_vif.hypervisors": (*GROUND, *OBJECTS, "os_vif.negotiation", *PLUGGING, PROCESS),
    # a namespace is its own hypervisor: what libvirt or QEMU would do to the kernel, the driver has to do itself
    "os_vif.hypervisors.netns": (
        *GROUND, *OBJECTS, "os_vif.negotiation", "os_vif", "os_vif.hypervisors", STATE, PROCESS, KERNEL,
        JOURNAL,
    ),
    "os_vif.lifecycle": (
        *GROUND, *OBJECTS, "os_vif.negotiation", "os_vif.networks", "os_vif.hypervisors", *PLUGGING,
        PROCESS, KERNEL, CONTRACT, ACCESS, JOURNAL, ENGINE,
    ),
    "os_vif.neutron_ml2": (*GROUND, *OBJECTS, "os_vif.negotiation", *NEUTRONS_WORDS),
    # the roof
    "os_vif.opts": ("os_vif", "os_vif.loading", "os_vif.lifecycle"),
    "os_vif.cli": (EVERYTHING,),
    "os_vif.testing": (EVERYTHING,),
}  # fmt: skip

#: The one way up: whoever holds a plugin may call its plug() without the API, as upstream's contract has it, and the
#: base class hands that to the engine. Only inside a function, so that loading a plugin loads none of it.
UPWARD = {"os_vif.plugin": ("os_vif.plugging",)}

#: Rooms that do no I/O: state in, state out, wherever they run.
PURE = (
    *GROUND, *OBJECTS, "os_vif.objects.refusals", STATE, CONTRACT, "os_vif.plugin", "os_vif.plugins",
    "os_vif.negotiation",
)  # fmt: skip

#: What reaches out of the process.
IO_MODULES = {
    "asyncio", "ctypes", "fcntl", "glob", "http", "io", "multiprocessing", "os", "pathlib", "psutil", "pyroute2",
    "select", "selectors", "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess", "tempfile", "urllib",
    "oslo_privsep", "oslo_concurrency", "requests",
}  # fmt: skip

#: Never imported where a module is loaded, only inside a function: it costs hundreds of modules, or may be missing.
LAZY = (
    "oslo_versionedobjects", "oslo_messaging", "eventlet", "pyroute2", "rich", "argcomplete", "oslo_privsep", "libvirt",
    "openstack", "keystoneauth1",
)  # fmt: skip
#: ... but for the modules that are loaded for its sake.
LAZY_EXCEPT = {
    "os_vif.cli": ("rich", "argcomplete"),
    "os_vif.privsep": ("oslo_privsep",),
    "vif_plug_linux_bridge.privsep": ("oslo_privsep",),
    "vif_plug_ovs.privsep": ("oslo_privsep",),
}


def problems(module: str, source: str) -> list[str]:
    """What is wrong with the imports of a module, given its text."""
    room = room_of(module)
    if room is None:
        return [f"{module} is in no room: add it to ROOMS"]
    found = []
    for imported, line, lazy in imports(module, source):
        where = f"{module}:{line}"
        top = imported.split(".")[0]
        if top in OURS:
            upward = lazy and any(within(imported, above) for above in UPWARD.get(room, ()))
            if not upward and not allowed(room, imported):
                found.append(f"{where} imports {imported}, which {room} may not")
        elif room in PURE and top in IO_MODULES:
            found.append(f"{where} imports {imported}, but {room} does no I/O")
        if not lazy and top in LAZY and top not in LAZY_EXCEPT.get(room, ()):
            found.append(f"{where} imports {imported} when loaded; import it inside the function that needs it")
    if room in PURE:
        found += [f"{module}:{line} opens a file, but {room} does no I/O" for line in opens(source)]
    return found


def room_of(module: str) -> str | None:
    fitting = [room for room in ROOMS if within(module, room)]
    if fitting == ["os_vif"] and "." in module:
        return None  # below os_vif everything has a room of its own; `os_vif` is the API
    return max(fitting, key=len, default=None)


def within(module: str, room: str) -> bool:
    return module == room or module.startswith(room + ".")


def allowed(room: str, imported: str) -> bool:
    if EVERYTHING in ROOMS[room]:
        return True
    home = room_of(imported)
    return home == room or home in ROOMS[room]


def imports(module: str, source: str) -> Iterator[tuple[str, int, bool]]:
    """Every import: what, the line, and whether it waits for a function to be called. Types alone do not count."""
    yield from _imports(ast.parse(source), module, lazy=False)


def _imports(node: ast.AST, module: str, lazy: bool) -> Iterator[tuple[str, int, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield alias.name, child.lineno, lazy
        elif isinstance(child, ast.ImportFrom):
            for alias in child.names:
                yield _imported_from(module, child, alias.name), child.lineno, lazy
        elif isinstance(child, ast.If) and _is_type_checking(child.test):
            for statement in child.orelse:
                yield from _imports(statement, module, lazy)
        else:
            inner = lazy or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _imports(child, module, inner)


def _imported_from(module: str, node: ast.ImportFrom, name: str) -> str:
    base = node.module or ""
    if node.level:
        package = module if is_package(module) else module.rpartition(".")[0]
        for _ in range(node.level - 1):
            package = package.rpartition(".")[0]
        base = f"{package}.{base}".rstrip(".")
    whole = f"{base}.{name}"
    # `from os_vif import exception` imports a module, `from os_vif import plug` the package: the difference matters.
    return whole if base.split(".")[0] in OURS and (exists(whole) or whole in ROOMS) else base


def _is_type_checking(test: ast.expr) -> bool:
    return ast.unparse(test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def opens(source: str) -> Iterator[int]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "open":
            yield node.lineno


def exists(module: str) -> bool:
    return is_package(module) or SOURCE.joinpath(*module.split(".")).with_suffix(".py").exists()


def is_package(module: str) -> bool:
    return SOURCE.joinpath(*module.split("."), "__init__.py").exists()


def modules() -> list[tuple[str, Path]]:
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        found.append((".".join(parts[:-1] if parts[-1] == "__init__" else parts), path))
    return found


def test_every_module_keeps_to_its_room():
    found = [problem for name, path in modules() for problem in problems(name, path.read_text())]
    assert found == []


def test_the_table_has_no_circles():
    arrows = {room: {other for other in below if other != EVERYTHING} for room, below in ROOMS.items()}
    # the host's own vocabulary lies below the host; the rest of the table must sort
    while arrows:
        ground = {room for room, below in arrows.items() if not below & (arrows.keys() - {room})}
        assert ground, f"a circle among {sorted(arrows)}"
        arrows = {room: below for room, below in arrows.items() if room not in ground}


def test_no_files_import_each_other_in_a_circle():
    """Not even inside functions, or for types only: what is tied together can only be understood together."""
    arrows = {name: set(_names(ast.parse(path.read_text()), name)) for name, path in modules()}
    # `from package import module` goes through the package's __init__, which is no arrow to it
    arrows = {name: {other for other in seen if other in arrows and other != name} for name, seen in arrows.items()}
    assert circles(arrows) == []


def _names(tree: ast.AST, module: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (_imported_from(module, node, alias.name) for alias in node.names)


def circles(arrows: dict[str, set[str]]) -> list[list[str]]:
    """The files that can neither be read before all others nor after them."""
    arrows = {name: set(below) for name, below in arrows.items()}
    while True:
        ground = {name for name, below in arrows.items() if not below}
        roof = arrows.keys() - set().union(*arrows.values()) if arrows else set()
        if not ground | roof:
            return [sorted(arrows)] if arrows else []
        arrows = {name: below - ground for name, below in arrows.items() if name not in ground | roof}


def test_a_circle_is_found():
    assert circles({"roof": {"a"}, "a": {"b"}, "b": {"a", "ground"}, "ground": set()}) == [["a", "b"]]
    assert circles({"roof": {"a"}, "a": {"ground"}, "ground": set()}) == []


@pytest.mark.parametrize(
    ("module", "source", "complaint"),
    [
        ("os_vif.objects.vif", "import socket", "does no I/O"),
        ("os_vif.objects.vif", "from os_vif.host import state", "may not"),
        ("os_vif.objects.vif", "import os_vif", "may not"),
        ("os_vif.objects.vif", "def f():\n    import oslo_messaging\n    open('x')", "opens a file"),
        ("os_vif.plugins.tap", "from os_vif.host.kernel.netlink import Netlink", "may not"),
        ("os_vif.plugins.tap", "from os_vif.host.engine import engine", "may not"),
        ("os_vif.plugins.tap", "from os import path", "does no I/O"),
        ("os_vif.plugins.tap", "def f():\n    import subprocess", "does no I/O"),
        ("os_vif.negotiation.choice", "from os_vif import networks", "may not"),
        ("os_vif.host.engine.engine", "from os_vif.plugins import tap", "may not"),
        ("os_vif.host.engine.engine", "from os_vif import plug", "may not"),
        ("os_vif.host.engine.engine", "import pyroute2", "inside the function"),
        ("os_vif.host.state.links", "from os_vif.host.engine import engine", "may not"),
        ("os_vif.networks.local", "from os_vif.hypervisors import libvirt", "may not"),
        ("os_vif", "from os_vif.cli import main", "may not"),
        ("os_vif.objects.base", "import oslo_versionedobjects", "inside the function"),
        ("os_vif.objects.base", "from ..host.engine import engine", "may not"),
        ("os_vif.plugin", "from os_vif import plugging", "may not"),
        ("os_vif.somewhere", "", "in no room"),
    ],
)
def test_the_guard_catches(module, source, complaint):
    assert any(complaint in problem for problem in problems(module, source))


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("os_vif.objects.vif", "from os_vif import exception\nfrom os_vif.objects import base\nimport re, netaddr"),
        ("os_vif.plugins.tap", "from os_vif.host.state import Tap\nfrom os_vif.host import state"),
        (
            "os_vif.host.engine.engine",
            "import os, sqlite3\nfrom os_vif.host import state\ndef f():\n    import pyroute2",
        ),
        ("os_vif.objects.base", "def f():\n    import oslo_versionedobjects"),
        ("os_vif.plugins.tap", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from pathlib import Path"),
        ("os_vif.cli.main", "from os_vif.host.engine import engine\nimport os_vif\ndef f():\n    import rich"),
    ],
)
def test_the_guard_lets_pass(module, source):
    assert problems(module, source) == []
