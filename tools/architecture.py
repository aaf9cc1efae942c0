#!/usr/bin/env python3
"""Reads the imports of the package: the rooms of each storey, their sizes, and the picture in docs/architecture.md.

python tools/architecture.py             draw docs/architecture.svg
python tools/architecture.py --check     exit status 1 if the picture is not up to date
python tools/architecture.py --sizes     files and lines of each room
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "w40k_marl"
PICTURE = ROOT / "docs" / "architecture.svg"

STOREYS: dict[str, tuple[str, ...]] = {
    "the game": ("errors", "files", "compiler", "rules", "content"),
    "learning": ("observe", "reward", "env", "w40k_v0", "view", "policy", "train", "testing"),
    "programs": ("apps.cli", "apps.command", "apps.console", "apps.simulate", "apps.play", "apps.check"),
}
"""The rooms of each storey, lowest storey first. A storey may import the ones below it, never one above."""

_SUBJECTS = {
    "compiler": "numba, kept machine code",
    "rules": "legal actions, dice, phases",
    "content": "units, boards, scenarios",
    "observe": "what a player sees",
    "reward": "what a step pays",
    "env": "PettingZoo, batches, seats",
    "view": "the board as text",
    "policy": "bots, models, routing by type",
    "train": "learners' libraries",
    "testing": "drawn positions, forced dice",
    "apps.simulate": "the load simulation",
    "apps.play": "a game at the prompt",
    "apps.check": "checks of files",
    "apps.cli": "the command w40k-marl",
}
# imported everywhere: arrows would say nothing
_DRAWN_APART = {"errors", "files", "w40k_v0", "apps.console", "apps.command"}


def sources() -> list[Path]:
    """Every file of the package, without the data that a build copies in."""
    return sorted(path for path in PACKAGE.rglob("*.py") if "_data" not in path.parts)


def module_of(path: Path) -> str:
    """Dotted name of a file of the package; a folder's own name for its ``__init__``."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    """Return the room of a dotted name: ``rules`` of ``w40k_marl.rules.charge``,
    ``apps.play`` of ``w40k_marl.apps.play.match``.

    The package itself is in the room ``""``.
    """
    parts = module.split(".")[1:]
    return ".".join(parts[:2] if parts[:1] == ["apps"] else parts[:1])


def imports(path: Path, *, typing: bool = True) -> Iterator[tuple[int, str]]:
    """Yield line and absolute dotted name of everything that a file imports, wherever in it.

    With ``typing=False`` the imports under ``if TYPE_CHECKING`` are left out: they never run.
    """
    package = path.relative_to(PACKAGE.parent).parts[:-1]
    nodes: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" and not typing:
            nodes.extend(node.orelse)
            continue
        nodes.extend(ast.iter_child_nodes(node))
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:  # `from w40k_marl.rules import events` imports a module, not a name
                name = f"{module}.{alias.name}"
                yield node.lineno, name if is_module(name) else module


def is_module(name: str) -> bool:
    """True if a dotted name is a file or a folder of the package."""
    path = PACKAGE.parent.joinpath(*name.split("."))
    return name.startswith("w40k_marl.") and (path.is_dir() or path.with_suffix(".py").is_file())


def storey_of(room: str) -> int:
    """Number of the storey of a room, 0 for the lowest. Raises KeyError if ``STOREYS`` does not name the room."""
    for number, rooms in enumerate(STOREYS.values()):
        if room in rooms:
            return number
    raise KeyError(f"room: expected one of STOREYS in tools/architecture.py, got {room!r}")


def arrows() -> dict[str, set[str]]:
    """For each room the other rooms that it imports."""
    found: dict[str, set[str]] = {room: set() for rooms in STOREYS.values() for room in rooms}
    for path in sources():
        room = room_of(module_of(path))
        if room in found:
            names = (name for _, name in imports(path) if name.startswith("w40k_marl."))
            found[room] |= {room_of(name) for name in names} & found.keys() - {room}
    return found


def circles() -> list[str]:
    """Return the modules of a circle of imports, the first that is found; empty if there is none."""
    graph = {
        module_of(path): {name for _, name in imports(path, typing=False) if name.startswith("w40k_marl.")}
        for path in sources()
    }
    sorter = TopologicalSorter({name: others & graph.keys() - {name} for name, others in graph.items()})
    try:
        sorter.prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def sizes() -> dict[str, tuple[int, int]]:
    """Files and lines of each room."""
    found: dict[str, tuple[int, int]] = {}
    for path in sources():
        room = room_of(module_of(path))
        files, lines = found.get(room, (0, 0))
        found[room] = files + 1, lines + len(path.read_text(encoding="utf-8").splitlines())
    return found


def essential(graph: Mapping[str, set[str]]) -> list[tuple[str, str]]:
    """Return the arrows that no chain of other arrows implies."""

    def reached(start: str) -> set[str]:
        found, waiting = set[str](), [start]
        while waiting:
            new = graph[waiting.pop()] - found
            found |= new
            waiting.extend(new)
        return found

    return sorted(
        (room, other)
        for room, others in graph.items()
        for other in others
        if not any(other in reached(between) for between in others - {other})
    )


# --- the picture ------------------------------------------------------------------------------------------------

WIDTH, BOX_WIDTH, BOX_HEIGHT, GAP, ROW_HEIGHT, MARGIN = 1040, 192, 52, 12, 92, 20
STYLE = """text { font: 13px system-ui, sans-serif; fill: #1d2733 } .small { font-size: 11px; fill: #51606f }
.storey { fill: #eef1f4 } .room { fill: #ffffff; stroke: #51606f } .arrow { fill: none; stroke: #7b8a99 }
@media (prefers-color-scheme: dark) { text { fill: #e6ebf0 } .small { fill: #a9b6c3 } .storey { fill: #1b232c }
.room { fill: #26313d; stroke: #8899aa } .arrow { stroke: #8899aa } }"""


def rows_of(rooms: Iterable[str], graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Put the rooms of a storey into rows, highest first: a room stands above every other that it imports."""
    left, rows = list(rooms), list[list[str]]()
    while left:
        lowest = [room for room in left if not graph[room] & set(left)] or left
        rows.insert(0, lowest)
        left = [room for room in left if room not in lowest]
    return rows


def picture() -> str:
    """Return the SVG: a band for each storey, a box for each room, and the essential arrows, all downwards."""
    graph = {room: others - _DRAWN_APART for room, others in arrows().items() if room not in _DRAWN_APART}
    known, bands, boxes = sizes(), list[str](), list[str]()
    corners: dict[str, tuple[int, int]] = {}
    top = MARGIN
    for storey, rooms in reversed(STOREYS.items()):
        rows = rows_of((room for room in rooms if room in graph), graph)
        height = 34 + ROW_HEIGHT * len(rows) - (ROW_HEIGHT - BOX_HEIGHT) + 16
        bands += [
            f'<rect class="storey" x="{MARGIN}" y="{top}" width="{WIDTH - 2 * MARGIN}" height="{height}" rx="6"/>',
            f'<text x="{MARGIN + 12}" y="{top + 21}">{storey}</text>',
        ]
        for number, row in enumerate(rows):
            left = (WIDTH - len(row) * (BOX_WIDTH + GAP) + GAP) // 2
            for index, room in enumerate(row):
                corners[room] = left + index * (BOX_WIDTH + GAP), top + 34 + number * ROW_HEIGHT
                boxes += _box(room, known[room][0], *corners[room])
        top += height + MARGIN
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" role="img">',
        "<title>The three storeys of w40k_marl and what imports what</title>",
        f"<style>{STYLE}</style>",
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 8 4 0 8" class="arrow"/></marker></defs>',
    )
    drawn = [_arrow(corners[room], corners[other]) for room, other in essential(graph)]
    return "\n".join([*head, *bands, *drawn, *boxes, "</svg>", ""])


def _box(room: str, files: int, x: int, y: int) -> list[str]:
    return [
        f'<rect class="room" x="{x}" y="{y}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="4"/>',
        f'<text x="{x + 8}" y="{y + 19}">{room}</text>',
        f'<text class="small" x="{x + BOX_WIDTH - 8}" y="{y + 19}" text-anchor="end">'
        f"{files} {'file' if files == 1 else 'files'}</text>",
        f'<text class="small" x="{x + 8}" y="{y + 39}">{_SUBJECTS.get(room, "")}</text>',
    ]


def _arrow(start: tuple[int, int], end: tuple[int, int]) -> str:
    """A curve from the lower edge of one box to the upper edge of another."""
    x1, y1, x2, y2 = start[0] + BOX_WIDTH // 2, start[1] + BOX_HEIGHT, end[0] + BOX_WIDTH // 2, end[1]
    middle = (y1 + y2) // 2
    return f'<path class="arrow" d="M{x1} {y1} C{x1} {middle} {x2} {middle} {x2} {y2}" marker-end="url(#head)"/>'


def main(arguments: list[str] | None = None) -> int:
    """Draw, check or print; returns the exit status."""
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="architecture.py", description=__doc__, formatter_class=layout)
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 if the picture is stale")
    parser.add_argument("--sizes", action="store_true", help="print files and lines of each room")
    options = parser.parse_args(arguments)
    if options.sizes:
        for room, (files, lines) in sorted(sizes().items()):
            print(f"{room or '(package)':16} {files:4} files {lines:6} lines")
        return 0
    drawn = picture()
    stale = not PICTURE.exists() or PICTURE.read_text(encoding="utf-8") != drawn
    if options.check:
        return 1 if stale else 0
    PICTURE.write_text(drawn, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
