"""Without the extra ``train`` there is one sentence that says what to install."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

BLOCKED = """
import sys
sys.modules[{module!r}] = None
try:
    import w40k_marl.train.vec_env
except ModuleNotFoundError as error:
    print(type(error).__name__, error, error.__cause__, error.__suppress_context__, sep="|")
"""


@pytest.mark.parametrize("module", ["stable_baselines3"])
def test_import_says_what_to_install(module: str) -> None:
    command = [sys.executable, "-c", BLOCKED.format(module=module)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == (
        "ModuleNotFoundError|w40k_marl.train needs stable-baselines3 and sb3-contrib: "
        f'run `python -m pip install -e ".[train]"` in {ROOT}|None|True'
    )


def test_room_without_the_file_needs_no_extra() -> None:
    command = [sys.executable, "-c", "import sys, w40k_marl.train; print('torch' in sys.modules)"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
