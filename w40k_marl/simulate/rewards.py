"""The reward totals of a run: each term of an agent's ``rewards.json``, its amount and what it paid."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from ..content.agents import RewardsConfig
from .drive import Episode


@dataclass(frozen=True, slots=True)
class Term:
    """One term over all episodes."""

    amount: int
    weight: float

    @property
    def total(self) -> float:
        """What the term paid."""
        return self.amount * self.weight + 0.0  # + 0.0: never -0.0


def reward_total(terms: Mapping[str, Term]) -> float:
    """What all terms paid together."""
    return math.fsum(term.total for term in terms.values())


def reward_terms(episodes: Sequence[Episode], weights: RewardsConfig, player: int) -> dict[str, Term]:
    """The terms by name, seen from ``player`` (1 or 2); an episode that did not end has no result."""
    mine, theirs = player - 1, 2 - player
    amounts = {
        "win": sum(episode.winner == player for episode in episodes),
        "lose": sum(episode.winner == 3 - player for episode in episodes),
        "draw": sum(episode.winner == 0 for episode in episodes),
        "victory_point": sum(episode.victory_points[mine] for episode in episodes),
        "victory_point_conceded": sum(episode.victory_points[theirs] for episode in episodes),
        "enemy_value_destroyed": sum(episode.value_lost[theirs] for episode in episodes),
        "own_value_lost": sum(episode.value_lost[mine] for episode in episodes),
    }
    return {name: Term(amounts[name], weight) for name, weight in asdict(weights).items()}
