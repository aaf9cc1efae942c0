"""Reads the numbers of the game: the packaged ``game_rules.json``, or a file of the same form."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from .paths import CONTENT
from .reading import as_model, read_model
from .types import GameRules, TargetWeights


def load_game_rules(path: str | Path | None = None) -> GameRules:
    """Return the rule numbers of a file, the packaged one where ``path`` is None (spec 01 section 7).

    Every key is required: a file that names some of them would leave it open which rules hold for the rest.
    Raises ContentError.
    """
    return read_model(CONTENT / "game_rules.json" if path is None else Path(path), GameRules)


def check_game_rules(rules: GameRules) -> None:
    """Raise ContentError where numbers that were not read from a file could not stand in one."""
    as_model(_as_read(rules), GameRules, "game_rules")


def _as_read(value: object) -> object:
    """Return the numbers as a file holds them."""
    if not isinstance(value, GameRules | TargetWeights):
        return value
    return {field.name: _as_read(getattr(value, field.name)) for field in fields(value)}
