"""The two records of a game: World, which is constant during a game, and Game, which contains all
changing state.

A Game is one row of a structured array; a copy of the row is a snapshot. Units are numbered by
side: unit ``side * units_per_side + slot``, slots in roster order, side 0 for player 1 and side 1
for player 2. Sizes depend only on the capacities, so one compiled function serves every scenario
that fits. Other capacities are another record type, for which numba compiles again.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

World: TypeAlias = Any
"""One record of ``world_dtype``: board size, rosters, weapons, scoring, rule numbers.

Its fields are attributes.
"""

Game: TypeAlias = Any
"""One record of ``game_dtype``; fields are attributes."""

Worlds: TypeAlias = NDArray[Any]
"""Array of one World, shape ``(1,)``."""

Games: TypeAlias = NDArray[Any]
"""Array of Games, one per row. A plain array: numba takes six times as long to recognise a
recarray.
"""

Rows: TypeAlias = NDArray[np.int64]
"""Indices of the rows of an array of Games that a call works on."""

Events: TypeAlias = NDArray[np.int16]

MAX_UNITS_PER_SIDE = 64
MAX_OBJECTIVES = 64
MAX_WEAPONS = 8  # weapons of one kind that a unit may carry
MAX_SCORINGS = 4
MAX_CONDITIONS = 8
STATIC_FEATURES, WEAPON_FEATURES = 10, 2  # numbers of an observation that depend only on the scenario

# phases (spec 02 section 1); the command phase never waits for an action
COMMAND, MOVE, SHOOT, CHARGE, FIGHT = range(5)
PHASES = ("command", "move", "shoot", "charge", "fight")

# stages of the fight phase (spec 05 rule 16); "other" is the side whose turn it is not
NO_STAGE, CHARGERS, ALTERNATING_OTHER, ALTERNATING_ACTIVE, CLEANUP_OTHER, CLEANUP_ACTIVE = range(6)
FIGHT_STAGES = (
    "none",
    "chargers",
    "alternating_other",
    "alternating_active",
    "cleanup_other",
    "cleanup_active",
)

# the side of the next activation of the alternation (spec 05 "turn flag")
UNSET, OTHER_SIDE, ACTIVE_SIDE = range(3)

# kinds of weapon, index into the weapon tables
RANGED, MELEE = range(2)

# kinds of unit by wounds, for the order of a target list (spec 04 R-12)
SWARM, TROOP, ELITE, LEADER = range(4)

# the agent makes certain choices, or a fixed rule as in the reference
DECIDED_BY_REFERENCE, DECIDED_BY_AGENT = range(2)
DECISIONS = ("reference", "agent")

# active weapon rules: only ASSAULT and PISTOL, or all of docs/weapon_rules.md
LABELS, ACTING = range(2)
WEAPON_RULE_SETTINGS = ("reference", "full")

# control of an objective at equal sums (spec 02 section 9)
STICKY, OCCUPY = range(2)
CONTROL_METHODS = ("sticky", "occupy")

AT_LEAST_ONE, AT_LEAST_TWO, MORE_THAN_OPPONENT = range(3)
CONDITIONS = ("control_at_least_one", "control_at_least_two", "control_more_than_opponent")

# methods that decide a game (spec 02 section 11)
UNDECIDED, BY_OBJECTIVES, BY_VALUE, BY_DRAW = range(4)
WIN_METHODS = ("undecided", "objectives", "value_tiebreaker", "draw")

# with intents: the choice that an open activation waits for before its micro actions
INTENT_SETTLED, INTENT_DUE, DETAIL_DUE = range(3)

NO_LOCK, PISTOLS_ONLY, NO_PISTOLS = range(3)

NOBODY = -1
MAX_EVENTS = 64
EVENT_FIELDS = 8

# the summary that reset and step write
(
    SUMMARY_SIDE,  # acting side
    SUMMARY_OVER,
    SUMMARY_WINNER,  # 1 or 2; 0 undecided or draw
    SUMMARY_TURN,
    SUMMARY_TURN_SIDE,  # whose turn it is
    SUMMARY_PHASE,
    SUMMARY_ACTIVE,  # unit, or NOBODY
    SUMMARY_POINTS,  # victory points of player 1, then of player 2
) = range(8)
SUMMARY_FIELDS = 9
MAX_RECORDED_DICE = 8


@lru_cache(maxsize=32)
def world_dtype(units_per_side: int) -> np.dtype[Any]:
    """Return the record type of a World for a capacity of ``units_per_side`` (at most 64)."""
    units = 2 * units_per_side
    fields = [
        ("units_per_side", np.int64),  # capacity
        ("cols", np.int64),
        ("rows", np.int64),
        ("max_turns", np.int64),
        ("decisions", np.int64),  # DECIDED_BY_...
        ("intents", np.int64),  # 1: activations begin with an intent
        ("weapon_rules", np.int64),  # LABELS or ACTING
        ("advance_dice_sides", np.int64),
        ("objective_count", np.int64),
        ("objective_place", np.float64, (MAX_OBJECTIVES, 2)),  # mean column and row of its hexes
        ("unit_count", np.int64, 2),  # by side
        ("roster_size", np.int64),
        ("roster", np.int64, units),  # units in the order of the file, both sides
        ("full_value", np.int64, 2),  # by side: sum of VALUE over the whole roster
        ("random_deployment", np.int64),
        ("zone", np.int64, (2, 4)),  # by side: first and last column, first and last row, inclusive
        ("start", np.int64, units),  # hexes of a fixed deployment
        *_characteristics(units),
        *_weapon_fields((units, 2, MAX_WEAPONS)),
        *_weapon_rule_fields((units, 2, MAX_WEAPONS)),
        *_feature_fields(units),
        *_SCORING_FIELDS,
        ("max_range", np.int64),  # largest distance between two corners of the board, in hexes
        ("id_order", np.int64, units),  # units of both sides by their ids as text: "1", "10", "2"
    ]
    return np.dtype((np.record, np.dtype(fields, align=True)))


def _characteristics(units: int) -> list[Any]:
    """Numbers of each unit (spec 01 section 9)."""
    return [
        ("move", np.int16, units),
        ("toughness", np.int16, units),
        ("armor_save", np.int16, units),
        ("invulnerable_save", np.int16, units),
        ("hit_points", np.int16, units),
        ("objective_control", np.int16, units),
        ("value", np.int16, units),
        ("charges_after_advance", np.int16, units),
        ("kind", np.int16, units),  # SWARM.. by hit points
        ("preferred_kind", np.int16, units),  # SWARM.. by name
        ("longest_range", np.int16, units),  # over all ranged weapons, 0 if there is none
    ]


def _weapon_fields(weapons: tuple[int, int, int]) -> list[Any]:
    """Numbers of each weapon: unit, RANGED or MELEE, slot (spec 01 section 10)."""
    return [
        ("weapon_count", np.int16, weapons[:2]),
        ("range", np.int16, weapons),
        ("attacks", np.int16, weapons),  # 0 if attacks_dice is set
        ("attacks_dice", np.int16, weapons),  # 0, 3 (D3) or 6 (D6)
        ("hit", np.int16, weapons),
        ("strength", np.int16, weapons),
        ("armor_penetration", np.int16, weapons),
        ("damage", np.int16, weapons),
        ("damage_dice", np.int16, weapons),
        ("assault", np.int16, weapons),
        ("pistol", np.int16, weapons),
        ("combi_group", np.int16, weapons),  # 0: none
    ]


def _weapon_rule_fields(weapons: tuple[int, int, int]) -> list[Any]:
    """Fields of active weapon rules, all 0 with ``LABELS``; some contain a rule's number."""
    return [
        ("changes_attacks", np.int16, weapons),  # 1: one of the rules after rapid_fire is set
        ("rapid_fire", np.int16, weapons),
        ("melta", np.int16, weapons),
        ("sustained_hits", np.int16, weapons),
        ("heavy", np.int16, weapons),
        ("torrent", np.int16, weapons),
        ("twin_linked", np.int16, weapons),
        ("lethal_hits", np.int16, weapons),
        ("devastating_wounds", np.int16, weapons),
        ("hazardous", np.int16, weapons),
    ]


def _feature_fields(units: int) -> list[Any]:
    """Constant features of units for observations. The observation code writes them; the rules
    ignore them.
    """
    return [
        ("features", np.float32, (units, STATIC_FEATURES)),
        ("weapon_features", np.float32, (units, MAX_WEAPONS, WEAPON_FEATURES)),
    ]


_SCORING_FIELDS: list[Any] = [
    ("scoring_count", np.int64),
    ("start_turn", np.int64, MAX_SCORINGS),
    ("max_points", np.int64, MAX_SCORINGS),
    ("scoring_phase", np.int64, MAX_SCORINGS),
    ("last_scoring_phase", np.int64, MAX_SCORINGS),  # second player, last turn
    ("control_method", np.int64),
    ("condition_count", np.int64, MAX_SCORINGS),
    ("condition", np.int64, (MAX_SCORINGS, MAX_CONDITIONS)),
    ("points", np.int64, (MAX_SCORINGS, MAX_CONDITIONS)),
]


@lru_cache(maxsize=32)
def game_dtype(units_per_side: int, objectives: int) -> np.dtype[Any]:
    """Return the record type of a Game.

    Capacities: ``units_per_side`` (at most 64) and ``objectives`` (at most 64).
    """
    units = 2 * units_per_side
    fields = [
        *_GAME_FIELDS,
        ("control", np.int8, objectives),
        *_unit_fields(units),
        *_activation_fields(units_per_side),
    ]
    return np.dtype((np.record, fields))  # packed: numpy leaves padding undefined when it copies a row


_GAME_FIELDS: list[Any] = [
    # randomness
    ("seed", np.uint64),
    ("dice_rolled", np.uint64),
    ("recorded", np.int8, MAX_RECORDED_DICE),  # faces of a replay
    ("recorded_purpose", np.int8, MAX_RECORDED_DICE),
    ("recorded_count", np.int8),
    ("recorded_used", np.int8),
    ("recording", np.int8),  # 1: dice come from the recorded faces only
    ("dice_refused", np.int8),  # purpose of the first die that was not in the recording, else 0
    # progress of the game
    ("steps", np.int32),  # actions applied so far
    ("turn", np.int16),
    ("side", np.int8),  # whose turn it is
    ("phase", np.int8),
    ("fight_stage", np.int8),
    ("alternation", np.int8),
    ("over", np.int8),
    ("winner", np.int8),  # 1 or 2; 0 undecided or draw
    ("win_method", np.int8),
    ("victory_points", np.int32, 2),
    ("intent_stage", np.int8),  # INTENT_SETTLED.., of the open activation
    ("intent", np.int8, 2),  # by side: the last intent, or NOBODY
    ("intent_detail", np.int8, 2),  # by side: objective or roster slot, or NOBODY
    # events of the last step
    ("event_count", np.int16),
    ("events_lost", np.int16),
    ("events", np.int16, (MAX_EVENTS, EVENT_FIELDS)),
    ("summary", np.int64, SUMMARY_FIELDS),  # SUMMARY_..., for fast access
]


def _unit_fields(units: int) -> list[Any]:
    """Units, marks and pools."""
    return [
        # units
        ("hit_points", np.int16, units),
        ("hexes", np.int16, units),  # dead units keep their last hex
        ("alive", np.uint64, 2),
        ("selected_weapon", np.int8, units),  # ranged slot, or -1; remains after an activation
        ("combi_blocked", np.uint8, units),  # ranged slots blocked by the last combi profile
        # marks, cleared at every command phase
        ("moved", np.uint64, 2),
        ("fled", np.uint64, 2),
        ("shot", np.uint64, 2),
        ("advanced", np.uint64, 2),
        ("charged", np.uint64, 2),
        ("fought", np.uint64, 2),
        # activation pools
        ("pool", np.uint64, 2),  # by side: units that may still be activated in this phase
        ("chargers", np.uint64),  # fight phase: these go first
        ("may_advance", np.uint64),
    ]


def _activation_fields(units_per_side: int) -> list[Any]:
    """The open activation."""
    return [
        # the open activation
        ("active", np.int16),  # unit, or NOBODY
        ("targets", np.int16, units_per_side),  # enemy units in slot order
        ("target_count", np.int16),
        ("target", np.int16),  # being attacked, or NOBODY
        ("started", np.int8),  # 1 after the first shot or advance of a shooting activation
        ("weapon_chosen", np.int8),  # 1 after the first shot or attack has chosen its weapon
        ("has_attacked", np.int8),
        ("attacks_left", np.int16),
        ("fired", np.uint8),  # ranged slots used up
        ("pistol_lock", np.int8),
        ("hazards", np.uint8),  # slots of used weapons with a hazard roll at the end of the activation
    ]


def new_games(count: int, units_per_side: int, objectives: int) -> Games:
    """Return an array of ``count`` empty games, shape ``(count,)``; ``engine.reset`` starts each of
    them.
    """
    return np.zeros(count, dtype=game_dtype(units_per_side, objectives))
