"""The same files as ordinary Python: the same games, byte by byte, and no warning of numpy on the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def run(root: Path, *arguments: object, **environment: str) -> Any:
    """What ``digests.py`` prints in a process of its own, with numpy's warnings as errors."""
    command = [sys.executable, "-W", "error", str(root / "tests" / "rules" / "digests.py"), *map(str, arguments)]
    inherited = {
        key: value for key, value in os.environ.items() if not key.startswith("NUMBA_") or key == "NUMBA_CACHE_DIR"
    }
    found = subprocess.run(
        command, capture_output=True, text=True, env={**inherited, "PYTHONPATH": str(root), **environment}
    )
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def test_same_games_without_the_compiler(root: Path) -> None:
    arguments = (2, "small_board", "weapon_rules_lab")
    assert run(root, *arguments, NUMBA_DISABLE_JIT="1") == run(root, *arguments)


@pytest.mark.slow
def test_same_games_without_the_compiler_on_large_boards(root: Path) -> None:
    arguments = (4, "macro_default", "pve", "dense_walls", "asymmetric")
    assert run(root, *arguments, NUMBA_DISABLE_JIT="1") == run(root, *arguments)


@pytest.mark.slow
def test_same_games_with_bounds_checks(root: Path) -> None:
    """No index leaves its array in any of these games; the checked code has a cache of its own."""
    small = ("small_board", "weapon_rules_lab")
    large = ("macro_default", "pve", "dense_walls", "asymmetric", "mirror_match", "open_field")
    assert run(root, 12, *small, *large, NUMBA_BOUNDSCHECK="1") == run(root, 12, *small, *large)
