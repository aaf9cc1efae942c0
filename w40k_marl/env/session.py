"""One game in play: settings, the row, its seeds. What every environment and tool steps, without any protocol."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..content.definitions import GameRules
from ..content.game_rules import load_game_rules
from ..content.scenario import load_scenario
from ..content.world import Setting, build_setting
from ..errors import ContentError, DeploymentError, IllegalActionError, NotAnActionError
from ..observe.encode import write_view
from ..observe.layout import Layout
from ..rules import engine
from ..rules.bits import has
from ..rules.state import NOBODY, PHASES, Games, new_games
from ..rules.turn import acting_side, eligible
from .events import Event, describe_event

ScenarioName = str | Path
Snapshot = bytes
"""A game at a moment: which setting, and its row."""


@lru_cache(maxsize=64)
def _setting(
    scenario: ScenarioName, game_rules: GameRules, layout: Layout, decisions: str, max_turns: int | None
) -> Setting:
    return build_setting(
        load_scenario(scenario),
        game_rules,
        units_per_side=layout.units_per_side,
        objectives=layout.objectives,
        decisions=decisions,
        max_turns=max_turns,
    )


class Session:
    """A game that can be reset, stepped, looked at, copied; the array of one that the rules work on."""

    def __init__(
        self,
        scenario: ScenarioName | Sequence[ScenarioName] = "macro_default",
        *,
        decisions: str = "agent",
        game_rules: str | Path | GameRules | None = None,
        layout: Layout | None = None,
        max_turns: int | None = None,
    ) -> None:
        """Load every scenario; ContentError where one is missing, wrong or does not fit the layout."""
        names = [scenario] if isinstance(scenario, str | Path) else list(scenario)
        if not names:
            raise ContentError("argument", "scenario", "a name, a path, or a list of them", "an empty list")
        rules = game_rules if isinstance(game_rules, GameRules) else load_game_rules(game_rules)
        self.layout = layout or Layout()
        self.settings = [_setting(name, rules, self.layout, decisions, max_turns) for name in names]
        self.games: Games = new_games(1, self.layout.units_per_side, self.layout.objectives)
        self._use(0)

    def _use(self, index: int) -> None:
        """Play on one of the settings."""
        self.setting_index = index
        self.setting = self.settings[index]
        self._worlds, self._board = self.setting.worlds, self.setting.board
        self._summary: NDArray[np.int64] = self.games[0].summary

    # --- play ----------------------------------------------------------------------------------------------

    def reset(self, random: np.random.Generator) -> None:
        """Begin a new game: draw a setting if there are several, then the game's seed."""
        if len(self.settings) > 1:
            self._use(int(random.integers(len(self.settings))))
        seed = np.uint64(random.integers(2**63))
        if engine.reset(self._worlds, self._board, self.games, 0, seed) != engine.ACCEPTED:
            raise DeploymentError(
                f"{self.setting.scenario.name}: expected a free hex in the deployment zone for every unit, "
                "got a zone with fewer hexes than units"
            )

    def step(self, action: int) -> None:
        """Apply an action of the acting player; ActionError, and an unchanged game, where it is refused."""
        answer = engine.step(self._worlds, self._board, self.games, 0, action)
        if answer != engine.ACCEPTED:
            raise self.refusal(answer, action)

    def try_step(self, action: int) -> bool:
        """Apply an action if it is legal; False, and an unchanged game, if it is not."""
        return engine.step(self._worlds, self._board, self.games, 0, action) == engine.ACCEPTED

    def refusal(self, answer: int, action: int) -> IllegalActionError | NotAnActionError:
        """The error for a refused action: what would be legal, and where the game is."""
        if answer == engine.NOT_AN_ACTION:
            return NotAnActionError(f"action: expected 0 to {self.layout.action_count - 1}, got {action}")
        legal = ", ".join(f"{index} {self.layout.describe_action(index)}" for index in self.legal_actions())
        name = self.layout.describe_action(action)
        return IllegalActionError(
            f"action: expected one of [{legal}], got {action} {name} ({self.where()})"
        )

    # --- looking at the game -------------------------------------------------------------------------------

    def summary(self) -> list[int]:
        """``rules.state.SUMMARY_...``: acting side, over, winner, turn, whose turn, phase, active unit, points."""
        return self._summary.tolist()

    def view(self, side: int) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
        """Fresh observation and mask of a side."""
        observation = np.empty(self.layout.observation_size, dtype=np.float32)
        mask = np.empty(self.layout.action_count, dtype=np.int8)
        write_view(self._worlds, self._board, self.games, 0, side, observation, mask)
        return observation, mask

    def mask(self) -> NDArray[np.int8]:
        """Fresh mask of the acting side, shape ``(layout.action_count,)``."""
        mask = np.empty(self.layout.action_count, dtype=np.int8)
        engine.legal_mask(self._worlds, self.games, 0, mask)
        return mask

    def legal_actions(self) -> list[int]:
        """Legal actions of the acting player, ascending."""
        return [int(action) for action in np.flatnonzero(self.mask())]

    @property
    def over(self) -> bool:
        """Whether the game has ended."""
        return bool(self._summary[1])

    @property
    def acting_side(self) -> int:
        """0 or 1: whose unit is to act."""
        return int(self._summary[0])

    @property
    def active_unit(self) -> str | None:
        """Id of the unit whose activation is open."""
        number = int(self.games[0].active)
        return None if number == NOBODY else self.id_of(number)

    def pool(self) -> list[str]:
        """Ids of the units that may be activated now, in roster order; empty while an activation is open."""
        game = self.games[0]
        if game.over or game.active != NOBODY:
            return []
        members, base = eligible(game), acting_side(game) * self.layout.units_per_side
        return [self.id_of(base + slot) for slot in range(self.layout.units_per_side) if has(members, slot)]

    def id_of(self, number: int) -> str:
        """Id of a unit number; IndexError of an empty slot."""
        unit = self.setting.units[number]
        if unit is None:
            raise IndexError(f"unit number: expected a unit of {self.setting.scenario.name}, got {number}")
        return unit.id

    def slot_of(self, unit_id: str) -> int:
        """Roster slot of a unit, which is also its select action; KeyError of an unknown id."""
        return self.setting.number_of[unit_id] % self.layout.units_per_side

    def where(self) -> str:
        """Turn, phase, acting player and active unit, for messages."""
        game = self.games[0]
        unit = f", unit {self.active_unit}" if self.active_unit is not None else ""
        player = acting_side(game) + 1
        return f"turn {game.turn}, phase {PHASES[int(game.phase)]}, player {player} to act{unit}"

    def events(self) -> list[Event]:
        """What happened in the last step, in order: ``{"event": name, field: value, ...}``.

        Fields are those of ``rules.events.FIELDS``; units, weapons, objectives and phases by name, hexes as
        ``(column, row)``.
        """
        game = self.games[0]
        return [describe_event(self.setting, row.tolist()) for row in game.events[: int(game.event_count)]]

    # --- copies --------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """The game at this moment, to be restored in any session of the same scenarios and layout."""
        return bytes([self.setting_index]) + self.games.tobytes()

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot; ContentError where it is not one of this layout and these scenarios."""
        if len(snapshot) != 1 + self.games.nbytes or snapshot[0] >= len(self.settings):
            expected = f"{1 + self.games.nbytes} bytes of a game on one of {len(self.settings)} scenarios"
            raise ContentError("snapshot", "size", expected, f"{len(snapshot)} bytes")
        self._use(snapshot[0])
        self.games[:] = np.frombuffer(snapshot[1:], dtype=self.games.dtype)
