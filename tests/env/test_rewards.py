"""Rewards by terms in the agent cycle: what is paid, to whom, and what infos tell of it."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from w40k_marl import w40k_v0
from w40k_marl.content.scenario import list_scenarios
from w40k_marl.env.aec import PLAYERS, RawEnv
from w40k_marl.errors import ContentError
from w40k_marl.reward.config import RewardsConfig, rewards_config
from w40k_marl.reward.terms import TERM_NAMES
from w40k_marl.reward.weights import INFO_KEYS

Play = Callable[..., Iterator[tuple[str, int]]]
PLAIN_KEYS = {"turn", "phase", "victory_points", "victory_point_margin"}
EVERYTHING = RewardsConfig(dict.fromkeys(TERM_NAMES, 1.0))
WAIT = 27


def counted(env: RawEnv, seed: int) -> dict[str, list[float]]:
    """The amounts of each term over a random game, by side."""
    total = np.zeros((2, len(TERM_NAMES)))
    random = np.random.default_rng(seed)
    while not env.terminations[env.agent_selection]:
        mask = env.observe(env.agent_selection)["action_mask"]
        env.step(int(random.choice(np.flatnonzero(mask))))
        assert env.session.earnings is not None
        total += env.session.earnings.amounts
    return dict(zip(TERM_NAMES, total.T.tolist(), strict=True))


# --- sums of whole games ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", list_scenarios())
def test_amounts_of_a_game_are_those_of_its_end(scenario: str) -> None:
    env = w40k_v0.raw_env(scenario=scenario, rewards=EVERYTHING)
    for seed in range(3):
        env.reset(seed=seed)
        session, start = env.session, env.session.games[0].copy()
        total = counted(env, seed)
        game, side = session.games[0], env.layout.units_per_side
        fallen = [0, 0]
        lost = [0.0, 0.0]
        for number, unit in enumerate(session.setting.units):
            if unit is not None:
                fallen[number // side] += not game.hit_points[number]
                share = 1 - game.hit_points[number] / unit.type.hit_points
                lost[number // side] += float(share) * unit.type.value
        assert total["damage_received"] == pytest.approx(lost)
        assert total["damage_dealt"] == pytest.approx(lost[::-1])
        assert total["kills"] == fallen[::-1]
        assert all(few <= many for few, many in zip(total["melee_kills"], total["kills"], strict=True))
        scored = (game.victory_points - start.victory_points).tolist()
        assert total["victory_points"] == scored
        assert total["victory_points_conceded"] == scored[::-1]
        for player in (1, 2):
            gained = total["objectives_captured"][player - 1] - total["objectives_lost"][player - 1]
            assert gained == (game.control == player).sum() - (start.control == player).sum()
            assert total["win"][player - 1] == (game.winner == player)
            assert total["lose"][player - 1] == (game.winner == 3 - player)
            assert total["draw"][player - 1] == (game.winner == 0)


@pytest.mark.parametrize("scenario", list_scenarios())
def test_terms_of_each_step_are_what_its_events_tell(play: Play, scenario: str) -> None:
    """No step of a random game comes near the size of the buffer, so that its events tell all of it."""
    env = w40k_v0.raw_env(scenario=scenario, rewards=EVERYTHING)
    env.reset(seed=5)
    owner = {unit.id: unit.player for unit in env.session.setting.units if unit}
    most = 0
    for _ in play(env, 5):
        told = {name: [0.0, 0.0] for name in TERM_NAMES}
        game = env.session.games[0]
        most = max(most, int(game.event_count))
        assert game.events_lost == 0
        attacked = [False, False]
        for event in env.events() if game.steps else []:
            side = owner[str(event["unit"])] - 1 if "unit" in event else 0
            if event["event"] == "attacked":
                attacked[side] = True
            elif event["event"] == "died":
                told["kills"][1 - side] += 1
            elif event["event"] == "charged":
                told["charges"][side] += 1
            elif event["event"] == "waited":
                told["waiting"][side] += 1
            elif event["event"] == "scored":
                player = int(event["player"])  # type: ignore[call-overload]
                told["victory_points"][player - 1] += float(event["points"])  # type: ignore[arg-type]
                told["objectives_held"][player - 1] += int((game.control == player).sum())
        told["attacks"] = [float(any_) for any_ in attacked]
        assert env.session.earnings is not None
        amounts = dict(zip(TERM_NAMES, env.session.earnings.amounts.T.tolist(), strict=True))
        for name in ("attacks", "kills", "charges", "waiting", "victory_points", "objectives_held"):
            assert amounts[name] == told[name], name
    assert most < 64


def test_progress_is_the_way_of_all_units_while_control_stands(play: Play) -> None:
    """The sum telescopes: of each unit only the first and the last hex of a stretch of equal control count."""
    env = w40k_v0.raw_env(scenario="macro_default", rewards=EVERYTHING)
    env.reset(seed=3)
    objectives = [objective.hexes for objective in env.session.setting.scenario.objectives]

    def distances() -> Any:
        """Of each unit from the nearest objective that its side does not control, in hexes; shape (2, units)."""
        from w40k_marl.rules.hexes import distance, hex_at

        game, found = env.session.games[0], np.zeros((2, env.layout.units_per_side))
        for number, unit in enumerate(env.session.setting.units):
            side, slot = divmod(number, env.layout.units_per_side)
            free = [hexes for index, hexes in enumerate(objectives) if game.control[index] != side + 1]
            if unit is not None and free:
                here = int(game.hexes[number])
                found[side, slot] = min(distance(here, hex_at(*place)) for hexes in free for place in hexes)
        return found

    assert env.session.earnings is not None
    control, start, total, stretches = None, distances(), np.zeros(2), 0
    for _ in play(env, 3):
        now = env.session.games[0].control.tobytes()
        if control is not None and env.session.games[0].steps:
            total += env.session.earnings.amounts[:, TERM_NAMES.index("progress")]
        if control != now:
            # the step that changed control moved its unit by the old control: begin behind it
            control, start, total, stretches = now, distances(), np.zeros(2), stretches + 1
        assert total * 32 == pytest.approx((start - distances()).sum(axis=1))
    assert stretches > 2


# --- how it is paid --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("factory", [w40k_v0.env, w40k_v0.raw_env])
@pytest.mark.parametrize("rewards", ["MacroController", "Tyranid_Infantry_Swarm_MeleeSwarm", EVERYTHING])
def test_last_tells_what_the_terms_of_the_infos_add_up_to(factory: Callable[..., RawEnv], rewards: Any) -> None:
    env = factory(scenario="small_board", rewards=rewards)
    env.reset(seed=4)
    random = np.random.default_rng(4)
    told, paid = dict.fromkeys(PLAYERS, 0.0), dict.fromkeys(PLAYERS, 0.0)
    for agent in env.agent_iter():
        observation, reward, termination, truncation, info = env.last()
        assert set(info) == PLAIN_KEYS | set(INFO_KEYS)
        assert all(type(value) in (int, float) for value in info.values())
        assert sum(info[key] for key in INFO_KEYS) == pytest.approx(reward)
        told[agent] += float(reward)
        if termination or truncation:
            env.step(None)
            continue
        env.step(int(random.choice(np.flatnonzero(observation["action_mask"]))))
        for player, amount in env.rewards.items():
            paid[player] += amount
    assert told == pytest.approx(paid)
    assert all(told.values())


def test_the_result_reaches_both_players(play: Play) -> None:
    env = w40k_v0.raw_env(scenario="small_board", rewards=RewardsConfig({"win": 3, "lose": -2, "draw": 7}))
    env.reset(seed=1)
    for _ in play(env, 1):
        assert env.rewards == {"player_1": 0, "player_2": 0}
    winner = int(env.session.games[0].winner)
    assert winner
    assert env.rewards == {player: 3.0 if index + 1 == winner else -2.0 for index, player in enumerate(PLAYERS)}
    assert {player: env.infos[player]["reward/win"] for player in PLAYERS} == {
        player: 3.0 if index + 1 == winner else 0.0 for index, player in enumerate(PLAYERS)
    }


def test_zero_sum_rewards_sum_to_nothing_at_every_step(play: Play) -> None:
    plain = rewards_config("Tyranid_Infantry_Swarm_MeleeSwarm")
    env = w40k_v0.raw_env(scenario="small_board", rewards=RewardsConfig(plain.terms, zero_sum=True))
    other = w40k_v0.raw_env(scenario="small_board", rewards=plain)
    env.reset(seed=2)
    other.reset(seed=2)
    for _, action in play(env, 2):
        other.step(action)
        assert sum(env.rewards.values()) == pytest.approx(0, abs=1e-12)
        half = (other.rewards["player_1"] - other.rewards["player_2"]) / 2
        if other.session.games[0].steps == env.session.games[0].steps:
            assert env.rewards["player_1"] == pytest.approx(half)


def test_without_rewards_nothing_is_counted(play: Play) -> None:
    env = w40k_v0.env(scenario="small_board")
    assert env.session.earnings is None
    env.reset(seed=1)
    for _ in play(env, 1):
        assert set(env.infos["player_1"]) == PLAIN_KEYS


def test_rewards_change_no_game(play: Play) -> None:
    plain, paid = (w40k_v0.raw_env(scenario="pve", rewards=rewards) for rewards in (None, "MacroController"))
    plain.reset(seed=6)
    paid.reset(seed=6)
    for _, action in play(plain, 6):
        assert plain.session.games.tobytes() == paid.session.games.tobytes()
        paid.step(action)


def test_an_illegal_action_costs_one_whatever_the_weights() -> None:
    env = w40k_v0.env(scenario="small_board", rewards=RewardsConfig({"waiting": -5}))
    env.reset(seed=1)
    env.step(0)
    env.step(WAIT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        env.step(28)
    assert env.rewards == {"player_1": -1.0, "player_2": 0.0}
    assert env.last()[1] == -1.0
    assert not any(env.infos["player_1"][key] for key in INFO_KEYS)


def test_unknown_rewards_are_refused_at_creation() -> None:
    with pytest.raises(ContentError, match='did you mean "MacroController"'):
        w40k_v0.env(rewards="MacroControler")


# --- copies ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
@pytest.mark.parametrize("steps", [1, 30, 61])
def test_copies_are_paid_alike(play: Play, advance: Callable[..., None], way: Any, steps: int) -> None:
    env = w40k_v0.env(scenario="small_board", rewards=EVERYTHING)
    env.reset(seed=8)
    advance(env, steps)
    clone = way(env)
    assert clone.session.earnings.amounts.tolist() == env.session.earnings.amounts.tolist()  # type: ignore[union-attr]
    for _, action in play(env, 8):
        assert (clone.rewards, clone.infos) == (env.rewards, env.infos)
        assert clone.last()[1] == env.last()[1]
        clone.step(action)
    assert (clone.rewards, clone.infos) == (env.rewards, env.infos)


def test_restored_games_begin_with_nothing_earned(play: Play, advance: Callable[..., None]) -> None:
    env = w40k_v0.raw_env(scenario="small_board", rewards=EVERYTHING)
    env.reset(seed=8)
    advance(env, 40)
    snapshot = env.snapshot()
    new = w40k_v0.raw_env(scenario="small_board", rewards=EVERYTHING)
    new.restore(snapshot)
    assert new.rewards == {"player_1": 0, "player_2": 0}
    for _, action in play(env, 8):
        new.step(action)
        if new.session.games[0].steps < env.session.games[0].steps:
            break
    assert new.session.games[0].over == env.session.games[0].over
    assert new.rewards == env.rewards


def test_restored_end_pays_the_result_alone(play: Play) -> None:
    env = w40k_v0.raw_env(scenario="small_board", rewards=EVERYTHING)
    env.reset(seed=3)
    for _ in play(env):
        pass
    new = w40k_v0.raw_env(scenario="small_board", rewards=EVERYTHING)
    new.restore(env.snapshot())
    assert new.terminations == env.terminations
    assert new.rewards == {"player_1": 1.0, "player_2": 1.0}, "one wins and one loses, and both weigh 1"


# --- PettingZoo ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("factory", [w40k_v0.env, w40k_v0.raw_env])
def test_api(factory: Callable[..., RawEnv]) -> None:
    from pettingzoo.test import api_test, seed_test

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        api_test(factory(scenario="small_board", rewards="MacroController"), num_cycles=500)
        seed_test(lambda: factory(scenario="small_board", rewards="MacroController"), num_cycles=200)
