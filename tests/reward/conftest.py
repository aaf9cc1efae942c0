"""The table of ``tests/rules`` with an account beside it: what each step brought, by term."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from w40k_marl.reward import terms
from w40k_marl.reward.terms import TERM_NAMES
from w40k_marl.testing.table import Table, weapon_entry


class Account(Table):
    """``brought(player)`` are the terms of the last step that are not 0, ``total`` all steps together, by side."""

    def __init__(self, *units: str, **settings: Any) -> None:
        super().__init__(*units, **settings)
        self.amounts = np.zeros((2, len(TERM_NAMES)))
        self.total = np.zeros_like(self.amounts)
        self.weights, self.paid = np.zeros_like(self.amounts), np.zeros_like(self.amounts)
        self.before = self.games.copy()

    def step(self, action: int) -> None:
        terms.remember_row(self.games, 0, self.before)
        super().step(action)
        worlds, board, games, row = self.arguments
        terms.count_row(worlds, board, games, row, self.before, self.amounts, self.weights, self.paid)
        self.total += self.amounts

    def brought(self, player: int) -> dict[str, float]:
        found = zip(TERM_NAMES, self.amounts[player - 1].tolist(), strict=True)
        return {name: amount for name, amount in found if amount}

    def sum_of(self, term: str, player: int) -> float:
        return float(self.total[player - 1, TERM_NAMES.index(term)])


@pytest.fixture
def play() -> type[Account]:
    """Set a position up, as in ``tests/rules``."""
    return Account


@pytest.fixture(scope="session")
def weapon() -> Callable[..., dict[str, Any]]:
    """A weapon entry of a scenario."""
    return weapon_entry
