"""Counts every legal sequence of actions to a depth, on small positions with fixed dice: the perft of these rules.

A change of the rules shows as a changed count; ``perft.json`` holds the counts that were reviewed. Write it anew with

    python tests/rules/make_perft.py

Sequences that reach the end of the game early count at the depth where they end.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from w40k_marl.content.scenario import build_scenario
from w40k_marl.content.world import Setting
from w40k_marl.env.loading import prepare_scenario
from w40k_marl.env.options import GameOptions
from w40k_marl.rules import engine
from w40k_marl.rules.state import new_games

FILE = Path(__file__).with_name("perft.json")
SEED = 2026
DEPTH = {"duel": 13, "shots": 10, "brawl": 10}

POSITIONS: dict[str, dict[str, Any]] = {
    # two chargers at either side of a wall
    "duel": {
        "board": {"cols": 7, "rows": 7},
        "units": [
            {"id": 1, "unit_type": "Hormagaunt", "player": 1, "col": 1, "row": 3},
            {"id": 2, "unit_type": "AssaultIntercessor", "player": 2, "col": 5, "row": 3},
        ],
        "wall_hexes": [[3, 2], [3, 3]],
    },
    # ranged units that see each other
    "shots": {
        "board": {"cols": 13, "rows": 7},
        "units": [
            {"id": 1, "unit_type": "Intercessor", "player": 1, "col": 1, "row": 2},
            {"id": 2, "unit_type": "IntercessorGrenadeLauncher", "player": 1, "col": 1, "row": 4},
            {"id": 3, "unit_type": "TyranidWarriorRanged", "player": 2, "col": 11, "row": 2},
            {"id": 4, "unit_type": "Termagant", "player": 2, "col": 11, "row": 4},
        ],
        "wall_hexes": [[6, 3]],
    },
    # everybody in contact
    "brawl": {
        "board": {"cols": 6, "rows": 6},
        "units": [
            {"id": 1, "unit_type": "IntercessorSergeant", "player": 1, "col": 2, "row": 2},
            {"id": 2, "unit_type": "Genestealer", "player": 1, "col": 3, "row": 3},
            {"id": 3, "unit_type": "TyranidWarriorRanged", "player": 2, "col": 2, "row": 3},
            {"id": 4, "unit_type": "Hormagaunt", "player": 2, "col": 3, "row": 2},
        ],
        "wall_hexes": [],
    },
}


def setting_of(position: str, decisions: str) -> Setting:
    """The arrays of a position; the objective is in its middle, two rounds are played."""
    data = POSITIONS[position]
    middle = [data["board"]["cols"] // 2, data["board"]["rows"] // 2]
    scenario = build_scenario(
        {**data, "objectives": [{"id": 1, "hexes": [middle]}], "primary_objectives": "objectives_control"},
        name=position,
    )
    return prepare_scenario(scenario, GameOptions(decisions=decisions, max_turns=2)).setting


def counts(position: str, decisions: str, depth: int) -> list[int]:
    """How many sequences of 1, 2, .. ``depth`` legal actions there are, the dice being those of one seed."""
    setting = setting_of(position, decisions)
    rows = new_games(depth + 1, 16, 8)  # one game for each level
    engine.reset(setting.worlds, setting.board, rows, 0, np.uint64(SEED))
    found = [0] * depth
    mask = np.empty(29, dtype=np.int8)

    def play_all(level: int) -> None:
        engine.legal_mask(setting.worlds, rows, level, mask)
        for action in np.flatnonzero(mask).tolist():
            rows[level + 1] = rows[level]
            engine.step(setting.worlds, setting.board, rows, level + 1, action)
            found[level] += 1
            if level + 1 < depth:
                play_all(level + 1)

    play_all(0)
    return found


def table(depths: dict[str, int] | None = None) -> dict[str, dict[str, list[int]]]:
    """Counts of every position under both settings of ``decisions``."""
    return {
        position: {decisions: counts(position, decisions, depth) for decisions in ("reference", "agent")}
        for position, depth in (depths or DEPTH).items()
    }


if __name__ == "__main__":
    text = json.dumps(table(), indent=1)
    FILE.write_text(text.replace("\n   ", " ").replace("\n  ]", " ]") + "\n", encoding="utf-8")
    print(FILE.read_text(encoding="utf-8"))  # noqa: T201
