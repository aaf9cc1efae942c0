"""The optional macro blocks: the threats to each unit, and the priority of each objective."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...compiler.decorators import compiled, entry_point
from ...rules.bits import has
from ...rules.board import Board, objectives_at, sees
from ...rules.charge import SEARCH_RANGE
from ...rules.combat import expected_damage
from ...rules.hexes import distance, hex_at
from ...rules.objectives import control_sums
from ...rules.state import RANGED, Game, Games, Rows, World, Worlds
from ...rules.units import hex_of, is_alive, side_of
from ..encode import Vector
from .encode import in_pool, lead
from .fields import MACRO_PRIORITY_FIELDS, MACRO_THREAT_FIELDS, indices

# the index of each field in a row of its block
THREAT, PRIORITY = indices(MACRO_THREAT_FIELDS), indices(MACRO_PRIORITY_FIELDS)

_FULL_STRENGTH = 10.0  # objective control that counts as 1


@entry_point
def write_extra_rows(
    worlds: Worlds, board: Board, games: Games, rows: Rows, start: int, observations: NDArray[np.float32]
) -> None:
    """Write the threats and priorities of some rows, from index ``start`` of each observation on.

    Threats have a row for each living unit in the order of the macro
    units, priorities one for each objective.
    """
    world = worlds[0]
    priorities = start + 2 * int(world.units_per_side) * len(THREAT)
    for row in rows:
        game, out = games[row], observations[row]
        out[start : start + int(world.roster_size) * len(THREAT)] = 0
        place = start
        for index in range(world.roster_size):
            unit = int(world.id_order[index])
            if is_alive(world, game, unit):
                _write_threat(world, board, game, unit, out[place : place + len(THREAT)])
                place += len(THREAT)
        strengths = control_sums(world, board, game)
        for objective in range(world.objective_count):
            line = out[priorities + objective * len(PRIORITY) : priorities + (objective + 1) * len(PRIORITY)]
            _write_priority(world, board, game, objective, strengths, line)


@compiled
def _write_threat(world: World, board: Board, game: Game, unit: int, line: Vector) -> None:
    """Write side, eligibility, distance of the nearest enemy and
    expected damage from enemies of a unit, as a share of its hit points.
    """
    side = side_of(world, unit)
    here = hex_of(game, unit)
    near, damage = int(world.max_range), 0.0
    for slot in range(world.unit_count[1 - side]):
        enemy = (1 - side) * int(world.units_per_side) + slot
        if is_alive(world, game, enemy):
            near = min(near, distance(here, hex_of(game, enemy)))
            damage += _best_damage(world, board, game, enemy, unit)
    line[THREAT.ally] = 1.0 if side == game.side else -1.0
    line[THREAT.eligible] = 1.0 if in_pool(world, game, unit) else 0.0
    line[THREAT.enemy_distance] = near / world.max_range
    line[THREAT.threat] = min(1.0, damage / game.hit_points[unit])


@compiled
def _best_damage(world: World, board: Board, game: Game, attacker: int, target: int) -> float:
    """Return the expected damage of the attacker's best weapon from its hex.

    Ranged weapons need sight and range, melee weapons an enemy within reach of a charge.
    """
    here, there = hex_of(game, attacker), hex_of(game, target)
    away, in_sight = distance(here, there), sees(board, here, there)
    best = 0.0
    for kind in range(2):
        for slot in range(world.weapon_count[attacker, kind]):
            if kind == RANGED:
                reaches = in_sight and away <= world.range[attacker, kind, slot]
            else:
                reaches = away <= SEARCH_RANGE + 1
            if reaches:
                best = max(best, _damage(world, attacker, kind, slot, target))
    return best


@compiled
def _damage(world: World, attacker: int, kind: int, slot: int, target: int) -> float:
    return expected_damage(
        int(world.attacks[attacker, kind, slot]),
        int(world.attacks_dice[attacker, kind, slot]),
        int(world.hit[attacker, kind, slot]),
        int(world.strength[attacker, kind, slot]),
        int(world.armor_penetration[attacker, kind, slot]),
        int(world.damage[attacker, kind, slot]),
        int(world.damage_dice[attacker, kind, slot]),
        int(world.toughness[target]),
        int(world.armor_save[target]),
        int(world.invulnerable_save[target]),
    )


@compiled
def _write_priority(
    world: World, board: Board, game: Game, objective: int, strengths: NDArray[np.int64], line: Vector
) -> None:
    """Write strengths and distances of both sides, and the priority that follows from them."""
    own = int(game.side)
    mine = _nearest_unit(world, board, game, objective, own) / world.max_range
    theirs = _nearest_unit(world, board, game, objective, 1 - own) / world.max_range
    line[PRIORITY.ally_strength] = min(1.0, strengths[objective, own] / _FULL_STRENGTH)
    line[PRIORITY.enemy_strength] = min(1.0, strengths[objective, 1 - own] / _FULL_STRENGTH)
    line[PRIORITY.ally_distance] = mine
    line[PRIORITY.enemy_distance] = theirs
    line[PRIORITY.priority] = (1.0 - mine) * (1.0 - theirs) if lead(strengths, objective, own) > 0 else 1.0 - mine


@compiled
def _nearest_unit(world: World, board: Board, game: Game, objective: int, side: int) -> int:
    """Return the steps from a side's nearest living unit to an objective, at most the board's
    largest distance.
    """
    least = int(world.max_range)
    for column in range(world.cols):
        for row in range(world.rows):
            here = hex_at(column, row)
            if not has(objectives_at(board, here), objective):
                continue
            for slot in range(world.unit_count[side]):
                unit = side * int(world.units_per_side) + slot
                if is_alive(world, game, unit):
                    least = min(least, distance(here, hex_of(game, unit)))
    return least
