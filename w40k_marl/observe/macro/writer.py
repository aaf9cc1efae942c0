"""Checks a scenario for macro observations, computes its constant
numbers once, and writes its macro blocks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...content.types import TargetWeights, Unit
from ...content.world import Setting
from ...errors import ContentError
from ...rules.state import Games, Rows
from ..layout import Layout
from .encode import PROFILE_FEATURES, MacroTables, write_macro_rows
from .extras import write_extra_rows
from .offensive_profile import (
    BASE,
    OffensiveProfile,
    ProfileOptions,
    check_weights,
    dynamic_weights,
    offensive_profile,
    weapon_table_of,
)
from .profile_kernel import WEAPON_TABLE


def check_macro(setting: Setting) -> None:
    """Raise ContentError if no macro observation can be made of a scenario (spec 07 A.1).

    Files are checked when they are read; a scenario made in code
    may still lack an objective or a size.
    """
    scenario, rules = setting.scenario, setting.game_rules
    for key, value in (("board.cols", scenario.cols), ("board.rows", scenario.rows)):
        if value <= 1:
            raise ContentError(scenario.name, key, "at least 2, for positions from 0 to 1", str(value))
    if int(setting.world.max_range) <= 0:
        expected = "the largest distance on the board, which build_setting works out"
        raise ContentError(scenario.name, "max_range", expected, str(int(setting.world.max_range)))
    if rules.macro_max_unit_value <= 0:
        raise ContentError("game rules", "macro_max_unit_value", "at least 1", str(rules.macro_max_unit_value))
    check_weights(rules.macro_target_weights)
    if not scenario.objectives:
        raise ContentError(scenario.name, "objectives", "at least one objective", "none")
    for objective in scenario.objectives:
        if not objective.hexes:
            raise ContentError(scenario.name, f"objective {objective.id!r}.hexes", "at least one hex", "none")
    for unit in scenario.units:
        if unit.type.hit_points <= 0:
            key = f"unit {unit.id!r}: HP_MAX of {unit.type.name}"
            raise ContentError(scenario.name, key, "at least 1", str(unit.type.hit_points))


def weights_against(setting: Setting, player: int, options: ProfileOptions = BASE) -> TargetWeights:
    """Return the weights for the units of a player (1 or 2): those of
    the game rules, or of the enemy's army.
    """
    if not options.dynamic_weights:
        return setting.game_rules.macro_target_weights
    return dynamic_weights([unit.type for unit in setting.scenario.units if unit.player != player])


def centre_of(setting: Setting, objective: int) -> tuple[float, float]:
    """Return the mean column and row of the hexes of an objective."""
    hexes = setting.scenario.objectives[objective].hexes
    return sum(col for col, _ in hexes) / len(hexes), sum(row for _, row in hexes) / len(hexes)


class MacroWriter:
    """Writes the macro blocks of one scenario's games after the
    other blocks of their observations.
    """

    def __init__(self, setting: Setting, layout: Layout, options: ProfileOptions | None = None) -> None:
        """Compute all constant numbers. Raises ContentError if the scenario does not fit
        (``check_macro``).
        """
        check_macro(setting)
        options = options or BASE
        self._setting = setting
        starts = {block.name: block.start for block in layout.blocks}
        self._extras_start = starts.get("macro_threats")
        count, scenario = len(setting.units), setting.scenario
        centres = [centre_of(setting, objective) for objective in range(len(scenario.objectives))]
        self._tables = MacroTables(
            profiles=np.zeros((count, PROFILE_FEATURES), dtype=np.float32),
            weapons=np.zeros(count if options.needs_status else 0, dtype=WEAPON_TABLE),
            flags=options.flags,
            values=np.zeros(count, dtype=np.float32),
            centres=np.array([(col / scenario.cols, row / scenario.rows) for col, row in centres], dtype=np.float32),
            start=starts["macro_global"],
        )
        for number, unit in enumerate(setting.units):
            if unit is not None:
                self._prepare(number, unit, options)

    def _prepare(self, number: int, unit: Unit, options: ProfileOptions) -> None:
        weights = weights_against(self._setting, unit.player, options)
        if options.needs_status:
            self._tables.weapons[number] = weapon_table_of(unit.type, weights)[0]
        else:
            profile = offensive_profile(unit.type, weights, options)
            self._tables.profiles[number] = profile_features(profile)
        self._tables.values[number] = unit.type.value / self._setting.game_rules.macro_max_unit_value

    def write(self, games: Games, rows: Rows, observations: NDArray[np.float32]) -> None:
        """Write the macro blocks of some rows of ``observations``
        (n, observation_size) from their games (n,).
        """
        worlds, board = self._setting.worlds, self._setting.board
        write_macro_rows(worlds, board, games, rows, self._tables, observations)
        if self._extras_start is not None:
            write_extra_rows(worlds, board, games, rows, self._extras_start, observations)


def profile_features(profile: OffensiveProfile) -> tuple[float, ...]:
    """Return the first numbers of a unit's row: two one-hots and the ratio."""
    return (*profile.best_ranged_target_onehot, *profile.best_melee_target_onehot, profile.attack_mode_ratio)
