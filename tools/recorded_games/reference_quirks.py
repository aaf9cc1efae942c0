"""Accidents of the reference as changed copies of our game, in which our rules make its choice.

Each function is one row of the table "not kept" in ``docs/parity.md``. In a copy of the game or of
the board, it changes only what the accident changes.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from w40k_marl.rules.board import Board
from w40k_marl.rules.hexes import NEIGHBOUR_COLUMN, NEIGHBOUR_ROW
from w40k_marl.rules.state import NOBODY, RANGED
from w40k_marl.testing import forcing

from .game import ReplayedGame
from .reference_state import Memory, StateRow, selected_slots


def selected_as_recorded(
    game: ReplayedGame, memory: Memory, index: int, rows: tuple[str, ...] = ("D1", "D3", "D5")
) -> ReplayedGame:
    """Set the recorded selected weapons of units whose activation one of these rows began or split."""
    twin = game.copy()
    twin.game.active = NOBODY
    slots = selected_slots(memory.before(index))
    for unit, row in memory.misselected.items():
        if row in rows:
            twin.game.selected_weapon[game.number(unit)] = slots[unit]
    return twin


def fired_by_others(game: ReplayedGame, memory: Memory, index: int, unit: str) -> ReplayedGame:
    """D1: a weapon code used up by other units counts as fired, until a carrier begins to act."""
    twin = selected_as_recorded(game, memory, index)
    if unit not in memory.begun:
        for slot, weapon in enumerate(game.weapons(unit, RANGED)):
            if weapon.code in memory.emptied:
                twin.game.fired |= 1 << slot
    return twin


def seen_before_the_move(game: ReplayedGame, memory: Memory, index: int, side: int) -> ReplayedGame:
    """D3: begin the phase with the line of sight of the side's last look, and select weapons
    accordingly.
    """
    places = memory.places_last_seen(index)
    twin = selected_as_recorded(game, memory, index)
    if places is not None:
        hexes = {game.number(unit): col * 64 + row for unit, (col, row) in places.items()}
        twin.board = _with_sight_from(twin, hexes, side)
    selected = memory.selected_before_opening(index)
    for unit in game.living(side):
        twin.game.selected_weapon[unit] = selected[str(game.id_of(unit))]
    forcing.begin_shooting_phase(*twin.arguments)
    return twin


def _with_sight_from(game: ReplayedGame, places: dict[int, int], side: int) -> Board:
    """Return the board on which a side's units see each enemy as from the positions ``places``."""
    board, hexes = game.board.copy(), game.game.hexes
    for unit in game.living(side):
        for enemy in game.living(1 - side):
            seen = int(game.board[places[unit], places[enemy] >> 6]) >> (places[enemy] & 63) & 1
            there = int(hexes[enemy])
            member = np.uint64(1 << (there & 63))
            board[int(hexes[unit]), there >> 6] &= ~member
            if seen:
                board[int(hexes[unit]), there >> 6] |= member
    board.setflags(write=False)
    return board


def threatened_by_the_dead(game: ReplayedGame, memory: Memory) -> ReplayedGame:
    """D7: hexes next to enemies that died in this phase stay closed."""
    twin = game.copy()
    twin.board = _closed_around(game.board, memory.died)
    return twin


def _closed_around(board: Board, rows: Iterable[StateRow]) -> Board:
    closed = board.copy()
    for _, col, row, *_ in rows:
        for direction in range(6):
            column = col + int(NEIGHBOUR_COLUMN[direction])
            level = row + int(NEIGHBOUR_ROW[col & 1, direction])
            if 0 <= column < closed.shape[1] - 1 and 0 <= level < 64:
                closed[-2, column] &= ~np.uint64(1 << level)
    closed.setflags(write=False)
    return closed
