"""What the runner does: who chooses which unit when, what counts as a step, when an episode ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from w40k_marl import w40k_v0
from w40k_marl.apps.simulate.runners.aec import AECRunner, LegalActions, Pace, macro_players
from w40k_marl.apps.simulate.runners.episode import Episode
from w40k_marl.env.aec import RawEnv

SCENARIO = "small_board"


class Last(np.random.Generator):
    """A generator that always draws the largest number, so that a random choice is the last of its list."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(0))

    def random(self, *size: Any, **_: Any) -> Any:  # type: ignore[override]
        return np.full(size, 1 - 2.0**-53)


@dataclass
class Step:
    agent: str
    action: int
    pool: list[int]  # slots, empty for a micro action
    micro_before: int
    turn: tuple[int, int]


@dataclass
class Watched:
    """An environment that writes down what is done to it."""

    env: RawEnv = field(default_factory=lambda: w40k_v0.raw_env(scenario=SCENARIO))
    steps: list[Step] = field(default_factory=list)

    def play(self, pace: Pace, generator: np.random.Generator | None = None) -> Episode:
        env, step, select_size = self.env, self.env.step, self.env.layout.select_size

        def watched(action: Any) -> None:
            if action is not None:
                pool = [slot for slot in env.session.legal_actions() if slot < select_size]
                micro = sum(not before.pool for before in self.steps)
                _, _, _, turn, side, *_ = env.session.summary()
                self.steps.append(Step(env.agent_selection, action, pool, micro, (turn, side)))
            step(action)

        env.step = watched  # type: ignore[method-assign]
        return AECRunner(env, pace).play_episode(generator or np.random.default_rng(1))

    def selections(self) -> list[Step]:
        return [step for step in self.steps if step.pool]


def pace(every: int = 5, cap: int = 200, player: int = 1, both: bool = False) -> Pace:
    return Pace(macro_players(player, both), every, cap)


@pytest.mark.parametrize("every", [1, 3, 7])
@pytest.mark.parametrize(("player", "both"), [(1, False), (2, False), (1, True)])
def test_macro_chooses_when_n_micro_actions_are_due(every: int, player: int, both: bool) -> None:
    """The rule said again, on the log: due at 0 and at every multiple of N, spent at the next own selection."""
    watched, macro = Watched(), macro_players(player, both)
    episode = watched.play(pace(every, player=player, both=both), Last())
    spent, chosen = -1, 0
    for step in watched.selections():
        due = step.micro_before // every > spent and step.agent in macro
        assert step.action == step.pool[-1 if due else 0]
        if due:
            spent = step.micro_before // every
            chosen += 1
    assert chosen == episode.macro_choices > 0


def test_n_that_falls_due_inside_an_activation_waits_for_the_next_selection() -> None:
    waited = 0
    for every in range(2, 13):
        watched = Watched(w40k_v0.raw_env(scenario="pve"))
        watched.play(pace(every, both=True), Last())
        selections = watched.selections()
        for before, after in pairwise(selections):
            due_inside = before.micro_before // every < (after.micro_before - 1) // every
            if due_inside and len(after.pool) > 1:
                assert after.action == after.pool[-1]
                waited += 1
    assert waited, "some activation of several micro actions passes a multiple of N"


def test_micro_actions_are_steps_and_selections_are_not() -> None:
    watched = Watched()
    episode = watched.play(pace())
    assert episode.steps == sum(not step.pool for step in watched.steps)
    assert episode.agent_steps == len(watched.steps)
    assert episode.agent_steps > episode.steps


def test_every_legal_micro_action_is_drawn_equally_often() -> None:
    env = w40k_v0.raw_env(scenario=SCENARIO)
    drawn: dict[bytes, list[int]] = {}
    step = env.step

    def watched(action: Any) -> None:
        if action is not None and action >= env.layout.micro_start:
            drawn.setdefault(env.session.mask().tobytes(), []).append(action)
        step(action)

    env.step = watched  # type: ignore[method-assign]
    runner, chance = AECRunner(env, pace()), np.random.default_rng(2)
    for _ in range(60):
        runner.play_episode(chance)
    mask, actions = max(drawn.items(), key=lambda item: len(item[1]))
    legal = np.flatnonzero(np.frombuffer(mask, np.int8))
    expected = len(actions) / len(legal)
    assert len(legal) > 2
    for action in legal:
        assert abs(actions.count(int(action)) - expected) < 5 * expected**0.5


def test_cap_counts_the_micro_actions_of_one_players_turn() -> None:
    free = Watched()
    whole = free.play(pace(cap=10_000))
    assert not whole.capped
    used: dict[tuple[int, int], int] = {}
    for step in free.steps:
        used[step.turn] = used.get(step.turn, 0) + (not step.pool)
    longest = max(used.values())
    assert longest < whole.steps

    loose = Watched().play(pace(cap=longest + 1))
    assert loose == whole, "no turn reaches the cap, though the episode is far longer"

    cap = longest // 2
    over = next(turn for turn, count in used.items() if count > cap)
    before = sum(count for turn, count in used.items() if turn < over)
    capped = Watched().play(pace(cap=cap))
    assert capped.capped
    assert (capped.turn, capped.turn_player - 1) == over
    assert capped.steps == before + cap
    assert capped.winner is None
    assert capped.method == "undecided"


def test_cap_that_a_turn_just_reaches_as_it_ends_does_not_cap() -> None:
    free = Watched()
    whole = free.play(pace(cap=10_000))
    used: dict[tuple[int, int], int] = {}
    for step in free.steps:
        used[step.turn] = used.get(step.turn, 0) + (not step.pool)
    assert Watched().play(pace(cap=max(used.values()))) == whole


def test_first_micro_action_reaches_a_cap_of_one() -> None:
    assert Watched().play(pace(cap=1)).steps == 1


def test_same_generator_same_games_and_the_next_episode_differs() -> None:
    def games(seed: int) -> list[Episode]:
        runner, chance = AECRunner(w40k_v0.raw_env(scenario="pve"), pace()), np.random.default_rng(seed)
        return [runner.play_episode(chance) for _ in range(3)]

    assert games(7) == games(7)
    assert games(7) != games(8)
    assert len({episode.steps for episode in games(7)}) > 1


def test_final_state_gives_points_and_fallen_value() -> None:
    """What is read from the last state is what the events of the whole game add up to."""
    env = w40k_v0.raw_env(scenario=SCENARIO)
    value = {unit.id: (unit.player - 1, unit.type.value) for unit in env.session.setting.units if unit}
    lost, points = [0, 0], [0, 0]
    step = env.step

    def watched(action: Any) -> None:
        step(action)
        for event in env.session.events() if action is not None else []:
            if event["event"] == "died":
                side, worth = value[str(event["unit"])]
                lost[side] += worth
            elif event["event"] == "scored":
                points[int(str(event["player"])) - 1] += int(str(event["points"]))

    env.step = watched  # type: ignore[method-assign]
    runner, chance = AECRunner(env, pace()), np.random.default_rng(3)
    fallen = 0
    for _ in range(5):
        lost[:], points[:] = [0, 0], [0, 0]
        episode = runner.play_episode(chance)
        assert list(episode.value_lost) == lost
        assert list(episode.victory_points) == points
        fallen += sum(lost)
    assert fallen > 0


def test_scenarios_are_drawn_at_each_game() -> None:
    env = w40k_v0.raw_env(scenario=[SCENARIO, "pve"])
    runner, chance = AECRunner(env, pace()), np.random.default_rng(1)
    assert {runner.play_episode(chance).scenario for _ in range(12)} == {SCENARIO, "pve"}


def test_memory_of_masks_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("w40k_marl.apps.simulate.runners.aec.MASKS", 8)
    legal = LegalActions()
    for number in range(1, 60):
        mask = np.array([number >> bit & 1 for bit in range(6)], dtype=np.int8)
        assert legal[mask.tobytes()] == np.flatnonzero(mask).tolist()
        assert len(legal) <= 8
