"""The action space: one flat range in blocks; the mask opens one block at a time (spec 02 section
6).

The ``select`` block has one slot per unit of the acting side, in roster order; the ``micro`` block
with 13 actions follows. While no activation is open, only selections are legal; during an
activation, only micro actions. With intents, the blocks ``intent`` and ``detail`` follow; they are
legal between the selection and the first micro action.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..compiler.decorators import compiled
from .bits import has
from .intents import INTENT_COUNT, detail_count, may_detail, may_intend
from .shooting import may_still_advance
from .state import CHARGE, DECIDED_BY_AGENT, FIGHT, INTENT_SETTLED, MOVE, NOBODY, SHOOT, Game, World
from .turn import eligible

FIRST_TARGET, TARGET_SLOTS = 4, 5
CHARGE_ACTION, FIGHT_ACTION, WAIT, ADVANCE = 9, 10, 11, 12
MICRO_ACTIONS = (
    "move_aggressive",
    "move_tactical",
    "move_defensive",
    "move_random",
    "target_0",
    "target_1",
    "target_2",
    "target_3",
    "target_4",
    "charge",
    "fight",
    "wait",
    "advance",
)
MICRO_COUNT = len(MICRO_ACTIONS)


@compiled
def action_count(world: World, game: Game) -> int:
    """Return the length of the action space."""
    micro = int(world.units_per_side) + MICRO_COUNT
    return micro + INTENT_COUNT + detail_count(world, game) if world.intents else micro


@compiled
def is_legal(world: World, game: Game, action: int) -> bool:
    """Return True if the acting side may take this action now."""
    units = int(world.units_per_side)
    intents = units + MICRO_COUNT
    if action < units:
        return may_select(game, action)
    if action < intents:
        return may_do(world, game, action - units)
    if action < intents + INTENT_COUNT:
        return may_intend(world, game, action - intents)
    return may_detail(world, game, action - intents - INTENT_COUNT)


@compiled
def may_select(game: Game, slot: int) -> bool:
    """Return True if the acting side may activate the unit in this roster slot."""
    return not game.over and game.active == NOBODY and has(eligible(game), slot)


@compiled
def may_do(world: World, game: Game, micro: int) -> bool:
    """Return True if the active unit may take this micro action (spec 02 section 6, 00
    "Decisions").
    """
    if game.over or game.active == NOBODY or game.intent_stage != INTENT_SETTLED:
        return False
    if FIRST_TARGET <= micro < FIRST_TARGET + TARGET_SLOTS:
        return _may_target(world, game, micro - FIRST_TARGET)
    if micro < FIRST_TARGET:
        return bool(game.phase == MOVE)
    if micro == CHARGE_ACTION:
        return bool(game.phase == CHARGE and (world.decisions != DECIDED_BY_AGENT or game.target_count > 0))
    if micro == FIGHT_ACTION:
        return bool(game.phase == FIGHT)
    if micro == WAIT:
        return bool(game.phase != FIGHT)
    return bool(game.phase == SHOOT) and may_still_advance(world, game, int(game.active))


@compiled
def _may_target(world: World, game: Game, slot: int) -> bool:
    """Return True if the action of a target slot is legal.

    When shooting, all listed targets are legal. In charge and fight they are legal only if agents
    decide.
    """
    if slot >= game.target_count or game.phase == MOVE:
        return False
    return bool(game.phase == SHOOT or world.decisions == DECIDED_BY_AGENT)


@compiled
def write_mask(world: World, game: Game, mask: NDArray[np.int8]) -> None:
    """Write 1 for each legal action of the acting side; shape ``(action_count(world, game),)`` or
    longer.
    """
    mask[:] = 0
    units = int(world.units_per_side)
    if game.active == NOBODY:
        for slot in range(units):
            mask[slot] = 1 if may_select(game, slot) else 0
    else:
        for micro in range(MICRO_COUNT):
            mask[units + micro] = 1 if may_do(world, game, micro) else 0
    if world.intents:
        _write_intents(world, game, mask[units + MICRO_COUNT :])


@compiled
def _write_intents(world: World, game: Game, mask: NDArray[np.int8]) -> None:
    """Write the two blocks after the micro actions."""
    for intent in range(INTENT_COUNT):
        mask[intent] = 1 if may_intend(world, game, intent) else 0
    for detail in range(detail_count(world, game)):
        mask[INTENT_COUNT + detail] = 1 if may_detail(world, game, detail) else 0
