"""The intents of the greedy macro bot, and of the order of the pool."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from w40k_marl.env.aec import RawEnv
from w40k_marl.env.seats import SeatVectorEnv
from w40k_marl.observe.layout import Layout
from w40k_marl.policy.block_policy import block_masks
from w40k_marl.policy.bots import BOTS, greedy_player, make_bot
from w40k_marl.policy.macro_bots import GreedyMacro, PoolOrder
from w40k_marl.rules.intents import INTENTS

LAYOUT = Layout(intents=True)
INTENT_AT = LAYOUT.select_size
DETAIL_AT = INTENT_AT + len(INTENTS)


@pytest.fixture(scope="module")
def moments() -> tuple[Any, Any]:
    """Macro decisions of games that the greedy player plays, with slips: observations, masks of the macro blocks."""
    env, player, random = RawEnv("pve", layout=LAYOUT), greedy_player(LAYOUT), np.random.default_rng(1)
    seen, masks = [], []
    for seed in range(3):
        env.reset(seed=seed)
        while not env.session.over:
            observation, mask = env.session.view(env.session.acting_side)
            if not block_masks(LAYOUT, "micro", mask[None]).any():
                seen.append(observation)
                masks.append(block_masks(LAYOUT, "macro", mask[None])[0])
            greedy = int(player(observation[None], mask[None])[0])
            env.step(greedy if random.random() < 0.8 else int(random.choice(np.flatnonzero(mask))))
    return np.array(seen), np.array(masks)


def named(observation: Any) -> dict[str, float]:
    return dict(zip(LAYOUT.field_names(), observation.tolist(), strict=True))


@pytest.mark.parametrize("name", BOTS)
def test_bots_choose_legal_intents_and_details(moments: tuple[Any, Any], name: str) -> None:
    seen, masks = moments
    actions = np.asarray(make_bot(name, "macro", LAYOUT, seed=1)(seen, masks))
    assert masks[np.arange(len(masks)), actions].all()
    assert (actions >= DETAIL_AT).sum() > 50


def test_choice_does_not_depend_on_the_batch(moments: tuple[Any, Any]) -> None:
    seen, masks = moments
    bot = GreedyMacro(LAYOUT)
    together = bot(seen, masks).tolist()
    assert [int(bot(seen[row : row + 1], masks[row : row + 1])[0]) for row in range(len(seen))] == together


def test_greedy_intents_follow_their_rules(moments: tuple[Any, Any]) -> None:
    seen, masks = moments
    found = Counter[str]()
    for observation, mask, action in zip(seen, masks, GreedyMacro(LAYOUT)(seen, masks).tolist(), strict=True):
        if not mask[INTENT_AT:DETAIL_AT].any():
            continue
        now, intent = named(observation), INTENTS[action - INTENT_AT]
        unit = f"my_units[{round(now['active_unit.slot'] * LAYOUT.units_per_side)}]"
        fighter = now[f"{unit}.melee_damage"] > now[f"{unit}.ranged_damage"] or not now[f"{unit}.range"]
        holding = now[f"{unit}.on_objective"] == 1
        near = fighter and now["active_unit.nearest_enemy"] < 12.5 / 40 and not holding
        free = [row for row in range(8) if now[f"objectives[{row}].present"] and now[f"objectives[{row}].control"] < 1]
        if now[f"{unit}.in_contact"] or near:
            assert intent == "focus_kill"
        elif holding:
            assert intent == "hold_objective"
        else:
            assert intent == ("take_objective" if free else "hold_objective")
        found[intent] += 1
    assert min(found[intent] for intent in ("focus_kill", "hold_objective", "take_objective")) > 5


def test_greedy_details_are_near_enemies_and_open_objectives(moments: tuple[Any, Any]) -> None:
    seen, masks = moments
    found = Counter[str]()
    for observation, mask, action in zip(seen, masks, GreedyMacro(LAYOUT)(seen, masks).tolist(), strict=True):
        if not mask[DETAIL_AT:].any():
            continue
        now, slot = named(observation), action - DETAIL_AT
        if now["intent.take_objective"]:
            assert now[f"objectives[{slot}].control"] < 1
            found["take"] += 1
        elif now["intent.hold_objective"]:
            manned = [row for row in range(8) if now[f"objectives[{row}].my_strength"] > 0]
            assert slot in manned or not manned
            found["hold"] += 1
        elif now["intent.focus_kill"]:
            me = f"my_units[{round(now['active_unit.slot'] * LAYOUT.units_per_side)}]"
            away = {
                row: np.hypot(*(now[f"enemy_units[{row}].{axis}"] - now[f"{me}.{axis}"] for axis in ("column", "row")))
                for row in range(16)
                if now[f"enemy_units[{row}].alive"]
            }
            assert away[slot] == pytest.approx(min(away.values()), abs=1e-6)
            found["kill"] += 1
    assert min(found[kind] for kind in ("take", "hold", "kill")) > 5


def test_pool_order_is_the_first_unit_and_tempo(moments: tuple[Any, Any]) -> None:
    seen, masks = moments
    for mask, action in zip(masks, PoolOrder(LAYOUT)(seen, masks).tolist(), strict=True):
        tempo = INTENT_AT + INTENTS.index("tempo")
        assert action == (tempo if mask[tempo] else np.argmax(mask))


def test_greedy_player_with_intents_beats_a_random_one() -> None:
    env = SeatVectorEnv("pve", 64, seat=1, layout=LAYOUT)
    player, results = greedy_player(LAYOUT), []
    seen, _ = env.reset(seed=1)
    while len(results) < 64:
        seen, rewards, ended, _, _ = env.step(player(seen, env.action_masks().astype(np.int8)))
        results += rewards[ended].tolist()
    assert np.mean(np.array(results) > 0) > 0.6
