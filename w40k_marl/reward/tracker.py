"""Counts and pays the steps of a single game."""

from __future__ import annotations

import numpy as np

from ..rules.board import Board
from ..rules.state import Games, Worlds, new_games
from . import terms
from .config import RewardsConfig
from .terms import TERM_COUNT
from .weights import contributions, weights_of


class Earnings:
    """Counts the terms of each step of a game; ``amounts`` and
    ``paid`` are those of the last step.
    """

    def __init__(self, config: RewardsConfig, units_per_side: int, objectives: int) -> None:
        """Make the arrays for games of these capacities."""
        self.config = config
        self.weights = weights_of(config)
        self.amounts = np.zeros((2, TERM_COUNT))
        """Amounts of the terms, by side."""
        self.paid = np.zeros((2, TERM_COUNT))
        """Payment of the terms, by side: weight times amount, less the other player's share."""
        self._before = new_games(1, units_per_side, objectives)

    def begin(self, games: Games) -> None:
        """Start from the current state of a game: only the result is
        paid, and only if the game is over.
        """
        self.amounts[:] = 0
        game = games[0]
        if game.over and game.winner:
            self.amounts[game.winner - 1, terms.WIN] = self.amounts[2 - game.winner, terms.LOSE] = 1
        elif game.over:
            self.amounts[:, terms.DRAW] = 1
        self.resume(games, self.amounts)

    def resume(self, games: Games, amounts: terms.Amounts) -> None:
        """Continue from the current state of a game, with the amounts of its last step."""
        self.amounts[:] = amounts
        self.paid[:] = contributions(self.weights, self.amounts)
        terms.remember_row(games, 0, self._before)

    def count(self, worlds: Worlds, board: Board, games: Games) -> None:
        """Count the step that row 0 has just taken.

        Requires that only counted steps changed the game since
        ``begin``, ``resume`` or the last ``count``.
        """
        terms.count_row(worlds, board, games, 0, self._before, self.amounts, self.weights, self.paid)
