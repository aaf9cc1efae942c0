"""The controller where intents are played: select, intent, detail, micro; who decides what, and what the log says."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from w40k_marl import PvEController
from w40k_marl.env.aec import RawEnv
from w40k_marl.env.batch import BatchEnv
from w40k_marl.env.seats import SeatEnv, SeatVectorEnv
from w40k_marl.observe.layout import Layout
from w40k_marl.policy.decision import Decision, describe_decision
from w40k_marl.policy.errors import BrokenTurnError, IllegalPredictionError
from w40k_marl.reward.terms import ATTACKS, DAMAGE_DEALT
from w40k_marl.rules.intents import INTENTS, TEMPO

LAYOUT = Layout(intents=True)
SUPER_AGENTS = pytest.mark.parametrize("super_agent", [None, "MacroController"])
Lines = Callable[[], list[str]]


@pytest.fixture
def env() -> RawEnv:
    """A game of `pve` with intents in which player 2 is to act and has activated nobody."""
    raw = RawEnv("pve", layout=LAYOUT)
    raw.reset(seed=3)
    random = np.random.default_rng(3)
    while raw.agent_selection != "player_2":
        raw.step(int(random.choice(raw.session.legal_actions())))
    return raw


def intend(controller: PvEController, intent: str) -> None:
    """A super-agent that always has this intent, and takes the last of what else is legal."""

    def decide(observations: Any, masks: Any) -> Any:
        actions = masks.shape[1] - 1 - np.argmax(masks[:, ::-1], axis=1)
        wanted = LAYOUT.select_size + INTENTS.index(intent)
        return np.where(masks[:, wanted] > 0, wanted, actions)

    controller.super_agent = dataclasses.replace(controller.super_agent, policy=decide)


def whole_game(env: RawEnv, controller: PvEController) -> list[Decision]:
    random, done = np.random.default_rng(0), []
    while not env.session.over:
        if env.session.acting_side == controller.side:
            done += controller.execute_ai_turn(env)
        else:
            env.step(int(random.choice(env.session.legal_actions())))
    return done


def stage(activation: Decision) -> str:
    return (
        activation.action.partition("_")[0] if activation.action.startswith(("select", "intent", "detail")) else "act"
    )


@SUPER_AGENTS
def test_every_activation_is_select_intent_detail_act(env: RawEnv, super_agent: str | None, meta_lines: Lines) -> None:
    done = whole_game(env, PvEController(None, env, super_agent=super_agent))
    assert len(done) > 100
    following = {"start": {"select"}, "select": {"intent"}, "intent": {"detail", "act"}, "detail": {"act"}}
    last, unit = "start", ""
    for activation in done:
        now = stage(activation)
        assert now in following.get(last, {"select", "act"})
        if now == "select":
            unit, intent = activation.unit, None
            assert activation.intent is None, "not chosen yet"
        elif now == "intent":
            intent = activation.action.removeprefix("intent_")
            assert activation.intent == intent
        elif now == "detail":
            assert activation.intent is not None
            assert activation.intent.startswith(f"{intent} ")
            intent = activation.intent
        assert activation.unit == unit, "all of an activation is about the unit that was selected"
        assert activation.intent == intent
        assert activation.chosen_by == (super_agent or "pool order")
        last = now
    assert [line for line in meta_lines() if "action=" in line] == [f"[META] {describe_decision(one)}" for one in done]


def test_log_and_rewards_tell_the_same() -> None:
    """`attacks` counts where, and only where, the unit that the log names has attacked; its side is paid (T-7)."""
    env = RawEnv("pve", layout=LAYOUT, rewards="MacroController")
    env.reset(seed=3)
    controller, random = PvEController(None, env, super_agent="MacroController"), np.random.default_rng(3)
    seen: Counter[tuple[str, bool]] = Counter()
    earnings = env.session.earnings
    assert earnings is not None
    while not env.session.over:
        if env.session.acting_side != controller.side:
            env.step(int(random.choice(env.session.legal_actions())))
            continue
        done = controller.step(env)
        own, other = earnings.amounts[controller.side], earnings.amounts[1 - controller.side]
        attackers = {event["unit"] for event in done.events if event["event"] == "attacked"}
        assert attackers <= {done.unit}
        assert own[ATTACKS] == len(attackers)
        assert other[ATTACKS] == other[DAMAGE_DEALT] == 0, "the side of the unit alone"
        assert own[DAMAGE_DEALT] == 0 or attackers
        if stage(done) != "act":
            assert not earnings.amounts.any()
            assert not earnings.paid.any()
        weight = earnings.config.terms["damage_dealt"]
        assert earnings.paid[controller.side, DAMAGE_DEALT] == weight * own[DAMAGE_DEALT]
        seen[stage(done), bool(attackers)] += 1
    assert min(seen["act", True], seen["act", False], seen["select", False], seen["detail", False]) > 10


def test_intent_without_a_super_agent_is_tempo_and_said(env: RawEnv, meta_lines: Lines) -> None:
    done = PvEController(None, env).execute_ai_turn(env)
    assert {activation.intent for activation in done if stage(activation) != "select"} == {"tempo"}
    assert {activation.action for activation in done if stage(activation) == "intent"} == {"intent_tempo"}
    acts = [line for line in meta_lines() if "action=move_aggressive" in line]
    assert acts
    assert all("chosen by pool order, intent=tempo, model=" in line for line in acts)


@pytest.mark.parametrize(
    ("intent", "named"),
    [("focus_kill", "unit 5"), ("take_objective", "objective 5"), ("attrition", "objective 5"), ("screen", "unit 13")],
)
def test_log_names_intent_and_detail(env: RawEnv, meta_lines: Lines, intent: str, named: str) -> None:
    controller = PvEController(None, env, super_agent="MacroController")
    intend(controller, intent)
    meta_lines()
    said = len(meta_lines())
    selected, begun, aimed, acted = (controller.step(env) for _ in range(4))
    assert (selected.intent, begun.intent) == (None, intent)
    assert aimed.intent == acted.intent == f"{intent} {named}"
    lines = [line for line in meta_lines()[said:] if "action=" in line]
    start = f"[META] turn 1, move: unit={selected.unit} (Hormagaunt) chosen by MacroController"
    model = "model=Tyranid_Infantry_Swarm_MeleeSwarm"
    assert lines[0] == f"{start}, {model}, action={selected.action}: selected"
    assert lines[1] == f"{start}, intent={intent}, {model}, action=intent_{intent}: its detail is due"
    assert lines[2] == f"{start}, intent={intent} {named}, {model}, action={aimed.action}: " + (
        f"intended {intent} {named.split()[1]}"
    )
    assert lines[3].startswith(f"{start}, intent={intent} {named}, {model}, action={acted.action}: ")


def test_micro_models_are_asked_for_micro_actions_alone(env: RawEnv, meta_lines: Lines) -> None:
    """Routing is logged where a model acts, and nowhere else."""
    done = PvEController(None, env, super_agent="MacroController").execute_ai_turn(env)
    routed = [line for line in meta_lines() if line.startswith("[META] unitType=")]
    assert len(routed) == sum(stage(activation) == "act" for activation in done)


def test_illegal_intent_is_an_error_and_changes_nothing(env: RawEnv) -> None:
    controller = PvEController(None, env, super_agent="MacroController")
    controller.step(env)
    before = env.session.games.tobytes()
    illegal = dataclasses.replace(controller.super_agent, policy=lambda seen, masks: np.argmin(masks, axis=1))
    controller.super_agent = illegal
    with pytest.raises(IllegalPredictionError, match=r"expected one of \[16 intent_take_objective.*got 0 select_0"):
        controller.step(env)
    assert env.session.games.tobytes() == before


def test_environment_that_goes_on_by_itself_is_found(env: RawEnv, monkeypatch: pytest.MonkeyPatch) -> None:
    """One decision a step at intents too."""
    controller, step = PvEController(None, env), env.step
    controller.step(env)

    def twice(action: int) -> None:
        step(action)
        step(env.session.legal_actions()[-1])

    monkeypatch.setattr(env, "step", twice)
    with pytest.raises(BrokenTurnError, match=r"got: .*units \['6'\] acted in a step of unit 6, its intent"):
        controller.step(env)


def test_activation_that_somebody_else_has_begun_goes_on(env: RawEnv) -> None:
    env.step(env.select_by_pool_index(2))
    env.step(LAYOUT.micro_stop + INTENTS.index("focus_kill"))
    unit = env.session.active_unit
    detail, act = (PvEController(None, env).step(env) for _ in range(2))
    assert (detail.action, detail.unit, act.unit) == ("detail_0", unit, unit)
    assert act.intent == "focus_kill unit 1"


# --- many games ----------------------------------------------------------------------------------------------


@SUPER_AGENTS
def test_seats_with_intents_play_the_games_of_the_agent_cycle(super_agent: str | None) -> None:
    many = SeatVectorEnv("pve", 3, seat=1, layout=LAYOUT, opponent=PvEController(None, LAYOUT, super_agent=super_agent))
    many.reset(seed=2)
    single = SeatEnv("pve", seat=1, layout=LAYOUT, opponent=PvEController(None, LAYOUT, super_agent=super_agent))
    env = RawEnv("pve", layout=LAYOUT)
    for game in (single, env):
        game.reset(options={"game_seed": many.batch.game_seed(1, 0)})
    controller, over, steps = PvEController(None, env, super_agent=super_agent), False, 0
    while not over:
        actions = np.array([np.flatnonzero(mask)[-1] for mask in many.action_masks()])
        assert actions[1] == np.flatnonzero(single.action_masks())[-1]
        seen, _, ended, _, _ = many.step(actions)
        observation, _, over, _, _ = single.step(actions[1])
        env.step(int(actions[1]))
        if not env.session.over and env.session.acting_side == 1:
            controller.execute_ai_turn(env)
        assert over == ended[1] == env.session.over
        assert over or seen[1].tobytes() == observation.tobytes() == env.session.view(0)[0].tobytes()
        steps += 1
    assert steps > 50


def test_rows_at_every_stage_are_decided_in_one_call() -> None:
    batch, random = BatchEnv("pve", 32, layout=LAYOUT), np.random.default_rng(5)
    batch.reset(seed=1)
    controller, stages = PvEController(None, LAYOUT), set()
    for _ in range(80):
        theirs = np.flatnonzero(batch.acting_sides == 1)
        actions = batch.random_actions().copy()
        if len(theirs):
            chosen = controller(batch.observations[theirs], batch.action_masks[theirs], batch.type_names(theirs))
            assert batch.action_masks[theirs, chosen].all()
            due = batch.action_masks[theirs, LAYOUT.micro_stop + TEMPO] > 0
            assert (chosen[due] == LAYOUT.micro_stop + TEMPO).all(), "no super-agent: always tempo"
            stages |= {LAYOUT.describe_action(action).partition("_")[0] for action in chosen.tolist()}
            actions[theirs] = chosen
        batch.step(actions, np.flatnonzero(random.random(32) < 0.8))  # so that rows do not march in step
    assert {"select", "intent", "move", "target"} <= stages
