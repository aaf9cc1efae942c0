"""The public names of the package: they resolve, are documented on one page, and cost nothing before their use."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import w40k_marl

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"
TEXT = PAGE.read_text(encoding="utf-8")
EXPORTED = sorted({*w40k_marl.__all__, "w40k_v0"})
RELIED_ON = {
    "w40k_v0",
    "Layout",
    "BatchEnv",
    "SeatEnv",
    "SeatVectorEnv",
    "MacroEnv",
    "MicroEnv",
    "MacroVectorEnv",
    "MicroVectorEnv",
    "PvEController",
    "MetaConfig",
    "meta_config",
    "load_registry",
    "load_policy",
    "write_contract",
    "select_model_for_unit",
    "get_action_for_unit",
}


def run(program: str, folder: Path) -> str:
    environment = {"PYTHONPATH": str(PAGE.parents[1]), "PATH": "", "HOME": str(Path.home())}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_names_that_others_rely_on_are_exported() -> None:
    assert RELIED_ON <= set(EXPORTED) <= set(dir(w40k_marl))


@pytest.mark.parametrize("name", EXPORTED)
def test_name_resolves_to_its_object(name: str) -> None:
    found = getattr(w40k_marl, name)
    assert getattr(found, "__name__", None) in (name, f"w40k_marl.{name}")
    home = import_module(found.__module__) if hasattr(found, "__module__") else w40k_marl
    assert getattr(home, name) is found


def test_page_has_one_line_for_each_name() -> None:
    listed = re.findall(r"^\| `([\w.]+)` \| .+ \|$", TEXT, re.MULTILINE)
    assert sorted(listed) == sorted([*EXPORTED, "w40k_marl.train.SeatVecEnv"])


def test_page_shows_each_name_in_an_example() -> None:
    shown = set(
        re.findall(r"\w+", " ".join(re.findall(r"^```py(?:thon)?\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)))
    )
    assert {*EXPORTED, "SeatVecEnv"} - shown == set()


def test_names_are_imported_at_their_first_use(tmp_path: Path) -> None:
    program = f"""
import sys, w40k_marl
dir(w40k_marl)
assert not [name for name in sys.modules if name.startswith("w40k_marl.")], sys.modules
assert not {{"numba", "torch", "msgspec"}} & set(sys.modules)
for name in {EXPORTED}:
    getattr(w40k_marl, name)
assert "torch" not in sys.modules
try:
    w40k_marl.BatchEnvs
except AttributeError as error:
    print(error)
"""
    assert run(program, tmp_path) == "module 'w40k_marl' has no attribute 'BatchEnvs'\n"


def test_example_of_training_runs(tmp_path: Path) -> None:
    pytest.importorskip("sb3_contrib")
    (program,) = re.findall(r"^```py\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    assert run(program, tmp_path).endswith("model.contract.json\n")
