"""Whole games as readable text: a change of the rules is a readable difference.

After a wanted change: ``python tools/playthrough.py --update``.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def tool(root: Path) -> ModuleType:
    sys.path.insert(0, str(root / "tools"))
    try:
        import playthrough  # type: ignore[import-not-found]
    finally:
        sys.path.remove(str(root / "tools"))
    return playthrough  # type: ignore[no-any-return]


@pytest.mark.parametrize("scenario", ["small_board", "pve", "asymmetric", "weapon_rules_lab"])
def test_game_goes_as_written(tool: ModuleType, scenario: str) -> None:
    written = (tool.FOLDER / f"{scenario}.txt").read_text(encoding="utf-8").splitlines()
    played = tool.text(scenario, *tool.KEPT[scenario]).splitlines()
    for number, (line, expected) in enumerate(zip(played, written, strict=False), start=1):
        assert line == expected, f"{scenario}.txt line {number}: expected {expected!r}, got {line!r}"
    assert len(played) == len(written)


def test_all_playthroughs_are_compared(tool: ModuleType) -> None:
    assert sorted(path.stem for path in tool.FOLDER.glob("*.txt")) == sorted(tool.KEPT)


def test_unknown_scenario_is_one_clear_line(root: Path) -> None:
    found = subprocess.run(
        [sys.executable, root / "tools" / "playthrough.py", "small_bord"],
        capture_output=True, text=True, cwd=root, env={**__import__("os").environ, "PYTHONPATH": str(root)},
    )  # fmt: skip
    assert found.returncode == 2
    assert found.stderr.startswith("playthrough: ")
    assert "small_board" in found.stderr
