"""Names, meanings and bounds of the numbers of the macro blocks, in the order of the
meta-controller document.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterable
from typing import Any, TypeAlias

Field: TypeAlias = tuple[str, str]
Bounds: TypeAlias = tuple[float, float]

MOST_VALUE = 10_000
"""The largest VALUE that a unit may have."""


def indices(fields: Iterable[Field]) -> Any:
    """Return the index of each field by its name, as a named
    tuple; its length is the number of fields.
    """
    names = [name for name, _ in fields]
    return namedtuple("Indices", names)(*range(len(names)))


MACRO_GLOBAL_FIELDS: tuple[Field, ...] = (
    ("turn", "turn / turns of the game"),
    ("phase_move", "1 in the movement phase"),
    ("phase_shoot", "1 in the shooting phase"),
    ("phase_charge", "1 in the charge phase"),
    ("phase_fight", "1 in the fight phase"),
    ("current_player_1", "1 in the turn of player 1"),
    ("current_player_2", "1 in the turn of player 2"),
    ("objectives_player_1", "number of objectives on which player 1 has more objective control now"),
    ("objectives_player_2", "the same of player 2"),
    ("army_value_diff", "VALUE of the living units of player 1 less that of player 2, in points"),
)

MACRO_UNIT_FIELDS: tuple[Field, ...] = (
    ("ranged_swarm", "1 if its best ranged score is against a Swarm"),
    ("ranged_troop", "1 if it is against a Troop"),
    ("ranged_elite", "1 if it is against an Elite"),
    ("melee_swarm", "1 if its best melee score is against a Swarm"),
    ("melee_troop", "1 if it is against a Troop"),
    ("melee_elite", "1 if it is against an Elite"),
    ("attack_mode_ratio", "best melee score / (best melee score + best ranged score)"),
    ("hp_ratio", "hit points / full hit points"),
    ("value_norm", "VALUE / `macro_max_unit_value` of the game rules"),
    ("pos_col_norm", "column / last column"),
    ("pos_row_norm", "row / last row"),
    ("dist_obj_norm", "hexes to the nearest objective / largest distance on the board"),
)

MACRO_OBJECTIVE_FIELDS: tuple[Field, ...] = (
    ("col_norm", "mean column of its hexes / columns"),
    ("row_norm", "mean row of its hexes / rows"),
    ("control_state", "1 if the player whose turn it is has more objective control on it now, -1 the other, 0 neither"),
)

MACRO_THREAT_FIELDS: tuple[Field, ...] = (
    ("ally", "1 for a unit of the player whose turn it is, -1 for one of the other"),
    ("eligible", "1 if the unit is in the activation pool of this moment"),
    ("enemy_distance", "hexes to its nearest enemy / largest distance on the board, 1 without one"),
    (
        "threat",
        "share of its hit points that enemies would take with their best weapon from where they stand, at most 1",
    ),
)

MACRO_PRIORITY_FIELDS: tuple[Field, ...] = (
    ("ally_strength", "objective control on it of the player whose turn it is / 10, at most 1"),
    ("enemy_strength", "the same of the other player"),
    ("ally_distance", "hexes from the nearest of this player's units / largest distance on the board, 1 without one"),
    ("enemy_distance", "the same of the other player"),
    ("priority", "what there is to win or lose: 1 - ally_distance, times 1 - enemy_distance if it is held"),
)

BOUNDS: dict[tuple[str, str], Bounds] = {
    ("macro_global", "objectives_player_1"): (0.0, 64.0),
    ("macro_global", "objectives_player_2"): (0.0, 64.0),
    ("macro_global", "army_value_diff"): (-64.0 * MOST_VALUE, 64.0 * MOST_VALUE),
    ("macro_units", "value_norm"): (0.0, float(MOST_VALUE)),
}
"""Bounds of the numbers that are not from -1 to 1, by block and
field: counts and points are not scaled.
"""
