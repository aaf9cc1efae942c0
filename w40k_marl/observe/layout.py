"""The layout: capacities, from which every block of actions and
observations follows, by name and index.

Spaces depend on the layout alone, never on a scenario, so that one model plays every scenario that
fits. The tables of the docs, ``describe_observation`` and the contracts of models are generated
from ``Layout.blocks``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ..content.bounds import ObjectiveCapacity, UnitCapacity
from ..content.types import Scenario
from ..errors import ContentError, W40KError, brief
from ..rules.actions import MICRO_ACTIONS, MICRO_COUNT, TARGET_SLOTS
from ..rules.intents import INTENT_COUNT, INTENTS
from ..rules.state import MAX_OBJECTIVES, MAX_UNITS_PER_SIDE
from .macro.fields import (
    BOUNDS,
    MACRO_GLOBAL_FIELDS,
    MACRO_OBJECTIVE_FIELDS,
    MACRO_PRIORITY_FIELDS,
    MACRO_THREAT_FIELDS,
    MACRO_UNIT_FIELDS,
    Field,
)

GLOBAL_FIELDS = (
    ("turn", "turn / turns of the game"),
    ("my_turn", "1 in the turn of the observing player"),
    ("phase_move", "1 in the movement phase"),
    ("phase_shoot", "1 in the shooting phase"),
    ("phase_charge", "1 in the charge phase"),
    ("phase_fight", "1 in the fight phase"),
    ("stage_chargers", "1 while chargers fight"),
    ("stage_alternating", "1 while both sides fight in turn"),
    ("stage_cleanup", "1 while only one side has fighters left"),
    ("acting", "1 if the observing player is to act"),
    ("sub_step_micro", "0 a unit is to be selected, 1 the active unit is to act"),
    ("my_victory_points", "own victory points / 100"),
    ("enemy_victory_points", "enemy victory points / 100"),
    ("my_objectives", "objectives controlled / objectives"),
    ("enemy_objectives", "objectives the enemy controls / objectives"),
    ("my_value", "VALUE of own living units / VALUE of all own units"),
    ("enemy_value", "the same of the enemy"),
    ("attacks_left", "attacks left in the open activation / 12"),
)

UNIT_FIELDS = (
    ("alive", "1 if the unit is in the game; a row of an empty or dead slot is all 0"),
    ("mine", "1 for own units, -1 for enemies"),
    ("column", "column / last column"),
    ("row", "row / last row"),
    ("hit_points", "hit points / full hit points"),
    ("full_hit_points", "full hit points / 10"),
    ("move", "MOVE / 12"),
    ("toughness", "T / 12"),
    ("armor_save", "armour save / 7"),
    ("invulnerable_save", "invulnerable save / 7, none is 1"),
    ("objective_control", "OC / 5"),
    ("value", "VALUE / 200"),
    ("range", "longest range / 36"),
    ("ranged_damage", "mean attacks x mean damage of the selected ranged weapon / 12"),
    ("ranged_strength", "strength of the selected ranged weapon / 12"),
    ("melee_damage", "mean attacks x mean damage of the first melee weapon / 12"),
    ("melee_strength", "strength of the first melee weapon / 12"),
    ("in_contact", "1 if an enemy touches the unit"),
    ("on_objective", "1 if the unit stands on an objective"),
    ("eligible", "1 if the unit is in the activation pool of this moment (while its own activation is open, too)"),
    ("active", "1 if its activation is open"),
    ("moved", "mark: has moved this turn"),
    ("fled", "mark: has moved out of contact this turn"),
    ("advanced", "mark: has advanced this turn"),
    ("charged", "mark: has charged this turn"),
    ("attacked", "mark: has shot or fought this turn"),
)

OBJECTIVE_FIELDS = (
    ("present", "1 if the scenario has this objective"),
    ("control", "1 own, -1 the enemy's, 0 nobody's; changes only when points are scored"),
    ("my_strength", "objective control of own units on it now / 10"),
    ("enemy_strength", "the same of the enemy"),
)

TARGET_FIELDS = (
    ("present", "1 if the slot holds a target: row i is micro action 4 + i"),
    ("slot", "roster slot of the target in its own side / units per side"),
    ("distance", "hexes from the active unit / 40"),
    ("hit_points", "hit points / full hit points"),
    ("value", "VALUE / 200"),
    ("kill_score", "share of its hit points that the active unit's best weapon is estimated to take"),
    ("on_objective", "1 if the target stands on an objective"),
)

ACTIVE_FIELDS = (
    ("present", "1 while an activation is open, of a unit of the player to act"),
    ("slot", "roster slot of the active unit / units per side"),
    ("nearest_enemy", "hexes to the nearest enemy / 40, 1 without one"),
    ("has_attacked", "1 if it has fired or struck in this activation"),
    ("may_advance", "1 if it could advance when the phase began"),
)

INTENT_FIELDS = (
    ("intent_due", "1 while the open activation waits for its intent"),
    ("detail_due", "1 while it waits for the detail of its intent"),
    *((intent, "1 for the intent last chosen by the observing player") for intent in INTENTS),
    ("detail_column", "column of the objective or unit it names / columns; these four are 0 where it is dead or none"),
    ("detail_row", "its row / rows"),
    ("detail_state", "of an objective its control, 1 own, -1 the enemy's; of a unit hit points / full hit points"),
    ("detail_distance", "hexes to it from the active unit / 40, 0 while none is active"),
)


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of equal fields in a flat vector."""

    name: str
    start: int
    rows: int
    fields: tuple[Field, ...]

    @property
    def stop(self) -> int:
        """Index after the block."""
        return self.start + self.rows * len(self.fields)


@dataclass(frozen=True)
class Layout:
    """Capacities of a game, and the shapes that follow; loading a
    scenario that does not fit raises ContentError.

    Also the key ``layout`` of files. Raises ContentError for capacities out of range, flags of
    another type, and ``macro_extras`` without ``macro``.
    """

    units_per_side: UnitCapacity = 16  # at most 64
    objectives: ObjectiveCapacity = 8  # at most 64
    intents: bool = False  # True: every activation begins with an intent
    macro: bool = False  # True: the observation ends with the macro blocks
    macro_extras: bool = False  # True: followed by threats and priorities

    def __post_init__(self) -> None:
        """Check the fields. Raises ContentError if one is invalid."""
        for name, limit in (("units_per_side", MAX_UNITS_PER_SIDE), ("objectives", MAX_OBJECTIVES)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= limit:
                raise ContentError("layout", name, f"a whole number from 1 to {limit}", brief(value))
        for name in ("intents", "macro", "macro_extras"):
            if not isinstance(getattr(self, name), bool):
                raise ContentError("layout", name, "True or False", brief(getattr(self, name)))
        if self.macro_extras and not self.macro:
            raise ContentError("layout", "macro_extras", "False without macro", "True")

    def with_room_for(self, scenarios: Iterable[Scenario]) -> Self:
        """Return the layout with capacities raised to what the
        scenarios need, up to the limits of the rules.
        """
        units, objectives = self.units_per_side, self.objectives
        for scenario in scenarios:
            sides = [sum(unit.player == player for unit in scenario.units) for player in (1, 2)]
            units, objectives = max(units, *sides), max(objectives, len(scenario.objectives))
        units, objectives = min(units, MAX_UNITS_PER_SIDE), min(objectives, MAX_OBJECTIVES)
        return replace(self, units_per_side=units, objectives=objectives)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return the layout itself: it is immutable."""
        return self

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks of the observation, in order."""
        shape: list[tuple[str, int, tuple[Field, ...]]] = [
            ("global", 1, GLOBAL_FIELDS),
            ("active_unit", 1, ACTIVE_FIELDS),
            ("targets", TARGET_SLOTS, TARGET_FIELDS),
            ("objectives", self.objectives, OBJECTIVE_FIELDS),
            ("my_units", self.units_per_side, UNIT_FIELDS),
            ("enemy_units", self.units_per_side, UNIT_FIELDS),
        ]
        if self.intents:
            shape.append(("intent", 1, INTENT_FIELDS))
        if self.macro:
            shape += self._macro_shape()
        blocks, start = [], 0
        for name, rows, fields in shape:
            blocks.append(Block(name, start, rows, fields))
            start = blocks[-1].stop
        return tuple(blocks)

    def _macro_shape(self) -> list[tuple[str, int, tuple[Field, ...]]]:
        """Return the macro blocks, which are always the last ones."""
        units = 2 * self.units_per_side
        shape: list[tuple[str, int, tuple[Field, ...]]] = [
            ("macro_global", 1, MACRO_GLOBAL_FIELDS),
            ("macro_units", units, MACRO_UNIT_FIELDS),
            ("macro_objectives", self.objectives, MACRO_OBJECTIVE_FIELDS),
        ]
        if self.macro_extras:
            shape.append(("macro_threats", units, MACRO_THREAT_FIELDS))
            shape.append(("macro_priorities", self.objectives, MACRO_PRIORITY_FIELDS))
        return shape

    @cached_property
    def observation_bounds(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Least and greatest value of every number of the observation;
        -1 and 1 except for counts and points.
        """
        bounds = [
            BOUNDS.get((block.name, field), (-1.0, 1.0))
            for block in self.blocks
            for _ in range(block.rows)
            for field, _ in block.fields
        ]
        low, high = np.array(bounds, dtype=np.float32).T.copy()
        return low, high

    @cached_property
    def observation_size(self) -> int:
        """Length of the observation vector."""
        return self.blocks[-1].stop

    @cached_property
    def state_size(self) -> int:
        """Length of the global state: the observation of player 1,
        then two flags for the player to act.
        """
        return self.observation_size + 2

    @property
    def select_size(self) -> int:
        """Length of the select block: a slot for each unit of a side."""
        return self.units_per_side

    @property
    def micro_start(self) -> int:
        """Index of micro action 0."""
        return self.units_per_side

    @property
    def micro_stop(self) -> int:
        """Index after the micro block; with intents, that of the first intent."""
        return self.units_per_side + MICRO_COUNT

    @property
    def detail_start(self) -> int:
        """Index of detail 0, if the layout has intents."""
        return self.micro_stop + INTENT_COUNT

    @property
    def detail_size(self) -> int:
        """Length of the detail block, if the layout has intents: enough for all objectives or all
        units of a side.
        """
        return max(self.units_per_side, self.objectives)

    @property
    def action_count(self) -> int:
        """Number of actions: select block and micro block, then, with
        intents, intent block and detail block.
        """
        return self.detail_start + self.detail_size if self.intents else self.micro_stop

    def describe_action(self, action: int) -> str:
        """Return the name of an action: ``select_3``, ``move_aggressive``, ``target_0``,
        ``intent_focus_kill``, ``detail_2``.

        Raises IndexError for an action out of range, W40KError if it is not a whole number.
        """
        if not isinstance(action, int | np.integer):
            raise W40KError(f"action: expected a whole number, got {brief(action)}")
        if not 0 <= action < self.action_count:
            raise IndexError(f"action: expected 0 to {self.action_count - 1}, got {brief(action)}")
        if action < self.micro_start:
            return f"select_{action}"
        if action < self.micro_stop:
            return MICRO_ACTIONS[action - self.micro_start]
        if action < self.detail_start:
            return f"intent_{INTENTS[action - self.micro_stop]}"
        return f"detail_{action - self.detail_start}"

    def field_names(self) -> list[str]:
        """Return the name of every number of the observation, e.g. ``my_units[3].hit_points``."""
        return [
            f"{block.name}.{field}" if block.rows == 1 else f"{block.name}[{row}].{field}"
            for block in self.blocks
            for row in range(block.rows)
            for field, _ in block.fields
        ]

    def describe_observation(self, observation: NDArray[np.float32]) -> dict[str, float]:
        """Return the numbers of an observation vector by name, in order. Raises W40KError for
        another shape or type.
        """
        names = self.field_names()
        if not isinstance(observation, np.ndarray):
            raise W40KError(f"observation: expected an array, got {brief(observation)}")
        values = observation.tolist()
        if observation.shape != (len(names),):
            raise W40KError(f"observation: expected shape ({len(names)},), got {observation.shape}")
        return dict(zip(names, values, strict=True))
