"""Policies of another layout, block or seat are refused where they are handed over, and bots where they are asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from w40k_marl.env import MacroEnv, MacroVectorEnv, MicroEnv, MicroVectorEnv
from w40k_marl.env.seats import SeatEnv, SeatVectorEnv
from w40k_marl.errors import ContentError, W40KError
from w40k_marl.observe.layout import Layout
from w40k_marl.policy.block_policy import FlatPolicy
from w40k_marl.policy.bots import GreedyMicro, first_legal, greedy_player, make_bot
from w40k_marl.policy.errors import LayoutMismatchError, PredictionError
from w40k_marl.policy.macro_bots import GreedyMacro, PoolOrder
from w40k_marl.policy.pve import PvEController

LAYOUT, WIDER, INTENTS = Layout(), Layout(units_per_side=20), Layout(intents=True)
SEATS = pytest.mark.parametrize("make", [SeatEnv, SeatVectorEnv])
BLOCKS = pytest.mark.parametrize("make", [MicroEnv, MicroVectorEnv])


def sit(make: Callable[..., Any], **options: Any) -> Any:
    """A seat, in a few games where it is one for many."""
    arguments = () if make in (SeatEnv, MacroEnv, MicroEnv) else (2,)
    return make("pve", *arguments, **options)


@pytest.mark.parametrize(
    ("policy", "columns"),
    [
        (GreedyMicro(WIDER), 13),
        (GreedyMacro(WIDER), 20),
        (PoolOrder(WIDER), 20),
        (greedy_player(WIDER), WIDER.action_count),
        (FlatPolicy(LAYOUT, GreedyMacro(WIDER), GreedyMicro(WIDER)), LAYOUT.action_count),
    ],
    ids=lambda value: type(value).__name__,
)
def test_bot_refuses_observations_of_another_layout(policy: Any, columns: int) -> None:
    seen, masks = np.zeros((2, LAYOUT.observation_size), dtype=np.float32), np.ones((2, columns), dtype=np.int8)
    with pytest.raises(
        LayoutMismatchError, match=rf"expected observations of shape \(k, \d+\), got \(2, {seen.shape[1]}"
    ):
        policy(seen, masks)


@pytest.mark.parametrize("policy", [GreedyMicro(LAYOUT), GreedyMacro(LAYOUT), PoolOrder(LAYOUT), greedy_player(LAYOUT)])
def test_bot_refuses_masks_of_another_block(policy: Any) -> None:
    seen, masks = np.zeros((2, LAYOUT.observation_size), dtype=np.float32), np.ones((2, 14), dtype=np.int8)
    with pytest.raises(PredictionError, match=r"expected masks of shape \(2, \d+\), got \(2, 14\)"):
        policy(seen, masks)


@SEATS
@pytest.mark.parametrize(
    ("opponent", "said"),
    [
        (greedy_player(Layout(objectives=12)), "environment, objectives=8, got one for objectives=12"),
        (PvEController(None, INTENTS), "environment, intents=False, got one for intents=True"),
        (GreedyMicro(LAYOUT), "a policy for all actions, got a micro policy"),
        (GreedyMacro(LAYOUT), "a policy for all actions, got a macro policy"),
        ("greedy", "a policy: a function of observations and masks, got 'greedy'"),
    ],
)
def test_opponent_that_does_not_fit_is_refused(make: Any, opponent: Any, said: str) -> None:
    with pytest.raises(ContentError, match=f"argument: opponent: expected .*{said}"):
        sit(make, opponent=opponent)
    env = sit(make, opponent=greedy_player(LAYOUT))
    with pytest.raises(ContentError, match=said):
        env.opponent = opponent
    assert isinstance(env.opponent, FlatPolicy), "the one before plays on"


@BLOCKS
@pytest.mark.parametrize(
    ("name", "policy", "said"),
    [
        ("micro", GreedyMicro(WIDER), "units_per_side=16, got one for units_per_side=20"),
        ("macro", GreedyMacro(INTENTS), "intents=False, got one for intents=True"),
        ("micro", GreedyMacro(LAYOUT), "a micro policy, got a macro policy"),
        ("macro", GreedyMicro(LAYOUT), "a macro policy, got a micro policy"),
        ("macro", "greedy", "a function of observations and masks, got 'greedy'"),
    ],
)
def test_delegate_that_does_not_fit_is_refused(make: Any, name: str, policy: Any, said: str) -> None:
    with pytest.raises(ContentError, match=f"argument: {name}: expected .*{said}"):
        sit(make, unit_types="Intercessor", **{name: policy})


@pytest.mark.parametrize("make", [MacroEnv, MacroVectorEnv])
def test_macro_view_refuses_models_of_another_layout(make: Any) -> None:
    with pytest.raises(ContentError, match=r"micro: expected .*units_per_side=16, got one for units_per_side=20"):
        sit(make, micro=GreedyMicro(WIDER))


@SEATS
def test_policy_that_says_nothing_is_taken(make: Any) -> None:
    assert sit(make, opponent=first_legal).opponent is first_legal


@pytest.mark.parametrize("make", [SeatEnv, SeatVectorEnv, MacroEnv])
@pytest.mark.parametrize("seat", [True, 1.0, 0, 3, "1"])
def test_seat_is_one_or_two(make: Any, seat: Any) -> None:
    with pytest.raises(ContentError, match="argument: seat: expected 1 or 2, got "):
        sit(make, seat=seat)


@pytest.mark.parametrize(
    ("arguments", "said"), [(("gredy", "micro"), "name: expected one of random"), (("first", "mikro"), '"micro" or')]
)
def test_bot_by_a_wrong_name_is_refused(arguments: Any, said: str) -> None:
    with pytest.raises(W40KError, match=said):
        make_bot(*arguments, LAYOUT)
