"""Bots choose legal actions, the same in every batch; the greedy one beats a random player."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from w40k_marl.env.aec import RawEnv
from w40k_marl.env.seats import SeatVectorEnv
from w40k_marl.policy.block_policy import ActionBlock, block_masks
from w40k_marl.policy.bots import BOTS, GreedyMicro, greedy_player, make_bot
from w40k_marl.policy.macro_bots import GreedyMacro


@pytest.fixture(scope="module")
def moments() -> tuple[Any, Any, Any]:
    """Decisions of random games: layout, observations (k, n), masks (k, m)."""
    env, random = RawEnv("pve"), np.random.default_rng(1)
    seen, masks = [], []
    for seed in range(3):
        env.reset(seed=seed)
        while not env.session.over:
            observation, mask = env.session.view(env.session.acting_side)
            seen.append(observation)
            masks.append(mask)
            env.step(int(random.choice(np.flatnonzero(mask))))
    return env.layout, np.array(seen), np.array(masks)


def parts(moments: tuple[Any, Any, Any], kind: ActionBlock) -> tuple[Any, Any]:
    layout, seen, masks = moments
    own = block_masks(layout, kind, masks)
    rows = own.any(axis=1)
    return seen[rows], own[rows]


@pytest.mark.parametrize("kind", ["micro", "macro"])
@pytest.mark.parametrize("name", BOTS)
def test_bots_choose_legal_actions(moments: tuple[Any, Any, Any], name: str, kind: ActionBlock) -> None:
    seen, masks = parts(moments, kind)
    actions = make_bot(name, kind, moments[0], seed=1)(seen, masks)
    assert len(seen) > 200
    assert masks[np.arange(len(masks)), actions].all()


@pytest.mark.parametrize("kind", ["micro", "macro"])
def test_greedy_choice_does_not_depend_on_the_batch(moments: tuple[Any, Any, Any], kind: ActionBlock) -> None:
    seen, masks = parts(moments, kind)
    bot = make_bot("greedy", kind, moments[0])
    together = bot(seen, masks).tolist()
    assert [int(bot(seen[row : row + 1], masks[row : row + 1])[0]) for row in range(len(seen))] == together


def test_random_bot_repeats_itself_by_seed(moments: tuple[Any, Any, Any]) -> None:
    seen, masks = parts(moments, "micro")

    def played(seed: int) -> Any:
        return make_bot("random", "micro", moments[0], seed)(seen, masks).tolist()

    assert played(1) == played(1) != played(2)


def named(layout: Any, observation: Any) -> dict[str, float]:
    return dict(zip(layout.field_names(), observation.tolist(), strict=True))


def greedy_decisions(moments: tuple[Any, Any, Any]) -> Iterator[tuple[dict[str, float], Any, int]]:
    seen, masks = parts(moments, "micro")
    actions = GreedyMicro(moments[0])(seen, masks).tolist()
    for observation, mask, action in zip(seen, masks, actions, strict=True):
        yield named(moments[0], observation), mask, action


def test_greedy_bot_shoots_and_strikes_whenever_it_can(moments: tuple[Any, Any, Any]) -> None:
    attacks = 0
    for now, mask, action in greedy_decisions(moments):
        if (now["global.phase_shoot"] or now["global.phase_fight"]) and mask[4:9].any():
            assert 4 <= action < 9
            attacks += 1
    assert attacks > 20


def test_greedy_bot_takes_the_target_that_promises_most(moments: tuple[Any, Any, Any]) -> None:
    choices = 0
    for now, mask, action in greedy_decisions(moments):
        if now["global.phase_shoot"] and mask[4:9].sum() > 1:
            worth = [
                now[f"targets[{slot}].kill_score"] * now[f"targets[{slot}].hit_points"] * now[f"targets[{slot}].value"]
                + 0.05 * now[f"targets[{slot}].on_objective"]
                for slot in range(5)
            ]
            assert worth[action - 4] == pytest.approx(max(worth))
            choices += action != 4
    assert choices > 0


def test_greedy_bot_stays_on_objectives(moments: tuple[Any, Any, Any]) -> None:
    stays = moves = 0
    for now, _, action in greedy_decisions(moments):
        if now["global.phase_move"]:
            slot = round(now["active_unit.slot"] * moments[0].units_per_side)
            holding = now[f"my_units[{slot}].on_objective"] == 1
            assert action == (11 if holding else 0)
            stays, moves = stays + holding, moves + (not holding)
    assert min(stays, moves) > 4


def test_greedy_macro_begins_with_who_hits_hardest(moments: tuple[Any, Any, Any]) -> None:
    seen, masks = parts(moments, "macro")
    for observation, mask, slot in zip(seen, masks, GreedyMacro(moments[0])(seen, masks).tolist(), strict=True):
        now = named(moments[0], observation)
        field = "ranged_damage" if now["global.phase_shoot"] else "melee_damage"
        most = max(now[f"my_units[{other}].{field}"] for other in np.flatnonzero(mask))
        assert now[f"my_units[{slot}].{field}"] == most


@pytest.mark.parametrize(("scenario", "seat"), [("pve", 1), ("pve", 2), ("macro_default", 1)])
def test_greedy_player_beats_a_random_one(scenario: str, seat: int) -> None:
    env = SeatVectorEnv(scenario, 64, seat=seat)
    player, results = greedy_player(env.layout), []
    seen, _ = env.reset(seed=1)
    while len(results) < 128:
        seen, rewards, ended, _, _ = env.step(player(seen, env.action_masks().astype(np.int8)))
        results += rewards[ended].tolist()
    assert np.mean(np.array(results) > 0) > 0.6
