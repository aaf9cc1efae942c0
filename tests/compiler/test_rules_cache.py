"""The machine code of the rules: named after all that is compiled, the same in every folder, quiet once it is kept."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from w40k_marl.compiler import decorators, fingerprint, numba_private

EVERYTHING = """
import w40k_marl.env.batch, w40k_marl.observe.macro.observation, w40k_marl.testing.forcing
import w40k_marl.apps.simulate.runners.batch_counters
from w40k_marl.compiler import decorators
from w40k_marl.compiler.fingerprint import fingerprint
from w40k_marl.compiler.numba_private import OneVersion
"""
FINGERPRINTS = f"""{EVERYTHING}
for entry_point in decorators._entry_points:
    print(entry_point.py_func.__qualname__, fingerprint(entry_point.py_func, OneVersion))
"""
ROLL = """
import numpy as np
from w40k_marl.compiler.decorators import compilations
from w40k_marl.env.session import Session
session = Session("small_board")
session.reset(np.random.default_rng(0))
print(compilations(), session.games[0].turn)
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


def edit(package: Path, file: str, old: str, new: str) -> None:
    path = package / "w40k_marl" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_fingerprints_are_the_same_in_every_process_and_folder(root: Path, copy: Path) -> None:
    here, there = run(root, FINGERPRINTS), run(copy, FINGERPRINTS, PYTHONHASHSEED="7")
    assert here.stdout.count("\n") > 30, here.stderr
    assert here.stdout == there.stdout


def test_fingerprints_follow_every_constant_and_function(root: Path, copy: Path) -> None:
    """Of state.py, which compiles nothing; of combat.py, far from the entry points; not what nobody compiles."""
    before = dict(line.split() for line in run(root, FINGERPRINTS).stdout.splitlines())
    edit(copy, "rules/state.py", "NOBODY = -1", "NOBODY = -2")
    edit(copy, "content/world.py", '"""', '"""Edited. ')
    after = dict(line.split() for line in run(copy, FINGERPRINTS).stdout.splitlines())
    assert before["step_and_view"] != after["step_and_view"]
    assert before["pick_rows"] == after["pick_rows"]


def test_fingerprints_take_in_every_compiled_function() -> None:
    """Each function with a decorator is part of the fingerprint of some entry point."""
    exec(EVERYTHING)
    if numba_private.PLAIN or numba_private.config.DISABLE_JIT:
        pytest.skip("nothing is compiled here in our way")
    seen: set[str] = set()
    for entry_point in decorators._entry_points:
        taken = fingerprint._Fingerprint({"w40k_marl"})
        taken.add(entry_point.py_func)
        seen.update(taken.parts)
    modules = [module for name, module in sys.modules.items() if name.startswith("w40k_marl.")]
    parts: list[Any] = [x for module in modules for x in vars(module).values() if type(x) is numba_private.OneVersion]
    assert len(parts) > 200
    unseen = [part for part in parts if repr((part.py_func.__module__, part.py_func.__qualname__)) not in seen]
    callers = [caller.py_func for caller in (*decorators._entry_points, *parts) if caller not in unseen]
    for part in unseen:  # what only tests call
        assert not [
            caller
            for caller in callers
            if caller.__globals__.get(part.__name__) is part and part.__name__ in caller.__code__.co_names
        ]


@pytest.mark.slow
def test_copy_in_another_folder_compiles_nothing(copy: Path, tmp_path: Path) -> None:
    """As a second virtual environment or a wheel of the same version does."""
    cache = str(tmp_path / "cache")
    first = run(copy, ROLL, NUMBA_CACHE_DIR=cache)
    assert first.stdout.split() == ["3", "1"]
    assert first.stderr.count("\n") == 1
    (copy / "elsewhere").mkdir()
    for name in ("w40k_marl", "scenarios", "agents"):
        shutil.move(copy / name, copy / "elsewhere" / name)
    second = run(copy / "elsewhere", ROLL, NUMBA_CACHE_DIR=cache)
    assert (second.stdout.split(), second.stderr) == (["0", "1"], "")


@pytest.mark.slow
def test_rules_are_compiled_in_memory_without_a_cache(root: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    found = run(root, ROLL, NUMBA_CACHE_DIR=str(blocked))
    assert found.stdout.split() == ["3", "1"], found.stderr
    assert found.stderr.count("RuntimeWarning") == 1


@pytest.mark.slow
def test_edited_rule_is_the_rule_that_runs(copy: Path, tmp_path: Path) -> None:
    """A game begins in turn 1; after an edit, on the same cache folder, in turn 3."""
    cache = str(tmp_path / "cache")
    assert run(copy, ROLL, NUMBA_CACHE_DIR=cache).stdout.split()[-1] == "1"
    edit(copy, "rules/engine.py", "game.turn = 1", "game.turn = 3")
    assert run(copy, ROLL, NUMBA_CACHE_DIR=cache).stdout.split()[-1] == "3"


OUT_OF_BOUNDS = """
import numpy as np
from w40k_marl.testing import forcing
from w40k_marl.env.session import Session
session = Session("small_board")
session.reset(np.random.default_rng(0))
try:
    print("read", forcing.in_contact(session.setting.worlds, session.games, 1_000_000, 0))
except IndexError as error:
    print("refused", error)
"""


@pytest.mark.slow
def test_bounds_checks_find_a_read_beyond_the_games(root: Path) -> None:
    """Row one million of one game. Only asked where checks are on: without them it reads foreign memory."""
    found = run(root, OUT_OF_BOUNDS, NUMBA_BOUNDSCHECK="1")
    assert found.stdout.startswith("refused"), found.stdout + found.stderr
