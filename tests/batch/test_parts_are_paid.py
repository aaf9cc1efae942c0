"""What macro and micro views credit is what the whole game has paid, told by the agent cycle from the game's seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from w40k_marl import w40k_v0
from w40k_marl.content.catalogue import load_unit_types
from w40k_marl.env import MacroEnv, MicroEnv, MicroVectorEnv
from w40k_marl.env.aec import PLAYERS
from w40k_marl.env.seats import SeatEnv
from w40k_marl.errors import ContentError
from w40k_marl.observe.action_blocks import is_micro
from w40k_marl.observe.layout import Layout
from w40k_marl.reward.config import RewardsConfig
from w40k_marl.reward.terms import TERM_NAMES

Policy = Callable[..., Any]
EVERYTHING = RewardsConfig({name: 0.5 + number for number, name in enumerate(TERM_NAMES)})
TYPES = {1: ["Intercessor", "AssaultIntercessor"], 2: ["Termagant", "Genestealer"]}  # two agent keys each
SEATS = pytest.mark.parametrize("side", [1, 2])
LAYOUTS = pytest.mark.parametrize("layout", [Layout(), Layout(intents=True)], ids=["plain", "intents"])
GAMES = range(4)


def credited(env: SeatEnv, game_seed: int, policy: Policy) -> tuple[int, list[float]]:
    """Seed of the game that was played, and what each decision was paid; terms add up to it."""
    observation, _ = env.reset(options={"game_seed": game_seed})
    rewards, over = [], False
    while not over:
        action = policy(observation[None], env.action_masks()[None])[0]
        observation, reward, over, _, info = env.step(action)
        rewards.append(reward)
        assert not info or sum(info.values()) == pytest.approx(reward)
    return int(env.session.games[0].seed), rewards


def steps(env: Any, game_seed: int, policy: Policy) -> Iterator[tuple[int, bool, str | None]]:
    """Play a game in the agent cycle: who acts, whether by a micro action, and the active type; then step."""
    env.reset(options={"game_seed": game_seed})
    while not any(env.terminations.values()):
        seen = env.observe(env.agent_selection)
        observation, masks = seen["observation"][None], seen["action_mask"][None]
        yield PLAYERS.index(env.agent_selection), bool(is_micro(env.layout, masks)[0]), env.session.active_type
        env.step(int(policy(observation, masks)[0]))


@LAYOUTS
@SEATS
@pytest.mark.parametrize("rewards", [None, EVERYTHING, "MacroController"], ids=["result", "everything", "macro"])
def test_macro_decisions_are_paid_the_whole_game(side: int, layout: Layout, rewards: Any, varied: Policy) -> None:
    """Each decision what the steps up to the next one paid; together all since the first."""
    settings: dict[str, Any] = {"layout": layout, "rewards": rewards, "max_turns": 3}
    env = MacroEnv("small_board", seat=side, opponent=varied, micro=varied, **settings)
    cycle = w40k_v0.raw_env(scenario="small_board", **settings)
    for game in GAMES:
        seed, paid = credited(env, game, varied)
        expected: list[float] = []
        for actor, micro, _ in steps(cycle, seed, varied):
            _add(expected, cycle.rewards[PLAYERS[side - 1]])
            if actor == side - 1 and not micro:
                expected.append(0.0)
        _add(expected, cycle.rewards[PLAYERS[side - 1]])
        assert paid == pytest.approx(expected)


def _add(sums: list[float], reward: float) -> None:
    """What the last step has paid belongs to the last decision; before the first, to nobody."""
    if sums:
        sums[-1] += reward


@LAYOUTS
@SEATS
@pytest.mark.parametrize("opposed", [False, True])
def test_micro_decisions_are_paid_by_the_weights_of_their_unit(
    side: int, layout: Layout, opposed: bool, varied: Policy, zero_sum: Callable[[], None]
) -> None:
    """An agent cycle for each agent key plays the same game and pays by that key's weights."""
    if opposed:
        zero_sum()
    catalogue, types = load_unit_types(), TYPES[side]
    policies: dict[str, Any] = {"opponent": varied, "macro": varied, "micro": varied}
    env = MicroEnv("small_board", unit_types=types, seat=side, layout=layout, max_turns=3, **policies)
    keys = sorted({catalogue[name].agent_key for name in types})
    assert len(keys) == 2
    used: set[str] = set()
    for game in GAMES:
        seed, paid = credited(env, game, varied)
        cycles = {key: w40k_v0.raw_env(scenario="small_board", layout=layout, max_turns=3, rewards=key) for key in keys}
        expected: list[float] = []
        key = ""
        for told in zip(*(steps(cycle, seed, varied) for cycle in cycles.values()), strict=True):
            actor, micro, active = told[0]
            _add(expected, cycles[key or keys[0]].rewards[PLAYERS[side - 1]])
            if actor == side - 1 and micro and active in types:
                assert active is not None
                key = catalogue[active].agent_key
                used.add(key)
                expected.append(0.0)
        _add(expected, cycles[key].rewards[PLAYERS[side - 1]])
        assert paid == pytest.approx(expected)
    assert used == set(keys)


@SEATS
@pytest.mark.parametrize("rewards", [None, "result", EVERYTHING], ids=["none", "result", "everything"])
def test_micro_decisions_may_be_paid_by_one_set_of_weights(side: int, rewards: Any, varied: Policy) -> None:
    policies: dict[str, Any] = {"opponent": varied, "macro": varied, "micro": varied}
    env = MicroEnv("small_board", unit_types=TYPES[side], seat=side, max_turns=3, rewards=rewards, **policies)
    cycle = w40k_v0.raw_env(scenario="small_board", max_turns=3, rewards=None if rewards == "result" else rewards)
    for game in GAMES:
        seed, paid = credited(env, game, varied)
        expected: list[float] = []
        for actor, micro, active in steps(cycle, seed, varied):
            _add(expected, cycle.rewards[PLAYERS[side - 1]])
            if actor == side - 1 and micro and active in TYPES[side]:
                expected.append(0.0)
        _add(expected, cycle.rewards[PLAYERS[side - 1]])
        assert paid == pytest.approx(expected)
        if rewards in (None, "result"):
            assert not any(paid[:-1])


def test_agent_key_stands_for_all_its_types() -> None:
    env = MicroEnv("small_board", unit_types="SpaceMarine_Infantry_Troop_RangedSwarm")
    assert env.unit_types == ("Intercessor", "IntercessorSergeant")
    seats = MicroVectorEnv("small_board", 2, unit_types=["Termagant", "Tyranid_Infantry_Troop_MeleeTroop"], seat=2)
    assert seats.unit_types == ("Genestealer", "Termagant")


@pytest.mark.parametrize("make", [MicroEnv, MicroVectorEnv])
@pytest.mark.parametrize(
    ("unit_types", "message"),
    [
        ("Intercesor", 'got "Intercesor".*did you mean "Intercessor"'),
        (["Intercessor", "Termagant"], 'unit types of player 1 .*, got "Termagant"'),
        ("SpaceMarine_Infantry_Troop_RangedSwarn", 'did you mean "SpaceMarine_Infantry_Troop_RangedSwarm"'),
        ([], r"names of unit types, or an agent key, got \[\]"),
        (None, "names of unit types, or an agent key, got None"),
        ([3], r"names of unit types, or an agent key, got \[3\]"),
    ],
)
def test_unit_types_that_the_player_does_not_have(make: Any, unit_types: Any, message: str) -> None:
    with pytest.raises(ContentError, match=f"unit_types: expected.*{message}"):
        make("small_board", unit_types=unit_types)


def test_scenario_without_the_types_is_named() -> None:
    with pytest.raises(ContentError, match=r"player 1 has a unit of AssaultIntercessor, got .*(?i:pve)"):
        MicroEnv(["small_board", "pve"], unit_types="AssaultIntercessor")


def test_side_without_units_has_no_types(scenario_of: Callable[..., Path]) -> None:
    with pytest.raises(ContentError, match="their agent keys: there are none"):
        MicroEnv(scenario_of((1, "Intercessor", 4, 10)), unit_types="Termagant", seat=2)


def test_batch_tells_terms_by_the_weights_of_each_row(varied: Policy) -> None:
    """Infos add up to the rewards, though rows are paid by different weights."""
    env = MicroVectorEnv("small_board", 16, unit_types=TYPES[1], max_turns=2, macro=varied)
    observations, _ = env.reset(seed=4)
    paid = 0
    for _ in range(40):
        observations, rewards, _, _, infos = env.step(varied(observations, env.action_masks()))
        told = np.sum([infos[f"reward/{name}"] for name in TERM_NAMES], axis=0)
        assert rewards == pytest.approx(told, abs=1e-5)
        paid += int((rewards != 0).sum())
    assert paid > 40
