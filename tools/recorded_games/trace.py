"""Recorded games as gzipped files of JSON lines; the header becomes a Scenario, the rest is
unchanged.

``docs/parity.md`` describes the format and the comparison.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from w40k_marl.content.types import (
    Dice,
    GameRules,
    Objective,
    Scenario,
    Scoring,
    ScoringCondition,
    TargetWeights,
    Unit,
    UnitType,
    Weapon,
)
from w40k_marl.errors import ContentError

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Trace:
    """One recorded game: header, initial state, steps and end, each as the parsed JSON object."""

    path: Path
    header: Json
    initial: Json
    steps: list[Json]
    end: Json
    initial_macro: Json | None = None  # the macro observation of the initial state, where the game has them

    @property
    def name(self) -> str:
        """Name of the recorded game."""
        return str(self.header["episode"])


def find_traces(paths: list[Path]) -> list[Path]:
    """Return the trace files in ``paths``; folders are searched for ``*.jsonl.gz``.

    Raises ContentError if there is none.
    """
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise ContentError(str(path), "path", "a recorded game or a folder of them", "nothing there")
        files = sorted(path.glob("**/*.jsonl.gz")) if path.is_dir() else [path]
        if not files:
            raise ContentError(str(path), "folder", "files *.jsonl.gz", "none")
        found.extend(files)
    return found


def read_trace(path: Path) -> Trace:
    """Read one file. Raises ContentError if it is not a complete recorded game of format 1."""
    try:
        records = list(_records(path))
    except (OSError, EOFError, zlib.error, RecursionError, ValueError) as error:
        raise ContentError(str(path), "file", "gzipped JSON lines", str(error)) from error
    kinds = [record.get("rec") if isinstance(record, dict) else None for record in records]
    if kinds[:2] != ["header", "initial"] or kinds[-1] != "end" or set(map(str, kinds[2:-1])) - {"step"}:
        raise ContentError(str(path), "rec", "header, initial, steps, end", f"{kinds[:2]} ... {kinds[-1:]}")
    if "state" not in records[1]:
        raise ContentError(str(path), "initial.state", "the state after reset", "nothing: the key is missing")
    header = records[0]
    if header.get("format") != 1:
        raise ContentError(str(path), "header.format", "1", repr(header.get("format")))
    return Trace(path, header, records[1]["state"], records[2:-1], records[-1], records[1].get("macro_obs"))


def _records(path: Path) -> Iterator[Json]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def scenario_of(header: Json) -> Scenario:
    """Return the scenario of a game, with units on their deployed hexes."""
    recorded = header["scenario"]
    weapons = {code: _weapon(code, entry) for code, entry in header["weapons"].items()}
    return Scenario(
        name=str(header["episode"]),
        cols=recorded["board"]["cols"],
        rows=recorded["board"]["rows"],
        walls=frozenset((col, row) for col, row in recorded["walls"]),
        objectives=tuple(
            Objective(str(entry["id"]), entry["name"], tuple((col, row) for col, row in entry["hexes"]))
            for entry in recorded["objectives"]
        ),
        scoring=tuple(_scoring(entry) for entry in recorded["primary_objectives"]),
        zones=None,
        random_deployment=False,
        units=tuple(_unit(entry, weapons) for entry in header["units"]),
    )


def _weapon(code: str, entry: Json) -> Weapon:
    attacks: Dice = entry["attacks"]
    return Weapon(
        code,
        entry["name"],
        entry["range"],
        attacks,
        entry["hit"],
        entry["strength"],
        entry["ap"],
        entry["damage"],
        tuple(entry["rules"]),
        entry["combi"],
    )


def _unit(entry: Json, weapons: dict[str, Weapon]) -> Unit:
    kind = UnitType(
        name=entry["type"],
        move=entry["move"],
        toughness=entry["toughness"],
        armor_save=entry["armor_save"],
        invulnerable_save=entry["invul_save"],
        hit_points=entry["hp"],
        leadership=entry["leadership"],
        objective_control=entry["oc"],
        value=entry["value"],
        rules=tuple(entry["rules"]),
        ranged=tuple(weapons[code] for code in entry["ranged"]),
        melee=tuple(weapons[code] for code in entry["melee"]),
        faction=entry["faction"],
        role=entry["role"],
        tanking_level=entry["tanking"],
        move_type=entry["move_kind"],
        target_type=entry["target_kind"],
    )
    return Unit(entry["id"], kind, entry["player"], (entry["col"], entry["row"]))


def _scoring(entry: Json) -> Scoring:
    return Scoring(
        id=str(entry["id"]),
        start_turn=entry["scoring"]["start_turn"],
        max_points_per_turn=entry["scoring"]["max_points_per_turn"],
        conditions=tuple(ScoringCondition(rule["points"], rule["condition"]) for rule in entry["scoring"]["rules"]),
        default_phase=entry["timing"]["default_phase"],
        last_turn_second_player_phase=entry["timing"]["round5_second_player_phase"],
        control_method=entry["control"]["control_method"],
    )


def game_rules_of(header: Json) -> GameRules:
    """Return the rule numbers of a recorded game."""
    recorded = dict(header["game_rules"])
    weights = TargetWeights(**recorded.pop("macro_target_weights"))
    recorded["max_turns"] = header["max_turns"]
    return GameRules(macro_target_weights=weights, **recorded)
