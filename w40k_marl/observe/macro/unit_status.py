"""The current state of units that options of the offensive profile
use: reach, sight, marks, usable weapons.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...compiler.decorators import compiled, entry_point
from ...rules.bits import NOTHING, bit, has
from ...rules.board import Board, HexSet, columns, sees
from ...rules.charge import SEARCH_RANGE
from ...rules.hexes import column_of, distance, hex_at, row_of
from ...rules.pathfinding import any_in_both, reachable, threat_zone, unoccupied, unthreatened
from ...rules.shooting import engaged_enemies, usable_now
from ...rules.state import MOVE, NO_LOCK, Game, Games, World, Worlds
from ...rules.units import engaged, hex_of, is_alive, is_marked, side_of, slot_of
from .profile_kernel import (
    CAN_CHARGE,
    CAN_STRIKE,
    HAS_ADVANCED,
    IN_CONTACT,
    NO_SHOT,
    SELECTABLE_RANGED,
    SHOT_DISTANCE,
    SHOT_DISTANCE_AFTER_MOVE,
)


@compiled
def write_status(worlds: Worlds, board: Board, games: Games, row: int, statuses: NDArray[np.int64]) -> None:
    """Write the status of each living unit of a game, shape
    ``(2 * units_per_side, STATUS_FIELDS)``.
    """
    world, game = worlds[0], games[row]
    resting = games[row : row + 1].copy()  # fired and pistol_lock apply only to the open activation
    resting[0].fired, resting[0].pistol_lock = 0, NO_LOCK
    free = unoccupied(world, board, game)
    for side in range(2):
        open_to_moves = unthreatened(world, board, game, side)
        contact = threat_zone(world, board, game, side)
        locked = engaged_enemies(world, board, game, side)
        for slot in range(world.unit_count[side]):
            unit = side * int(world.units_per_side) + slot
            if not is_alive(world, game, unit):
                continue
            line = statuses[unit]
            here = hex_of(game, unit)
            places = _places(board, here, 0, open_to_moves)
            line[SHOT_DISTANCE] = _nearest_shot(world, board, game, unit, places)
            line[SHOT_DISTANCE_AFTER_MOVE] = line[SHOT_DISTANCE]
            if _may_still_move(world, game, unit):
                places = _places(board, here, int(world.move[unit]), open_to_moves)
                line[SHOT_DISTANCE_AFTER_MOVE] = _nearest_shot(world, board, game, unit, places)
            touched = engaged(world, game, unit)
            near = any_in_both(reachable(here, SEARCH_RANGE, free), contact)
            line[CAN_CHARGE] = 1 if touched or near else 0
            line[HAS_ADVANCED] = 1 if is_marked(world, game.advanced, unit) else 0
            line[IN_CONTACT] = 1 if touched else 0
            line[CAN_STRIKE] = 1 if touched and not is_marked(world, game.fought, unit) else 0
            shut = is_marked(world, game.fled, unit) or is_marked(world, game.shot, unit)
            # index the copy here: a record alone does not keep the memory of its array alive
            state = games[row] if game.active == unit else resting[0]
            line[SELECTABLE_RANGED] = 0 if shut else usable_now(world, board, state, unit, locked)


@entry_point
def write_statuses(worlds: Worlds, board: Board, games: Games, row: int, status: NDArray[np.int64]) -> None:
    """Call ``write_status`` from Python."""
    write_status(worlds, board, games, row, status)


@compiled
def _may_still_move(world: World, game: Game, unit: int) -> bool:
    """Return True if the unit has a movement phase before it shoots: in the other side's turn, or
    while it waits to move.
    """
    side = side_of(world, unit)
    if game.side != side:
        return True
    return bool(game.phase < MOVE) or (bool(game.phase == MOVE) and has(game.pool[side], slot_of(world, unit)))


@compiled
def _places(board: Board, here: int, reach: int, free: HexSet) -> HexSet:
    """Return the hexes where a unit may stand when it shoots: its
    own, and those that it can move to.
    """
    places = reachable(here, reach, free) if reach > 0 else np.zeros(columns(board), dtype=np.uint64)
    places[column_of(here)] |= bit(row_of(here))
    return places


@compiled
def _nearest_shot(world: World, board: Board, game: Game, unit: int, places: HexSet) -> int:
    """Return the smallest distance from one of these hexes to an
    enemy visible from it, or NO_SHOT.
    """
    nearest = NO_SHOT
    enemies = 1 - side_of(world, unit)
    for slot in range(world.unit_count[enemies]):
        if not has(game.alive[enemies], slot):
            continue
        there = hex_of(game, enemies * int(world.units_per_side) + slot)
        for column in range(len(places)):
            if places[column] == NOTHING:
                continue
            for row in range(world.rows):
                here = hex_at(column, row)
                if has(places[column], row) and distance(here, there) < nearest and sees(board, here, there):
                    nearest = distance(here, there)
    return nearest
