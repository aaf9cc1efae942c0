"""Importing the package registers the environment and loads nothing heavy."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pettingzoo
import pytest
from pettingzoo.env_registry.exceptions import PettingZooRegistryError

import w40k_marl
from w40k_marl import w40k_v0

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("numba", "msgspec", "pydantic", "torch", "stable_baselines3", "pygame", "supersuit")


def run(program: str, **environment: str) -> str:
    settings = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    done = subprocess.run([sys.executable, "-c", program], env=settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_import_of_the_package_is_light() -> None:
    assert run(f"import sys, w40k_marl; print([name for name in {HEAVY} if name in sys.modules])") == "[]\n"


def test_import_of_the_environment_needs_no_extra() -> None:
    extras = tuple(name for name in HEAVY if name not in ("numba", "msgspec"))
    assert run(f"import sys, w40k_marl.w40k_v0; print([name for name in {extras} if name in sys.modules])") == "[]\n"


@pytest.mark.parametrize("name", ["w40k/skirmish-v0", "w40k/skirmish_v0"])
def test_make_finds_the_environment(name: str) -> None:
    env = pettingzoo.make("aec", name, scenario="small_board")
    assert isinstance(env, w40k_v0.env)
    assert env.session.setting.scenario.name == "small_board"


def test_unknown_version_names_the_known_one() -> None:
    with pytest.raises(PettingZooRegistryError, match="Available version: v0"):
        pettingzoo.make("aec", "w40k/skirmish-v9")


def test_reload_does_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        importlib.reload(w40k_marl)


def test_module_offers_env_and_raw_env_alone() -> None:
    assert w40k_v0.__all__ == ["env", "raw_env"]
    assert not hasattr(w40k_v0, "parallel_env"), "the game is not parallelisable"
    assert str(w40k_v0.env()) == str(w40k_v0.raw_env()) == "w40k_v0"
