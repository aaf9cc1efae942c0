"""The direction of the rooms (docs/architecture.md): each imports only from rooms named before it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "w40k_marl"

# A room is a folder or a file directly inside the package. A new one finds its place here first.
ROOMS = [
    "errors",
    "files",
    "console",
    "compiler",
    "rules",
    "content",
    "observe",
    "reward",
    "view",
    "env",
    "w40k_v0",
    "testing",
    "policy",
    "simulate",
    "play",
    "train",
    "check",
    "cli",
]
LAZY = {"__init__"}  # the package itself may name anything, as long as importing it stays cheap

# What a room may import from other people. Rooms that are not named may use all that setup.cfg installs.
FOREIGN = {
    "errors": set[str](),
    "files": set[str](),
    "console": set[str](),
    "compiler": {"numpy", "numba", "llvmlite"},  # llvmlite is numba's own
    "rules": {"numpy"},
    "content": {"numpy", "msgspec"},
    "observe": {"numpy", "numba"},
    "reward": {"numpy", "numba", "msgspec"},
}
TRAINING = {"torch", "stable_baselines3", "sb3_contrib", "tensorboard"}
TRAINING_ROOMS = {"policy", "train"}

LONGEST_FILE = 500
LONGEST_FUNCTION = 60

SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if "_data" not in path.parts)
TOOLS = sorted((ROOT / "tools").rglob("*.py"))


def room_of(module: str) -> str:
    """The room of a dotted module name: `w40k_marl.rules.charge` is in `rules`."""
    return [*module.split("."), "__init__"][1]


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of all that a file imports, wherever in it; relative names are made absolute."""
    package = module_of(path).split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            whole = module == "w40k_marl"  # `from w40k_marl import rules` imports a room
            yield from ((node.lineno, f"{module}.{alias.name}" if whole else module) for alias in node.names)


def outward(path: Path) -> list[str]:
    """The imports of a file that go the wrong way."""
    room = room_of(module_of(path))
    if room in LAZY:
        return []
    wrong = []
    for line, name in imports(path):
        first = name.partition(".")[0]
        if first == "w40k_marl":
            other = room_of(name)
            known = ROOMS[: ROOMS.index(room) + 1]
            allowed = other in known or other.startswith("__")
        elif first in sys.stdlib_module_names:
            allowed = True
        elif first in TRAINING:
            allowed = room in TRAINING_ROOMS
        else:
            allowed = room not in FOREIGN or first in FOREIGN[room]
        if not allowed:
            wrong.append(f"{path.relative_to(ROOT)}:{line}: {room} may not import {name}")
    return wrong


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_every_room_has_its_place() -> None:
    found = {room_of(module_of(path)) for path in SOURCES}
    assert found - set(ROOMS) - LAZY == set(), "say in ROOMS what the new room may import"


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_imports_go_inward(path: Path) -> None:
    assert outward(path) == []


def test_import_that_goes_outward_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test itself, on a small package that does everything wrong."""
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    bad = tmp_path / "w40k_marl" / "rules" / "charge.py"
    bad.parent.mkdir(parents=True)
    bad.write_text(
        "import os, pettingzoo\nfrom w40k_marl import env, errors\nfrom ..content import paths\n"
        "from .hexes import distance\ndef late():\n    import torch\n    from w40k_marl.rules import dice\n",
        encoding="utf-8",
    )
    assert [entry.rpartition(" ")[2] for entry in outward(bad)] == [
        "pettingzoo",
        "w40k_marl.env",
        "w40k_marl.content",
        "torch",
    ]


@pytest.mark.parametrize("path", [*SOURCES, *TOOLS], ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_and_functions_are_short(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST_FILE, f"{path.relative_to(ROOT)} has {lines} lines"
    long = [node.name for node in functions(path) if (node.end_lineno or 0) - node.lineno + 1 > LONGEST_FUNCTION]
    assert long == [], f"longer than {LONGEST_FUNCTION} lines"


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_module_says_what_it_is(path: Path) -> None:
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert text or not path.read_text(encoding="utf-8").strip(), "a docstring of one to five lines"
