"""Agents as data: the environment one learns in (``training.json``), what it is paid (``rewards.json``).

An agent is a folder; its settings answer to the entry's name and to ``<agent>_training_config`` and
``<agent>_rewards_config``, the names that the command line takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import ContentError, did_you_mean
from .models import RewardsFile, TrainingEntry
from .paths import find_data, list_data
from .reading import read_model
from .scenario import list_scenarios

DEFAULT_AGENT = "MacroController"
DEFAULT_ENTRY = "default"
TRAINING_SUFFIX = "_training_config"
REWARDS_SUFFIX = "_rewards_config"


@dataclass(frozen=True, slots=True)
class Capacities:
    """Room in the actions and observations of an agent, and whether activations begin with an intent."""

    units_per_side: int
    objectives: int
    intents: bool = False


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """The environment settings of one entry of ``training.json``."""

    scenario: str  # name or path
    decisions: str  # "agent" or "reference"
    max_turns: int | None  # None: that of the game rules
    layout: Capacities
    weapon_rules: str = "reference"  # or "full"


@dataclass(frozen=True, slots=True)
class RewardsConfig:
    """The weight of each reward term; a term is its weight times the amount that happened."""

    win: float
    lose: float
    draw: float
    victory_point: float
    victory_point_conceded: float
    enemy_value_destroyed: float
    own_value_lost: float


def list_agents() -> list[str]:
    """Return the names of the agents, sorted."""
    return list_data("agents")


def training_config(name: str = DEFAULT_ENTRY, agent: str = DEFAULT_AGENT) -> TrainingConfig:
    """Return an entry of an agent's ``training.json``.

    ``name`` is an entry of ``agent``, or ``<agent>_training_config`` for the default entry of that agent.
    Raises ContentError for unknown names, listing the known ones, and for a broken file.
    """
    if name.endswith(TRAINING_SUFFIX):
        agent, name = name.removesuffix(TRAINING_SUFFIX), DEFAULT_ENTRY
    path = find_data("agents", agent) / "training.json"
    entries = read_model(path, dict[str, TrainingEntry])
    if name not in entries:
        known = [*entries, f"{agent}{TRAINING_SUFFIX}"]
        raise ContentError(str(path), name, f"one of {', '.join(known)}", "an unknown name", did_you_mean(name, known))
    entry = entries[name]
    _check_scenario(entry.scenario, path, name)
    layout = Capacities(entry.layout.units_per_side, entry.layout.objectives, entry.layout.intents)
    return TrainingConfig(entry.scenario, entry.decisions, entry.max_turns, layout, entry.weapon_rules)


def rewards_config(name: str = DEFAULT_AGENT) -> RewardsConfig:
    """Return the reward weights of an agent, named by its folder or as ``<agent>_rewards_config``.

    Raises ContentError for an unknown agent, listing the known ones, and for a broken file.
    """
    path = find_data("agents", name.removesuffix(REWARDS_SUFFIX)) / "rewards.json"
    entry = read_model(path, RewardsFile)
    return RewardsConfig(**{field: getattr(entry, field) for field in entry.__struct_fields__})


def _check_scenario(scenario: str, path: Path, name: str) -> None:
    known = list_scenarios()
    if scenario not in known and not Path(scenario).is_file():
        expected = f"a scenario: a path, or one of {', '.join(known)}"
        raise ContentError(str(path), f"{name}.scenario", expected, f'"{scenario}"', did_you_mean(scenario, known))
