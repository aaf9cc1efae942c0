"""Loads the scenarios of an environment: each is prepared
once for all games of the same options.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ..content.scenario import ScenarioSource, read_scenario, scenario_of
from ..content.types import Scenario
from ..content.weapon_rules import write_acting_rules
from ..content.world import Setting, build_setting
from ..errors import ContentError, brief
from ..observe.encode import write_features
from ..rules.state import DECISIONS
from .options import GameOptions

if TYPE_CHECKING:
    from ..observe.macro.writer import MacroWriter

ScenarioName: TypeAlias = str | Path

FINGERPRINT = 8  # bytes


@dataclass(frozen=True, slots=True, eq=False)
class LoadedScenario:
    """The arrays of a scenario for the options of a game, and their
    hash, by which snapshots identify it.
    """

    setting: Setting
    fingerprint: bytes  # FINGERPRINT bytes
    macro: MacroWriter | None  # None in a layout without macro blocks


def load_scenarios(scenario: object, options: GameOptions) -> list[LoadedScenario]:
    """Load a scenario, or a list of scenarios, by name or path.

    Raises ContentError if one is missing or invalid, or does not fit the options.
    """
    options = replace(options, rewards=None)  # they change nothing that is loaded
    return [_load(read_scenario(name), options) for name in _named(scenario)]


@lru_cache(maxsize=64)
def _load(source: ScenarioSource, options: GameOptions) -> LoadedScenario:
    """Load a scenario once for all its games; the cache key has the content of the files, so edited
    files are reloaded.
    """
    return prepare_scenario(scenario_of(source), options)


def prepare_scenario(scenario: Scenario, options: GameOptions) -> LoadedScenario:
    """Return the arrays of a scenario. Raises ContentError if the
    scenario does not fit the options.
    """
    layout = options.layout
    setting = build_setting(
        scenario, options.game_rules, units_per_side=layout.units_per_side, objectives=layout.objectives
    )
    _write_options(setting, options)
    write_features(setting.worlds)
    setting.worlds.setflags(write=False)
    digest = hashlib.blake2b(setting.worlds.tobytes() + setting.board.tobytes(), digest_size=FINGERPRINT)
    return LoadedScenario(setting, digest.digest(), _macro_writer(setting, options) if layout.macro else None)


def _write_options(setting: Setting, options: GameOptions) -> None:
    """Write the options that the rules read into the World. Raises ContentError for weapon rules
    that cannot be applied.
    """
    world = setting.world
    if options.max_turns is not None:
        world.max_turns = options.max_turns
    world.decisions = DECISIONS.index(options.decisions)
    world.intents = options.layout.intents
    if options.weapon_rules == "full":
        write_acting_rules(world, setting.scenario, setting.number_of)


def _macro_writer(setting: Setting, options: GameOptions) -> MacroWriter:
    from ..observe.macro.writer import MacroWriter  # here, because a layout without macro blocks need not load it

    return MacroWriter(setting, options.layout, options.profile)


def _named(scenario: object) -> list[ScenarioName]:
    """Return the scenarios of the argument as a list. Raises
    ContentError if it is empty or of another type.
    """
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
