"""PettingZoo's own tests."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable

import numpy as np
import pytest
from pettingzoo.utils.conversions import turn_based_aec_to_parallel

from w40k_marl import w40k_v0
from w40k_marl.content.scenario import list_scenarios
from w40k_marl.env.aec import RawEnv

UNAVOIDABLE = ("Observation is not a NumPy array", "Observation space for each agent probably should be")
"""PettingZoo says this of every dictionary observation but those on its own list of names."""

everywhere = pytest.mark.parametrize("scenario", list_scenarios())
both = pytest.mark.parametrize("decisions", ["agent", "reference"])


@everywhere
@both
@pytest.mark.parametrize("factory", [w40k_v0.env, w40k_v0.raw_env])
def test_api(factory: Callable[..., RawEnv], scenario: str, decisions: str) -> None:
    from pettingzoo.test import api_test

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for message in UNAVOIDABLE:
            warnings.filterwarnings("ignore", message=message)
        api_test(factory(scenario=scenario, decisions=decisions), num_cycles=1000)


@everywhere
@both
def test_seed(scenario: str, decisions: str) -> None:
    from pettingzoo.test import seed_test

    seed_test(functools.partial(w40k_v0.env, scenario=scenario, decisions=decisions), num_cycles=500)


def test_render() -> None:
    from pettingzoo.test import render_test

    render_test(w40k_v0.env)


@both
def test_parallel_api(decisions: str) -> None:
    from pettingzoo.test import parallel_api_test

    env = w40k_v0.env(scenario="small_board", decisions=decisions)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for message in UNAVOIDABLE:
            warnings.filterwarnings("ignore", message=message)
        parallel_api_test(turn_based_aec_to_parallel(env), num_cycles=1000)


def test_random_demo() -> None:
    from pettingzoo.utils.random_demo import random_demo

    total = random_demo(w40k_v0.env(scenario="small_board"), render=False, episodes=2)
    assert np.isfinite(total)
