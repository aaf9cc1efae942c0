"""From what an environment is asked for to settings that are ready to be played, each built once for all its games."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

from ..content.game_rules import check_game_rules, load_game_rules
from ..content.scenario import ScenarioSource, read_scenario, scenario_of
from ..content.types import GameRules, Scenario
from ..content.world import Setting, build_setting
from ..errors import ContentError, brief
from ..observe.encode import write_features
from ..observe.layout import Layout
from ..reward.config import RewardsOption
from ..rules.state import DECISIONS, WEAPON_RULE_SETTINGS

if TYPE_CHECKING:
    from ..observe.macro.offensive_profile import ProfileOptions
    from ..observe.macro.writer import MacroWriter

ScenarioName: TypeAlias = str | Path

MOST_TURNS = 1000
FINGERPRINT = 8  # bytes


class GameOptions(TypedDict, total=False):
    """How games are played: the keyword arguments that every environment hands on to its ``Session``."""

    decisions: str  # "agent" (default), or "reference" for the reference's automatic targets
    game_rules: str | Path | GameRules | None  # a file or its numbers, by default the packaged ones
    layout: Layout | None  # capacities, by default 16 units a side and 8 objectives
    max_turns: int | None  # by default that of the game rules
    weapon_rules: str  # "reference" (default), or "full": all rules of docs/weapon_rules.md act
    rewards: RewardsOption  # an agent, a file or the weights of reward terms; by default the result alone
    profile: ProfileOptions | None  # options of the offensive profile in macro observations, by default none


@dataclass(frozen=True, slots=True)
class Way:
    """How games are played: all options that settings are built with."""

    game_rules: GameRules
    layout: Layout
    decisions: str
    max_turns: int | None
    weapon_rules: str
    profile: ProfileOptions | None


@dataclass(frozen=True, slots=True, eq=False)
class Playable:
    """A setting and a hash of all that it tells the rules, by which a snapshot finds it again."""

    setting: Setting
    fingerprint: bytes
    macro: MacroWriter | None  # of a layout with macro blocks


def make_way(
    decisions: str,
    game_rules: str | Path | GameRules | None,
    layout: Layout | None,
    max_turns: int | None,
    weapon_rules: str,
    profile: ProfileOptions | None,
) -> Way:
    """The options, checked, with defaults in the place of None. Raises ContentError."""
    _check_arguments(decisions, max_turns, weapon_rules)
    if game_rules is not None and not isinstance(game_rules, str | Path | GameRules):
        raise ContentError("argument", "game_rules", "None, a path, or GameRules", brief(game_rules))
    if isinstance(game_rules, GameRules):
        check_game_rules(game_rules)
    rules = game_rules if isinstance(game_rules, GameRules) else load_game_rules(game_rules)
    return Way(rules, _checked_layout(layout), decisions, max_turns, weapon_rules, _checked_profile(profile))


def load_all(scenario: object, way: Way) -> list[Playable]:
    """The settings of one scenario or of a list of them; ContentError where one is missing, wrong or does not fit."""
    return [_load(read_scenario(name), way) for name in _named(scenario)]


@lru_cache(maxsize=64)
def _load(source: ScenarioSource, way: Way) -> Playable:
    """Build a scenario once for all its games; the source holds the content, so that every edit is seen."""
    return playable(scenario_of(source), way)


def playable(scenario: Scenario, way: Way) -> Playable:
    """Build the setting of a scenario. Raises ContentError where it does not fit."""
    layout = way.layout
    setting = build_setting(
        scenario,
        way.game_rules,
        units_per_side=layout.units_per_side,
        objectives=layout.objectives,
        decisions=way.decisions,
        max_turns=way.max_turns,
        weapon_rules=way.weapon_rules,
        intents=layout.intents,
    )
    write_features(setting.worlds)
    setting.worlds.setflags(write=False)
    digest = hashlib.blake2b(setting.worlds.tobytes() + setting.board.tobytes(), digest_size=FINGERPRINT)
    return Playable(setting, digest.digest(), _macro_writer(setting, way) if layout.macro else None)


def _macro_writer(setting: Setting, way: Way) -> MacroWriter:
    from ..observe.macro.writer import MacroWriter  # here, because a layout without macro blocks need not load it

    return MacroWriter(setting, way.layout, way.profile)


def _named(scenario: object) -> list[ScenarioName]:
    """The scenarios of the argument as a list, at least one. Raises ContentError."""
    names = [scenario] if isinstance(scenario, str | Path) else scenario
    expected = "a name, a path, or a list of them"
    if not isinstance(names, Sequence):
        raise ContentError("argument", "scenario", expected, brief(scenario))
    if not names:
        raise ContentError("argument", "scenario", expected, "an empty list")
    for name in names:
        if not isinstance(name, str | Path):
            raise ContentError("argument", "scenario", expected, f"{brief(name)} in the list")
    return list(names)


def _check_arguments(decisions: object, max_turns: object, weapon_rules: object) -> None:
    choices = (("decisions", DECISIONS, decisions), ("weapon_rules", WEAPON_RULE_SETTINGS, weapon_rules))
    for key, known, got in choices:
        if not isinstance(got, str) or got not in known:
            raise ContentError("argument", key, " or ".join(map(repr, known)), brief(got))
    whole = isinstance(max_turns, int) and not isinstance(max_turns, bool)
    if max_turns is not None and not (whole and 1 <= max_turns <= MOST_TURNS):  # type: ignore[operator]
        raise ContentError("argument", "max_turns", f"None or a whole number from 1 to {MOST_TURNS}", brief(max_turns))


def _checked_layout(layout: Any) -> Layout:
    """The layout. Raises ContentError for anything else."""
    if layout is None:
        return Layout()
    if not isinstance(layout, Layout):
        raise ContentError("argument", "layout", "None or a Layout", brief(layout))
    return layout


def _checked_profile(profile: Any) -> ProfileOptions | None:
    """The options of the profile. Raises ContentError for anything else."""
    if profile is None:
        return None
    from ..observe.macro.offensive_profile import ProfileOptions

    if not isinstance(profile, ProfileOptions):
        raise ContentError("argument", "profile", "None or ProfileOptions", brief(profile))
    return profile
