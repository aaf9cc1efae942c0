"""Agents as data: the environment one learns in (``training.json``), what it is paid (``rewards.json``).

An agent is a folder, which need not hold both. Its settings answer to the entry's name and to
``<agent>_training_config`` and ``<agent>_rewards_config``, the names that the command line takes.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import UNSET, structs

from ..content.files import is_file
from ..content.paths import find_data, list_data
from ..content.reading import read_model
from ..content.reward_terms import TERM_NAMES
from ..content.scenario import list_scenarios
from ..content.schemas import LayoutEntry, RewardsFile, TrainingEntry
from ..errors import ContentError, brief, did_you_mean

DEFAULT_AGENT = "MacroController"
DEFAULT_ENTRY = "default"
TRAINING_SUFFIX = "_training_config"
REWARDS_SUFFIX = "_rewards_config"


@dataclass(frozen=True, slots=True)
class Capacities:
    """What the actions and observations of an agent have room for, and which blocks they have."""

    units_per_side: int = 16
    objectives: int = 8
    intents: bool = False
    macro: bool = False
    macro_extras: bool = False


@dataclass(frozen=True, slots=True)
class Evolutions:
    """The evolutions of the offensive profile that macro observations are made with; all off by default."""

    dynamic_weights: bool = False
    best_weapons: int = 1
    real_range: bool = False
    weapon_rules: bool = False
    selectable_only: bool = False


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """The environment settings of one entry of ``training.json``."""

    scenario: str  # name or path
    decisions: str  # "agent" or "reference"
    max_turns: int | None  # None: that of the game rules
    layout: Capacities
    weapon_rules: str = "reference"  # or "full"
    obs_size: int | None = None  # length of the observation that the agent expects; None: whatever the layout gives
    profile: Evolutions = Evolutions()
    layout_given: bool = field(default=False, compare=False)  # the entry has the key ``layout``
    where: str = field(default="training.json", compare=False)  # file and entry, for errors


@dataclass(frozen=True, slots=True)
class RewardsConfig:
    """The weight of each reward term, by name; a term is its weight times the amount that happened.

    Terms left out weigh 0. With ``zero_sum`` a player is paid half the difference of both players' sums. Raises
    ContentError for unknown terms and for weights that are no finite numbers.
    """

    terms: Mapping[str, float]  # all of content.reward_terms, in that order
    zero_sum: bool = False

    def __post_init__(self) -> None:
        """Check the terms and put in those that are missing."""
        if not isinstance(self.terms, Mapping):
            raise ContentError("rewards", "terms", "a dictionary of weights by term", brief(self.terms))
        if not isinstance(self.zero_sum, bool):
            raise ContentError("rewards", "zero_sum", "True or False", brief(self.zero_sum))
        check_terms(self.terms, "rewards")
        object.__setattr__(self, "terms", {name: float(self.terms.get(name, 0.0)) for name in TERM_NAMES})


def list_agents() -> list[str]:
    """Return the names of the agents, sorted."""
    return list_data("agents")


def training_config(name: str = DEFAULT_ENTRY, agent: str = DEFAULT_AGENT) -> TrainingConfig:
    """Return an entry of an agent's ``training.json``.

    ``name`` is an entry of ``agent``, or ``<agent>_training_config`` for the default entry of that agent. An agent
    without the file has the entry ``default`` alone, in which every setting has the default of docs/configuration.md.
    Raises ContentError for unknown names, listing the known ones, and for a broken file.
    """
    if name.endswith(TRAINING_SUFFIX):
        agent, name = name.removesuffix(TRAINING_SUFFIX), DEFAULT_ENTRY
    path = find_data("agents", agent) / "training.json"
    if not is_file(path):
        if name != DEFAULT_ENTRY:
            known = [DEFAULT_ENTRY, f"{agent}{TRAINING_SUFFIX}"]
            got = f"an unknown name: {agent} has no training.json"
            raise ContentError(str(path.parent), name, f"one of {', '.join(known)}", got, did_you_mean(name, known))
        return _training(TrainingEntry(), path, name, f"default settings, as {agent} has no training.json")
    entries = read_model(path, dict[str, TrainingEntry])
    if name not in entries:
        known = [*entries, f"{agent}{TRAINING_SUFFIX}"]
        raise ContentError(str(path), name, f"one of {', '.join(known)}", "an unknown name", did_you_mean(name, known))
    return _training(entries[name], path, name)


def read_training(path: Path) -> dict[str, TrainingConfig]:
    """Return every entry of a ``training.json`` by name. Raises ContentError for a broken file or entry."""
    entries = read_model(path, dict[str, TrainingEntry])
    return {name: _training(entry, path, name) for name, entry in entries.items()}


def _training(entry: TrainingEntry, path: Path, name: str, where: str = "") -> TrainingConfig:
    _check_scenario(entry.scenario, path, name)
    return TrainingConfig(
        entry.scenario,
        entry.decisions,
        entry.max_turns,
        Capacities(**structs.asdict(LayoutEntry() if entry.layout is UNSET else entry.layout)),
        entry.weapon_rules,
        entry.obs_size,
        Evolutions(**structs.asdict(entry.profile)),
        layout_given=entry.layout is not UNSET,
        where=where or f"{path}: {name}",
    )


def rewards_config(name: str | Path = DEFAULT_AGENT) -> RewardsConfig:
    """Return reward weights: those of an agent, named by its folder or as ``<agent>_rewards_config``, or of a file.

    Text that ends in ``.json`` or holds a folder separator is the path of a file. Raises ContentError for an unknown
    agent, listing the known ones, and for a broken file.
    """
    if isinstance(name, Path) or name.endswith(".json") or {"/", "\\"} & set(name):
        path = Path(name)
    else:
        path = find_data("agents", name.removesuffix(REWARDS_SUFFIX)) / "rewards.json"
    entry = read_model(path, RewardsFile)
    check_terms(entry.terms, str(path))
    return RewardsConfig(entry.terms, entry.zero_sum)


def check_terms(terms: Mapping[str, object], where: str) -> None:
    """Raise ContentError unless every name is a reward term and every weight a finite number."""
    for name, weight in terms.items():
        if name not in TERM_NAMES:
            expected = f"one of the reward terms {', '.join(TERM_NAMES)}"
            raise ContentError(where, f"terms.{name}", expected, "an unknown term", did_you_mean(str(name), TERM_NAMES))
        if not isinstance(weight, int | float) or isinstance(weight, bool) or not abs(weight) <= sys.float_info.max:
            raise ContentError(where, f"terms.{name}", "a finite number", brief(weight))


def _check_scenario(scenario: str, path: Path, name: str) -> None:
    known = list_scenarios()
    if scenario not in known and not is_file(scenario):
        expected = f"a scenario: a path, or one of {', '.join(known)}"
        raise ContentError(str(path), f"{name}.scenario", expected, f'"{scenario}"', did_you_mean(scenario, known))
