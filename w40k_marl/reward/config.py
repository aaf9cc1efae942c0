"""Reward weights as data: ``rewards.json`` of an agent, or a file of the same format."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from ..content.paths import DEFAULT_AGENT, find_data
from ..content.reading import read_model
from ..errors import ContentError, brief, did_you_mean
from .terms import TERM_NAMES

REWARDS_SUFFIX = "_rewards_config"


@dataclass(frozen=True, slots=True)
class RewardsConfig:
    """The weight of each reward term, by name; a term pays its weight times its amount.

    Omitted terms have weight 0. With ``zero_sum`` a player is paid half the difference of both
    players' sums. Raises ContentError for unknown terms and for weights that are not finite
    numbers.
    """

    terms: Mapping[str, float]  # all of TERM_NAMES, in that order
    zero_sum: bool = False

    def __post_init__(self) -> None:
        """Check the terms and add the omitted ones."""
        if not isinstance(self.terms, Mapping):
            raise ContentError("rewards", "terms", "a dictionary of weights by term", brief(self.terms))
        if not isinstance(self.zero_sum, bool):
            raise ContentError("rewards", "zero_sum", "True or False", brief(self.zero_sum))
        _check_terms(self.terms)
        object.__setattr__(self, "terms", {name: float(self.terms.get(name, 0.0)) for name in TERM_NAMES})


RewardsOption: TypeAlias = str | Path | RewardsConfig | None


def rewards_config(name: str | Path = DEFAULT_AGENT) -> RewardsConfig:
    """Return reward weights: those of an agent, named by its folder or as
    ``<agent>_rewards_config``, or of a file.

    Text that ends in ``.json`` or holds a folder separator is the path of a file. Raises
    ContentError for an unknown agent, listing the known ones, and for an invalid file.
    """
    if isinstance(name, Path) or name.endswith(".json") or {"/", "\\"} & set(name):
        path = Path(name)
    else:
        path = find_data("agents", name.removesuffix(REWARDS_SUFFIX)) / "rewards.json"
    return read_model(path, RewardsConfig)


def find_rewards(rewards: RewardsOption) -> RewardsConfig | None:
    """Return the weights that an environment's option names: an
    agent, a file, or the weights; None for None.

    Raises ContentError for an unknown agent, an invalid file, or a value of another type.
    """
    if rewards is None or isinstance(rewards, RewardsConfig):
        return rewards
    if isinstance(rewards, str | Path):
        return rewards_config(rewards)
    raise ContentError("argument", "rewards", "None, an agent, a path, or a RewardsConfig", brief(rewards))


def _check_terms(terms: Mapping[str, object]) -> None:
    """Raise ContentError unless every name is a reward term and every weight a finite number."""
    for name, weight in terms.items():
        if name not in TERM_NAMES:
            expected, hint = f"one of the reward terms {', '.join(TERM_NAMES)}", did_you_mean(str(name), TERM_NAMES)
            raise ContentError("rewards", f"terms.{name}", expected, "an unknown term", hint)
        if not isinstance(weight, int | float) or isinstance(weight, bool) or not abs(weight) <= sys.float_info.max:
            raise ContentError("rewards", f"terms.{name}", "a finite number", brief(weight))
