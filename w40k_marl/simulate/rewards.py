"""The reward totals of a run: each term of an agent's ``rewards.json``, its amount and what it paid."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from ..content.agents import RewardsConfig
from .outcome import Tally


@dataclass(frozen=True, slots=True)
class Term:
    """One term over all episodes."""

    amount: int | None  # None: not known
    weight: float

    @property
    def total(self) -> float | None:
        """What the term paid; None where that is not known, unless it pays nothing anyway."""
        if self.amount is None:
            return None if self.weight else 0.0
        return self.amount * self.weight + 0.0  # + 0.0: never -0.0


def reward_total(terms: Mapping[str, Term]) -> float | None:
    """What all terms paid together; None where that of one is not known."""
    totals = [term.total for term in terms.values()]
    known = [total for total in totals if total is not None]
    return math.fsum(known) if len(known) == len(totals) else None


def reward_terms(tally: Tally, weights: RewardsConfig, player: int) -> dict[str, Term]:
    """The terms by name, seen from ``player`` (1 or 2); an episode that did not end has no result."""
    mine, theirs = player - 1, 2 - player
    lost = tally.value_lost
    amounts = {
        "win": tally.winners[player],
        "lose": tally.winners[3 - player],
        "draw": tally.winners[0],
        "victory_point": tally.victory_points[mine],
        "victory_point_conceded": tally.victory_points[theirs],
        "enemy_value_destroyed": None if lost is None else lost[theirs],
        "own_value_lost": None if lost is None else lost[mine],
    }
    return {name: Term(amounts[name], weight) for name, weight in asdict(weights).items()}
