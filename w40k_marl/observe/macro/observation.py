"""The macro observation of a game, as a dictionary and as a vector, for the super-agent.

Both are those of the meta-controller document (docs/sources.md; spec 07 A.1 and A.3). Players are
absolute, 1 and 2; allies are the units of the player whose turn it is.
"""

from __future__ import annotations

from typing import NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from ...content.types import Unit
from ...content.world import Setting
from ...errors import ContentError, W40KError
from ...rules.state import FIGHT, MOVE, PHASES, Games
from .encode import GLOBAL, OBJECTIVE, UNIT, distances_and_strengths
from .extras import PRIORITY, THREAT, write_extra_rows
from .fields import MACRO_PRIORITY_FIELDS, MACRO_THREAT_FIELDS
from .offensive_profile import BASE, OffensiveProfile, ProfileOptions, UnitStatus, offensive_profile
from .profile_kernel import STATUS_FIELDS
from .unit_status import write_statuses
from .writer import centre_of, check_macro, weights_against

PHASE_ORDER = PHASES[MOVE : FIGHT + 1]
"""The phases in the order of their one-hot."""


class MacroGlobal(TypedDict):
    """The game as a whole."""

    turn: int
    phase: str
    current_player: int
    objectives_controlled: dict[str, int]  # "p1", "p2": objectives with more objective control now
    army_value_diff: int  # VALUE of the living of player 1 less player 2


class MacroUnit(TypedDict):
    """One living unit."""

    id: str
    unitType: str
    player: int
    col: int
    row: int
    hp: int
    hp_max: int
    value: int
    dist_obj: int
    best_ranged_target_onehot: list[float]
    best_melee_target_onehot: list[float]
    attack_mode_ratio: float
    hp_ratio: float
    value_norm: float
    pos_col_norm: float
    pos_row_norm: float
    dist_obj_norm: float


class MacroObjective(TypedDict):
    """One objective; ``col`` and ``row`` are the mean of its hexes."""

    id: str
    col: float
    row: float
    col_norm: float
    row_norm: float
    control_state: float  # 1, -1 or 0 for the player whose turn it is


MacroObservation = TypedDict(
    "MacroObservation",
    {
        "global": MacroGlobal,
        "units": list[MacroUnit],
        "objectives": list[MacroObjective],
        "ally_ids": list[str],
        "enemy_ids": list[str],
        "attrition_objective_index": int,
        "eligible_mask": list[int],
        "threats": NotRequired[list[dict[str, float]]],
        "priorities": NotRequired[list[dict[str, float]]],
    },
)
"""The dictionary; ``units``, ``eligible_mask`` and ``threats`` have the same order and length."""


def macro_observation(
    setting: Setting,
    games: Games,
    row: int = 0,
    *,
    options: ProfileOptions | None = None,
    extras: bool = False,
) -> MacroObservation:
    """Return the macro observation of the game in a row, the same for both players.

    ``extras`` adds threats and priorities. Raises ContentError if the scenario does not fit
    (``check_macro``) or a unit has no profile, W40KError before the first reset.
    """
    check_macro(setting)
    game = games[row]
    if not MOVE <= game.phase <= FIGHT:
        got = f"phase {PHASES[int(game.phase)]}"
        raise W40KError(f"macro observation: expected a game in phase {', '.join(PHASE_ORDER)}, got {got}")
    living = living_units(setting, games, row)
    units = np.zeros((len(setting.units), 2), dtype=np.int64)
    strengths = np.zeros((len(setting.scenario.objectives), 2), dtype=np.int64)
    distances_and_strengths(setting.worlds, setting.board, games, row, units, strengths)
    profiles = unit_profiles(setting, games, row, options=options)
    entries = [_unit(setting, games, row, number, int(units[number, 0]), profiles[number]) for number in living]
    player = int(game.side) + 1
    seen: MacroObservation = {
        "global": _global(games, row, strengths, entries),
        "units": entries,
        "objectives": [_objective(setting, index, strengths[index], player) for index in range(len(strengths))],
        "ally_ids": [entry["id"] for entry in entries if entry["player"] == player],
        "enemy_ids": [entry["id"] for entry in entries if entry["player"] != player],
        "attrition_objective_index": len(strengths) - 1,
        "eligible_mask": [int(units[number, 1]) for number in living],
    }
    if extras:
        seen["threats"], seen["priorities"] = _extras(setting, games, row, len(living), len(strengths))
    return seen


def living_units(setting: Setting, games: Games, row: int = 0) -> list[int]:
    """Return the numbers of the living units, ordered by their ids as text."""
    world, game = setting.world, games[row]
    per_side = int(world.units_per_side)
    ordered = world.id_order[: int(world.roster_size)].tolist()
    alive = game.alive.tolist()
    return [number for number in ordered if alive[number // per_side] >> number % per_side & 1]


def unit_profiles(
    setting: Setting, games: Games, row: int = 0, *, options: ProfileOptions | None = None
) -> dict[int, OffensiveProfile]:
    """Return the profiles of the living units by number; some
    options use the current state of the game.
    """
    options = options or BASE
    statuses = np.zeros((len(setting.units), STATUS_FIELDS), dtype=np.int64)
    if options.needs_status:
        write_statuses(setting.worlds, setting.board, games, row, statuses)
    weights = {player: weights_against(setting, player, options) for player in (1, 2)}
    found: dict[int, OffensiveProfile] = {}
    alike: dict[tuple[int, int, UnitStatus | None], OffensiveProfile] = {}  # to hash a unit type takes its time
    for number in living_units(setting, games, row):
        unit = _existing(setting, number)
        status = UnitStatus.of(statuses[number]) if options.needs_status else None
        key = id(unit.type), unit.player, status
        if key not in alike:
            alike[key] = offensive_profile(unit.type, weights[unit.player], options, status)
        found[number] = alike[key]
    return found


def _existing(setting: Setting, number: int) -> Unit:
    unit = setting.units[number]
    assert unit is not None, "living units are in the roster"
    return unit


def _global(games: Games, row: int, strengths: NDArray[np.int64], units: list[MacroUnit]) -> MacroGlobal:
    game = games[row]
    first, second = strengths[:, 0], strengths[:, 1]
    return {
        "turn": int(game.turn),
        "phase": PHASES[int(game.phase)],
        "current_player": int(game.side) + 1,
        "objectives_controlled": {"p1": int((first > second).sum()), "p2": int((second > first).sum())},
        "army_value_diff": sum(unit["value"] if unit["player"] == 1 else -unit["value"] for unit in units),
    }


def _unit(setting: Setting, games: Games, row: int, number: int, distance: int, profile: OffensiveProfile) -> MacroUnit:
    game, unit, scenario = games[row], _existing(setting, number), setting.scenario
    col, level = divmod(int(game.hexes[number]), 64)
    hit_points = int(game.hit_points[number])
    return {
        "id": unit.id,
        "unitType": unit.type.name,
        "player": unit.player,
        "col": col,
        "row": level,
        "hp": hit_points,
        "hp_max": unit.type.hit_points,
        "value": unit.type.value,
        "dist_obj": distance,
        "best_ranged_target_onehot": list(profile.best_ranged_target_onehot),
        "best_melee_target_onehot": list(profile.best_melee_target_onehot),
        "attack_mode_ratio": profile.attack_mode_ratio,
        "hp_ratio": hit_points / unit.type.hit_points,
        "value_norm": unit.type.value / setting.game_rules.macro_max_unit_value,
        "pos_col_norm": col / (scenario.cols - 1),
        "pos_row_norm": level / (scenario.rows - 1),
        "dist_obj_norm": distance / int(setting.world.max_range),
    }


def _objective(setting: Setting, index: int, strengths: NDArray[np.int64], player: int) -> MacroObjective:
    col, row = centre_of(setting, index)
    return {
        "id": setting.scenario.objectives[index].id,
        "col": col,
        "row": row,
        "col_norm": col / setting.scenario.cols,
        "row_norm": row / setting.scenario.rows,
        "control_state": float(np.sign(strengths[player - 1] - strengths[2 - player])),
    }


def _extras(
    setting: Setting, games: Games, row: int, units: int, objectives: int
) -> tuple[list[dict[str, float]], list[dict[str, float]]]:
    """Return the threats and priorities, each row by the names of its fields."""
    priorities = len(setting.units) * len(THREAT)
    written = np.zeros((row + 1, priorities + objectives * len(PRIORITY)), dtype=np.float32)
    write_extra_rows(setting.worlds, setting.board, games, np.array([row]), 0, written)
    numbers = written[row].tolist()
    threats = [numbers[place * len(THREAT) : (place + 1) * len(THREAT)] for place in range(units)]
    rest = [numbers[priorities + index * len(PRIORITY) :][: len(PRIORITY)] for index in range(objectives)]
    return (
        [{name: value for (name, _), value in zip(MACRO_THREAT_FIELDS, line, strict=True)} for line in threats],
        [{name: value for (name, _), value in zip(MACRO_PRIORITY_FIELDS, line, strict=True)} for line in rest],
    )


# --- the vector --------------------------------------------------------------------------------------------


def macro_vector_size(units: int, objectives: int) -> int:
    """Return the length of the vector for numbers of rows: 208 for 15 units and 6 objectives."""
    return len(GLOBAL) + len(UNIT) * units + len(OBJECTIVE) * objectives


def macro_vector(seen: MacroObservation, *, units: int, objectives: int, max_turns: int) -> NDArray[np.float32]:
    """Return the dictionary as a vector, float32 ``(10 + 12 * units + 3 * objectives,)``:
    docs/macro_observation.md.

    ``units`` and ``objectives`` are the numbers of rows; unused rows are zeros. Raises ContentError
    if there are more units or objectives than rows.
    """
    for name, rows, got in (("units", units, seen["units"]), ("objectives", objectives, seen["objectives"])):
        if len(got) > rows:
            raise ContentError("macro vector", name, f"at most {rows}", str(len(got)))
    head = seen["global"]
    held = head["objectives_controlled"]
    numbers = [head["turn"] / max_turns, *(float(head["phase"] == phase) for phase in PHASE_ORDER)]
    numbers += [float(head["current_player"] == player) for player in (1, 2)]
    numbers += [held["p1"], held["p2"], head["army_value_diff"]]
    vector = np.zeros(macro_vector_size(units, objectives), dtype=np.float32)
    vector[: len(GLOBAL)] = numbers
    for index, unit in enumerate(seen["units"]):
        vector[len(GLOBAL) + index * len(UNIT) :][: len(UNIT)] = _unit_numbers(unit)
    for index, objective in enumerate(seen["objectives"]):
        place = len(GLOBAL) + units * len(UNIT) + index * len(OBJECTIVE)
        vector[place : place + len(OBJECTIVE)] = [objective[key] for key in ("col_norm", "row_norm", "control_state")]
    return vector


def _unit_numbers(unit: MacroUnit) -> list[float]:
    """Return the numbers of a unit's row, in order."""
    hot = [*unit["best_ranged_target_onehot"], *unit["best_melee_target_onehot"]]
    scalars = (unit["attack_mode_ratio"], unit["hp_ratio"], unit["value_norm"])
    return [*hot, *scalars, unit["pos_col_norm"], unit["pos_row_norm"], unit["dist_obj_norm"]]
