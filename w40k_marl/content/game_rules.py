"""Reads the numbers of the game: the packaged ``game_rules.json``, or a file of the same form."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from .paths import CONTENT
from .reading import as_model, read_model
from .schemas import GameRulesFile
from .types import GameRules, TargetWeights


def load_game_rules(path: str | Path | None = None) -> GameRules:
    """Return the rule numbers of a file, the packaged one where ``path`` is None (spec 01 section 7).

    Every key is required: a file that names some of them would leave it open which rules hold for the rest.
    Raises ContentError.
    """
    entry = read_model(CONTENT / "game_rules.json" if path is None else Path(path), GameRulesFile)
    weights = entry.macro_target_weights
    return GameRules(
        max_turns=entry.max_turns,
        max_steps_per_turn=entry.max_steps_per_turn,
        turn_limit_penalty=entry.turn_limit_penalty,
        charge_max_distance=entry.charge_max_distance,
        advance_distance_range=entry.advance_distance_range,
        avg_charge_roll=entry.avg_charge_roll,
        macro_max_unit_value=entry.macro_max_unit_value,
        macro_target_weights=TargetWeights(swarm=weights.swarm, troop=weights.troop, elite=weights.elite),
    )


def check_game_rules(rules: GameRules) -> None:
    """Raise ContentError where numbers that were not read from a file could not stand in one."""
    entry: dict[str, object] = {field.name: getattr(rules, field.name) for field in fields(GameRules)}
    weights = rules.macro_target_weights
    if isinstance(weights, TargetWeights):
        entry["macro_target_weights"] = {field.name: getattr(weights, field.name) for field in fields(TargetWeights)}
    as_model(entry, GameRulesFile, "game_rules")
