"""The result of an episode, and sums over several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Episode:
    """The result of an episode."""

    scenario: str
    steps: int  # micro actions
    agent_steps: int  # micro actions, selections, intents and their details
    macro_choices: int  # selections that the macro made
    winner: int | None  # 1 or 2, 0 for a draw, None where the game did not end
    method: str  # of rules.state.WIN_METHODS
    victory_points: tuple[int, int]
    value_lost: tuple[int, int] | None  # VALUE of the units that fell, by side; None: not known
    damage: tuple[float, float] | None  # hit points lost as a share of VALUE, by side; None: not known
    capped: bool  # a player's turn used all the micro actions it may
    interrupted: bool
    turn: int | None  # turn in which it ended; None: not known
    turn_player: int | None  # 1 or 2: whose turn that was


Numbered: TypeAlias = tuple[int, Episode]
"""An episode and its number, from 1."""


@dataclass(slots=True)
class Counts:
    """Sums over episodes, including those that Ctrl-C interrupted."""

    episodes: int = 0  # played to their end or cap
    steps: int = 0
    agent_steps: int = 0

    def add(self, episode: Episode) -> None:
        """Add an episode."""
        self.episodes += not episode.interrupted
        self.steps += episode.steps
        self.agent_steps += episode.agent_steps
