"""Queries of our engine in a recorded situation; a query that plays uses a copy of the game."""

from __future__ import annotations

import numpy as np

from w40k_marl.rules import engine
from w40k_marl.rules.actions import MICRO_COUNT
from w40k_marl.rules.state import ALTERNATING_OTHER, CHARGERS, CLEANUP_OTHER, FIGHT, NOBODY, SHOOT
from w40k_marl.testing import forcing

from .game import ReplayedGame
from .trace import Json

Hexes = list[list[int]]


def opened(game: ReplayedGame, unit: int) -> ReplayedGame:
    """Return a copy in which the unit is active, if it may be."""
    twin = game.copy()
    forcing.force_activation(*twin.arguments, unit)
    return twin


def eligible(game: ReplayedGame) -> list[str]:
    """Return the ids of the eligible units, in roster order."""
    row = game.game
    side, stage = int(row.side), int(row.fight_stage)
    if row.phase == FIGHT and stage in (ALTERNATING_OTHER, CLEANUP_OTHER):
        side = 1 - side
    charging = row.phase == FIGHT and stage == CHARGERS
    return game.members(side, int(row.chargers) if charging else int(row.pool[side]))


def mask(game: ReplayedGame, unit: int) -> list[int]:
    """Return the 13 micro actions of the unit."""
    return [int(legal) for legal in _mask(opened(game, unit))[-MICRO_COUNT:]]


def _mask(game: ReplayedGame) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    written = np.zeros(int(game.setting.world.units_per_side) + MICRO_COUNT, dtype=np.int8)
    engine.legal_mask(game.setting.worlds, game.games, 0, written)
    return written


def targets(game: ReplayedGame, unit: int) -> list[str]:
    """Return the unit's targets in slot order."""
    if game.game.phase == SHOOT and game.game.active == NOBODY:  # on a changed copy the unit may not be eligible
        return game.ids(forcing.shooting_targets(*game.copy().arguments, unit))
    return opened(game, unit).listed_targets()


def move_hexes(game: ReplayedGame, unit: int) -> Hexes:
    """Return the hexes to which the unit may move, in path order."""
    return _pairs(forcing.move_destinations(*game.arguments, unit))


def advance_hexes(game: ReplayedGame, unit: int, reach: int) -> Hexes:
    """Return the hexes to which the unit may advance with this roll, in path order."""
    return _pairs(forcing.advance_destinations(*game.arguments, unit, reach))


def charge_hexes(game: ReplayedGame, unit: int, target: int, reach: int) -> Hexes:
    """Return the hexes where a charge with this roll may end, in path order."""
    return _pairs(forcing.charge_destinations(*game.arguments, unit, target, reach))


def _pairs(hexes: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Hexes:
    return [[int(hex_id) >> 6, int(hex_id) & 63] for hex_id in hexes]


def refuses(game: ReplayedGame, unit: int, micro: int) -> bool:
    """Return True if a micro action of the unit is illegal in our engine."""
    twin = opened(game, unit)
    return _play(twin, micro, []) == engine.NOT_LEGAL


def hex_after(game: ReplayedGame, unit: int, micro: int, dice: list[Json]) -> list[int]:
    """Return the hex of the unit after a micro action with these dice."""
    twin = opened(game, unit)
    _play(twin, micro, dice)
    hex_id = int(twin.game.hexes[unit])
    return [hex_id >> 6, hex_id & 63]


def _play(game: ReplayedGame, micro: int, dice: list[Json]) -> int:
    game.hand_out(dice)
    return engine.step(*game.arguments, int(game.setting.world.units_per_side) + micro)


def usable_weapons(game: ReplayedGame) -> list[int]:
    """Return the ranged slots that the active unit may use now."""
    slots = forcing.usable_slots(*game.arguments)
    return [slot for slot in range(slots.bit_length()) if slots >> slot & 1]


def weapon_scores(game: ReplayedGame, unit: int, kind: int, target: int) -> list[float]:
    """Return the kill score of each weapon of a kind, by slot."""
    return [float(score) for score in forcing.weapon_scores(game.setting.worlds, game.games, 0, unit, kind, target)]


def may_be_shot(game: ReplayedGame, unit: int) -> list[str]:
    """Return the current target list by the unit's remaining weapons, not the list of its
    activation.
    """
    twin = game.copy()
    return twin.ids(forcing.shooting_targets(*twin.arguments, unit))


def touches_an_enemy(game: ReplayedGame, unit: int) -> bool:
    """Return True if an enemy is adjacent."""
    return bool(forcing.in_contact(game.setting.worlds, game.games, 0, unit))


def best_weapon(game: ReplayedGame, kind: int, target: int) -> int:
    """Return the slot that our rules would choose for the active unit against a target."""
    return int(forcing.best_slot(*game.arguments, kind, target))
