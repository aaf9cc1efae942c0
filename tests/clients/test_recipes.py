"""What docs/clients.md shows runs, each block alone, where its section's client is installed."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
SECTIONS = {
    title: re.findall(r"^```py\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    for title, text in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
}
NEEDS = {
    "MaskablePPO": "sb3_contrib",
    "SuperSuit": "supersuit",
    "TorchRL": "torchrl",
    "Tianshou": "tianshou",
    "RLlib": "ray.rllib.algorithms",
}


def installed(module: str) -> bool:
    """Whether it can be imported; Ray is there without RLlib, too."""
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


def test_every_recipe_has_its_client() -> None:
    assert [title for title, programs in SECTIONS.items() if programs] == list(NEEDS)


@pytest.mark.clients
@pytest.mark.parametrize("title", NEEDS)
def test_recipe_runs(title: str, tmp_path: Path) -> None:
    if not installed(NEEDS[title]):
        pytest.skip(f"needs {NEEDS[title]}: docs/clients.md says how to get it")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "RAY_USAGE_STATS_ENABLED": "0"}
    for program in SECTIONS[title]:
        command = [sys.executable, "-W", "ignore", "-c", program]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
