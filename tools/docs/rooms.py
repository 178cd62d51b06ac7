# SPDX-License-Identifier: Apache-2.0
"""Draws docs/pictures/rooms.svg from the imports of the code, so that the picture cannot lie.

A room is a package; it stands above all rooms that it imports. A line is an import that no other path stands for; what
flows along the main ones is written beside them, and must be such an import.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
PICTURE = ROOT / "docs" / "pictures" / "rooms.svg"

#: The rooms that are drawn, each a package or a module. `exception` is imported by all of them, `testing` by none.
ROOMS = (
    "os_vif.cli", "os_vif.lifecycle", "os_vif.networks", "os_vif.hypervisors", "os_vif.neutron_ml2",
    "os_vif.negotiation", "os_vif.objects", "os_vif.plugging", "os_vif.loading", "os_vif.plugins",
    "os_vif.host.diagnosis", "os_vif.host.engine", "os_vif.host.backends", "os_vif.host.journal", "os_vif.host.access",
    "os_vif.host.contract", "os_vif.host.state", "os_vif.host.kernel", "os_vif.host.ovsdb", "os_vif.host.process",
)  # fmt: skip

#: What flows: from whom, to whom, and what. Loaded by name, not imported: the engine's backends, and plugins.
FLOWS = (
    ("os_vif.lifecycle", "os_vif.hypervisors", "guest, VIF"),
    ("os_vif.lifecycle", "os_vif.networks", "offer → answer"),
    ("os_vif.lifecycle", "os_vif.plugging", "VIF"),
    ("os_vif.plugging", "os_vif.host.engine", "desired state"),
    ("os_vif.plugins", "os_vif.host.state", "resources"),
    ("os_vif.host.engine", "os_vif.host.journal", "intent, end"),
    ("os_vif.host.engine", "os_vif.host.access", "operations"),
    ("os_vif.host.backends", "os_vif.host.ovsdb", "transaction"),
    ("os_vif.host.access", "os_vif.host.kernel", "netlink"),
)
BY_NAME = (("os_vif.loading", "os_vif.plugins"), ("os_vif.host.engine", "os_vif.host.backends"))

WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 200, 74, 26, 64, 24


def main() -> None:
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(draw())


def draw() -> str:
    """The picture, as SVG."""
    arrows = imports()
    floors = stack(arrows)
    places = place(floors)
    width = max(x for x, _ in places.values()) + WIDTH + MARGIN
    height = max(y for _, y in places.values()) + HEIGHT + MARGIN
    lines = [*_head(width, height)]
    for upper, lower in sorted(reduced(arrows)):
        lines += _line(places[upper], places[lower], dashed=(upper, lower) in BY_NAME)
    for room in ROOMS:
        lines += _box(room, *places[room])
    for _, lower, what in FLOWS:
        lines += _label(places[lower], what)
    return "\n".join([*lines, "</svg>"]) + "\n"


def imports() -> set[tuple[str, str]]:
    """Pairs of rooms of which the first imports the second, or loads it by name."""
    found = {
        (room, other)
        for path in SOURCE.rglob("*.py")
        if (room := room_of(_module(path)))
        for imported in _imported(path)
        if (other := room_of(imported)) and other != room
    }
    found |= set(BY_NAME)
    missing = [(upper, lower) for upper, lower, _ in FLOWS if (upper, lower) not in found]
    assert not missing, f"nothing flows where nothing is imported: {missing}"
    return found


def room_of(module: str) -> str:
    """The room of a module; "" where it is not drawn."""
    return max((room for room in ROOMS if module == room or module.startswith(room + ".")), key=len, default="")


def _module(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(_without_types(ast.parse(path.read_text()))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _without_types(tree: ast.Module) -> ast.Module:
    """Without what is imported for a type checker only."""
    tree.body = [
        node for node in tree.body if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test))
    ]
    return tree


def stack(arrows: set[tuple[str, str]]) -> list[list[str]]:
    """The floors, top first: every room stands above all that it imports."""
    below = {room: {lower for upper, lower in arrows if upper == room} for room in ROOMS}
    floors: list[list[str]] = []
    left = set(ROOMS)
    while left:
        floor = [room for room in ROOMS if room in left and not below[room] & left]
        assert floor, f"a circle among {sorted(left)}"
        floors.insert(0, floor)
        left -= set(floor)
    return floors


def reduced(arrows: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Without the arrows that a longer way stands for; those along which something is said to flow stay."""
    told = {(upper, lower) for upper, lower, _ in FLOWS}

    def reaches(start: str, goal: str) -> bool:
        return any(lower == goal or reaches(lower, goal) for upper, lower in arrows if upper == start)

    def is_long_way(upper: str, lower: str) -> bool:
        return any(middle != lower and reaches(middle, lower) for first, middle in arrows if first == upper)

    return {(upper, lower) for upper, lower in arrows if (upper, lower) in told or not is_long_way(upper, lower)}


def place(floors: list[list[str]]) -> dict[str, tuple[int, int]]:
    """The left upper corner of every room, floors centred."""
    widest = max(len(floor) for floor in floors)
    places = {}
    for row, floor in enumerate(floors):
        left = MARGIN + (widest - len(floor)) * (WIDTH + GAP_X) // 2
        for column, room in enumerate(floor):
            places[room] = (left + column * (WIDTH + GAP_X), MARGIN + row * (HEIGHT + GAP_Y))
    return places


def _head(width: int, height: int) -> Iterator[str]:
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif"'
        ' font-size="11" role="img" aria-label="The rooms of os-vif, each above those that it imports">'
    )
    yield f'<rect width="{width}" height="{height}" fill="#ffffff"/>'


def _line(upper: tuple[int, int], lower: tuple[int, int], *, dashed: bool) -> Iterator[str]:
    x1, y1 = upper[0] + WIDTH // 2, upper[1] + HEIGHT
    x2, y2 = lower[0] + WIDTH // 2, lower[1]
    middle = (y1 + y2) // 2
    style = ' stroke-dasharray="5 4"' if dashed else ""
    yield f'<path d="M{x1} {y1} C{x1} {middle} {x2} {middle} {x2} {y2}" fill="none" stroke="#8a94a6"{style}/>'


def _box(room: str, x: int, y: int) -> Iterator[str]:
    fill = "#eaf3ec" if room.startswith("os_vif.host.") else "#eef2fb"
    yield f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6" fill="{fill}" stroke="#56627a"/>'
    yield f'<text x="{x + 9}" y="{y + 18}" font-size="13" font-weight="bold">{room.removeprefix("os_vif.")}</text>'
    for number, text in enumerate(textwrap.wrap(summary(room), 31)[:4]):
        yield f'<text x="{x + 9}" y="{y + 33 + number * 12}" fill="#333">{_escaped(text)}</text>'


def _label(lower: tuple[int, int], what: str) -> Iterator[str]:
    """What arrives at a room, above it."""
    x, y, width = lower[0] + WIDTH // 2, lower[1] - 7, 7 * len(what)
    yield f'<rect x="{x - width // 2}" y="{y - 12}" width="{width}" height="16" fill="#ffffff"/>'
    yield f'<text x="{x}" y="{y}" text-anchor="middle" fill="#a03c00">{_escaped(what)}</text>'


def summary(room: str) -> str:
    """What a room is for: the first sentence of its package."""
    path = SOURCE.joinpath(*room.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = ast.get_docstring(ast.parse(path.read_text())) or ""
    return " ".join(text.split("\n\n")[0].split()).split(". ")[0].rstrip(".")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


if __name__ == "__main__":
    main()
