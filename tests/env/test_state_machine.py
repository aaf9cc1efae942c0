"""Hypothesis plays: any legal course, with refusals, snapshots and copies on the way; invariants after each step."""

from __future__ import annotations

import copy
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from w40k_marl import w40k_v0
from w40k_marl.env.aec import PLAYERS, RawEnv
from w40k_marl.env.invariants import check_invariants
from w40k_marl.errors import IllegalActionError
from w40k_marl.rules.actions import MICRO_COUNT, may_do, may_select
from w40k_marl.rules.state import NOBODY

LAB = ("weapon_rules_lab",)
SCENARIOS = ("small_board", "asymmetric", "macro_default", "tyranid_meleeswarm_bot_1")
LARGE = settings(
    max_examples=20,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


class Games(RuleBasedStateMachine):
    """One game, and snapshots of it."""

    decisions: ClassVar[str] = "agent"
    weapon_rules: ClassVar[str] = "reference"
    scenarios: ClassVar[tuple[str, ...]] = SCENARIOS

    @initialize(pick=st.integers(0, 2**16), seed=st.integers(0, 2**32), turns=st.integers(1, 4))
    def begin(self, pick: int, seed: int, turns: int) -> None:
        self.env: RawEnv = w40k_v0.raw_env(
            scenario=self.scenarios[pick % len(self.scenarios)],
            decisions=self.decisions,
            max_turns=turns,
            weapon_rules=self.weapon_rules,
        )
        self.env.reset(seed=seed)
        self.kept: list[tuple[bytes, str]] = []
        self.points = [0, 0]

    def live(self) -> bool:
        return not self.env.session.over

    @precondition(live)
    @rule(choice=st.integers(0, 2**16))
    def act(self, choice: int) -> None:
        legal = self.env.session.legal_actions()
        selecting, owner = self.env.session.active_unit is None, self.env.agent_selection
        action = legal[choice % len(legal)]
        pool = self.env.pool()
        self.env.step(action)
        if selecting:
            assert self.env.session.active_unit in pool
            assert self.env.agent_selection == owner

    @precondition(live)
    @rule(seed=st.integers(0, 2**16), steps=st.integers(2, 60))
    def act_often(self, seed: int, steps: int) -> None:
        random = np.random.default_rng(seed)
        for _ in range(steps):
            if self.live():
                self.env.step(int(random.choice(self.env.session.legal_actions())))
                check_invariants(self.env.session)

    @precondition(live)
    @rule(choice=st.integers(0, 2**16))
    def act_illegally(self, choice: int) -> None:
        illegal = np.flatnonzero(self.env.session.mask() == 0)
        before, agent = self.env.session.games.tobytes(), self.env.agent_selection
        with pytest.raises(IllegalActionError):
            self.env.step(int(illegal[choice % len(illegal)]))
        assert (self.env.session.games.tobytes(), self.env.agent_selection) == (before, agent)

    @rule()
    def keep(self) -> None:
        self.kept.append((self.env.snapshot(), self.env.agent_selection))

    @precondition(lambda self: self.kept)
    @rule(choice=st.integers(0, 2**16))
    def go_back(self, choice: int) -> None:
        snapshot, agent = self.kept[choice % len(self.kept)]
        self.env.restore(snapshot)
        assert self.env.snapshot() == snapshot
        assert self.env.agent_selection == agent
        self.points = [int(points) for points in self.env.session.games[0].victory_points]

    @rule()
    def go_on_as_a_copy(self) -> None:
        self.env = copy.deepcopy(self.env)

    @invariant()
    def game_is_sound(self) -> None:
        if hasattr(self, "env"):
            check_invariants(self.env.session)

    @invariant()
    def mask_is_what_may_be_done(self) -> None:
        if not hasattr(self, "env"):
            return
        game, world, units = self.env.session.games[0], self.env.session.setting.world, self.env.layout.units_per_side
        may = [may_select(game, slot) for slot in range(units)]
        may += [may_do(world, game, micro) for micro in range(MICRO_COUNT)]
        assert self.env.session.mask().astype(bool).tolist() == may
        assert (game.active == NOBODY) == (self.env.session.active_unit is None)

    @invariant()
    def points_only_grow(self) -> None:
        if hasattr(self, "env"):
            now = [int(points) for points in self.env.session.games[0].victory_points]
            assert all(new >= old for new, old in zip(now, self.points, strict=True))
            self.points = now

    @invariant()
    def flags_follow_the_game(self) -> None:
        if hasattr(self, "env"):
            over = self.env.session.over
            assert self.env.terminations == dict.fromkeys(PLAYERS, over)
            assert not any(self.env.truncations.values())
            assert sum(self.env.rewards.values()) == 0


class ReferenceGames(Games):
    """The same, with the reference's decisions."""

    decisions = "reference"


class FullGames(Games):
    """The same, where every weapon rule acts and some weapons kill their bearers."""

    weapon_rules = "full"
    scenarios = LAB


class FullReferenceGames(FullGames):
    """Both at once."""

    decisions = "reference"


TestGames = pytest.mark.filterwarnings("error")(Games.TestCase)
TestGames.settings = LARGE
TestReferenceGames = pytest.mark.filterwarnings("error")(ReferenceGames.TestCase)
TestReferenceGames.settings = LARGE
TestFullGames = pytest.mark.filterwarnings("error")(FullGames.TestCase)
TestFullGames.settings = LARGE
TestFullReferenceGames = pytest.mark.filterwarnings("error")(FullReferenceGames.TestCase)
TestFullReferenceGames.settings = LARGE


@pytest.mark.slow
@pytest.mark.parametrize("machine", [Games, ReferenceGames, FullGames, FullReferenceGames])
def test_long_run(machine: type[Games]) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(machine, settings=settings(LARGE, max_examples=400, stateful_step_count=80))
