"""Positions for the tests of the rules; without the compiler, a quick stand-in for the sight of large boards."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numba import config

from w40k_marl.rules import board as board_tables
from w40k_marl.testing.table import Table, weapon_entry

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent


def _sight_by_arrays(board: Any, rows: int, walls: Any) -> None:
    """What ``board.fill_sight`` writes, for all pairs of hexes at once: it is slow as ordinary Python."""
    cols = board.shape[1] - 1
    col, row = (axis.ravel() for axis in np.meshgrid(np.arange(cols), np.arange(rows), indexing="ij"))
    a = np.stack([col, -col - (row - (col >> 1)), row - (col >> 1)])[:, :, None].astype(float)  # cubes: x, y, z
    b = a.transpose(0, 2, 1)
    steps = np.abs(a - b).max(axis=0)
    blocked = np.zeros(steps.shape, dtype=bool)
    wall = np.array([[int(walls[c]) >> r & 1 for r in range(rows)] for c in range(cols)], dtype=bool)
    for i in range(1, int(steps.max())):
        v = a + (i / np.maximum(steps, 1)) * (b - a)
        x, y, z = np.rint(v)
        ex, ey, ez = np.abs(np.rint(v) - v)
        x, z = (
            np.where((ex > ey) & (ex > ez), -y - z, x).astype(int),
            np.where(~((ex > ey) & (ex > ez)) & (ey <= ez), -x - y, z).astype(int),
        )
        level = z + (x >> 1)
        inside = (x >= 0) & (x < cols) & (level >= 0) & (level < rows) & (i < steps)
        blocked[inside] |= wall[x[inside], level[inside]]
    for viewer, seen in np.argwhere(~blocked):
        board[col[viewer] * 64 + row[viewer], col[seen]] |= np.uint64(1 << int(row[seen]))


@pytest.fixture(autouse=True, scope="session")
def _quick_boards() -> Iterator[None]:
    """Without the compiler, boards of more than 150 hexes are worked out by arrays; small ones by the rules."""
    if not config.DISABLE_JIT:
        yield
        return
    original = board_tables.fill_sight

    def fill(board: Any, rows: int, walls: Any) -> None:
        (original if (board.shape[1] - 1) * rows <= 150 else _sight_by_arrays)(board, rows, walls)

    board_tables.fill_sight = fill
    yield
    board_tables.fill_sight = original


@pytest.fixture
def play() -> type[Table]:
    """Set a position up: ``play("^1 Intercessor 4,10", "v2 Hormagaunt 16,10", decisions="agent")``."""
    return Table


def load_script(path: Path) -> ModuleType:
    """A program of this checkout as a module."""
    if path.stem in sys.modules:
        return sys.modules[path.stem]
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def make_perft() -> ModuleType:
    """``make_perft.py`` as a module."""
    return load_script(HERE / "make_perft.py")


@pytest.fixture(scope="session")
def weapon() -> Callable[..., dict[str, Any]]:
    """A weapon entry of a scenario: ``weapon(range=12, attacks=2, hit=3, strength=4)``, the rest plain."""
    return weapon_entry


@pytest.fixture
def sight_by_arrays() -> Callable[[Any, int, Any], None]:
    """The stand-in for ``board.fill_sight`` where the compiler is off."""
    return _sight_by_arrays
