"""Invariants of every game between two actions; ``check_invariants`` names those that are broken.

The checks use only the state, not the code of the rules, so they can find errors in the rules. They
are for tests and debugging: a check costs some hundred times as much as a step.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..rules.actions import MICRO_COUNT
from ..rules.bits import has
from ..rules.board import open_hexes
from ..rules.state import (
    BY_DRAW,
    BY_OBJECTIVES,
    BY_VALUE,
    COMMAND,
    DETAIL_DUE,
    FIGHT,
    INTENT_DUE,
    INTENT_SETTLED,
    LABELS,
    NO_STAGE,
    NOBODY,
    PHASES,
    UNDECIDED,
    Game,
)
from ..rules.turn import acting_side, eligible
from .session import Session

_OF_AN_ACTIVATION = (
    "intent_stage",
    "attacks_left",
    "target_count",
    "has_attacked",
    "started",
    "weapon_chosen",
    "fired",
    "hazards",
)
"""Fields of a row that are 0 between activations."""


class InvariantError(AssertionError):
    """The state of a game is impossible."""


def check_invariants(session: Session) -> None:
    """Raise InvariantError, with the position in the game and every broken invariant, if there is
    one.
    """
    broken = list(broken_invariants(session))
    if broken:
        raise InvariantError(f"{session.where()}: {'; '.join(broken)}")


def broken_invariants(session: Session) -> Iterator[str]:
    """Describe each broken invariant of a game that has begun."""
    game = session.games[0]
    yield from _units(session, game)
    yield from _pools(session, game)
    yield from _activation(session, game)
    yield from _mask(session, game)
    yield from _course(session, game)
    yield from _result(session, game)
    yield from _summary(session, game)


def _slots(session: Session) -> Iterator[tuple[int, int, int]]:
    """Yield number, side and slot of every slot in both rosters."""
    units = session.layout.units_per_side
    for number in range(2 * units):
        yield number, number // units, number % units


def _units(session: Session, game: Game) -> Iterator[str]:
    """Check that hit points are in range and each living unit has its own open hex."""
    world, free = session.setting.world, open_hexes(session.setting.board)
    standing: dict[int, int] = {}
    for number, side, slot in _slots(session):
        hit_points, alive = int(game.hit_points[number]), has(game.alive[side], slot)
        full = int(world.hit_points[number]) if session.setting.units[number] else 0
        if not 0 <= hit_points <= full:
            yield f"unit {number} has {hit_points} hit points of {full}"
        if alive != (hit_points > 0):
            yield f"unit {number} has {hit_points} hit points and is {'alive' if alive else 'dead'}"
        if not alive:
            continue
        place = int(game.hexes[number])
        column, row = place >> 6, place & 63
        if not (0 <= column < world.cols and row < world.rows and has(free[column], row)):
            yield f"unit {number} stands on a wall or off the board, at {(column, row)}"
        if place in standing:
            yield f"units {standing[place]} and {number} stand on one hex, {(column, row)}"
        standing[place] = number


def _pools(session: Session, game: Game) -> Iterator[str]:
    """Check that pools contain only living units of the right side, and are not empty before the
    end.
    """
    side = int(game.side)
    for other in (0, 1):
        if game.pool[other] & ~game.alive[other]:
            yield f"dead units in the pool of player {other + 1}"
    if game.chargers & ~game.alive[side]:
        yield "dead units among the chargers"
    if game.chargers & ~game.charged[side]:
        yield "chargers that have not charged"
    if game.phase != FIGHT and (game.pool[1 - side] or game.chargers):
        yield "units wait to fight outside the fight phase"
    if not game.over and not eligible(game):
        yield "nobody may act and the game is not over"
    if game.over and (game.pool.any() or game.chargers):
        yield "units wait and the game is over"


def _activation(session: Session, game: Game) -> Iterator[str]:
    """Check the fields of the open activation; if none is open, they must be clear."""
    number, units = int(game.active), session.layout.units_per_side
    if number == NOBODY:
        if any(int(game[name]) for name in _OF_AN_ACTIVATION) or game.target != NOBODY:
            yield "something is left of an activation that is closed"
        return
    if game.over:
        yield "an activation is open and the game is over"
    side, slot = divmod(number, units)
    if side != acting_side(game):
        yield f"unit {number} is active and the other player is to act"
    if not has(game.alive[side], slot):
        yield f"unit {number} is active and dead"
    if not has(eligible(game), slot):
        yield f"unit {number} is active and in no pool"
    if game.hazards and session.setting.world.weapon_rules == LABELS:
        yield f"unit {number} has used weapons whose hazard is a label"
    targets = game.targets[: int(game.target_count)].tolist()
    if len(set(targets)) < len(targets):
        yield f"a target is listed twice: {targets}"
    for target in targets:
        if target // units == side or not has(game.alive[1 - side], target % units):
            yield f"target {target} is no living enemy"


def _mask(session: Session, game: Game) -> Iterator[str]:
    """Check that the mask equals the pool or fits the activation, and that an action is legal."""
    mask = session.mask()
    layout = session.layout
    select, micro = mask[: layout.select_size], mask[layout.micro_start : layout.micro_stop]
    intents, details = mask[layout.micro_stop : layout.detail_start], mask[layout.detail_start :]
    stages = {INTENT_SETTLED: micro, INTENT_DUE: intents, DETAIL_DUE: details}
    if game.active != NOBODY and any(block.any() != (stage == game.intent_stage) for stage, block in stages.items()):
        yield f"the open activation is at stage {game.intent_stage} of its intent and other actions are legal"
    if len(micro) != MICRO_COUNT:
        yield f"the micro block has {len(micro)} actions"
    if bool(game.over) == bool(mask.any()):
        yield "the game is over and there are legal actions, or it is not and there are none"
    if game.active == NOBODY:
        if mask[layout.micro_start :].any():
            yield "an action of an activation is legal and none is open"
        if not game.over and any(bool(legal) != has(eligible(game), slot) for slot, legal in enumerate(select)):
            yield "the mask of selections is not the pool"
    elif select.any():
        yield "a selection is legal while an activation is open"


def _course(session: Session, game: Game) -> Iterator[str]:
    """Check that turn, phase, stage, control and marks are possible."""
    world = session.setting.world
    if not 1 <= game.turn <= world.max_turns or game.side not in (0, 1):
        yield f"turn {game.turn} of side {game.side}"
    if not COMMAND < game.phase < len(PHASES):
        yield f"the game waits in phase {game.phase}"
    if (game.fight_stage != NO_STAGE) != (game.phase == FIGHT) and not game.over:
        yield f"stage {game.fight_stage} of a fight in phase {game.phase}"
    for objective, holder in enumerate(game.control.tolist()):
        if holder not in (0, 1, 2) or (holder and objective >= world.objective_count):
            yield f"objective {objective} is controlled by {holder}"
    if (game.victory_points < 0).any():
        yield "victory points below 0"
    for side in (0, 1):
        if game.fled[side] & ~game.moved[side]:
            yield f"units of player {side + 1} have fled and not moved"
        if game.alive[side] >> int(world.unit_count[side]):
            yield f"player {side + 1} has living units outside its roster"


def _result(session: Session, game: Game) -> Iterator[str]:
    """Check that the winner follows from points and living value, and only after the last round."""
    if not game.over:
        if game.winner or game.win_method != UNDECIDED:
            yield "there is a winner and the game is not over"
        return
    if game.turn != session.setting.world.max_turns or game.side != 1:
        yield "the game is over before the end of its last round"
    value = [0, 0]
    for number, side, slot in _slots(session):
        value[side] += int(session.setting.world.value[number]) * has(game.alive[side], slot)
    points = game.victory_points.tolist()
    method = BY_OBJECTIVES if points[0] != points[1] else BY_VALUE if value[0] != value[1] else BY_DRAW
    margin = (points[0] - points[1]) or (value[0] - value[1])
    if (int(game.winner), int(game.win_method)) != ((margin > 0) + 2 * (margin < 0), method):
        yield f"player {game.winner} wins by {game.win_method} with {points} points and {value} value"


def _summary(session: Session, game: Game) -> Iterator[str]:
    """Check that the summary equals the fields that it summarises."""
    expected = [acting_side(game), game.over, game.winner, game.turn, game.side, game.phase, game.active]
    expected += game.victory_points.tolist()
    if session.summary() != [int(value) for value in expected]:
        yield f"the summary is {session.summary()}, the game {[int(value) for value in expected]}"
