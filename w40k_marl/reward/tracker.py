"""What the steps of one game pay: the account that stands beside a single game."""

from __future__ import annotations

import numpy as np

from ..rules.board import Board
from ..rules.state import Games, Worlds, new_games
from . import terms
from .config import RewardsConfig
from .terms import TERM_COUNT
from .weights import contributions, weights_of


class Earnings:
    """Counts the terms of each step of a game; ``amounts`` and ``paid`` are those of the last step."""

    def __init__(self, config: RewardsConfig, units_per_side: int, objectives: int) -> None:
        """Make the arrays for games of these capacities."""
        self.config = config
        self.weights = weights_of(config)
        self.amounts = np.zeros((2, TERM_COUNT))
        """How much of each term happened, by side."""
        self.paid = np.zeros((2, TERM_COUNT))
        """What each term paid, by side: its weight times its amount, the other player's share taken off."""
        self._before = new_games(1, units_per_side, objectives)

    def begin(self, games: Games) -> None:
        """Start from a game as it stands: nothing is earned yet but the result of one that is over."""
        self.amounts[:] = 0
        game = games[0]
        if game.over and game.winner:
            self.amounts[game.winner - 1, terms.WIN] = self.amounts[2 - game.winner, terms.LOSE] = 1
        elif game.over:
            self.amounts[:, terms.DRAW] = 1
        self.resume(games, self.amounts)

    def resume(self, games: Games, amounts: terms.Amounts) -> None:
        """Go on from a game as it stands, and from what another account has counted in its last step."""
        self.amounts[:] = amounts
        self.paid[:] = contributions(self.weights, self.amounts)
        terms.remember_row(games, 0, self._before)

    def count(self, worlds: Worlds, board: Board, games: Games) -> None:
        """Count the step that row 0 has just taken.

        Before it the game must have stood as this account left it: ``begin`` and ``resume`` tell of any other.
        """
        terms.count_row(worlds, board, games, 0, self._before, self.amounts, self.weights, self.paid)
