"""The keys of scenario files and of the catalogue, with their types and bounds.

``reading.py`` checks files against these structures, ``json_schema.py`` prints the scenario part as a JSON
schema; the descriptions here are what an editor shows. Keys are those of spec 01, sections 3 to 10; the
docstrings here reach users of the schema and name no source. Values whose keys are their fields, such as
``Zone`` and ``GameRules``, are in ``types.py``. Files of other rooms have their structures there.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct

from .bounds import Name, Optional, Player, PositiveStat, Stat, Turns
from .types import Zone

Identifier = int | Name
Pair = tuple[int, int]
Dice = Annotated[int, Meta(ge=1, le=1000)] | Literal["D3", "D6"]
Points = Annotated[int, Meta(ge=0, le=10_000)]
Save = Annotated[int, Meta(ge=2, le=7)]


class _Entry(Struct, forbid_unknown_fields=True):
    """Base of all: unknown keys are refused."""


_WEAPON_KEYS = {
    "range": "RNG",
    "attacks": "NB",
    "hit": "ATK",
    "strength": "STR",
    "ap": "AP",
    "damage": "DMG",
    "rules": "WEAPON_RULES",
    "combi": "COMBI_WEAPON",
}


class WeaponEntry(_Entry, kw_only=True, rename=_WEAPON_KEYS):
    """One weapon profile."""

    display_name: Annotated[Name, Meta(description="Name for people")]
    faction: Annotated[Optional[Name], Meta(description="Whose armoury it belongs to; informative")] = UNSET
    range: Annotated[Optional[PositiveStat], Meta(description="Reach in hexes; absent for melee weapons")] = UNSET
    attacks: Annotated[Dice, Meta(description="Number of attacks")]
    hit: Annotated[int, Meta(ge=2, le=6, description="Roll needed to hit")]
    strength: Annotated[PositiveStat, Meta(description="Strength")]
    ap: Annotated[int, Meta(ge=-1000, le=0, description="Armour penetration, zero or negative")]
    damage: Annotated[Dice, Meta(description="Damage of an unsaved wound")]
    rules: Annotated[tuple[Name, ...], Meta(description="Weapon rules, with :X where the rule takes a number")] = ()
    combi: Annotated[Optional[Name], Meta(description="Profiles that share this name exclude each other")] = UNSET


_STAT_KEYS = {
    "move": "MOVE",
    "toughness": "T",
    "armor_save": "ARMOR_SAVE",
    "invulnerable_save": "INVUL_SAVE",
    "hit_points": "HP_MAX",
    "leadership": "LD",
    "objective_control": "OC",
    "value": "VALUE",
}


class StatsEntry(_Entry, rename=_STAT_KEYS):
    """The characteristics of a unit type, all of them."""

    move: Stat
    toughness: PositiveStat
    armor_save: Save
    invulnerable_save: Annotated[int, Meta(ge=0, le=7)]
    hit_points: PositiveStat
    leadership: Stat
    objective_control: Stat
    value: Points


class StatChanges(_Entry, rename=_STAT_KEYS):
    """The characteristics in which a custom unit type differs from the type it is based on."""

    move: Annotated[Optional[Stat], Meta(description="Hexes of a normal move")] = UNSET
    toughness: Annotated[Optional[PositiveStat], Meta(description="Toughness")] = UNSET
    armor_save: Annotated[Optional[Save], Meta(description="Armour save; 7 means none")] = UNSET
    invulnerable_save: Annotated[
        Optional[Annotated[int, Meta(ge=0, le=7)]], Meta(description="Invulnerable save; 0 or 7 means none")
    ] = UNSET
    hit_points: Annotated[Optional[PositiveStat], Meta(description="Hit points at the start")] = UNSET
    leadership: Annotated[Optional[Stat], Meta(description="Leadership; no rule reads it")] = UNSET
    objective_control: Annotated[Optional[Stat], Meta(description="Objective control")] = UNSET
    value: Annotated[Optional[Points], Meta(description="Points value; decides ties")] = UNSET


class UnitTypeEntry(_Entry):
    """One unit type of the catalogue."""

    faction: Name
    role: Literal["Ranged", "Melee"]
    tanking_level: Literal["Swarm", "Troop", "Elite", "LeaderElite"]
    move_type: Name
    target_type: Literal["Swarm", "Troop", "Elite"]
    stats: StatsEntry
    ranged: tuple[Name, ...] = ()
    melee: tuple[Name, ...] = ()
    rules: tuple[Name, ...] = ()


class CustomUnitTypeEntry(_Entry):
    """A unit type of one scenario: another type with changes."""

    based_on: Annotated[Name, Meta(description="Unit type of the catalogue that is copied")]
    ranged: Annotated[Optional[tuple[Name, ...]], Meta(description="Ranged weapon codes, in slot order")] = UNSET
    melee: Annotated[Optional[tuple[Name, ...]], Meta(description="Melee weapon codes, in slot order")] = UNSET
    rules: Annotated[Optional[tuple[Name, ...]], Meta(description="Unit rules: charge_after_advance")] = UNSET
    stats: Annotated[Optional[StatChanges], Meta(description="Characteristics that differ")] = UNSET


class ConditionEntry(_Entry, kw_only=True):
    """Points for one condition."""

    id: Annotated[Optional[Name], Meta(description="Label; informative")] = UNSET
    points: Annotated[Points, Meta(description="Victory points it pays")]
    condition: Annotated[
        Literal["control_at_least_one", "control_at_least_two", "control_more_than_opponent"],
        Meta(description="When it pays"),
    ]


class PointsEntry(_Entry):
    """The points of a scoring configuration, and its conditions."""

    start_turn: Annotated[Turns, Meta(description="First turn that scores")]
    max_points_per_turn: Annotated[Points, Meta(description="Cap of one player's turn")]
    rules: Annotated[tuple[ConditionEntry, ...], Meta(description="Conditions; their points add up")]


class TimingEntry(_Entry):
    """When a scoring configuration pays."""

    default_phase: Annotated[Literal["command"], Meta(description="Moment of scoring")]
    round5_second_player_phase: Annotated[
        Literal["fight", "command"], Meta(description="Moment for the second player in the last round")
    ]


class ControlEntry(_Entry):
    """The rule that decides which player controls an objective."""

    method: Annotated[Literal["oc_sum_greater"], Meta(description="The larger sum of objective control")]
    control_method: Annotated[
        Literal["sticky", "occupy"],
        Meta(description="Whether control is kept at equal sums (sticky) or lost (occupy)"),
    ]
    tie_behavior: Annotated[Literal["no_control"], Meta(description="Has no effect")]


class ScoringEntry(_Entry):
    """One scoring configuration, also called primary objective."""

    id: Annotated[Name, Meta(description="Name by which scenarios refer to it")]
    scoring: PointsEntry
    timing: TimingEntry
    control: ControlEntry


class ZonesEntry(_Entry, rename={"first": "1", "second": "2"}):
    """The zones of both players under one name."""

    first: Zone
    second: Zone


class ObjectiveEntry(_Entry, kw_only=True):
    """One objective marker."""

    id: Annotated[Identifier, Meta(description='Identity; 1 and "1" are the same')]
    name: Annotated[Optional[Name], Meta(description="Name for people; the id where absent")] = UNSET
    hexes: Annotated[list[Pair], Meta(min_length=1, description="Its hexes")]


class BoardEntry(_Entry):
    """A board: its size and, where it has them, its own walls and objectives."""

    cols: Annotated[int, Meta(ge=1, le=255, description="Number of columns")]
    rows: Annotated[int, Meta(ge=1, le=64, description="Number of rows")]
    wall_hexes: Annotated[list[Pair], Meta(description="Walls of scenarios that name none")] = []
    objectives: Annotated[list[ObjectiveEntry], Meta(description="Objectives of scenarios that name none")] = []


class UnitEntry(_Entry):
    """One unit."""

    id: Annotated[Identifier, Meta(description='Identity; 1 and "1" are the same')]
    unit_type: Annotated[Name, Meta(description="A unit type of the catalogue or of custom_unit_types")]
    player: Annotated[Player, Meta(description="Who owns it")]
    col: Annotated[
        Optional[int | float | str], Meta(description="Column; required for fixed deployment, else not read")
    ] = UNSET
    row: Annotated[
        Optional[int | float | str], Meta(description="Row; required for fixed deployment, else not read")
    ] = UNSET


class ScenarioFile(_Entry):
    """A scenario file, with keys for boards, types, weapons and scoring of its own."""

    units: Annotated[list[UnitEntry], Meta(min_length=1, description="All units, in roster order")]
    deployment_zone: Annotated[
        Optional[Name], Meta(description='Named zones, "hammer"; only together with deployment_type')
    ] = UNSET
    deployment_type: Annotated[
        Optional[Literal["random", "fixed"]],
        Meta(description="Whether positions are drawn at each reset; only together with deployment_zone"),
    ] = UNSET
    wall_hexes: Annotated[Optional[list[Pair]], Meta(description="Walls; those of the board where absent")] = UNSET
    objectives: Annotated[Optional[list[ObjectiveEntry]], Meta(description="Objectives, in order")] = UNSET
    objective_hexes: Annotated[
        Optional[list[ObjectiveEntry]],
        Meta(description="Older name of objectives; read only where that is absent"),
    ] = UNSET
    primary_objectives: Annotated[Optional[list[Name] | Name], Meta(description="Scoring configurations by id")] = UNSET
    primary_objective: Annotated[
        Optional[Name], Meta(description="A single one; read only where primary_objectives is absent")
    ] = UNSET
    board: Annotated[Optional[BoardEntry], Meta(description="A board instead of the default 25 x 21")] = UNSET
    catalogue: Annotated[
        Optional[list[Name] | Name],
        Meta(description="Folders with tables of weapons, unit types, scoring and zones, from the folder of this file"),
    ] = UNSET
    primary_objective_configs: Annotated[
        list[ScoringEntry], Meta(description="Scoring configurations of this scenario")
    ] = []
    custom_weapons: Annotated[dict[str, WeaponEntry], Meta(description="Weapons of this scenario, by code")] = {}
    custom_unit_types: Annotated[
        dict[str, CustomUnitTypeEntry], Meta(description="Unit types of this scenario, by name")
    ] = {}
