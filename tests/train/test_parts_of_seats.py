"""Macro and micro views under stable-baselines3. Needs the extra ``train``: ``tox -e train``."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from w40k_marl.env import MacroEnv, MacroVectorEnv, MicroEnv, MicroVectorEnv
from w40k_marl.env.policies import RandomPolicy
from w40k_marl.observe.layout import Layout
from w40k_marl.policy.bots import GreedyMicro
from w40k_marl.policy.contract import write_contract
from w40k_marl.policy.saved import load_model
from w40k_marl.reward.weights import INFO_KEYS

WHY = 'needs the extra "train": tox -e train'
pytest.importorskip("stable_baselines3", reason=WHY)
pytest.importorskip("sb3_contrib", reason=WHY)

from sb3_contrib import MaskablePPO  # noqa: E402
from sb3_contrib.common.maskable.utils import get_action_masks, is_masking_supported  # noqa: E402
from stable_baselines3.common.env_checker import check_env  # noqa: E402
from stable_baselines3.common.vec_env import DummyVecEnv  # noqa: E402

from w40k_marl.train import SeatVecEnv  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
INTENTS = Layout(intents=True)
LAYOUTS = pytest.mark.parametrize("layout", [Layout(), INTENTS], ids=["plain", "intents"])
KINDS = pytest.mark.parametrize("kind", ["macro", "micro"])


def one(kind: str, **options: Any) -> Any:
    make, types = (MacroEnv, {}) if kind == "macro" else (MicroEnv, {"unit_types": "Intercessor"})
    return make("small_board", **types, **options)


def many(kind: str, games: int, **options: Any) -> SeatVecEnv:
    make: Any
    make, types = (MacroVectorEnv, {}) if kind == "macro" else (MicroVectorEnv, {"unit_types": "Intercessor"})
    return SeatVecEnv(make("small_board", games, **types, **options))


@LAYOUTS
@KINDS
def test_single_view_passes_the_checker(kind: str, layout: Layout) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(one(kind, layout=layout))


@LAYOUTS
@KINDS
def test_masks_and_terms_are_those_of_the_views(kind: str, layout: Layout) -> None:
    env = many(kind, 8, layout=layout, max_turns=1, rewards="MacroController")
    assert is_masking_supported(env)
    observations, finished = env.reset(), 0
    for _ in range(30):
        masks = get_action_masks(env)
        assert masks.shape == (8, 13 if kind == "micro" else layout.action_count - 13)
        actions = RandomPolicy(1)(np.asarray(observations), masks.astype(np.int8))
        observations, rewards, dones, infos = env.step(actions)
        for reward, done, info in zip(rewards, dones, infos, strict=True):
            assert sum(info[key] for key in INFO_KEYS) == pytest.approx(float(reward), abs=1e-5)
            assert ("terminal_observation" in info) == bool(done)
            finished += bool(done)
    assert finished > 4


@LAYOUTS
@KINDS
def test_maskable_ppo_learns_and_what_it_saves_is_a_policy(kind: Any, layout: Layout, tmp_path: Path) -> None:
    """The spaces of the view are those of the contract."""
    env = many(kind, 16, layout=layout, max_turns=1)
    env.set_attr("micro", GreedyMicro(layout))
    model = MaskablePPO("MlpPolicy", env, n_steps=16, batch_size=64, n_epochs=1, seed=1)
    model.learn(1024)
    assert model.num_timesteps == 1024
    assert model.ep_info_buffer is not None
    assert len(model.ep_info_buffer) > 4
    model.save(tmp_path / "model.zip")
    write_contract(tmp_path / "model.zip", layout, kind=kind)
    policy = load_model(tmp_path / "model.zip", layout, kind)
    observations, masks = env.reset(), get_action_masks(env)
    expected = model.predict(observations, action_masks=masks, deterministic=True)[0]
    assert policy(np.asarray(observations), masks.astype(np.int8)).tolist() == expected.tolist()


@KINDS
def test_maskable_ppo_learns_in_a_single_view(kind: str) -> None:
    model = MaskablePPO("MlpPolicy", DummyVecEnv([lambda: one(kind, max_turns=2)]), n_steps=64, seed=1)
    model.learn(128)
    assert model.num_timesteps == 128


def test_recipe_of_the_docs_runs(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "learning.md").read_text(encoding="utf-8")
    program = "\n".join(re.findall(r"^```py\n(.*?)^```$", page, re.DOTALL | re.MULTILINE))
    assert "MacroVectorEnv" in program
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "ignore", "-c", program]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "model.contract.json").exists()
