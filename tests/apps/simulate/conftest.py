from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from w40k_marl.apps.simulate import cli

ROOT = Path(__file__).resolve().parents[3]
Report = dict[str, Any]


@pytest.fixture
def simulate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Report]:
    """Runs the command line from the checkout's root and returns the JSON report."""
    monkeypatch.chdir(ROOT)

    def run(*arguments: str, status: int = 0) -> Report:
        out = tmp_path / "report.json"
        assert cli.main([*arguments, "--metrics-out", str(out), "--overwrite"]) == status
        report: Report = json.loads(out.read_text(encoding="utf-8"))
        return report

    return run


SMALL = ("--scenario-file", "small_board", "--episodes", "3")


@pytest.fixture
def small() -> tuple[str, ...]:
    """Options of a run that takes no time."""
    return SMALL
