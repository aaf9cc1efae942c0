"""The action space: one flat range in blocks, staged by the mask (spec 02 section 6).

First the ``select`` block, a slot for each unit of the acting side by roster, then the ``micro`` block of 13. While
no activation is open only selections are legal, afterwards only micro actions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .bits import has
from .compiled import compiled
from .shooting import may_still_advance
from .state import CHARGE, DECIDED_BY_AGENT, FIGHT, MOVE, NOBODY, SHOOT, Game, World
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
def may_select(game: Game, slot: int) -> bool:
    """Whether the acting side may activate the unit in a roster slot."""
    return not game.over and game.active == NOBODY and has(eligible(game), slot)


@compiled
def may_do(world: World, game: Game, micro: int) -> bool:
    """Whether the active unit may take a micro action (spec 02 section 6, 00 "Decisions")."""
    if game.over or game.active == NOBODY:
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
    """Target slots: always those of the list when shooting, in charge and fight only when agents decide."""
    if slot >= game.target_count or game.phase == MOVE:
        return False
    return bool(game.phase == SHOOT or world.decisions == DECIDED_BY_AGENT)


@compiled
def write_mask(world: World, game: Game, mask: NDArray[np.int8]) -> None:
    """Write 1 for each legal action of the acting side; shape ``(units_per_side + 13,)`` or longer."""
    mask[:] = 0
    units = int(world.units_per_side)
    if game.active == NOBODY:
        for slot in range(units):
            mask[slot] = 1 if may_select(game, slot) else 0
    else:
        for micro in range(MICRO_COUNT):
            mask[units + micro] = 1 if may_do(world, game, micro) else 0
