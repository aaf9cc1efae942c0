"""Writes the macro blocks of observations, for many games at once: the vector of the
meta-controller document.

Units are the living ones, ordered by their ids as text, so that
a row does not belong to a fixed unit.
"""

from __future__ import annotations

from typing import NamedTuple

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
from .fields import MACRO_GLOBAL_FIELDS, MACRO_OBJECTIVE_FIELDS, MACRO_UNIT_FIELDS, indices
from .profile_kernel import (
    MELEE_TARGET,
    NO_TARGET,
    PROFILE,
    RANGED_TARGET,
    RATIO,
    STATUS_FIELDS,
    WeaponTables,
    write_profile_of,
)
from .unit_status import write_status

# the index of each field in a row of its block
GLOBAL, UNIT = indices(MACRO_GLOBAL_FIELDS), indices(MACRO_UNIT_FIELDS)
OBJECTIVE = indices(MACRO_OBJECTIVE_FIELDS)

PROFILE_FEATURES = UNIT.hp_ratio  # the first fields of a unit: two one-hots and the ratio


class MacroTables(NamedTuple):
    """The constant data of the macro blocks of one scenario."""

    profiles: NDArray[np.float32]  # (units, PROFILE_FEATURES), unless there are weapon tables
    weapons: WeaponTables  # (units,), from which profiles are worked out by the state of each game, or (0,)
    flags: NDArray[np.int64]  # options of the profile
    values: NDArray[np.float32]  # (units,) value_norm
    centres: NDArray[np.float32]  # (objectives, 2) their places
    start: int  # index of the first macro block in an observation


@entry_point(what="the macro block of observations", seconds=10)
def write_macro_rows(
    worlds: Worlds,
    board: Board,
    games: Games,
    rows: Rows,
    tables: MacroTables,
    observations: NDArray[np.float32],
) -> None:
    """Write the macro blocks of some rows of ``observations``
    (n, observation_size) from their games (n,).
    """
    world = worlds[0]
    marked = objective_hexes(world, board)
    profiles, weapons, flags, values = tables.profiles, tables.weapons, tables.flags, tables.values
    units = tables.start + len(GLOBAL)
    objectives = units + 2 * int(world.units_per_side) * len(UNIT)
    statuses = np.zeros((2 * int(world.units_per_side), STATUS_FIELDS), dtype=np.int64)
    for row in rows:
        game, out = games[row], observations[row]
        strengths = control_sums(world, board, game)
        _write_globals(world, game, strengths, out[tables.start : units])
        out[units : units + int(world.roster_size) * len(UNIT)] = 0
        if len(weapons) > 0:
            write_status(worlds, board, games, row, statuses)
        place = units
        for index in range(world.roster_size):
            unit = int(world.id_order[index])
            if not is_alive(world, game, unit):
                continue
            line = out[place : place + len(UNIT)]
            if len(weapons) > 0:
                _write_profile(weapons, unit, statuses, flags, line)
            else:
                line[:PROFILE_FEATURES] = profiles[unit]
            line[UNIT.value_norm] = values[unit]
            _write_place(world, game, unit, marked, line)
            place += len(UNIT)
        for objective in range(world.objective_count):
            line = out[objectives + objective * len(OBJECTIVE) : objectives + (objective + 1) * len(OBJECTIVE)]
            line[OBJECTIVE.col_norm] = tables.centres[objective, 0]
            line[OBJECTIVE.row_norm] = tables.centres[objective, 1]
            line[OBJECTIVE.control_state] = lead(strengths, objective, int(game.side))


@compiled
def _write_globals(world: World, game: Game, strengths: NDArray[np.int64], out: Vector) -> None:
    out[:] = 0
    out[GLOBAL.turn] = game.turn / world.max_turns
    if MOVE <= game.phase <= FIGHT:
        out[GLOBAL.phase_move + game.phase - MOVE] = 1.0
    out[GLOBAL.current_player_1 + game.side] = 1.0
    for objective in range(world.objective_count):
        out[GLOBAL.objectives_player_1] += 1.0 if lead(strengths, objective, 0) > 0 else 0.0
        out[GLOBAL.objectives_player_2] += 1.0 if lead(strengths, objective, 1) > 0 else 0.0
    out[GLOBAL.army_value_diff] = living_value(world, game, 0) - living_value(world, game, 1)


@compiled
def lead(strengths: NDArray[np.int64], objective: int, side: int) -> float:
    """Return 1 if a side has more objective control on an objective
    now, -1 if the other has, 0 for equal sums.
    """
    margin = strengths[objective, side] - strengths[objective, 1 - side]
    return 1.0 if margin > 0 else -1.0 if margin < 0 else 0.0


@compiled
def _write_profile(
    weapons: WeaponTables, unit: int, statuses: NDArray[np.int64], flags: NDArray[np.int64], line: Vector
) -> None:
    """Write the profile of the current state: two one-hots and the ratio."""
    numbers = np.zeros(PROFILE, dtype=np.float64)
    write_profile_of(weapons[unit], statuses[unit], flags, numbers)
    line[:PROFILE_FEATURES] = 0
    if numbers[RANGED_TARGET] != NO_TARGET:
        line[UNIT.ranged_swarm + int(numbers[RANGED_TARGET])] = 1.0
    if numbers[MELEE_TARGET] != NO_TARGET:
        line[UNIT.melee_swarm + int(numbers[MELEE_TARGET])] = 1.0
    line[UNIT.attack_mode_ratio] = numbers[RATIO]


@compiled
def _write_place(world: World, game: Game, unit: int, marked: NDArray[np.int64], line: Vector) -> None:
    """Write hit points, position and distance to the nearest objective."""
    here = hex_of(game, unit)
    line[UNIT.hp_ratio] = game.hit_points[unit] / world.hit_points[unit]
    line[UNIT.pos_col_norm] = column_of(here) / (world.cols - 1)
    line[UNIT.pos_row_norm] = row_of(here) / (world.rows - 1)
    line[UNIT.dist_obj_norm] = nearest(marked, here) / world.max_range


@compiled
def objective_hexes(world: World, board: Board) -> NDArray[np.int64]:
    """Return all hexes of all objectives."""
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
    """Return the steps to the nearest of ``hexes``, of which there is at least one."""
    least = distance(here, hexes[0])
    for hex_id in hexes:
        least = min(least, distance(here, hex_id))
    return least


@compiled
def in_pool(world: World, game: Game, unit: int) -> bool:
    """Return True if the unit may be activated now, or its
    activation is open; False after the end.
    """
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
    """Write the numbers of the dictionary that depend on the board.

    ``units`` (units, 2): for living units the distance to the nearest objective, then 1 if
    eligible. ``strengths`` (n, 2): for objectives the objective control of both sides.
    """
    world, game = worlds[0], games[row]
    marked = objective_hexes(world, board)
    strengths[:] = control_sums(world, board, game)
    for index in range(world.roster_size):
        unit = int(world.id_order[index])
        if is_alive(world, game, unit):
            units[unit, 0] = nearest(marked, hex_of(game, unit))
            units[unit, 1] = 1 if in_pool(world, game, unit) else 0
