"""The tools of the checkout, run with a Python that they cannot use: one sentence says what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = sorted(path.name for path in (ROOT / "tools").glob("*.py") if path.name not in ("dev.py", "architecture.py"))

OLD = """
import runpy, sys
sys.version_info = (3, 9, 1, "final", 0)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def refusal(folder: Path, *words: str, path: str = "") -> str:
    """The only line that a tool writes, from another folder."""
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_tools_are_found() -> None:
    assert {"parity.py", "load_sim.py", "soak.py"} <= set(TOOLS)


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("options", [["-I", "-S"], ["-S"]])
def test_python_without_the_package(tool: str, options: list[str], tmp_path: Path) -> None:
    said = refusal(tmp_path, *options, str(ROOT / "tools" / tool))
    assert said.startswith(f"{tool}: ")
    assert f" is not installed for {sys.executable}: run " in said
    assert str(ROOT) in said


@pytest.mark.parametrize("tool", TOOLS)
def test_python_with_the_package_and_without_what_it_needs(tool: str, tmp_path: Path) -> None:
    said = refusal(tmp_path, "-S", str(ROOT / "tools" / tool), "--help", path=str(ROOT))
    assert said.startswith(f"{tool}: ")
    assert " is not installed for " in said


@pytest.mark.parametrize("tool", TOOLS)
def test_python_that_is_too_old(tool: str, tmp_path: Path) -> None:
    said = refusal(tmp_path, "-c", OLD, str(ROOT / "tools" / tool))
    assert said == f"{tool}: w40k_marl needs Python 3.11 to 3.14; this is 3.9: {sys.executable}\n"
