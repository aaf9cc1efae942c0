"""From the settings of an agent to the layout it learns in, with the size it expects checked."""

from __future__ import annotations

from dataclasses import asdict

from ..content.agents import TrainingConfig
from .layout import Layout


def configured_layout(config: TrainingConfig, where: str = "training.json") -> Layout:
    """Return the layout of a training entry; ``where`` is the name that errors carry.

    Raises ContentError where it is no layout, or its observation has not the size that ``obs_size`` says.
    """
    layout = Layout(**asdict(config.layout))
    layout.check_observation_size(config.obs_size, where)
    return layout
