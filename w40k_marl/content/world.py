"""Converts a scenario to the arrays of the rules: a World record and a board."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import ContentError
from ..rules.board import Board, make_board
from ..rules.combat import kind_by_hit_points
from ..rules.hexes import MAX_COLUMNS, MAX_ROWS, longest_distance
from ..rules.state import (
    CONDITIONS,
    CONTROL_METHODS,
    ELITE,
    MAX_CONDITIONS,
    MAX_OBJECTIVES,
    MAX_SCORINGS,
    MAX_UNITS_PER_SIDE,
    MAX_WEAPONS,
    MELEE,
    PHASES,
    RANGED,
    SWARM,
    TROOP,
    World,
    Worlds,
    world_dtype,
)
from .types import Dice, GameRules, Scenario, Unit, Weapon


@dataclass(frozen=True, slots=True)
class Setting:
    """A scenario in the form that all its games share."""

    scenario: Scenario
    game_rules: GameRules
    worlds: Worlds  # shape (1,)
    board: Board
    units: tuple[Unit | None, ...]  # by unit number; None for an empty slot
    number_of: dict[str, int]  # unit number by id

    @property
    def world(self) -> World:
        """The World record."""
        return self.worlds[0]


def build_setting(
    scenario: Scenario, game_rules: GameRules, *, units_per_side: int = 16, objectives: int = 8
) -> Setting:
    """Return the arrays of a scenario for capacities of ``units_per_side`` and ``objectives``.

    The options of a game are 0 in the World, their first values in ``rules.state``; ``env.loading`` sets them.
    Raises ContentError if the scenario does not fit the capacities.
    """
    check_capacities(scenario, units_per_side, objectives)
    sides = [[unit for unit in scenario.units if unit.player == player] for player in (1, 2)]
    numbers = {unit.id: side * units_per_side + slot for side in (0, 1) for slot, unit in enumerate(sides[side])}
    worlds: Worlds = np.zeros(1, dtype=world_dtype(units_per_side))
    world = worlds[0]
    world.units_per_side, world.cols, world.rows = units_per_side, scenario.cols, scenario.rows
    world.max_turns = game_rules.max_turns
    world.advance_dice_sides = game_rules.advance_distance_range
    world.objective_count = len(scenario.objectives)
    for number, objective in enumerate(scenario.objectives):
        if objective.hexes:  # always true for files, not for scenarios made in Python
            world.objective_place[number] = np.mean(objective.hexes, axis=0)
    world.unit_count[:] = [len(side) for side in sides]
    world.full_value[:] = [sum(unit.type.value for unit in side) for side in sides]
    world.roster_size = len(scenario.units)
    world.roster[: len(numbers)] = [numbers[unit.id] for unit in scenario.units]
    world.max_range = longest_distance(scenario.cols, scenario.rows)
    world.id_order[: len(numbers)] = [numbers[identity] for identity in sorted(numbers)]
    _write_deployment(world, scenario, numbers)
    _write_scoring(world, scenario)
    for unit in scenario.units:
        _write_unit(world, numbers[unit.id], unit)
    units: list[Unit | None] = [None] * (2 * units_per_side)
    for unit in scenario.units:
        units[numbers[unit.id]] = unit
    hexes = [objective.hexes for objective in scenario.objectives]
    board = make_board(scenario.cols, scenario.rows, scenario.walls, hexes)
    return Setting(scenario, game_rules, worlds, board, tuple(units), numbers)


def check_capacities(
    scenario: Scenario, units_per_side: int = MAX_UNITS_PER_SIDE, objectives: int = MAX_OBJECTIVES
) -> None:
    """Raise ContentError if a scenario does not fit the records, by default the largest possible
    ones.
    """
    for player in (1, 2):
        size = sum(unit.player == player for unit in scenario.units)
        _limit(scenario, f"units of player {player}", units_per_side, size)
    _limit(scenario, "objectives", objectives, len(scenario.objectives))
    _limit(scenario, "board.cols", MAX_COLUMNS, scenario.cols)
    _limit(scenario, "board.rows", MAX_ROWS, scenario.rows)
    _limit(scenario, "primary_objectives", MAX_SCORINGS, len(scenario.scoring))
    for scoring in scenario.scoring:
        rules = f"primary objective {scoring.id!r}.scoring.rules"
        _limit(scenario, rules, MAX_CONDITIONS, len(scoring.conditions))
    for unit in scenario.units:
        most = max(len(unit.type.ranged), len(unit.type.melee))
        _limit(scenario, f"unit {unit.id!r}: weapons of one kind", MAX_WEAPONS, most)


def _limit(scenario: Scenario, key: str, most: int, got: int) -> None:
    if got > most:
        raise ContentError(scenario.name, key, f"at most {most}", str(got))


def _write_deployment(world: World, scenario: Scenario, numbers: dict[str, int]) -> None:
    world.random_deployment = scenario.random_deployment
    if scenario.zones is not None:
        for player, zone in scenario.zones.items():
            world.zone[player - 1] = (zone.first_col, zone.last_col, zone.first_row, zone.last_row)
    for unit in scenario.units:
        if unit.position is not None:
            world.start[numbers[unit.id]] = unit.position[0] * 64 + unit.position[1]


def _write_scoring(world: World, scenario: Scenario) -> None:
    world.scoring_count = len(scenario.scoring)
    for index, scoring in enumerate(scenario.scoring):
        world.start_turn[index] = scoring.start_turn
        world.max_points[index] = scoring.max_points_per_turn
        world.scoring_phase[index] = PHASES.index(scoring.default_phase)
        world.last_scoring_phase[index] = PHASES.index(scoring.last_turn_second_player_phase)
        world.control_method = CONTROL_METHODS.index(scoring.control_method)
        world.condition_count[index] = len(scoring.conditions)
        for place, condition in enumerate(scoring.conditions):
            world.condition[index, place] = CONDITIONS.index(condition.condition)
            world.points[index, place] = condition.points


def _write_unit(world: World, number: int, unit: Unit) -> None:
    kind = unit.type
    world.move[number] = kind.move
    world.toughness[number] = kind.toughness
    world.armor_save[number] = kind.armor_save
    world.invulnerable_save[number] = kind.invulnerable_save
    world.hit_points[number] = kind.hit_points
    world.objective_control[number] = kind.objective_control
    world.value[number] = kind.value
    world.charges_after_advance[number] = "charge_after_advance" in kind.rules
    world.kind[number] = kind_by_hit_points(kind.hit_points)
    world.preferred_kind[number] = preferred_kind(kind.name)
    world.longest_range[number] = max((weapon.range or 0 for weapon in kind.ranged), default=0)
    world.weapon_count[number] = (len(kind.ranged), len(kind.melee))
    groups = sorted({weapon.combi for weapon in kind.ranged if weapon.combi})
    for slot, weapon in enumerate(kind.ranged):
        _write_weapon(world, (number, RANGED, slot), weapon)
        if weapon.combi:
            world.combi_group[number, RANGED, slot] = 1 + groups.index(weapon.combi)
    for slot, weapon in enumerate(kind.melee):
        _write_weapon(world, (number, MELEE, slot), weapon)


def _write_weapon(world: World, at: tuple[int, int, int], weapon: Weapon) -> None:
    world.range[at] = weapon.range or 0
    world.attacks[at], world.attacks_dice[at] = _fixed_and_dice(weapon.attacks)
    world.damage[at], world.damage_dice[at] = _fixed_and_dice(weapon.damage)
    world.hit[at] = weapon.hit
    world.strength[at] = weapon.strength
    world.armor_penetration[at] = weapon.ap
    world.assault[at] = "ASSAULT" in weapon.rules
    world.pistol[at] = "PISTOL" in weapon.rules


def _fixed_and_dice(value: Dice) -> tuple[int, int]:
    """Return ``(number, 0)`` for a fixed number, ``(0, 3)`` or ``(0, 6)`` for a D3 or D6."""
    return (0, int(value[1:])) if isinstance(value, str) else (value, 0)


def preferred_kind(type_name: str) -> int:
    """Return the preferred kind of target from the name of a unit type (spec 04 R-12).

    No shipped name contains a kind, so the result is TROOP for them.
    """
    for word, kind in (("Swarm", SWARM), ("Troop", TROOP), ("Elite", ELITE)):
        if word in type_name:
            return kind
    return TROOP
