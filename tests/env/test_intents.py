"""Intents: a stage between the selection and the micro actions, kept for each player, told to who looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from w40k_marl import w40k_v0
from w40k_marl.env.aec import PLAYERS, RawEnv
from w40k_marl.env.batch import BatchEnv
from w40k_marl.env.invariants import check_invariants
from w40k_marl.errors import ContentError, IllegalActionError
from w40k_marl.observe.layout import Layout
from w40k_marl.rules.intents import INTENTS, TEMPO
from w40k_marl.rules.state import DETAIL_DUE, INTENT_DUE, INTENT_SETTLED, NOBODY

Play = Callable[..., Iterator[tuple[str, int]]]

LAYOUT = Layout(intents=True)


def begun(scenario: str = "macro_default", seed: int = 1) -> RawEnv:
    env = w40k_v0.raw_env(scenario=scenario, layout=LAYOUT)
    env.reset(seed=seed)
    return env


def legal(env: RawEnv) -> list[str]:
    return [env.layout.describe_action(action) for action in env.session.legal_actions()]


def intent(name: str) -> int:
    return LAYOUT.micro_stop + INTENTS.index(name)


def told(env: RawEnv, agent: str) -> dict[str, float]:
    """The block of intents that an agent observes."""
    numbers = env.layout.describe_observation(env.observe(agent)["observation"])
    return {name.removeprefix("intent."): value for name, value in numbers.items() if name.startswith("intent.")}


def test_spaces_are_those_of_the_game_without_intents_until_they_are_asked_for() -> None:
    assert (Layout().action_count, Layout().observation_size) == (29, 922)
    assert LAYOUT.action_count == 29 + 6 + 16
    assert LAYOUT.observation_size == 922 + 12
    assert Layout(units_per_side=2, objectives=5, intents=True).detail_size == 5
    names = [LAYOUT.describe_action(action) for action in range(29, LAYOUT.action_count)]
    assert names == [*(f"intent_{name}" for name in INTENTS), *(f"detail_{number}" for number in range(16))]


def test_flag_that_is_none_is_refused() -> None:
    with pytest.raises(ContentError, match="layout: intents: expected True or False, got 'yes'"):
        Layout(intents="yes")  # type: ignore[arg-type]


def test_activation_is_select_intent_detail_micro() -> None:
    env = begun()
    assert all(name.startswith("select") for name in legal(env))
    env.step(env.select_by_pool_index(0))
    assert legal(env) == [f"intent_{name}" for name in INTENTS]
    env.step(intent("focus_kill"))
    alive = [number for number, unit in enumerate(env.session.setting.units[16:]) if unit]
    assert legal(env) == [f"detail_{number}" for number in alive]
    env.step(LAYOUT.detail_start + alive[-1])
    assert "wait" in legal(env)
    assert not any(name.startswith(("select", "intent", "detail")) for name in legal(env))


def test_tempo_has_no_detail() -> None:
    env = begun()
    env.step(env.select_by_pool_index(0))
    env.step(intent("tempo"))
    assert "wait" in legal(env)


@pytest.mark.parametrize(
    ("name", "details"),
    [
        ("take_objective", [0, 1, 2, 3, 4]),
        ("hold_objective", [0, 1, 2, 3, 4]),
        ("attrition", [4]),  # the last objective
    ],
)
def test_details_of_objectives(name: str, details: list[int]) -> None:
    env = begun()
    assert len(env.session.setting.scenario.objectives) == 5
    env.step(env.select_by_pool_index(0))
    env.step(intent(name))
    assert legal(env) == [f"detail_{number}" for number in details]
    last = env.session.setting.scenario.objectives[4].id
    assert env.describe_action(LAYOUT.detail_start + 4) == f"detail_4 ({last})"


def test_units_that_are_dead_are_no_details(play: Play) -> None:
    env = begun(scenario="tyranid_meleeswarm_bot_1", seed=3)
    seen = set()
    for _ in play(env, seed=3):
        game = env.session.games[0]
        if game.intent_stage != DETAIL_DUE:
            continue
        side = env.session.acting_side
        kind = INTENTS[int(game.intent[side])]
        if kind in ("focus_kill", "screen"):
            owner = side if kind == "screen" else 1 - side
            living = [slot for slot in range(16) if int(game.alive[owner]) >> slot & 1]
            assert legal(env) == [f"detail_{slot}" for slot in living]
            seen.add((kind, len(living) < int(env.session.setting.world.unit_count[owner])))
    assert {("focus_kill", True), ("screen", True)} <= seen, "dead units were on either side"


def test_intent_without_any_detail_is_not_offered(play: Play) -> None:
    """Nobody is left to be killed: no focus."""
    env = begun(scenario="tyranid_meleeswarm_bot_1")
    hopeless = 0
    for seed in range(12):
        env.reset(seed=seed)
        for _ in play(env, seed=seed):
            game = env.session.games[0]
            if game.intent_stage == INTENT_DUE:
                enemies = int(game.alive[1 - env.session.acting_side])
                assert ("intent_focus_kill" in legal(env)) == (enemies != 0)
                hopeless += enemies == 0
    assert hopeless, "some army was wiped out"


def test_intent_is_the_players_own_and_stands_until_the_next() -> None:
    env = begun(scenario="small_board")
    random = np.random.default_rng(0)
    last: dict[int, tuple[int, int]] = {0: (NOBODY, NOBODY), 1: (NOBODY, NOBODY)}
    while not env.session.over:
        game = env.session.games[0]
        if game.intent_stage == INTENT_SETTLED:
            for side in (0, 1):
                assert (int(game.intent[side]), int(game.intent_detail[side])) == last[side]
        side, action = env.session.acting_side, int(random.choice(env.session.legal_actions()))
        if LAYOUT.micro_stop <= action < LAYOUT.detail_start:
            last[side] = (action - LAYOUT.micro_stop, NOBODY)
        elif action >= LAYOUT.detail_start:
            last[side] = (last[side][0], action - LAYOUT.detail_start)
        env.step(action)
    assert all(intent != NOBODY for intent, _ in last.values())


def test_rules_do_not_read_intents() -> None:
    """The same choices of units and actions lead to the same game, whatever was intended."""
    plain, meant = w40k_v0.raw_env(scenario="small_board"), begun("small_board", seed=7)
    plain.reset(seed=7)
    random = np.random.default_rng(7)
    while not plain.session.over:
        action = int(random.choice(plain.session.legal_actions()))
        while meant.session.games[0].intent_stage != INTENT_SETTLED:
            meant.step(int(random.choice(meant.session.legal_actions())))
        assert meant.session.mask()[:29].tolist() == plain.session.mask().tolist()
        plain.step(action)
        meant.step(action)
        for name in ("hit_points", "hexes", "victory_points", "control", "dice_rolled", "phase", "turn"):
            assert np.array_equal(plain.session.games[0][name], meant.session.games[0][name]), name
        assert (
            plain.observe(PLAYERS[0])["observation"].tolist() == meant.observe(PLAYERS[0])["observation"][:922].tolist()
        )


def test_observation_tells_the_intent_and_what_it_names() -> None:
    env = begun()
    agent = env.agent_selection
    assert set(told(env, agent).values()) == {0.0}
    env.step(env.select_by_pool_index(0))
    assert {name for name, value in told(env, agent).items() if value} == {"intent_due"}
    env.step(intent("take_objective"))
    assert {name for name, value in told(env, agent).items() if value} == {"detail_due", "take_objective"}
    env.step(LAYOUT.detail_start + 1)
    seen = told(env, agent)
    hexes = env.session.setting.scenario.objectives[1].hexes
    assert seen["take_objective"] == 1
    assert seen["detail_column"] == pytest.approx(np.mean([column for column, _ in hexes]) / 25)
    assert seen["detail_row"] == pytest.approx(np.mean([row for _, row in hexes]) / 21)
    assert seen["detail_state"] == 0, "nobody's yet"
    assert 0 < seen["detail_distance"] < 1
    assert set(told(env, PLAYERS[1 - PLAYERS.index(agent)]).values()) == {0.0}, "the other player's own: none"


def test_detail_that_has_died_is_four_zeros(play: Play) -> None:
    env = begun(scenario="tyranid_meleeswarm_bot_1")
    dead = 0
    for seed in range(8):
        env.reset(seed=seed)
        for agent, _ in play(env, seed=seed):
            game, side = env.session.games[0], PLAYERS.index(agent)
            kind, slot = INTENTS[int(game.intent[side])], int(game.intent_detail[side])
            if game.intent[side] == NOBODY or slot == NOBODY or kind not in ("focus_kill", "screen"):
                continue
            seen = told(env, agent)
            alive = int(game.alive[side if kind == "screen" else 1 - side]) >> slot & 1
            assert seen[kind] == 1
            assert bool(seen["detail_state"]) == bool(alive)
            if not alive:
                dead += 1
                assert [seen[f"detail_{name}"] for name in ("column", "row", "state", "distance")] == [0.0] * 4
    assert dead


def test_intent_is_an_event_with_names() -> None:
    env = begun()
    env.step(env.select_by_pool_index(0))
    env.step(intent("focus_kill"))
    assert env.events() == [], "nothing yet: its detail is to come"
    env.step(LAYOUT.detail_start)
    enemy = env.session.setting.units[16]
    assert enemy is not None
    expected = {"event": "intended", "unit": env.session.active_unit, "intent": "focus_kill", "detail": enemy.id}
    assert env.events() == [expected]
    env = begun()
    env.step(env.select_by_pool_index(0))
    env.step(LAYOUT.micro_stop + TEMPO)
    assert [(event["intent"], event["detail"]) for event in env.events()] == [("tempo", "")]


@pytest.mark.parametrize("scenario", ["small_board", "macro_default"])
def test_games_with_intents_are_sound(play: Play, scenario: str) -> None:
    env = w40k_v0.raw_env(scenario=scenario, layout=LAYOUT, max_turns=3)
    env.reset(seed=2)
    for _ in play(env, seed=2):
        check_invariants(env.session)
        before = env.snapshot()
        mask = env.session.mask()
        for action in np.flatnonzero(mask == 0).tolist():
            with pytest.raises(IllegalActionError):
                env.step(action)
        assert env.snapshot() == before


def test_batch_plays_the_same_games() -> None:
    batch, single = BatchEnv("small_board", 3, layout=LAYOUT), w40k_v0.raw_env(scenario="small_board", layout=LAYOUT)
    batch.reset(seed=4)
    single.reset(options={"game_seed": batch.game_seed(1, 0)})
    for _ in range(200):
        if single.session.over:
            break
        seen = single.observe(single.agent_selection)
        assert batch.observations[1].tobytes() == seen["observation"].tobytes()
        assert batch.action_masks[1].tobytes() == seen["action_mask"].tobytes()
        actions = batch.random_actions()
        batch.step(actions)
        single.step(int(actions[1]))
