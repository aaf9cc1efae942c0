"""What each wrapper of SuperSuit does to the mask: the table of docs/clients.md. ``tox -e clients``."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pettingzoo.utils.conversions import turn_based_aec_to_parallel

from w40k_marl.env.wrappers import MaskInInfos

pytestmark = [pytest.mark.clients, pytest.mark.filterwarnings("ignore")]
supersuit = pytest.importorskip("supersuit", reason='needs the extra "clients": tox -e clients')

WORKS, REFUSES, LOSES_MASK, ILLEGAL = "works", "refuses", "loses the mask", "illegal actions"
ROW = re.compile(r"^\| (`.*?`) \| ([\w ]+?) \| ([\w ]+?) \|", re.MULTILINE)
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "clients.md").read_text(encoding="utf-8")
TABLE = {
    name: (in_observation, in_infos)
    for names, in_observation, in_infos in ROW.findall(PAGE)
    for name in re.findall(r"`(\w+)`", names)
}

ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "reward_lambda_v0": (lambda reward: 2 * reward,),
    "nan_noop_v0": (0,),
    "action_lambda_v1": (lambda action, space: action, lambda space: space),
    "observation_lambda_v0": (lambda observation, space: observation, lambda space: space),
    "dtype_v0": (np.float64,),
    "resize_v1": (8, 8),
    "reshape_v0": ((2, 461),),
    "frame_stack_v1": (2,),
    "frame_stack_v2": (2,),
    "max_observation_v0": (2,),
    "delay_observations_v0": (2,),
    "frame_skip_v0": (2,),
    "sticky_actions_v0": (0.5,),
    "scale_actions_v0": (2,),
}


def played(env: Any) -> str:
    """What happens to two games of random actions by the masks that the wrapper shows."""
    random, game = np.random.default_rng(0), env.unwrapped
    for seed in (1, 2):
        env.reset(seed=seed)
        while env.agents:
            observation, _, termination, truncation, info = env.last()
            action = None
            if not (termination or truncation):
                mask = observation if isinstance(observation, dict) else info
                if "action_mask" not in mask:
                    return LOSES_MASK
                action = int(random.choice(np.flatnonzero(mask["action_mask"])))
                if not game.session.mask()[action]:
                    return ILLEGAL
            env.step(action)
            if game._ended_illegally:
                return ILLEGAL
    return WORKS


def outcome(name: str, env: Any) -> str:
    try:
        return played(getattr(supersuit, name)(env, *ARGUMENTS.get(name, ())))
    except (AssertionError, AttributeError, TypeError, ValueError):
        return REFUSES


def test_table_has_all_wrappers() -> None:
    wrappers = {name for name in vars(supersuit) if re.search(r"_v\d$", name)}
    others = {name for name in wrappers if "vec" in name}
    assert set(TABLE) == wrappers - others
    assert {result for pair in TABLE.values() for result in pair} == {WORKS, REFUSES, LOSES_MASK, ILLEGAL}


@pytest.mark.parametrize("name", TABLE)
def test_wrapper_does_what_the_table_says(make: Callable[..., Any], name: str) -> None:
    assert (outcome(name, make()), outcome(name, MaskInInfos(make()))) == TABLE[name]


def test_observations_in_infos_dialect_are_wrapped(make: Callable[..., Any]) -> None:
    env = supersuit.dtype_v0(supersuit.frame_stack_v1(MaskInInfos(make()), 4), np.float16)
    env.reset(seed=1)
    observation, *_, info = env.last()
    assert observation.shape == (4 * 922,)
    assert observation.dtype == np.float16
    assert info["action_mask"].sum() == 3


def test_games_side_by_side(make: Callable[..., Any]) -> None:
    """``vectorize_aec_env_v0``: an array of dictionaries, or in the other dialect an array and masks in infos."""
    plain = supersuit.vectorize_aec_env_v0(make(), 2)
    plain.reset()
    assert plain.last()[0].dtype == object
    env = supersuit.vectorize_aec_env_v0(MaskInInfos(make()), 2)
    env.reset()
    observations, *_, infos = env.last()
    assert observations.shape == (2, 922)
    assert [info["action_mask"].sum() for info in infos] == [3, 3]


@pytest.mark.skipif(not find_spec("stable_baselines3"), reason='needs the extra "train" too')
def test_vector_of_stable_baselines_has_no_masks(make: Callable[..., Any]) -> None:
    """It stacks both players of every game and offers no ``action_masks``: ``SeatVecEnv`` is for that."""
    shapes = []
    for env in (make(), MaskInInfos(make())):
        vector = supersuit.pettingzoo_env_to_vec_env_v1(turn_based_aec_to_parallel(env))
        stacked = supersuit.concat_vec_envs_v1(vector, 2, base_class="stable_baselines3")
        with pytest.raises(AttributeError):  # which is not what `has_attr` should do
            stacked.has_attr("action_masks")
        seen = stacked.reset()
        shapes.append({name: seen[name].shape for name in seen} if isinstance(seen, dict) else seen.shape)
    assert shapes == [{"observation": (4, 922), "action_mask": (4, 29)}, (4, 922)]
