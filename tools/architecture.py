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
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "w40k_marl"
PICTURE = ROOT / "docs" / "architecture.svg"

STOREYS: dict[str, tuple[str, ...]] = {
    "the game": ("errors", "files", "compiler", "rules", "content"),
    "learning": ("observe", "reward", "env", "w40k_v0", "view", "policy", "train", "testing"),
    "programs": ("apps.cli", "apps.console", "apps.simulate", "apps.play"),
}
"""The rooms of each storey, lowest storey first. A storey may import the ones below it, never one above."""

_SUBJECTS = {
    "compiler": "numba, and the code it keeps",
    "rules": "legal actions, dice, phases",
    "content": "units, boards, scenarios",
    "observe": "what a player sees",
    "reward": "what a step pays",
    "env": "PettingZoo, batches, seats",
    "view": "the board as text",
    "policy": "bots, models, meta-controller",
    "train": "learners' libraries",
    "testing": "drawn positions, forced dice",
    "apps.simulate": "the load simulation",
    "apps.play": "a game at the prompt",
}
_DRAWN_APART = {"errors", "files", "w40k_v0", "apps.console"}  # imported everywhere: arrows would say nothing


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


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and absolute dotted name of everything that a file imports, wherever in it."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = list(parts[: len(parts) + 1 - node.level]) if node.level else []
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


def sizes() -> dict[str, tuple[int, int]]:
    """Files and lines of each room."""
    found: dict[str, tuple[int, int]] = {}
    for path in sources():
        room = room_of(module_of(path))
        files, lines = found.get(room, (0, 0))
        found[room] = files + 1, lines + len(path.read_text(encoding="utf-8").splitlines())
    return found


def essential(graph: Mapping[str, set[str]]) -> list[tuple[str, str]]:
    """The arrows that no chain of other arrows implies, of a graph without circles."""

    def reached(start: str) -> set[str]:
        return {room for other in graph[start] for room in ({other} | reached(other))}

    return sorted(
        (room, other)
        for room, others in graph.items()
        for other in others
        if not any(other in reached(between) for between in others - {other})
    )


# --- the picture ------------------------------------------------------------------------------------------------

WIDTH, BOX_WIDTH, BOX_HEIGHT, GAP, STOREY_HEIGHT, MARGIN = 960, 168, 52, 18, 118, 20
STYLE = """text { font: 13px system-ui, sans-serif; fill: #1d2733 } .small { font-size: 11px; fill: #51606f }
.storey { fill: #f3f5f7 } .room { fill: #ffffff; stroke: #51606f } .arrow { fill: none; stroke: #7b8a99 }
@media (prefers-color-scheme: dark) { text { fill: #e6ebf0 } .small { fill: #a9b6c3 } .storey { fill: #1b232c }
.room { fill: #26313d; stroke: #8899aa } .arrow { stroke: #8899aa } }"""


def places() -> dict[str, tuple[int, int]]:
    """Left upper corner of each room's box; the highest storey is at the top."""
    found = {}
    for number, rooms in enumerate(STOREYS.values()):
        drawn = [room for room in rooms if room not in _DRAWN_APART]
        top = MARGIN + (len(STOREYS) - 1 - number) * 2 * STOREY_HEIGHT // 1
        columns = 5
        for index, room in enumerate(drawn):
            row, column = divmod(index, columns)
            found[room] = MARGIN + 12 + column * (BOX_WIDTH + GAP), top + 32 + row * (BOX_HEIGHT + 40)
    return found


def picture() -> str:
    """The SVG: one band for each storey, one box for each room, and the essential arrows."""
    corners, known = places(), sizes()
    graph = {room: others - _DRAWN_APART for room, others in arrows().items() if room not in _DRAWN_APART}
    height = MARGIN + 2 * STOREY_HEIGHT * len(STOREYS)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        "<title>The three storeys of w40k_marl and what imports what</title>",
        f"<style>{STYLE}</style>",
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 8 4 0 8" class="arrow"/></marker></defs>',
    ]
    for number, storey in enumerate(STOREYS):
        top = MARGIN + (len(STOREYS) - 1 - number) * 2 * STOREY_HEIGHT
        lines.append(
            f'<rect class="storey" x="{MARGIN}" y="{top}" width="{WIDTH - 2 * MARGIN}" '
            f'height="{2 * STOREY_HEIGHT - MARGIN}" rx="6"/>'
        )
        lines.append(f'<text x="{MARGIN + 12}" y="{top + 20}">{storey}</text>')
    lines += [_arrow(corners[room], corners[other]) for room, other in essential(graph)]
    for room, (x, y) in corners.items():
        files, _ = known.get(room, (0, 0))
        lines += [
            f'<rect class="room" x="{x}" y="{y}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="4"/>',
            f'<text x="{x + 8}" y="{y + 18}">{room}</text>',
            f'<text class="small" x="{x + BOX_WIDTH - 8}" y="{y + 18}" text-anchor="end">{files} files</text>',
            f'<text class="small" x="{x + 8}" y="{y + 38}">{_SUBJECTS.get(room, "")}</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])


def _arrow(start: tuple[int, int], end: tuple[int, int]) -> str:
    """A curve from one box to another: from edge to edge, down where the other is lower."""
    (x1, y1), (x2, y2) = start, end
    if y1 == y2:
        left = x2 < x1
        x1, x2 = x1 + (0 if left else BOX_WIDTH), x2 + (BOX_WIDTH if left else 0)
        middle = y1 + BOX_HEIGHT // 2
        bend = middle + (0 if abs(x1 - x2) < BOX_WIDTH else BOX_HEIGHT)
        return (
            f'<path class="arrow" d="M{x1} {middle} C{(x1 + x2) // 2} {bend} {(x1 + x2) // 2} {bend} '
            f'{x2} {middle}" marker-end="url(#head)"/>'
        )
    down = y2 > y1
    x1, x2 = x1 + BOX_WIDTH // 2, x2 + BOX_WIDTH // 2
    y1, y2 = (y1 + BOX_HEIGHT, y2) if down else (y1, y2 + BOX_HEIGHT)
    return (
        f'<path class="arrow" d="M{x1} {y1} C{x1} {(y1 + y2) // 2} {x2} {(y1 + y2) // 2} {x2} {y2}" '
        'marker-end="url(#head)"/>'
    )


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
