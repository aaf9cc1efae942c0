"""From settings, of a ``training.json`` or of a command, to the layout and the profile that games are made with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace

from ..content.types import Scenario
from ..rules.state import MAX_OBJECTIVES, MAX_UNITS_PER_SIDE
from ..train.config import TrainingConfig
from .layout import Layout
from .macro.offensive_profile import ProfileOptions


def configured_layout(config: TrainingConfig, where: str = "training.json") -> Layout:
    """Return the layout of a training entry; ``where`` is the name that errors carry.

    Raises ContentError if the entry is not a valid layout, or if its observation has another size than ``obs_size``.
    """
    layout = Layout(**asdict(config.layout))
    layout.check_observation_size(config.obs_size, where)
    return layout


def configured_profile(config: TrainingConfig) -> ProfileOptions:
    """Return the options of the offensive profile of a training entry. Raises ContentError for invalid values."""
    return ProfileOptions(**asdict(config.profile))


def layout_with_room(scenarios: Iterable[Scenario], least: Layout) -> Layout:
    """Return ``least`` with its capacities raised to what the scenarios need, but not above the limits of the rules."""
    units, objectives = least.units_per_side, least.objectives
    for scenario in scenarios:
        sides = [sum(unit.player == player for unit in scenario.units) for player in (1, 2)]
        units, objectives = max(units, *sides), max(objectives, len(scenario.objectives))
    return replace(least, units_per_side=min(units, MAX_UNITS_PER_SIDE), objectives=min(objectives, MAX_OBJECTIVES))
