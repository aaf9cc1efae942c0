"""The compile cache: an edit of any rule is seen, bounds checks have code of their own, no cache is no error."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from w40k_marl.rules.compiled import COMPILED_ROOMS, cache_key

ROLL = """
import warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    from w40k_marl.rules import compiled
print(len(caught), *(warning.message for warning in caught))
print(compiled.CACHE_DIRECTORY)
import numpy as np
from w40k_marl.env.session import Session
session = Session("small_board")
session.reset(np.random.default_rng(0))
print(session.games[0].turn)
"""


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    """The package and its data in a folder of their own, to be edited."""
    for name in ("w40k_marl", "scenarios", "agents"):
        shutil.copytree(root / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def run(package: Path, program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("NUMBA_")}
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=package,
        env={**inherited, "PYTHONPATH": str(package), **environment},
    )  # fmt: skip


def edit(package: Path, old: str, new: str) -> None:
    engine = package / "w40k_marl" / "rules" / "engine.py"
    text = engine.read_text(encoding="utf-8")
    assert old in text
    engine.write_text(text.replace(old, new), encoding="utf-8")


def test_key_follows_every_source_that_is_compiled(copy: Path) -> None:
    package = copy / "w40k_marl"
    keys = {cache_key(package)}
    files = [path for room in COMPILED_ROOMS for path in sorted((package / room).glob("*.py"))]
    for path in files:
        path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
        keys.add(cache_key(package))
    assert len(keys) == len(files) + 1
    before = cache_key(package)
    (package / "content" / "world.py").write_text("", encoding="utf-8")
    assert cache_key(package) == before


def test_key_follows_the_flags(root: Path, tmp_path: Path) -> None:
    program = "from w40k_marl.rules.compiled import CACHE_DIRECTORY; print(CACHE_DIRECTORY)"
    plain, checked = (
        run(root, program, NUMBA_CACHE_DIR=str(tmp_path), **flags).stdout for flags in ({}, {"NUMBA_BOUNDSCHECK": "1"})
    )
    assert plain.strip()
    assert plain != checked
    assert run(root, program, NUMBA_DISABLE_JIT="1").stdout.strip() == "None"


def test_cache_that_cannot_be_written_is_one_warning(root: Path, tmp_path: Path) -> None:
    """Also where nothing is compiled yet: importing the rules works."""
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")  # a folder cannot be made below a file, not even by root
    program = ROLL.split("import numpy")[0]
    found = run(root, program, NUMBA_CACHE_DIR=str(blocked))
    first, second = found.stdout.splitlines()
    assert first.startswith("1 compile cache ")
    assert str(blocked) in first
    assert "NUMBA_CACHE_DIR" in first
    assert second == "None"


@pytest.mark.slow
def test_rules_are_compiled_in_memory_without_a_cache(root: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    found = run(root, ROLL, NUMBA_CACHE_DIR=str(blocked))
    assert found.stdout.splitlines()[-1] == "1", found.stderr


@pytest.mark.slow
def test_edited_rule_is_the_rule_that_runs(copy: Path, tmp_path: Path) -> None:
    """A game begins in turn 1; after an edit, on the same cache folder, in turn 3."""
    cache = str(tmp_path / "cache")
    assert run(copy, ROLL, NUMBA_CACHE_DIR=cache).stdout.splitlines()[-1] == "1"
    edit(copy, "game.turn = 1", "game.turn = 3")
    assert run(copy, ROLL, NUMBA_CACHE_DIR=cache).stdout.splitlines()[-1] == "3"


OUT_OF_BOUNDS = """
import numpy as np
from w40k_marl.rules import replay
from w40k_marl.env.session import Session
session = Session("small_board")
session.reset(np.random.default_rng(0))
try:
    print("read", replay.in_contact(session.setting.worlds, session.games, 1_000_000, 0))
except IndexError as error:
    print("refused", error)
"""


@pytest.mark.slow
def test_bounds_checks_find_a_read_beyond_the_games(root: Path) -> None:
    """Row one million of one game. Only asked where checks are on: without them it reads foreign memory."""
    found = run(root, OUT_OF_BOUNDS, NUMBA_BOUNDSCHECK="1")
    assert found.stdout.startswith("refused"), found.stdout + found.stderr
