"""The three storeys (docs/architecture.md): what may import what, and how long files and functions are."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import architecture
import pytest
from architecture import STOREYS, circles, imports, module_of, room_of, sources, storey_of

ROOT = Path(__file__).resolve().parents[2]

FORBIDDEN = [
    # within a storey: who must not know whom
    ("errors", "files"),
    ("compiler", "rules"),
    ("rules", "content"),
    ("observe", "reward"),
    ("observe", "env"),
    ("reward", "env"),
    ("view", "env"),
    ("env", "policy"),
    ("env", "train"),
    ("policy", "train"),
    ("apps.simulate", "apps.play"),
    ("apps.play", "apps.simulate"),
    # across storeys: the rules read no file, and nothing that plays needs what only tests use
    ("rules", "files"),
    ("apps.play", "testing"),
    ("apps.simulate", "testing"),
]
"""Pairs of rooms of which the first may not import the second; a storey may never import one above it."""

# What a room may import from other people. Rooms that are not named may use all that setup.cfg installs.
FOREIGN = {
    "errors": set[str](),
    "files": set[str](),
    "compiler": {"numpy", "numba", "llvmlite"},  # llvmlite is numba's own
    "rules": {"numpy"},
    "content": {"numpy", "msgspec"},
    "observe": {"numpy", "numba", "msgspec"},
    "reward": {"numpy", "numba", "msgspec"},
}
TRAINING = {"torch", "stable_baselines3", "sb3_contrib", "tensorboard"}
TRAINING_ROOMS = {"policy", "train"}

LONGEST_FILE = 500
LONGEST_FUNCTION = 60

SOURCES = sources()
TOOLS = sorted((ROOT / "tools").rglob("*.py"))


def wrong_imports(path: Path) -> Iterator[str]:
    """The imports of a file that the storeys, the pairs or the lists of foreign packages forbid."""
    room = room_of(module_of(path))
    for line, name in imports(path):
        first, _, rest = name.partition(".")
        if first == "w40k_marl":
            other = room_of(name)
            allowed = not rest or not other or (storey_of(other) <= storey_of(room) and (room, other) not in FORBIDDEN)
        elif first in sys.stdlib_module_names:
            allowed = True
        elif first in TRAINING:
            allowed = room in TRAINING_ROOMS
        else:
            allowed = room not in FOREIGN or first in FOREIGN[room]
        if not allowed:
            yield f"{path.name}:{line}: {room} may not import {name}"


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_every_room_is_in_a_storey() -> None:
    found = {room_of(module_of(path)) for path in SOURCES} - {"", "apps"}
    assert found == {room for rooms in STOREYS.values() for room in rooms}


def test_forbidden_pairs_name_rooms() -> None:
    for pair in FORBIDDEN:
        assert all(storey_of(room) >= 0 for room in pair)


@pytest.mark.parametrize("path", [path for path in SOURCES if room_of(module_of(path))], ids=module_of)
def test_imports_are_allowed(path: Path) -> None:
    if room_of(module_of(path)) != "apps":
        assert list(wrong_imports(path)) == []


def test_wrong_import_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test itself, on a file that does everything wrong."""
    package = tmp_path / "w40k_marl"
    monkeypatch.setattr(architecture, "PACKAGE", package)
    for name in ("content/paths", "env/aec", "apps/play/match", "rules/dice", "errors"):
        path = package / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("", encoding="utf-8")
    wrong = package / "rules" / "charge.py"
    wrong.write_text(
        "import os, pettingzoo\nfrom w40k_marl import env, errors\nfrom ..content import paths\n"
        "from .dice import roll\nfrom ..apps.play.match import Match\ndef late():\n    import torch\n",
        encoding="utf-8",
    )
    assert sorted(entry.rpartition(" ")[2] for entry in wrong_imports(wrong)) == [
        "pettingzoo",
        "torch",
        "w40k_marl.apps.play.match",
        "w40k_marl.content.paths",
        "w40k_marl.env",
    ]


def test_no_circle_of_imports() -> None:
    assert circles() == []


def test_circle_of_imports_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "w40k_marl"
    package.mkdir()
    monkeypatch.setattr(architecture, "PACKAGE", package)
    (package / "one.py").write_text("def late():\n    from .two import b\n", encoding="utf-8")
    (package / "two.py").write_text("from .one import late\n", encoding="utf-8")
    assert set(circles()) == {"w40k_marl.one", "w40k_marl.two"}
    (package / "two.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .one import late\n", encoding="utf-8"
    )
    assert circles() == []


def test_picture_is_up_to_date() -> None:
    assert architecture.main(["--check"]) == 0, "run python tools/architecture.py"


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
