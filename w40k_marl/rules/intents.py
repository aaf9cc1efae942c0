"""Intents of a super-agent: the purpose of an activation, chosen before its micro actions (spec 07
A.4).

An intent does not change the rules; it is an observation for the policy that chooses micro actions.
The intent of a player remains until this player chooses another.
"""

from __future__ import annotations

from ..compiler.decorators import compiled
from .bits import has
from .events import INTENDED, record
from .state import DETAIL_DUE, INTENT_DUE, INTENT_SETTLED, NOBODY, Game, World
from .units import side_of

TAKE_OBJECTIVE, HOLD_OBJECTIVE, FOCUS_KILL, SCREEN, ATTRITION, TEMPO = range(6)
INTENTS = ("take_objective", "hold_objective", "focus_kill", "screen", "attrition", "tempo")
INTENT_COUNT = len(INTENTS)

NO_DETAIL, OBJECTIVE, ENEMY, ALLY = range(4)
DETAILS = ("none", "objective", "enemy", "ally")


@compiled
def detail_kind(intent: int) -> int:
    """Return the kind of detail of an intent: an objective, an enemy slot, an own slot, or none."""
    if intent == FOCUS_KILL:
        return ENEMY
    if intent == SCREEN:
        return ALLY
    if intent < 0 or intent == TEMPO:
        return NO_DETAIL
    return OBJECTIVE


@compiled
def detail_count(world: World, game: Game) -> int:
    """Return the length of the detail block: the larger of units per side and objectives."""
    return max(int(world.units_per_side), len(game.control))


@compiled
def _may_name(world: World, game: Game, side: int, intent: int, detail: int) -> bool:
    """Return True if a detail fits an intent now.

    Objectives must belong to the scenario (for ATTRITION, only the last one); units must be alive.
    """
    kind = detail_kind(intent)
    if kind == NO_DETAIL:
        return False
    if kind == OBJECTIVE:
        last = int(world.objective_count) - 1
        return detail == last if intent == ATTRITION else detail <= last
    owner = side if kind == ALLY else 1 - side
    return detail < world.units_per_side and has(game.alive[owner], detail)


@compiled
def may_intend(world: World, game: Game, intent: int) -> bool:
    """Return True if the activation waits for an intent and this intent has a legal detail or needs
    none.
    """
    if game.over or game.active == NOBODY or game.intent_stage != INTENT_DUE:
        return False
    if detail_kind(intent) == NO_DETAIL:
        return True
    side = side_of(world, int(game.active))
    for detail in range(detail_count(world, game)):
        if _may_name(world, game, side, intent, detail):
            return True
    return False


@compiled
def may_detail(world: World, game: Game, detail: int) -> bool:
    """Return True if the open activation waits for a detail and this one fits its intent."""
    if game.over or game.active == NOBODY or game.intent_stage != DETAIL_DUE:
        return False
    side = side_of(world, int(game.active))
    return _may_name(world, game, side, int(game.intent[side]), detail)


@compiled
def intend(world: World, game: Game, unit: int, intent: int) -> None:
    """Set the intent; the activation then waits for its detail, if the intent has one."""
    side = side_of(world, unit)
    game.intent[side] = intent
    game.intent_detail[side] = NOBODY
    if detail_kind(intent) == NO_DETAIL:
        _settle(game, unit, side)
    else:
        game.intent_stage = DETAIL_DUE


@compiled
def name_detail(world: World, game: Game, unit: int, detail: int) -> None:
    """Set the detail of the intent; micro actions are next."""
    side = side_of(world, unit)
    game.intent_detail[side] = detail
    _settle(game, unit, side)


@compiled
def _settle(game: Game, unit: int, side: int) -> None:
    game.intent_stage = INTENT_SETTLED
    record(game, INTENDED, unit, 0, int(game.intent[side]), int(game.intent_detail[side]))
