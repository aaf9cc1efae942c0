"""Plays episodes on ``w40k_v0.raw_env``: a macro that sometimes chooses the unit, a micro that acts at random.

Only micro actions are counted as steps; a selection is a step of the agent cycle alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..env.aec import PLAYERS, RawEnv
from ..rules.state import SUMMARY_OVER, SUMMARY_TURN, SUMMARY_TURN_SIDE, SUMMARY_WINNER, WIN_METHODS

BLOCK = 4096
MASKS = 4096
SEEDS = 2**31


class Draws:
    """Uniform whole numbers from one generator, drawn in blocks: numpy's single draws cost as much as a step."""

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator
        self._block: list[float] = []

    def below(self, count: int) -> int:
        """A number from 0 to ``count - 1``."""
        if not self._block:
            self._block = self._generator.random(BLOCK).tolist()
        return int(self._block.pop() * count)


class LegalActions(dict[bytes, list[int]]):
    """The legal actions of a mask, ascending. Few masks ever occur: to look one up is cheaper than to read it."""

    def __missing__(self, mask: bytes) -> list[int]:
        """Read a mask that is new."""
        if len(self) >= MASKS:
            self.clear()
        self[mask] = legal = np.frombuffer(mask, dtype=np.int8).nonzero()[0].tolist()
        return legal


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the macro chooses, for whom, and when an episode is cut short."""

    macro_players: tuple[str, ...]  # of "player_1", "player_2"
    macro_every_steps: int
    max_steps_per_turn: int


@dataclass(frozen=True, slots=True)
class Episode:
    """One episode as it ended."""

    scenario: str
    steps: int  # micro actions
    agent_steps: int  # micro actions and selections
    macro_choices: int  # selections that the macro made
    winner: int | None  # 1 or 2, 0 for a draw, None where the game did not end
    method: str  # of rules.state.WIN_METHODS
    victory_points: tuple[int, int]
    value_lost: tuple[int, int]  # VALUE of the units that fell, by side
    capped: bool  # a player's turn used all the micro actions it may
    interrupted: bool
    turn: int  # turn in which it ended
    turn_player: int  # 1 or 2: whose turn that was


@dataclass(slots=True)
class _Counts:
    steps: int = 0
    selections: int = 0
    macro_choices: int = 0
    capped: bool = False
    interrupted: bool = False


class Driver:
    """Both players of an environment, and the cap: episode after episode from one generator."""

    def __init__(self, env: RawEnv, pace: Pace, generator: np.random.Generator) -> None:
        self.env = env
        self.pace = pace
        self._draws = Draws(generator)
        self._legal_actions = LegalActions()

    def play_episode(self) -> Episode:
        """Play one episode. Ctrl-C ends it, and the episode says ``interrupted``."""
        counts = _Counts()
        self.env.reset(seed=self._draws.below(SEEDS))
        try:
            self._play(counts)
        except KeyboardInterrupt:
            counts.interrupted = True
        return _episode(self.env, counts)

    def _play(self, counts: _Counts) -> None:
        """The loop. What it does beside the environment's own work is kept to a microsecond a step."""
        env, pace, below, legal_actions = self.env, self.pace, self._draws.below, self._legal_actions
        select_size, summary_of = env.layout.select_size, env.session.summary
        turn, used, due = (0, 0), 0, True
        observation: Any
        for agent in env.agent_iter():
            observation, _, termination, truncation, _ = env.last()
            if termination or truncation:
                env.step(None)
                continue
            legal = legal_actions[observation["action_mask"].tobytes()]
            if legal[0] < select_size:  # a selection: the pool, in roster order
                macro = due and agent in pace.macro_players
                env.step(legal[below(len(legal)) if macro else 0])
                counts.selections += 1
                if macro:
                    counts.macro_choices += 1
                    due = False
                continue
            if used == 0:
                summary = summary_of()
                turn = summary[SUMMARY_TURN], summary[SUMMARY_TURN_SIDE]
            env.step(legal[below(len(legal))])
            counts.steps += 1
            if counts.steps % pace.macro_every_steps == 0:
                due = True
            summary = summary_of()
            used = used + 1 if (summary[SUMMARY_TURN], summary[SUMMARY_TURN_SIDE]) == turn else 0
            if used >= pace.max_steps_per_turn and not summary[SUMMARY_OVER]:
                counts.capped = True
                break


def _episode(env: RawEnv, counts: _Counts) -> Episode:
    """Everything but the counts is read from the game as it stands: cheaper than to follow its events."""
    session = env.session
    game, world = session.games[0], session.setting.world
    summary = session.summary()
    alive, lost = game.alive.tolist(), world.full_value.tolist()
    for number, unit in enumerate(session.setting.units):
        side, slot = divmod(number, env.layout.units_per_side)
        if unit is not None and alive[side] >> slot & 1:
            lost[side] -= unit.type.value
    first, second = game.victory_points.tolist()
    return Episode(
        scenario=session.setting.scenario.name,
        steps=counts.steps,
        agent_steps=counts.steps + counts.selections,
        macro_choices=counts.macro_choices,
        winner=summary[SUMMARY_WINNER] if summary[SUMMARY_OVER] else None,
        method=WIN_METHODS[int(game.win_method)],
        victory_points=(first, second),
        value_lost=(lost[0], lost[1]),
        capped=counts.capped,
        interrupted=counts.interrupted,
        turn=summary[SUMMARY_TURN],
        turn_player=summary[SUMMARY_TURN_SIDE] + 1,
    )


def macro_players(macro_player: int, both: bool) -> tuple[str, ...]:
    """The agents whose units the macro chooses."""
    return PLAYERS if both else (PLAYERS[macro_player - 1],)
