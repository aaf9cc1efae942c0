"""Plain immutable values that describe a game; they connect files and rules.

``scenario.py`` creates them from files, the replay of recorded games from recordings. ``world.py``
converts them to the arrays of the rules. This module checks nothing: ``reading.py`` checks the bounds
that values have here, and ``world.py`` checks the capacities.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from .bounds import PositiveStat, Stat, Turns

Weight = Annotated[float, Meta(ge=0, le=1_000_000)]

Dice = int | str
"""A fixed number, or ``"D3"`` or ``"D6"``."""

Hex = tuple[int, int]
"""A board cell as ``(column, row)``; columns are vertical, odd ones half a hex lower (odd-q)."""


@dataclass(frozen=True, slots=True)
class Weapon:
    """One weapon profile (spec 01 section 10)."""

    code: str
    name: str
    range: int | None  # hexes; None for a melee weapon
    attacks: Dice
    hit: int  # needed roll, 2..6
    strength: int
    ap: int  # armour penetration, zero or negative
    damage: Dice
    rules: tuple[str, ...] = ()  # "ASSAULT", "RAPID_FIRE:2", ...
    combi: str | None = None  # profiles of one physical weapon share this name


@dataclass(frozen=True, slots=True)
class UnitType:
    """Characteristics and weapons of a kind of unit (spec 01 section 9)."""

    name: str
    move: int
    toughness: int
    armor_save: int
    invulnerable_save: int  # 0 or 7: none
    hit_points: int
    leadership: int
    objective_control: int
    value: int
    rules: tuple[str, ...]  # "charge_after_advance"
    ranged: tuple[Weapon, ...]  # slot order
    melee: tuple[Weapon, ...]
    faction: str  # "SpaceMarine", "Tyranid"
    role: str  # "Ranged", "Melee"
    tanking_level: str  # "Swarm", "Troop", "Elite", "LeaderElite"
    move_type: str  # "Infantry"
    target_type: str  # "Swarm", "Troop", "Elite"

    @property
    def agent_key(self) -> str:
        """Name of the agent that plays this type, e.g. ``Tyranid_Infantry_Swarm_MeleeSwarm`` (spec 01 9.3)."""
        return f"{self.faction}_{self.move_type}_{self.tanking_level}_{self.role}{self.target_type}"


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit of a scenario; ``position`` is None if it is drawn at reset."""

    id: str
    type: UnitType
    player: int  # 1 or 2
    position: Hex | None


@dataclass(frozen=True, slots=True)
class Objective:
    """An objective marker; the side with more objective control on its hexes controls it."""

    id: str
    name: str
    hexes: tuple[Hex, ...]


@dataclass(frozen=True, slots=True)
class ScoringCondition:
    """Points for a condition: ``control_at_least_one``, ``control_at_least_two``, ``control_more_than_opponent``."""

    points: int
    condition: str


@dataclass(frozen=True, slots=True)
class Scoring:
    """One primary objective: when it scores and its points (spec 01 section 6, 02 sections 9 and
    10).
    """

    id: str
    start_turn: int
    max_points_per_turn: int
    conditions: tuple[ScoringCondition, ...]
    default_phase: str  # "command"
    last_turn_second_player_phase: str  # "fight" or "command"
    control_method: str  # "sticky" or "occupy"


@dataclass(frozen=True, slots=True)
class Zone:
    """A deployment rectangle, bounds inclusive."""

    first_col: Stat
    last_col: Stat
    first_row: Stat
    last_row: Stat


@dataclass(frozen=True, slots=True)
class Scenario:
    """The complete start of a game, validated."""

    name: str
    cols: int
    rows: int
    walls: frozenset[Hex]  # including the odd columns of the last row (spec 01 1.3)
    objectives: tuple[Objective, ...]
    scoring: tuple[Scoring, ...]
    zones: dict[int, Zone] | None  # by player; None without a deployment zone
    random_deployment: bool  # positions drawn at each reset inside the zones
    units: tuple[Unit, ...]  # in roster order, which every rule uses


@dataclass(frozen=True, slots=True)
class TargetWeights:
    """Weight of each kind of target in the offensive profile of the macro observation."""

    swarm: Weight
    troop: Weight
    elite: Weight


@dataclass(frozen=True, slots=True)
class GameRules:
    """The numbers of ``game_rules.json`` (spec 01 section 7)."""

    max_turns: Turns
    max_steps_per_turn: Annotated[int, Meta(ge=1, le=1_000_000)]
    turn_limit_penalty: float
    charge_max_distance: PositiveStat
    advance_distance_range: Annotated[int, Meta(ge=1, le=6)]
    avg_charge_roll: PositiveStat
    macro_max_unit_value: Annotated[int, Meta(ge=1, le=10_000)]
    macro_target_weights: TargetWeights
