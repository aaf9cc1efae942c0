"""Writes the macro blocks of the observation: the vector of the meta-controller document, for many games at once.

The order of the numbers is that of ``fields.py``. Units stand in the order of their ids as text, the living
ones only, so that a row is no fixed unit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...compiler.decorators import compiled, entry_point
from ...rules.bits import NOTHING, has
from ...rules.board import Board, objectives_at
from ...rules.hexes import column_of, distance, hex_at, row_of
from ...rules.objectives import control_sums, living_value
from ...rules.state import FIGHT, MOVE, Game, Games, Rows, World, Worlds
from ...rules.turn import acting_side, eligible
from ...rules.units import hex_of, is_alive, side_of, slot_of
from ..encode import Vector
from .profile_kernel import (
    MELEE_TARGET,
    NO_TARGET,
    PROFILE,
    RANGED_TARGET,
    RATIO,
    STATUS_FIELDS,
    TARGET_KINDS,
    WeaponTables,
    write_profile_of,
)
from .unit_status import write_status

GLOBALS, UNIT, OBJECTIVE = 10, 12, 3
"""Length of a row of each block; a test compares them with the layout."""

PROFILE_FEATURES = 7  # two one-hots and the ratio
FEATURES = 8  # and value_norm


@entry_point(what="the macro block of observations", seconds=10)
def write_macro_rows(
    worlds: Worlds,
    board: Board,
    games: Games,
    rows: Rows,
    features: NDArray[np.float32],
    weapon_tables: WeaponTables,
    flags: NDArray[np.int64],
    centres: NDArray[np.float32],
    start: int,
    observations: NDArray[np.float32],
) -> None:
    """Write the macro blocks of some rows, from index ``start`` of each observation on.

    ``features`` (units, FEATURES) holds what each unit's profile is, unless ``weapon_tables`` (units,) are given: then
    profiles are worked out from the state of each game. ``centres`` (objectives, 2) holds their places.
    """
    world = worlds[0]
    marked = objective_hexes(world, board)
    units = start + GLOBALS
    objectives = units + 2 * int(world.units_per_side) * UNIT
    statuses = np.zeros((2 * int(world.units_per_side), STATUS_FIELDS), dtype=np.int64)
    for row in rows:
        game, out = games[row], observations[row]
        strengths = control_sums(world, board, game)
        _write_globals(world, game, strengths, out[start:units])
        out[units : units + int(world.roster_size) * UNIT] = 0
        if len(weapon_tables) > 0:
            write_status(worlds, board, games, row, statuses)
        place = units
        for index in range(world.roster_size):
            unit = int(world.id_order[index])
            if not is_alive(world, game, unit):
                continue
            line = out[place : place + UNIT]
            line[:PROFILE_FEATURES] = features[unit, :PROFILE_FEATURES]
            if len(weapon_tables) > 0:
                _write_profile(weapon_tables, unit, statuses, flags, line)
            _write_place(world, game, unit, features[unit, PROFILE_FEATURES], marked, line[PROFILE_FEATURES:])
            place += UNIT
        for objective in range(world.objective_count):
            line = out[objectives + objective * OBJECTIVE : objectives + (objective + 1) * OBJECTIVE]
            line[0] = centres[objective, 0]
            line[1] = centres[objective, 1]
            line[2] = lead(strengths, objective, int(game.side))


@compiled
def _write_globals(world: World, game: Game, strengths: NDArray[np.int64], out: Vector) -> None:
    out[:] = 0
    out[0] = game.turn / world.max_turns
    if MOVE <= game.phase <= FIGHT:
        out[1 + game.phase - MOVE] = 1.0
    out[5 + game.side] = 1.0
    for objective in range(world.objective_count):
        out[7] += 1.0 if lead(strengths, objective, 0) > 0 else 0.0
        out[8] += 1.0 if lead(strengths, objective, 1) > 0 else 0.0
    out[9] = living_value(world, game, 0) - living_value(world, game, 1)


@compiled
def lead(strengths: NDArray[np.int64], objective: int, side: int) -> float:
    """1 where a side has more objective control on an objective now, -1 where the other has, 0 for equal sums."""
    margin = strengths[objective, side] - strengths[objective, 1 - side]
    return 1.0 if margin > 0 else -1.0 if margin < 0 else 0.0


@compiled
def _write_profile(
    weapon_tables: WeaponTables, unit: int, statuses: NDArray[np.int64], flags: NDArray[np.int64], line: Vector
) -> None:
    """The profile of a moment: two one-hots and the ratio."""
    numbers = np.zeros(PROFILE, dtype=np.float64)
    write_profile_of(weapon_tables[unit], statuses[unit], flags, numbers)
    line[:PROFILE_FEATURES] = 0
    if numbers[RANGED_TARGET] != NO_TARGET:
        line[int(numbers[RANGED_TARGET])] = 1.0
    if numbers[MELEE_TARGET] != NO_TARGET:
        line[TARGET_KINDS + int(numbers[MELEE_TARGET])] = 1.0
    line[PROFILE_FEATURES - 1] = numbers[RATIO]


@compiled
def _write_place(
    world: World, game: Game, unit: int, value_norm: float, marked: NDArray[np.int64], line: Vector
) -> None:
    """Hit points, value, place, distance to the nearest objective."""
    here = hex_of(game, unit)
    line[0] = game.hit_points[unit] / world.hit_points[unit]
    line[1] = value_norm
    line[2] = column_of(here) / (world.cols - 1)
    line[3] = row_of(here) / (world.rows - 1)
    line[4] = nearest(marked, here) / world.max_range


@compiled
def objective_hexes(world: World, board: Board) -> NDArray[np.int64]:
    """All hexes of all objectives."""
    found = np.empty(int(world.cols) * int(world.rows), dtype=np.int64)
    count = 0
    for column in range(world.cols):
        for row in range(world.rows):
            if objectives_at(board, hex_at(column, row)) != NOTHING:
                found[count] = hex_at(column, row)
                count += 1
    return found[:count]


@compiled
def nearest(hexes: NDArray[np.int64], here: int) -> int:
    """Steps to the nearest of some hexes, at least one."""
    least = distance(here, hexes[0])
    for hex_id in hexes:
        least = min(least, distance(here, hex_id))
    return least


@compiled
def in_pool(world: World, game: Game, unit: int) -> bool:
    """Whether the rules would let the unit act now, or its activation is open; nobody when the game is over."""
    side = side_of(world, unit)
    return not game.over and side == acting_side(game) and has(eligible(game), slot_of(world, unit))


@entry_point(what="macro observations", seconds=10)
def distances_and_strengths(
    worlds: Worlds,
    board: Board,
    games: Games,
    row: int,
    units: NDArray[np.int64],
    strengths: NDArray[np.int64],
) -> None:
    """What the dictionary says of a game: for living units (units, 2) the distance to the nearest objective, then 1 if
    eligible; for objectives (n, 2) the objective control of both sides.
    """
    world, game = worlds[0], games[row]
    marked = objective_hexes(world, board)
    strengths[:] = control_sums(world, board, game)
    for index in range(world.roster_size):
        unit = int(world.id_order[index])
        if is_alive(world, game, unit):
            units[unit, 0] = nearest(marked, hex_of(game, unit))
            units[unit, 1] = 1 if in_pool(world, game, unit) else 0
