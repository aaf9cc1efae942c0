"""Writes an observation and a mask into given arrays: everything that ``layout.py`` names, in that order.

What depends on the scenario alone is worked out once, by ``write_features``, and then only copied.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..compiler.decorators import compiled, entry_point
from ..rules.actions import TARGET_SLOTS, write_mask
from ..rules.bits import NOTHING, bit, has
from ..rules.board import Board, objectives_at
from ..rules.combat import expected_attacks, expected_hit_damage, kill_score
from ..rules.engine import ACCEPTED, START, apply
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
    Game,
    Games,
    World,
    Worlds,
)
from ..rules.turn import acting_side, eligible
from ..rules.units import hex_of, side_of, slot_of

Vector: TypeAlias = NDArray[np.float32]

GLOBALS, ACTIVE, TARGET, OBJECTIVE, UNIT, INTENT = 18, 5, 7, 4, 26, 12
"""Length of a row of each block; a test compares them with the layout."""

# where a unit's row holds what: the first and last of its fixed numbers, those of its weapons, then the marks
_BODY, _SELECTED, _MELEE, _CONTACT = 5, 13, 15, 17
_BODY_FEATURES = _SELECTED - _BODY
_FARTHEST = 40  # hexes; beyond it distances look the same


@entry_point
def write_features(worlds: Worlds) -> None:
    """Work out, once for a world, the numbers of each unit's row that never change."""
    world = worlds[0]
    for unit in range(2 * world.units_per_side):
        features = world.features[unit]
        invulnerable = world.invulnerable_save[unit]
        features[0] = _share(world.hit_points[unit], 10.0)
        features[1] = _share(world.move[unit], 12.0)
        features[2] = _share(world.toughness[unit], 12.0)
        features[3] = _share(world.armor_save[unit], 7.0)
        features[4] = _share(invulnerable, 7.0) if invulnerable > 0 else 1.0
        features[5] = _share(world.objective_control[unit], 5.0)
        features[6] = _share(world.value[unit], 200.0)
        features[7] = _share(world.longest_range[unit], 36.0)
        if world.weapon_count[unit, MELEE] > 0:
            features[8] = _mean_damage(world, unit, MELEE, 0)
            features[9] = _share(world.strength[unit, MELEE, 0], 12.0)
        for slot in range(world.weapon_count[unit, RANGED]):
            world.weapon_features[unit, slot, 0] = _mean_damage(world, unit, RANGED, slot)
            world.weapon_features[unit, slot, 1] = _share(world.strength[unit, RANGED, slot], 12.0)


LOOK = START - 1
"""The action that changes nothing and only shows the game."""


@entry_point(what="the rules", seconds=40)
def step_and_view(
    worlds: Worlds,
    board: Board,
    games: Games,
    row: int,
    action: int,
    side: int,
    observation: Vector,
    mask: NDArray[np.int8],
) -> int:
    """Step a game as ``engine.step`` does and write what a side then sees: two calls in the time of one and a half.

    ``side`` is 0 or 1, or NOBODY for whoever is to act; ``observation`` float32 (layout.observation_size,) holds
    zeros or an observation of the same scenario; ``mask`` int8 (layout.action_count,) becomes all 0 for the side that
    is not to act, and after the end. Empty arrays ask for no view. A refused action writes nothing.
    """
    world, game = worlds[0], games[row]
    answer = ACCEPTED if action == LOOK else apply(world, board, game, action)
    if answer == ACCEPTED and len(mask) > 0:
        acting = acting_side(game)
        watching = acting if side == NOBODY else side
        encode(world, board, game, watching, observation)
        if watching == acting:
            write_mask(world, game, mask)
        else:
            mask[:] = 0
    return answer


@compiled
def unit_blocks(world: World, game: Game) -> tuple[int, int]:
    """Where the units of the observing side, and those of the other, begin in an observation."""
    mine = GLOBALS + ACTIVE + TARGET_SLOTS * TARGET + len(game.control) * OBJECTIVE
    return mine, mine + int(world.units_per_side) * UNIT


@compiled
def encode(world: World, board: Board, game: Game, side: int, out: Vector) -> None:
    """Write the observation of a side into zeros, or over an observation of the same scenario.

    Slots that no unit of the scenario has are left alone: in a large batch, memory not touched is time.
    """
    targets = GLOBALS + ACTIVE
    objectives = targets + TARGET_SLOTS * TARGET
    mine, enemies = unit_blocks(world, game)
    used = max(world.unit_count[0], world.unit_count[1]) * UNIT
    out[: mine + used] = 0
    out[enemies : enemies + used] = 0
    if game.active != NOBODY:
        _write_active(world, game, int(game.active), out[GLOBALS:targets])
        _write_targets(world, board, game, out[targets:objectives])
    _write_control(world, game, side, out[objectives:mine])
    my_value = _write_units(world, board, game, side, 1.0, out[mine:enemies], out[objectives + 2 : mine])
    enemy_value = _write_units(world, board, game, 1 - side, -1.0, out[enemies:], out[objectives + 3 : mine])
    if world.intents:
        intent = enemies + int(world.units_per_side) * UNIT
        _write_intent(world, game, side, out[intent : intent + INTENT])
    _write_globals(world, game, side, out[:GLOBALS])
    out[15] = my_value / max(1, world.full_value[side])
    out[16] = enemy_value / max(1, world.full_value[1 - side])


@compiled
def _share(value: float, of: float) -> float:
    """``value / of``, at most 1."""
    return min(1.0, value / of)


@compiled
def _flag(condition: bool) -> float:
    return 1.0 if condition else 0.0


@compiled
def _write_globals(world: World, game: Game, side: int, out: Vector) -> None:
    """All of the block but the living values, which the unit rows add up."""
    out[0] = game.turn / world.max_turns
    out[1] = _flag(game.side == side)
    if MOVE <= game.phase <= FIGHT:
        out[2 + game.phase - MOVE] = 1.0
    stage = game.fight_stage
    out[6] = _flag(stage == CHARGERS)
    out[7] = _flag(stage in (ALTERNATING_OTHER, ALTERNATING_ACTIVE))
    out[8] = _flag(stage in (CLEANUP_OTHER, CLEANUP_ACTIVE))
    out[9] = _flag(acting_side(game) == side and not game.over)
    out[10] = _flag(game.active != NOBODY)
    out[11] = _share(game.victory_points[side], 100.0)
    out[12] = _share(game.victory_points[1 - side], 100.0)
    objectives = max(1, world.objective_count)
    out[13] = controlled(world, game, side + 1) / objectives
    out[14] = controlled(world, game, 2 - side) / objectives
    out[17] = _share(game.attacks_left, 12.0)


@compiled
def _write_active(world: World, game: Game, unit: int, out: Vector) -> None:
    enemies = 1 - side_of(world, unit)
    nearest = _FARTHEST
    here = hex_of(game, unit)
    for slot in range(world.unit_count[enemies]):
        if has(game.alive[enemies], slot):
            nearest = min(nearest, distance(here, hex_of(game, enemies * world.units_per_side + slot)))
    out[0] = 1.0
    out[1] = slot_of(world, unit) / world.units_per_side
    out[2] = nearest / _FARTHEST
    out[3] = _flag(game.has_attacked != 0)
    out[4] = _flag(game.phase == SHOOT and has(game.may_advance, slot_of(world, unit)))


@compiled
def _write_intent(world: World, game: Game, side: int, out: Vector) -> None:
    """The intent that a side has chosen last, and what it names (spec 07 A.4; a dead unit encodes as zeros)."""
    out[:] = 0
    out[0] = _flag(game.intent_stage == INTENT_DUE)
    out[1] = _flag(game.intent_stage == DETAIL_DUE)
    intent, detail = int(game.intent[side]), int(game.intent_detail[side])
    if intent < 0:
        return
    out[2 + intent] = 1.0
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
    out[8], out[9], out[10] = column / world.cols, row / world.rows, state
    if game.active != NOBODY:
        place = hex_at(round(column), round(row))
        out[11] = _share(distance(hex_of(game, int(game.active)), place), _FARTHEST)


@compiled
def _write_targets(world: World, board: Board, game: Game, out: Vector) -> None:
    """The first five of the active unit's list: row i is action ``4 + i``."""
    unit = int(game.active)
    kind = RANGED if game.phase == SHOOT else MELEE
    for index in range(min(TARGET_SLOTS, int(game.target_count))):
        target = int(game.targets[index])
        line = out[index * TARGET : (index + 1) * TARGET]
        line[0] = 1.0
        line[1] = slot_of(world, target) / world.units_per_side
        line[2] = _share(distance(hex_of(game, unit), hex_of(game, target)), _FARTHEST)
        line[3] = game.hit_points[target] / world.hit_points[target]
        line[4] = world.features[target, 6]
        for slot in range(world.weapon_count[unit, kind]):
            line[5] = max(line[5], kill_score(world, game, unit, kind, slot, target))
        line[6] = _flag(objectives_at(board, hex_of(game, target)) != NOTHING)


@compiled
def _write_control(world: World, game: Game, side: int, out: Vector) -> None:
    """Presence and controller of each objective; the unit rows add the strengths."""
    for objective in range(world.objective_count):
        holder = game.control[objective]
        out[objective * OBJECTIVE] = 1.0
        if holder != 0:
            out[objective * OBJECTIVE + 1] = 1.0 if holder == side + 1 else -1.0


@compiled
def _write_units(world: World, board: Board, game: Game, side: int, sign: float, out: Vector, strength: Vector) -> int:
    """A row for each living unit of a side, by roster slot; returns their VALUE.

    Adds their objective control to ``strength``, every ``OBJECTIVE``-th number of which belongs to an objective.
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
        line = out[slot * UNIT : (slot + 1) * UNIT]
        line[0] = 1.0
        line[1] = sign
        line[2] = column_of(here) / last_column
        line[3] = row_of(here) / last_row
        line[4] = game.hit_points[unit] / world.hit_points[unit]
        _write_characteristics(world, unit, int(game.selected_weapon[unit]), line)
        line[_CONTACT] = _flag(holds(contact, here))
        line[_CONTACT + 1] = _flag(held != NOTHING)
        line[_CONTACT + 2] = _flag(has(may_act, slot))
        line[_CONTACT + 3] = _flag(game.active == unit)
        line[_CONTACT + 4] = _flag(has(game.moved[side], slot))
        line[_CONTACT + 5] = _flag(has(game.fled[side], slot))
        line[_CONTACT + 6] = _flag(has(game.advanced[side], slot))
        line[_CONTACT + 7] = _flag(has(game.charged[side], slot))
        line[_CONTACT + 8] = _flag(has(attacked, slot))
    return value


@compiled
def _write_characteristics(world: World, unit: int, selected: int, line: Vector) -> None:
    """Copy what ``write_features`` has worked out."""
    for index in range(_BODY_FEATURES):
        line[_BODY + index] = world.features[unit, index]
    for index in range(STATIC_FEATURES - _BODY_FEATURES):
        line[_MELEE + index] = world.features[unit, _BODY_FEATURES + index]
    if selected >= 0:
        line[_SELECTED] = world.weapon_features[unit, selected, 0]
        line[_SELECTED + 1] = world.weapon_features[unit, selected, 1]


@compiled
def _add_strength(world: World, held: np.uint64, control: int, strength: Vector) -> None:
    """Add a unit's objective control to each objective that it stands on; 1 stands for 10 or more."""
    for objective in range(world.objective_count):
        if held & bit(objective) != NOTHING:
            place = objective * OBJECTIVE
            strength[place] = min(1.0, strength[place] + control / 10.0)


@compiled
def _mean_damage(world: World, unit: int, kind: int, slot: int) -> float:
    """Mean attacks times mean damage of a weapon; 1 stands for 12 or more."""
    mean = expected_attacks(world, unit, kind, slot) * expected_hit_damage(world, unit, kind, slot)
    return _share(mean, 12.0)
