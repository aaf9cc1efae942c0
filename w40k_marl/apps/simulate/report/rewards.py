"""The reward totals of a run: each term of an agent's
``rewards.json``, with its amount and payment.

Amounts are computed from the results of games, so that runs are not slowed by counting in steps;
amounts of other terms are not known.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ....reward.config import RewardsConfig
from .results import Tally

_DIGITS = 6  # games are added up in the order in which they end; the digits that this changes are not shown


@dataclass(frozen=True, slots=True)
class Term:
    """One term over all episodes."""

    amount: float | None  # None: not known
    weight: float

    @property
    def total(self) -> float | None:
        """Payment of the term; None if its amount is not known and its weight is not 0."""
        if self.amount is None:
            return None if self.weight else 0.0
        return self.amount * self.weight + 0.0  # + 0.0: never -0.0


def reward_total(terms: Mapping[str, Term]) -> float:
    """Return the payment of all terms whose amounts are known."""
    return math.fsum(term.total for term in terms.values() if term.total is not None)


def not_known(terms: Mapping[str, Term]) -> list[str]:
    """Return the terms whose payment is not known."""
    return [name for name, term in terms.items() if term.total is None]


def reward_terms(tally: Tally, weights: RewardsConfig, player: int) -> dict[str, Term]:
    """Return the terms by name, seen from ``player`` (1 or 2); an
    episode that did not end has no result.
    """
    mine, theirs = player - 1, 2 - player
    damage = tally.damage
    amounts: dict[str, float | None] = {
        "win": tally.winners[player],
        "lose": tally.winners[3 - player],
        "draw": tally.winners[0],
        "victory_points": tally.victory_points[mine],
        "victory_points_conceded": tally.victory_points[theirs],
        "damage_dealt": None if damage is None else round(damage[theirs], _DIGITS),
        "damage_received": None if damage is None else round(damage[mine], _DIGITS),
    }
    return {name: Term(amounts.get(name), weight) for name, weight in weights.terms.items()}
