"""Writes an observation into a given array: the base blocks and the intent block of ``layout.py``,
in that order.

Numbers that depend on the scenario alone are computed once, by ``write_features``, and then copied.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..compiler.decorators import compiled, entry_point
from ..rules.actions import TARGET_SLOTS
from ..rules.bits import NOTHING, bit, has
from ..rules.board import Board, objectives_at
from ..rules.combat import expected_attacks, expected_hit_damage, kill_score
from ..rules.hexes import column_of, distance, hex_at, row_of
from ..rules.intents import ALLY, detail_kind
from ..rules.intents import OBJECTIVE as OBJECTIVE_DETAIL
from ..rules.objectives import controlled
from ..rules.pathfinding import holds, threat_zone
from ..rules.state import (
    ALTERNATING_ACTIVE,
    ALTERNATING_OTHER,
    CHARGERS,
    CLEANUP_ACTIVE,
    CLEANUP_OTHER,
    DETAIL_DUE,
    FIGHT,
    INTENT_DUE,
    MELEE,
    MOVE,
    NOBODY,
    RANGED,
    SHOOT,
    STATIC_FEATURES,
    WEAPON_FEATURES,
    Game,
    World,
    Worlds,
)
from ..rules.turn import acting_side, eligible
from ..rules.units import hex_of, side_of, slot_of
from .layout import ACTIVE_FIELDS, GLOBAL_FIELDS, INTENT_FIELDS, OBJECTIVE_FIELDS, TARGET_FIELDS, UNIT_FIELDS
from .macro.fields import indices

Vector: TypeAlias = NDArray[np.float32]

# the index of each field in a row of its block
GLOBAL, ACTIVE, TARGET = indices(GLOBAL_FIELDS), indices(ACTIVE_FIELDS), indices(TARGET_FIELDS)
OBJECTIVE, UNIT, INTENT = indices(OBJECTIVE_FIELDS), indices(UNIT_FIELDS), indices(INTENT_FIELDS)

# ``World.features`` holds the fields of a unit that depend on the scenario alone: those of its body, then of its melee
# weapon; ``World.weapon_features`` what a selected ranged weapon adds
_BODY = UNIT.ranged_damage - UNIT.full_hit_points
_STATIC = (*range(UNIT.full_hit_points, UNIT.ranged_damage), UNIT.melee_damage, UNIT.melee_strength)
_VALUE = _STATIC.index(UNIT.value)
_DAMAGE, _STRENGTH = range(WEAPON_FEATURES)

_FARTHEST = 40  # hexes; beyond it distances look the same


@entry_point
def write_features(worlds: Worlds) -> None:
    """Compute, once for a world, the constant numbers of each unit's row."""
    world = worlds[0]
    for unit in range(2 * world.units_per_side):
        line = np.zeros(len(UNIT), dtype=np.float32)
        invulnerable = world.invulnerable_save[unit]
        line[UNIT.full_hit_points] = _share(world.hit_points[unit], 10.0)
        line[UNIT.move] = _share(world.move[unit], 12.0)
        line[UNIT.toughness] = _share(world.toughness[unit], 12.0)
        line[UNIT.armor_save] = _share(world.armor_save[unit], 7.0)
        line[UNIT.invulnerable_save] = _share(invulnerable, 7.0) if invulnerable > 0 else 1.0
        line[UNIT.objective_control] = _share(world.objective_control[unit], 5.0)
        line[UNIT.value] = _share(world.value[unit], 200.0)
        line[UNIT.range] = _share(world.longest_range[unit], 36.0)
        if world.weapon_count[unit, MELEE] > 0:
            line[UNIT.melee_damage] = _mean_damage(world, unit, MELEE, 0)
            line[UNIT.melee_strength] = _share(world.strength[unit, MELEE, 0], 12.0)
        for index in range(STATIC_FEATURES):
            world.features[unit, index] = line[_STATIC[index]]
        for slot in range(world.weapon_count[unit, RANGED]):
            world.weapon_features[unit, slot, _DAMAGE] = _mean_damage(world, unit, RANGED, slot)
            world.weapon_features[unit, slot, _STRENGTH] = _share(world.strength[unit, RANGED, slot], 12.0)


@compiled
def unit_blocks(world: World, game: Game) -> tuple[int, int]:
    """Return the start of the observing side's units, and of
    the other side's, in an observation.
    """
    mine = len(GLOBAL) + len(ACTIVE) + TARGET_SLOTS * len(TARGET) + len(game.control) * len(OBJECTIVE)
    return mine, mine + int(world.units_per_side) * len(UNIT)


@compiled
def encode(world: World, board: Board, game: Game, side: int, out: Vector) -> None:
    """Write the observation of a side into zeros, or over an observation of the same scenario.

    Slots that no unit of the scenario uses are not written, to
    save memory traffic in large batches.
    """
    targets = len(GLOBAL) + len(ACTIVE)
    objectives = targets + TARGET_SLOTS * len(TARGET)
    mine, enemies = unit_blocks(world, game)
    used = max(world.unit_count[0], world.unit_count[1]) * len(UNIT)
    out[: mine + used] = 0
    out[enemies : enemies + used] = 0
    if game.active != NOBODY:
        _write_active(world, game, int(game.active), out[len(GLOBAL) : targets])
        _write_targets(world, board, game, out[targets:objectives])
    _write_control(world, game, side, out[objectives:mine])
    my_strength = out[objectives + OBJECTIVE.my_strength : mine]
    my_value = _write_units(world, board, game, side, 1.0, out[mine:enemies], my_strength)
    enemy_strength = out[objectives + OBJECTIVE.enemy_strength : mine]
    enemy_value = _write_units(world, board, game, 1 - side, -1.0, out[enemies:], enemy_strength)
    if world.intents:
        intent = enemies + int(world.units_per_side) * len(UNIT)
        _write_intent(world, game, side, out[intent : intent + len(INTENT)])
    _write_globals(world, game, side, out[: len(GLOBAL)])
    out[GLOBAL.my_value] = my_value / max(1, world.full_value[side])
    out[GLOBAL.enemy_value] = enemy_value / max(1, world.full_value[1 - side])


@compiled
def _share(value: float, of: float) -> float:
    """Return ``value / of``, at most 1."""
    return min(1.0, value / of)


@compiled
def _flag(condition: bool) -> float:
    return 1.0 if condition else 0.0


@compiled
def _write_globals(world: World, game: Game, side: int, out: Vector) -> None:
    """Write the global block without the values of living units, which ``_write_units`` returns."""
    out[GLOBAL.turn] = game.turn / world.max_turns
    out[GLOBAL.my_turn] = _flag(game.side == side)
    if MOVE <= game.phase <= FIGHT:
        out[GLOBAL.phase_move + game.phase - MOVE] = 1.0
    stage = game.fight_stage
    out[GLOBAL.stage_chargers] = _flag(stage == CHARGERS)
    out[GLOBAL.stage_alternating] = _flag(stage in (ALTERNATING_OTHER, ALTERNATING_ACTIVE))
    out[GLOBAL.stage_cleanup] = _flag(stage in (CLEANUP_OTHER, CLEANUP_ACTIVE))
    out[GLOBAL.acting] = _flag(acting_side(game) == side and not game.over)
    out[GLOBAL.sub_step_micro] = _flag(game.active != NOBODY)
    out[GLOBAL.my_victory_points] = _share(game.victory_points[side], 100.0)
    out[GLOBAL.enemy_victory_points] = _share(game.victory_points[1 - side], 100.0)
    objectives = max(1, world.objective_count)
    out[GLOBAL.my_objectives] = controlled(world, game, side + 1) / objectives
    out[GLOBAL.enemy_objectives] = controlled(world, game, 2 - side) / objectives
    out[GLOBAL.attacks_left] = _share(game.attacks_left, 12.0)


@compiled
def _write_active(world: World, game: Game, unit: int, out: Vector) -> None:
    enemies = 1 - side_of(world, unit)
    nearest = _FARTHEST
    here = hex_of(game, unit)
    for slot in range(world.unit_count[enemies]):
        if has(game.alive[enemies], slot):
            nearest = min(nearest, distance(here, hex_of(game, enemies * world.units_per_side + slot)))
    out[ACTIVE.present] = 1.0
    out[ACTIVE.slot] = slot_of(world, unit) / world.units_per_side
    out[ACTIVE.nearest_enemy] = nearest / _FARTHEST
    out[ACTIVE.has_attacked] = _flag(game.has_attacked != 0)
    out[ACTIVE.may_advance] = _flag(game.phase == SHOOT and has(game.may_advance, slot_of(world, unit)))


@compiled
def _write_intent(world: World, game: Game, side: int, out: Vector) -> None:
    """Write the last intent of a side, and its detail (spec 07
    A.4; a dead unit is encoded as zeros).
    """
    out[:] = 0
    out[INTENT.intent_due] = _flag(game.intent_stage == INTENT_DUE)
    out[INTENT.detail_due] = _flag(game.intent_stage == DETAIL_DUE)
    intent, detail = int(game.intent[side]), int(game.intent_detail[side])
    if intent < 0:
        return
    out[INTENT.take_objective + intent] = 1.0
    if detail < 0:
        return
    kind = detail_kind(intent)
    if kind == OBJECTIVE_DETAIL:
        column, row = world.objective_place[detail, 0], world.objective_place[detail, 1]
        holder = game.control[detail]
        state = 0.0 if holder == 0 else 1.0 if holder == side + 1 else -1.0
    else:
        owner = side if kind == ALLY else 1 - side
        unit = owner * int(world.units_per_side) + detail
        if not has(game.alive[owner], detail):
            return
        column, row = float(column_of(hex_of(game, unit))), float(row_of(hex_of(game, unit)))
        state = game.hit_points[unit] / world.hit_points[unit]
    out[INTENT.detail_column], out[INTENT.detail_row] = column / world.cols, row / world.rows
    out[INTENT.detail_state] = state
    if game.active != NOBODY:
        place = hex_at(round(column), round(row))
        out[INTENT.detail_distance] = _share(distance(hex_of(game, int(game.active)), place), _FARTHEST)


@compiled
def _write_targets(world: World, board: Board, game: Game, out: Vector) -> None:
    """Write the first five targets of the active unit: row i is action ``4 + i``."""
    unit = int(game.active)
    kind = RANGED if game.phase == SHOOT else MELEE
    for index in range(min(TARGET_SLOTS, int(game.target_count))):
        target = int(game.targets[index])
        line = out[index * len(TARGET) : (index + 1) * len(TARGET)]
        line[TARGET.present] = 1.0
        line[TARGET.slot] = slot_of(world, target) / world.units_per_side
        line[TARGET.distance] = _share(distance(hex_of(game, unit), hex_of(game, target)), _FARTHEST)
        line[TARGET.hit_points] = game.hit_points[target] / world.hit_points[target]
        line[TARGET.value] = world.features[target, _VALUE]
        for slot in range(world.weapon_count[unit, kind]):
            score = kill_score(world, game, unit, kind, slot, target)
            line[TARGET.kill_score] = max(line[TARGET.kill_score], score)
        line[TARGET.on_objective] = _flag(objectives_at(board, hex_of(game, target)) != NOTHING)


@compiled
def _write_control(world: World, game: Game, side: int, out: Vector) -> None:
    """Write presence and controller of each objective; ``_write_units`` adds the strengths."""
    for objective in range(world.objective_count):
        holder = game.control[objective]
        line = out[objective * len(OBJECTIVE) : (objective + 1) * len(OBJECTIVE)]
        line[OBJECTIVE.present] = 1.0
        if holder != 0:
            line[OBJECTIVE.control] = 1.0 if holder == side + 1 else -1.0


@compiled
def _write_units(world: World, board: Board, game: Game, side: int, sign: float, out: Vector, strength: Vector) -> int:
    """Write a row for each living unit of a side, by roster slot; returns the sum of their VALUEs.

    Adds their objective control to ``strength``, whose first entry is that of the first objective.
    """
    may_act = eligible(game) if acting_side(game) == side and not game.over else NOTHING
    attacked = game.shot[side] | game.fought[side]
    contact = threat_zone(world, board, game, side)
    last_column, last_row = float(max(1, world.cols - 1)), float(max(1, world.rows - 1))
    base = side * int(world.units_per_side)
    value = 0
    for slot in range(world.unit_count[side]):
        if not has(game.alive[side], slot):
            continue
        unit = base + slot
        here = hex_of(game, unit)
        value += world.value[unit]
        held = objectives_at(board, here)
        if held != NOTHING:
            _add_strength(world, held, world.objective_control[unit], strength)
        line = out[slot * len(UNIT) : (slot + 1) * len(UNIT)]
        line[UNIT.alive] = 1.0
        line[UNIT.mine] = sign
        line[UNIT.column] = column_of(here) / last_column
        line[UNIT.row] = row_of(here) / last_row
        line[UNIT.hit_points] = game.hit_points[unit] / world.hit_points[unit]
        _write_characteristics(world, unit, int(game.selected_weapon[unit]), line)
        line[UNIT.in_contact] = _flag(holds(contact, here))
        line[UNIT.on_objective] = _flag(held != NOTHING)
        line[UNIT.eligible] = _flag(has(may_act, slot))
        line[UNIT.active] = _flag(game.active == unit)
        line[UNIT.moved] = _flag(has(game.moved[side], slot))
        line[UNIT.fled] = _flag(has(game.fled[side], slot))
        line[UNIT.advanced] = _flag(has(game.advanced[side], slot))
        line[UNIT.charged] = _flag(has(game.charged[side], slot))
        line[UNIT.attacked] = _flag(has(attacked, slot))
    return value


@compiled
def _write_characteristics(world: World, unit: int, selected: int, line: Vector) -> None:
    """Copy the numbers that ``write_features`` has computed."""
    for index in range(_BODY):
        line[UNIT.full_hit_points + index] = world.features[unit, index]
    for index in range(STATIC_FEATURES - _BODY):
        line[UNIT.melee_damage + index] = world.features[unit, _BODY + index]
    if selected >= 0:
        line[UNIT.ranged_damage] = world.weapon_features[unit, selected, _DAMAGE]
        line[UNIT.ranged_strength] = world.weapon_features[unit, selected, _STRENGTH]


@compiled
def _add_strength(world: World, held: np.uint64, control: int, strength: Vector) -> None:
    """Add a unit's objective control to each objective that it stands on; 1 means 10 or more."""
    for objective in range(world.objective_count):
        if held & bit(objective) != NOTHING:
            place = objective * len(OBJECTIVE)
            strength[place] = min(1.0, strength[place] + control / 10.0)


@compiled
def _mean_damage(world: World, unit: int, kind: int, slot: int) -> float:
    """Return mean attacks times mean damage of a weapon; 1 means 12 or more."""
    mean = expected_attacks(world, unit, kind, slot) * expected_hit_damage(world, unit, kind, slot)
    return _share(mean, 12.0)
