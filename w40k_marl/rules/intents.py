"""Intents of a super-agent: what a unit's activation is for, chosen before its micro actions (spec 07 A.4).

An intent changes no rule: it is told to whoever chooses the micro actions. It belongs to the player who chose it and
stands until that player chooses another.
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
    """What the detail of an intent names: an objective, a slot of the enemy's or of one's own roster, nothing."""
    if intent == FOCUS_KILL:
        return ENEMY
    if intent == SCREEN:
        return ALLY
    if intent < 0 or intent == TEMPO:
        return NO_DETAIL
    return OBJECTIVE


@compiled
def detail_count(world: World, game: Game) -> int:
    """Length of the detail block: room for every objective and for every unit of a side."""
    return max(int(world.units_per_side), len(game.control))


@compiled
def _may_name(world: World, game: Game, side: int, intent: int, detail: int) -> bool:
    """Whether a detail fits an intent now: objectives of the scenario, attrition at the last one, living units."""
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
    """Whether the open activation waits for an intent, and this one has a detail to go with it."""
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
    """Whether the open activation waits for a detail, and this one fits its intent."""
    if game.over or game.active == NOBODY or game.intent_stage != DETAIL_DUE:
        return False
    side = side_of(world, int(game.active))
    return _may_name(world, game, side, int(game.intent[side]), detail)


@compiled
def intend(world: World, game: Game, unit: int, intent: int) -> None:
    """Take an intent; the activation goes on with its detail, if it has one."""
    side = side_of(world, unit)
    game.intent[side] = intent
    game.intent_detail[side] = NOBODY
    if detail_kind(intent) == NO_DETAIL:
        _settle(game, unit, side)
    else:
        game.intent_stage = DETAIL_DUE


@compiled
def name_detail(world: World, game: Game, unit: int, detail: int) -> None:
    """Take the detail of the intent; micro actions are next."""
    side = side_of(world, unit)
    game.intent_detail[side] = detail
    _settle(game, unit, side)


@compiled
def _settle(game: Game, unit: int, side: int) -> None:
    game.intent_stage = INTENT_SETTLED
    record(game, INTENDED, unit, 0, int(game.intent[side]), int(game.intent_detail[side]))
