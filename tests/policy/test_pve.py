"""The controller of a side: whole games, the log of the routing, the invariants of a turn, batches."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from w40k_marl import MetaConfig, PvEController, w40k_v0
from w40k_marl.env.aec import RawEnv
from w40k_marl.env.batch import BatchEnv
from w40k_marl.env.policies import RandomPolicy
from w40k_marl.env.seats import SeatEnv, SeatVectorEnv
from w40k_marl.env.session import Session
from w40k_marl.errors import ContentError
from w40k_marl.observe.layout import Layout
from w40k_marl.policy import meta_controller, pve, unit_type_router
from w40k_marl.policy.block_policy import BlockPolicy
from w40k_marl.policy.decision import Decision, describe_decision
from w40k_marl.policy.errors import (
    BrokenTurnError,
    EmptyMaskError,
    ForeignUnitError,
    IllegalPredictionError,
    NotToActError,
    PredictionError,
    UnitTypesNotGivenError,
    UnmappedUnitTypeError,
)

SWARM, TROOP = "Tyranid_Infantry_Swarm_MeleeSwarm", "Tyranid_Infantry_Troop_RangedTroop"
MODELS = {"Hormagaunt": SWARM, "TyranidWarriorRanged": TROOP}
SUPER_AGENTS = pytest.mark.parametrize("super_agent", [None, "MacroController"])

Lines = Callable[[], list[str]]


def play(env: Any, controller: PvEController, seed: int = 0) -> list[Decision]:
    """Play a game on; the other side is random."""
    random, done = np.random.default_rng(seed), []
    session = env.unwrapped.session
    while not session.over:
        if session.acting_side == controller.side:
            done += controller.execute_ai_turn(env)
        else:
            env.step(int(random.choice(session.legal_actions())))
    return done


def replace_policies(controller: PvEController, policy: Any) -> None:
    """Put one policy behind every key, and at the selections."""
    for key, model in controller.registry.items():
        controller.registry._policies[key] = dataclasses.replace(model, policy=policy)
    controller.super_agent = dataclasses.replace(controller.super_agent, policy=policy)


@SUPER_AGENTS
@pytest.mark.parametrize("make", [w40k_v0.env, w40k_v0.raw_env])
def test_pve_game_with_hormagaunts_and_tyranid_warriors(make: Any, super_agent: str | None, meta_lines: Lines) -> None:
    """T-1: a game to its end; T-2: the routing of both types is in the log, in the exact form."""
    env = make(scenario="pve")
    env.reset(seed=7)
    done = play(env, PvEController(None, env, super_agent=super_agent))
    assert {activation.unit_type for activation in done} == {"Hormagaunt", "TyranidWarriorRanged"}
    assert len(done) > 50
    assert "[META] unitType=Hormagaunt -> model=Tyranid_Infantry_Swarm_MeleeSwarm" in meta_lines()
    assert "[META] unitType=TyranidWarriorRanged -> model=Tyranid_Infantry_Troop_RangedTroop" in meta_lines()
    assert all(activation.model == MODELS[activation.unit_type] for activation in done)


@SUPER_AGENTS
def test_log_names_the_units_that_were_really_played(env: RawEnv, super_agent: str | None, meta_lines: Lines) -> None:
    """T-7: selections come from the pool; each line of the log is about the unit that the game has active."""
    controller = PvEController(None, env, super_agent=super_agent)
    types = {unit.id: unit.type.name for unit in env.session.setting.units if unit}
    meta_lines()
    checked = 0
    while not env.session.over and env.session.acting_side == controller.side:
        before, pool, active = len(meta_lines()), env.pool(), env.session.active_unit
        done = controller.step(env)
        lines = meta_lines()[before:]
        assert done.unit == (done.events[0]["unit"] if active is None else active)
        if active is None:
            assert done.unit in pool
            assert done.action == f"select_{env.session.slot_of(done.unit)}"
            assert done.chosen_by == (super_agent or "pool order")
            assert super_agent is not None or done.unit == pool[0], "the engine's order, untouched"
        else:
            assert lines[0] == f"[META] unitType={types[active]} -> model={MODELS[types[active]]}"
        assert lines[-1].startswith(f"[META] turn {done.turn}, {done.phase}: unit={done.unit} ({types[done.unit]})")
        assert re.search(f"model={MODELS[types[done.unit]]}, action={done.action}: .+", lines[-1])
        assert len(lines) == (1 if active is None else 2)
        checked += 1
    assert checked > 20


def test_super_agent_chooses_another_order_than_the_pool(env: RawEnv) -> None:
    pool = env.pool()
    by_slot = {env.session.slot_of(unit): unit for unit in pool}
    assert PvEController(None, env).step(copy_of(env)).unit == pool[0] == by_slot[min(by_slot)]
    controller = PvEController(None, env, super_agent="MacroController")
    controller.super_agent = dataclasses.replace(controller.super_agent, policy=lambda seen, masks: last(masks))
    assert controller.step(env).unit == by_slot[max(by_slot)]


def copy_of(env: RawEnv) -> RawEnv:
    copied = RawEnv("pve")
    copied.restore(env.snapshot())
    return copied


def last(masks: Any) -> Any:
    return masks.shape[1] - 1 - np.argmax(masks[:, ::-1], axis=1)


def test_no_action_for_a_unit_outside_of_the_mapped_types(env: RawEnv, caplog: pytest.LogCaptureFixture) -> None:
    """T-3: refused at the start where the roster is known, and at the latest before the unit is selected."""
    strict = MetaConfig(2, {"TyranidWarriorRanged": TROOP}, None, strict=True)
    with pytest.raises(UnmappedUnitTypeError, match='got "Hormagaunt"'):
        PvEController(strict, env)
    controller = PvEController(strict, env.layout)
    types = {unit.id: unit.type.name for unit in env.session.setting.units if unit}
    while env.session.active_unit or types[env.pool()[0]] == "TyranidWarriorRanged":
        assert controller.step(env).unit_type == "TyranidWarriorRanged"
    before = env.session.games.tobytes()
    with pytest.raises(UnmappedUnitTypeError, match='got "Hormagaunt"'):
        controller.step(env)
    assert env.session.games.tobytes() == before
    assert env.session.active_unit is None
    assert [record.levelname for record in caplog.records if "no model" in record.getMessage()] == ["ERROR"] * 2


def test_refusal_names_unit_player_and_scenario(env: RawEnv) -> None:
    strict = MetaConfig(2, {"TyranidWarriorRanged": TROOP}, None, strict=True)
    for make in (lambda: PvEController(strict, env), lambda: PvEController(strict, BatchEnv("pve", 2))):
        with pytest.raises(UnmappedUnitTypeError, match=r"^unit 8 of player 2 in pve: unitType: expected one of"):
            make()
    controller = PvEController(strict, env.layout)
    with pytest.raises(UnmappedUnitTypeError, match=r'^unit \d+ of player 2 in pve: unitType: .*got "Hormagaunt"'):
        controller.execute_ai_turn(env)


@pytest.mark.parametrize("default", [None, SWARM])
def test_misspelt_type_of_a_mapping_is_refused_where_the_roster_is_known(env: RawEnv, default: str | None) -> None:
    meta = MetaConfig(2, {"Hormagaunt": SWARM, "TyranidWariorRanged": TROOP}, default, strict=default is None)
    with pytest.raises(ContentError, match=r'TyranidWariorRanged: .*did you mean "TyranidWarriorRanged"') as caught:
        PvEController(meta, env)
    assert (caught.value.file, caught.value.key) == ("argument", "model_by_unit_type.TyranidWariorRanged")


def test_custom_type_of_a_scenario_may_be_mapped() -> None:
    meta = MetaConfig(2, {"Zealot": TROOP, "Carnifex": TROOP}, SWARM)
    assert list(PvEController(meta, RawEnv("weapon_rules_lab")).registry) == [TROOP, SWARM]
    with pytest.raises(ContentError, match=r"model_by_unit_type\.Zealot: expected a unit type"):
        PvEController(meta, RawEnv("pve"))


def test_action_by_action_is_the_turn(env: RawEnv) -> None:
    """The agent cycle and `execute_ai_turn` play the same game."""
    controller, other = PvEController(None, env), copy_of(env)
    controller.execute_ai_turn(other)
    while not env.session.over and env.agent_selection == controller.agent:
        env.step(controller.action(env))
    assert env.session.games.tobytes() == other.session.games.tobytes()
    assert env.agent_selection == "player_1"


def test_session_without_an_environment_is_played(env: RawEnv) -> None:
    session = copy_of(env).session
    done = PvEController(None, session).execute_ai_turn(session)
    assert done == PvEController(None, env).execute_ai_turn(env)


def test_other_players_turn_is_refused(env: RawEnv) -> None:
    controller = PvEController(MetaConfig(1, {}, "SpaceMarine_Infantry_Troop_RangedSwarm"), env)
    before = env.session.games.tobytes()
    for ask in (controller.action, controller.step, controller.execute_ai_turn):
        with pytest.raises(NotToActError, match="player_1: expected to be the player to act, got turn 1, phase move"):
            ask(env)
    assert env.session.games.tobytes() == before


def test_game_that_is_over_is_refused(env: RawEnv) -> None:
    controller = PvEController(None, env)
    play(env, controller)
    with pytest.raises(NotToActError, match="got one that is over"):
        controller.execute_ai_turn(env)


def test_game_that_an_illegal_action_has_ended_is_refused(env: RawEnv) -> None:
    checked = w40k_v0.env(scenario="pve")
    checked.restore(env.snapshot())
    controller = PvEController(None, checked)
    checked.step(int(np.argmin(checked.observe(controller.agent)["action_mask"])))
    for _ in range(2):
        with pytest.raises(NotToActError, match="got one that is over"):
            controller.step(checked)
        checked.step(None)  # an agent leaves
    checked.restore(env.snapshot())
    assert controller.execute_ai_turn(checked)


@pytest.mark.parametrize("env", [SeatEnv("pve"), BatchEnv("pve", 1), "pve"], ids=lambda env: type(env).__name__)
def test_only_single_games_are_played_step_by_step(env: Any) -> None:
    with pytest.raises(ContentError, match="expected an environment of w40k_v0, or a Session"):
        PvEController().step(env)


def test_layout_must_be_known() -> None:
    with pytest.raises(ContentError, match="game: expected a Layout, an environment or a Session, got str"):
        PvEController(None, "pve")  # type: ignore[arg-type]


def test_illegal_prediction_is_an_error_and_changes_nothing(env: RawEnv) -> None:
    """No silent fallback: neither at a selection nor at an action."""
    controller = PvEController(None, env)
    replace_policies(controller, lambda observations, masks: np.argmin(masks, axis=1))
    for _ in range(2):
        before = env.session.games.tobytes()
        with pytest.raises(IllegalPredictionError, match="expected one of"):
            controller.step(env)
        assert env.session.games.tobytes() == before
        if env.pool():
            env.step(env.select_by_pool_index(0))
    assert env.session.active_unit is not None, "both were tried"


def test_policy_that_touches_the_game_is_found(env: RawEnv) -> None:
    """Pools are the engine's: whoever changes one, or steps by the way, breaks the turn."""
    controller = PvEController(None, env)

    def shrinks_the_pool(observations: Any, masks: Any) -> Any:
        env.session.games[0].pool[1] &= ~np.uint64(2)
        return np.argmax(masks, axis=1)

    replace_policies(controller, shrinks_the_pool)
    with pytest.raises(BrokenTurnError, match="choosing does not change, got another state"):
        controller.step(env)


def test_environment_that_steps_twice_is_found(env: RawEnv, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exactly one action a step."""
    controller, step = PvEController(None, env), env.step

    def twice(action: int) -> None:
        step(action)
        step(env.session.legal_actions()[-1])

    monkeypatch.setattr(env, "step", twice)
    with pytest.raises(BrokenTurnError, match=r"expected one legal step of one unit, got: .*selections of \[\]"):
        controller.step(env)


def test_environment_that_begins_another_game_is_found(env: RawEnv, monkeypatch: pytest.MonkeyPatch) -> None:
    """One state, the same all the time."""
    controller = PvEController(None, env)

    def other_game(action: int) -> None:
        env.session = copy_of(env).session

    monkeypatch.setattr(env, "step", other_game)
    with pytest.raises(BrokenTurnError, match="another game than the one that was looked at"):
        controller.step(env)


def test_state_that_no_game_may_have_is_found(env: RawEnv, monkeypatch: pytest.MonkeyPatch) -> None:
    controller, step = PvEController(None, env), env.step

    def breaks(action: int) -> None:
        step(action)
        env.session.games[0].pool[1] |= np.uint64(1 << 15)

    monkeypatch.setattr(env, "step", breaks)
    with pytest.raises(BrokenTurnError, match="dead units in the pool of player 2"):
        controller.step(env)


def test_check_of_the_whole_game_can_be_switched_off(env: RawEnv, monkeypatch: pytest.MonkeyPatch) -> None:
    """The promise of a step is checked all the same."""
    controller, step = PvEController(None, env, check_invariants=False), env.step

    def breaks(action: int) -> None:
        step(action)
        env.session.games[0].pool[1] |= np.uint64(1 << 15)

    with monkeypatch.context() as patched:
        patched.setattr(env, "step", breaks)
        assert controller.step(env).unit
    env.session.games[0].pool[1] &= ~np.uint64(1 << 15)

    def twice(action: int) -> None:
        step(action)
        step(env.session.legal_actions()[-1])

    monkeypatch.setattr(env, "step", twice)
    with pytest.raises(BrokenTurnError, match="expected one legal step of one unit"):
        controller.step(env)


@pytest.mark.parametrize("flag", [None, 1, "yes"])
def test_check_invariants_is_true_or_false(flag: Any) -> None:
    with pytest.raises(ContentError, match="argument: check_invariants: expected True or False, got"):
        PvEController(check_invariants=flag)


@SUPER_AGENTS
@pytest.mark.parametrize("alone", [False, True], ids=["environment", "session"])
def test_one_observation_and_one_routing_a_decision(
    env: RawEnv, monkeypatch: pytest.MonkeyPatch, super_agent: str | None, alone: bool
) -> None:
    """The observation is that of the last step of an environment; a session encodes one for each decision."""
    game: Any = env.session if alone else env
    controller = PvEController(None, game, super_agent=super_agent)
    counted: Counter[str] = Counter()

    def count(owner: Any, name: str) -> None:
        counting = getattr(owner, name)

        def call(*arguments: Any, **options: Any) -> Any:
            counted[name] += 1
            return counting(*arguments, **options)

        monkeypatch.setattr(owner, name, call)

    count(Session, "view")
    for module in (pve, unit_type_router, meta_controller):
        count(module, "select_model_for_unit")
    done = controller.execute_ai_turn(game)
    assert len(done) > 20
    assert counted == Counter({"select_model_for_unit": len(done)} | ({"view": len(done)} if alone else {}))


# --- many games ----------------------------------------------------------------------------------------------


@SUPER_AGENTS
def test_seat_plays_against_the_controller_as_the_agent_cycle_does(super_agent: str | None) -> None:
    """The same game twice: the controller as opponent of a seat, and stepping an environment."""
    seat = SeatEnv("pve", seat=1, opponent=PvEController(super_agent=super_agent))
    seat.reset(seed=1, options={"game_seed": 5})
    env = RawEnv("pve")
    env.reset(options={"game_seed": 5})
    controller, over = PvEController(None, env, super_agent=super_agent), False
    while not over:
        action = int(np.flatnonzero(seat.action_masks())[-1])
        env.step(action)
        if not env.session.over and env.session.acting_side == 1:
            controller.execute_ai_turn(env)
        *_, over, _, _ = seat.step(action)
        assert seat.session.games.tobytes() == env.session.games.tobytes()


def test_many_seats_play_against_one_controller(meta_lines: Lines) -> None:
    """Rows are routed by the types of their units, one call a model; single games come out the same."""
    env = SeatVectorEnv(["pve", "macro_default"], 6, seat=1, opponent=PvEController())
    singles = [SeatEnv(name, seat=1, opponent=PvEController()) for name in ["pve"] * 3 + ["macro_default"] * 3]
    env.reset(seed=1)
    for row, single in enumerate(singles):
        single.reset(options={"game_seed": env.batch.game_seed(row, 0)})
    meta_lines()
    playing = np.ones(6, dtype=np.bool_)
    while playing.any():
        actions = np.array([np.flatnonzero(mask)[-1] for mask in env.action_masks()])
        expected = {row: single.step(actions[row]) for row, single in enumerate(singles) if playing[row]}
        seen, rewards, ended, _, _ = env.step(actions)
        for row, (observation, reward, over, _, _) in expected.items():
            assert (rewards[row], ended[row]) == (reward, over)
            assert over or seen[row].tobytes() == observation.tobytes()
        playing &= ~ended
    assert "[META] unitType=Hormagaunt -> model=Tyranid_Infantry_Swarm_MeleeSwarm" in meta_lines()


def test_each_model_sees_the_rows_of_its_types_only() -> None:
    batch = BatchEnv("pve", 64)
    batch.reset(seed=1)
    random, controller, seen = RandomPolicy(1), PvEController(), dict.fromkeys(MODELS.values(), 0)
    slot_field = batch.layout.field_names().index("active_unit.slot")
    types_of = {unit.id: unit.type.name for unit in batch.setting_of(0).scenario.units}
    slots = {slot: types_of[str(number)] for slot, number in enumerate([6, 7, 8, 9, 10, 11, 12, 14, 13])}

    def watching(key: str) -> Any:
        def act(observations: Any, masks: Any) -> Any:
            units = {slots[round(slot * 16)] for slot in observations[:, slot_field].tolist()}
            assert {MODELS[unit] for unit in units} == {key}
            seen[key] += len(observations)
            return np.argmax(masks, axis=1)

        return act

    for key in MODELS.values():
        controller.registry._policies[key] = BlockPolicy(key, "spy", "micro", batch.layout, watching(key))
    for _ in range(60):
        theirs = np.flatnonzero(batch.acting_sides == 1)
        actions = np.asarray(random(batch.observations, batch.action_masks)).astype(np.int64)
        if len(theirs):
            actions[theirs] = controller(
                batch.observations[theirs], batch.action_masks[theirs], batch.type_names(theirs)
            )
        batch.step(actions)
    assert min(seen.values()) > 20


def test_seat_of_the_other_player_is_refused() -> None:
    controller = PvEController()
    with pytest.raises(ContentError, match="opponent: expected a policy for seat 1, got one for seat 2"):
        SeatVectorEnv("pve", 2, seat=2, opponent=controller)
    env = SeatEnv("pve", seat=2)
    with pytest.raises(ContentError, match="expected a policy for seat 1"):
        env.opponent = controller


def open_rows() -> tuple[BatchEnv, Any]:
    """A batch of four games in which player 2 has an activation open."""
    batch = BatchEnv("pve", 4)
    batch.reset(seed=1)
    random = RandomPolicy(1)
    while not ((batch.acting_sides == 1) & (batch.active_units >= 0)).all():
        waiting = np.flatnonzero(~((batch.acting_sides == 1) & (batch.active_units >= 0)))
        batch.step(np.asarray(random(batch.observations, batch.action_masks)).astype(np.int64), waiting)
    return batch, batch.type_names()


def test_types_must_be_given_for_open_activations() -> None:
    batch, types = open_rows()
    controller = PvEController()
    assert len(controller(batch.observations, batch.action_masks, types)) == 4
    with pytest.raises(UnitTypesNotGivenError, match=r"unit types of 4 open activations, got none.*type_names"):
        controller(batch.observations, batch.action_masks)
    with pytest.raises(PredictionError, match=r"a unit type for each row, got shape \(3,\)"):
        controller(batch.observations, batch.action_masks, types[:3])


def test_rows_of_the_other_player_are_refused_where_the_roster_is_known() -> None:
    batch, types = open_rows()
    others = np.where(types == "Hormagaunt", "Intercessor", types)
    others[0] = "Intercessor"
    for game in (batch, RawEnv("pve"), SeatVectorEnv("pve", 2)):
        controller = PvEController(None, game)
        assert len(controller(batch.observations, batch.action_masks, types)) == 4
        with pytest.raises(ForeignUnitError, match=r'player 2 \(Hormagaunt, TyranidWarriorRanged\), got "Intercessor"'):
            controller(batch.observations, batch.action_masks, others)


def test_unmapped_type_in_a_batch_is_refused() -> None:
    batch, types = open_rows()
    controller = PvEController(MetaConfig(2, {}, None, strict=True), Layout())
    with pytest.raises(UnmappedUnitTypeError, match=f'got "{min(types.tolist())}"'):
        controller(batch.observations, batch.action_masks, types)


def test_empty_mask_in_a_batch_is_refused() -> None:
    batch, types = open_rows()
    masks = batch.action_masks.copy()
    masks[2] = 0
    with pytest.raises(EmptyMaskError, match="got none in row 0"):
        PvEController()(batch.observations, masks, types)
    with pytest.raises(PredictionError, match=r"masks of shape \(4, 29\), got \(4, 13\)"):
        PvEController()(batch.observations, masks[:, :13], types)


# --- words ---------------------------------------------------------------------------------------------------


def test_activation_in_words() -> None:
    hits: list[Any] = [
        {"event": "attacked", "unit": "6", "target": "2", "weapon": "claws", "damage": damage} for damage in (1, 0, 2)
    ]
    events = (*hits, {"event": "died", "unit": "2", "by": "6"}, {"event": "phase_began", "turn": 2})
    fight = Decision("6", "TyranidWarriorRanged", 2, "pool order", TROOP, "target_0", events, 1, "fight")
    assert describe_decision(fight) == (
        "turn 1, fight: unit=6 (TyranidWarriorRanged) chosen by pool order, "
        f"model={TROOP}, action=target_0: 3 attacks on unit 2, 3 damage; unit 2 died"
    )
    moved: Any = {"event": "advanced", "unit": "8", "from_hex": (3, 4), "to_hex": (3, 7), "roll": 4}
    told = describe_decision(dataclasses.replace(fight, unit="8", events=(moved,), intent="tempo"))
    assert "chosen by pool order, intent=tempo, model=" in told
    assert told.endswith("advanced, (3, 4) to (3, 7), rolled 4")


def test_every_event_of_a_game_has_words(env: RawEnv) -> None:
    done = play(env, PvEController(None, env))
    lines = [describe_decision(activation) for activation in done]
    assert all(not line.endswith(": nothing") for line in lines)
    assert len({line.rpartition(": ")[2] for line in lines}) > 10


def test_controller_of_own_file(agents: Callable[..., Path], env: RawEnv, tmp_path: Path) -> None:
    folder = agents(Scout={"kind": "bot", "bot": "first"})
    (folder / "mine.json").write_text(
        '{"controlled_player": 2, "model_by_unit_type": {}, "default_model": "Scout"}', encoding="utf-8"
    )
    controller = PvEController(folder / "mine.json", env)
    assert controller.registry["Scout"].about == "the bot first, not a trained model"
    assert {activation.model for activation in controller.execute_ai_turn(env)} == {"Scout"}


def test_session_type_names_the_active_unit(env: RawEnv) -> None:
    session: Session = env.session
    assert session.active_type is None
    env.step(env.select_by_pool_index(0))
    assert session.active_type == "TyranidWarriorRanged"
