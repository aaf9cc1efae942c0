"""The same seed is the same game: in another environment, in the next episode, in another process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from w40k_marl import w40k_v0
from w40k_marl.content.scenario import list_scenarios
from w40k_marl.env.aec import RawEnv

ROOT = Path(__file__).resolve().parents[2]
Course = Callable[..., list[bytes]]

PROGRAM = """
import hashlib
import numpy as np
from w40k_marl import w40k_v0

digest = hashlib.sha256()
env = w40k_v0.env(scenario=["macro_default", "small_board", "pve"])
random = np.random.default_rng(1)
for seed in (11, None, None):
    env.reset(seed=seed)
    while not env.terminations[env.agent_selection]:
        observation = env.observe(env.agent_selection)
        digest.update(observation["observation"].tobytes() + repr(env.events()).encode())
        env.step(int(random.choice(np.flatnonzero(observation["action_mask"]))))
print(digest.hexdigest())
"""


@pytest.mark.parametrize("scenario", list_scenarios())
def test_episodes_after_one_seed_are_the_same_in_two_environments(course: Course, scenario: str) -> None:
    one, two = (w40k_v0.env(scenario=scenario, max_turns=2) for _ in range(2))
    one.reset(seed=21)
    two.reset(seed=21)
    assert course(one) == course(two)
    for _ in range(2):
        one.reset()
        two.reset()
        assert course(one) == course(two)


def test_second_episode_is_another_game(course: Course) -> None:
    env = w40k_v0.env(scenario="small_board")
    env.reset(seed=21)
    first = course(env)
    env.reset()
    assert course(env) != first
    env.reset(seed=21)
    assert course(env) == first, "nothing of an earlier game is left"


def test_seeds_are_different_games(course: Course) -> None:
    env = w40k_v0.env(scenario="small_board", max_turns=2)
    courses = set()
    for seed in range(8):
        env.reset(seed=seed)
        courses.add(b"".join(course(env)))
    assert len(courses) == 8


def test_environments_without_a_seed_are_different_games(course: Course) -> None:
    courses = []
    for _ in range(2):
        env = w40k_v0.env(scenario="small_board", max_turns=2)
        env.reset()
        courses.append(course(env))
    assert courses[0] != courses[1]


def test_seed_leaves_numpys_own_stream_alone() -> None:
    import numpy as np

    np.random.seed(3)  # noqa: NPY002 - the stream that must not be touched
    expected = np.random.random(4).tolist()  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    env = w40k_v0.env(scenario="small_board")
    env.reset(seed=5)
    env.step(0)
    assert np.random.random(4).tolist() == expected  # noqa: NPY002


def test_game_is_the_same_in_processes_with_other_hash_seeds() -> None:
    outputs = set()
    for hash_seed in ("0", "1", "4711"):
        settings = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-c", PROGRAM]
        outputs.add(subprocess.run(command, env=settings, capture_output=True, text=True, check=True).stdout)
    assert len(outputs) == 1


def test_env_and_raw_env_play_the_same_game(course: Course) -> None:
    envs: list[RawEnv] = [w40k_v0.env(scenario="pve"), w40k_v0.raw_env(scenario="pve")]
    for env in envs:
        env.reset(seed=6)
    assert course(envs[0]) == course(envs[1])


def test_options_are_accepted_and_ignored(course: Course) -> None:
    env = w40k_v0.env(scenario="small_board", max_turns=1)
    env.reset(seed=1)
    first = course(env)
    env.reset(seed=1, options={"options": 1})
    assert course(env) == first
