"""Level C: compares the recorded macro observation of every state with ours during the replay.

Six games contain them, after reset and after each step. Numbers are recorded with six decimals.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from w40k_marl.observe.macro.observation import macro_observation

from .game import ReplayedGame
from .states import Difference, LevelA, replay_level_a
from .trace import Json, Trace

_TOLERANCE = 1e-6


@dataclass(slots=True)
class LevelC:
    """Result for one game: recorded observations, exact ones, and the differences."""

    observations: int
    exact: int = 0
    differences: list[Difference] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """True if every recorded observation equals ours."""
        return self.exact == self.observations


def has_macro_observations(trace: Trace) -> bool:
    """Return True if a game was recorded with macro observations."""
    return trace.initial_macro is not None or any("macro_obs" in step for step in trace.steps)


class _Observations:
    """Compares the observations of one game while it is replayed."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._game: ReplayedGame | None = None
        self._compared = 0
        recorded = [trace.initial_macro, *(step.get("macro_obs") for step in trace.steps)]
        self._recorded: list[Json | None] = recorded
        self.result = LevelC(sum(seen is not None for seen in recorded))

    def before_step(self, game: ReplayedGame, index: int) -> None:
        """Compare the state before a step, which is the state after the previous step."""
        self._game = game
        self._compare(game, index)

    def at_the_end(self) -> None:
        """Compare the state after the last step."""
        if self._game is not None:
            self._compare(self._game, len(self._trace.steps))

    def _compare(self, game: ReplayedGame, index: int) -> None:
        recorded = self._recorded[index]
        if recorded is None:
            return
        ours = macro_observation(game.setting, game.games)
        found = list(differences("macro_obs", recorded, ours))
        self.result.exact += not found
        step = index - 1 if index else None
        phase = ours["global"]["phase"]
        self.result.differences += [Difference(step, phase, None, place, was, got) for place, was, got in found]


def differences(place: str, recorded: object, ours: object) -> Iterator[tuple[str, object, object]]:
    """Return the differences of two JSON values: path, recorded and our value; numbers within 1e-6."""
    if isinstance(recorded, dict) and isinstance(ours, dict):
        for key in sorted(recorded.keys() | ours.keys()):
            yield from differences(f"{place}.{key}", recorded.get(key), ours.get(key))
    elif isinstance(recorded, list) and isinstance(ours, list) and len(recorded) == len(ours):
        for index, pair in enumerate(zip(recorded, ours, strict=True)):
            yield from differences(f"{place}[{index}]", *pair)
    elif isinstance(recorded, int | float) and isinstance(ours, int | float):
        if abs(recorded - ours) > _TOLERANCE:
            yield place, recorded, ours
    elif recorded != ours:
        yield place, recorded, ours


def replay_level_c(trace: Trace) -> tuple[LevelA, LevelC]:
    """Replay a game and compare its macro observations, to the end or to the first difference of
    states.
    """
    observations = _Observations(trace)
    states = replay_level_a(trace, observations.before_step)
    if states.difference is None:
        observations.at_the_end()
    return states, observations.result
