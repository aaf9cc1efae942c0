"""Writes an observation and a mask into given arrays: everything that ``layout.py`` names, in that order."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..rules.actions import TARGET_SLOTS, write_mask
from ..rules.bits import NOTHING, has
from ..rules.board import Board, HexSet, objectives_at
from ..rules.combat import expected_attacks, expected_hit_damage, kill_score
from ..rules.compiled import compiled, entry_point
from ..rules.hexes import distance
from ..rules.objectives import control_sums, controlled, living_value
from ..rules.reach import holds, threat_zone
from ..rules.state import (
    ALTERNATING_ACTIVE,
    ALTERNATING_OTHER,
    CHARGERS,
    CLEANUP_ACTIVE,
    CLEANUP_OTHER,
    FIGHT,
    MELEE,
    MOVE,
    NOBODY,
    RANGED,
    SHOOT,
    Game,
    Games,
    World,
    Worlds,
)
from ..rules.turn import acting_side, eligible
from ..rules.units import hex_of, side_of, slot_of

Vector: TypeAlias = NDArray[np.float32]

_GLOBALS, _ACTIVE, _TARGET, _OBJECTIVE, _UNIT = 18, 5, 7, 4, 26


@entry_point
def write_view(
    worlds: Worlds,
    board: Board,
    games: Games,
    row: int,
    side: int,
    observation: Vector,
    mask: NDArray[np.int8],
) -> None:
    """Write what a side sees, shape ``(layout.observation_size,)``, and its mask, ``(layout.action_count,)``.

    The mask is all 0 for the side that is not to act, and after the end.
    """
    world, game = worlds[0], games[row]
    encode(world, board, game, side, observation)
    if side == acting_side(game):
        write_mask(world, game, mask)
    else:
        mask[:] = 0


@compiled
def encode(world: World, board: Board, game: Game, side: int, out: Vector) -> None:
    """Write the observation of a side."""
    out[:] = 0
    _write_globals(world, game, side, out)
    start = _GLOBALS
    if game.active != NOBODY:
        _write_active(world, game, int(game.active), out[start : start + _ACTIVE])
        _write_targets(world, board, game, out[start + _ACTIVE :])
    start += _ACTIVE + TARGET_SLOTS * _TARGET
    _write_objectives(world, board, game, side, out[start:])
    start += len(game.control) * _OBJECTIVE
    units = int(world.units_per_side)
    _write_units(world, board, game, side, 1.0, out[start : start + units * _UNIT])
    _write_units(world, board, game, 1 - side, -1.0, out[start + units * _UNIT :])


@compiled
def _share(value: float, of: float) -> float:
    """``value / of``, at most 1."""
    return min(1.0, value / of)


@compiled
def _write_globals(world: World, game: Game, side: int, out: Vector) -> None:
    acting = acting_side(game) == side and not game.over
    out[0] = game.turn / world.max_turns
    out[1] = 1.0 if game.side == side else 0.0
    if MOVE <= game.phase <= FIGHT:
        out[2 + game.phase - MOVE] = 1.0
    stage = game.fight_stage
    out[6] = 1.0 if stage == CHARGERS else 0.0
    out[7] = 1.0 if stage == ALTERNATING_OTHER or stage == ALTERNATING_ACTIVE else 0.0
    out[8] = 1.0 if stage == CLEANUP_OTHER or stage == CLEANUP_ACTIVE else 0.0
    out[9] = 1.0 if acting else 0.0
    out[10] = 1.0 if game.active != NOBODY else 0.0
    out[11] = _share(game.victory_points[side], 100.0)
    out[12] = _share(game.victory_points[1 - side], 100.0)
    objectives = max(1, world.objective_count)
    out[13] = controlled(world, game, side + 1) / objectives
    out[14] = controlled(world, game, 2 - side) / objectives
    out[15] = living_value(world, game, side) / max(1, world.full_value[side])
    out[16] = living_value(world, game, 1 - side) / max(1, world.full_value[1 - side])
    out[17] = _share(game.attacks_left, 12.0)


@compiled
def _write_active(world: World, game: Game, unit: int, out: Vector) -> None:
    enemies = 1 - side_of(world, unit)
    nearest = 40
    for slot in range(world.unit_count[enemies]):
        if has(game.alive[enemies], slot):
            enemy = enemies * world.units_per_side + slot
            nearest = min(nearest, distance(hex_of(game, unit), hex_of(game, enemy)))
    out[0] = 1.0
    out[1] = slot_of(world, unit) / world.units_per_side
    out[2] = nearest / 40.0
    out[3] = 1.0 if game.has_attacked else 0.0
    out[4] = 1.0 if game.phase == SHOOT and has(game.may_advance, slot_of(world, unit)) else 0.0


@compiled
def _write_targets(world: World, board: Board, game: Game, out: Vector) -> None:
    """The first five of the active unit's list: row i is action ``4 + i``."""
    unit = int(game.active)
    kind = RANGED if game.phase == SHOOT else MELEE
    for index in range(min(TARGET_SLOTS, int(game.target_count))):
        target = int(game.targets[index])
        line = out[index * _TARGET : (index + 1) * _TARGET]
        line[0] = 1.0
        line[1] = slot_of(world, target) / world.units_per_side
        line[2] = _share(distance(hex_of(game, unit), hex_of(game, target)), 40.0)
        line[3] = game.hit_points[target] / world.hit_points[target]
        line[4] = _share(world.value[target], 200.0)
        best = 0.0
        for slot in range(world.weapon_count[unit, kind]):
            best = max(best, kill_score(world, game, unit, kind, slot, target))
        line[5] = best
        line[6] = 1.0 if objectives_at(board, hex_of(game, target)) != NOTHING else 0.0


@compiled
def _write_objectives(world: World, board: Board, game: Game, side: int, out: Vector) -> None:
    sums = control_sums(world, board, game)
    for objective in range(world.objective_count):
        line = out[objective * _OBJECTIVE : (objective + 1) * _OBJECTIVE]
        holder = game.control[objective]
        line[0] = 1.0
        line[1] = 0.0 if holder == 0 else 1.0 if holder == side + 1 else -1.0
        line[2] = _share(sums[objective, side], 10.0)
        line[3] = _share(sums[objective, 1 - side], 10.0)


@compiled
def _write_units(world: World, board: Board, game: Game, side: int, sign: float, out: Vector) -> None:
    """A row for each unit of a side, by roster slot; slots without a living unit stay 0."""
    acting = acting_side(game) == side and not game.over
    may_act = eligible(game) if acting else NOTHING
    attacked = game.shot[side] | game.fought[side]
    contact = threat_zone(world, board, game, side)
    base = side * int(world.units_per_side)
    for slot in range(world.unit_count[side]):
        if not has(game.alive[side], slot):
            continue
        unit = base + slot
        line = out[slot * _UNIT : (slot + 1) * _UNIT]
        line[0] = 1.0
        line[1] = sign
        _write_body(world, board, game, unit, contact, line)
        line[19] = 1.0 if has(may_act, slot) else 0.0
        line[20] = 1.0 if game.active == unit else 0.0
        line[21] = 1.0 if has(game.moved[side], slot) else 0.0
        line[22] = 1.0 if has(game.fled[side], slot) else 0.0
        line[23] = 1.0 if has(game.advanced[side], slot) else 0.0
        line[24] = 1.0 if has(game.charged[side], slot) else 0.0
        line[25] = 1.0 if has(attacked, slot) else 0.0


@compiled
def _write_body(world: World, board: Board, game: Game, unit: int, contact: HexSet, line: Vector) -> None:
    """Place, characteristics and weapons of one unit."""
    here = hex_of(game, unit)
    invulnerable = world.invulnerable_save[unit]
    line[2] = (here >> 6) / max(1, world.cols - 1)
    line[3] = (here & 63) / max(1, world.rows - 1)
    line[4] = game.hit_points[unit] / world.hit_points[unit]
    line[5] = _share(world.hit_points[unit], 10.0)
    line[6] = _share(world.move[unit], 12.0)
    line[7] = _share(world.toughness[unit], 12.0)
    line[8] = _share(world.armor_save[unit], 7.0)
    line[9] = _share(invulnerable, 7.0) if invulnerable > 0 else 1.0
    line[10] = _share(world.objective_control[unit], 5.0)
    line[11] = _share(world.value[unit], 200.0)
    line[12] = _share(world.longest_range[unit], 36.0)
    selected = int(game.selected_weapon[unit])
    if selected >= 0:
        line[13] = _share(_mean_damage(world, unit, RANGED, selected), 12.0)
        line[14] = _share(world.strength[unit, RANGED, selected], 12.0)
    if world.weapon_count[unit, MELEE] > 0:
        line[15] = _share(_mean_damage(world, unit, MELEE, 0), 12.0)
        line[16] = _share(world.strength[unit, MELEE, 0], 12.0)
    line[17] = 1.0 if holds(contact, here) else 0.0
    line[18] = 1.0 if objectives_at(board, here) != NOTHING else 0.0


@compiled
def _mean_damage(world: World, unit: int, kind: int, slot: int) -> float:
    return expected_attacks(world, unit, kind, slot) * expected_hit_damage(world, unit, kind, slot)
