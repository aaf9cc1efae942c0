"""A match: one game, a player for each side, all decisions so
far, and the states that undo restores.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from ...env.aec import RawEnv
from ...env.session import Session, Snapshot
from ...errors import ActionError, ContentError
from ...policy.decision import SELECT, Decision, stage_of
from ...rules.state import SUMMARY_POINTS, SUMMARY_TURN, SUMMARY_WINNER, WIN_METHODS
from .game_log import GameLog
from .saved_game import GameSettings, SavedGame, Seats

RESIGNATION = "resignation"
"""The method of a win if the other player resigns; supplements ``rules.state.WIN_METHODS``."""


class Player(Protocol):
    """Decides for one side of a match."""

    about: str  # who it is, for people

    def step(self, match: Match) -> Decision | None:
        """Take one decision and return its record; None if none was
        taken: the match then calls again.
        """

    def begin_decision(self, seed: int, number: int) -> None:
        """Prepare for decision ``number`` of the game; random choices
        follow from these two numbers alone.
        """


@dataclass(frozen=True, slots=True)
class UndoPoint:
    """A state of a match that can be restored."""

    snapshot: Snapshot
    decisions: int


class Match:
    """Plays a game that has been reset."""

    def __init__(
        self, env: RawEnv, settings: GameSettings, seats: Seats, players: Mapping[int, Player], log: GameLog
    ) -> None:
        """Take an environment after ``reset(seed=settings.seed)`` and the players 1 and 2."""
        self.env = env
        self.settings = settings
        self.seats = seats
        self.players = players
        self.log = log
        self.actions: list[int] = []  # of the flat space, both players'
        self._number_of = {env.layout.describe_action(action): action for action in range(env.layout.action_count)}
        self._undo_points: list[UndoPoint] = []  # before each decision of the person
        self._complete = UndoPoint(env.snapshot(), 0)  # after the last decision that was carried out to its end
        self.resigned: Literal[1, 2] | None = None  # the player who has given the game up

    @property
    def session(self) -> Session:
        """The game."""
        return self.env.session

    @property
    def over(self) -> bool:
        """True if the game has been played to its end or given up."""
        return self.session.over or self.resigned is not None

    def play(self) -> None:
        """Play to the end; exceptions of players pass through."""
        while not self.over:
            player = self.players[self.session.acting_side + 1]
            player.begin_decision(self.settings.seed, len(self.actions))
            undo_point = self._undo_point()
            self.log.begin_decision(self.session)
            decision = player.step(self)
            if decision is not None:
                self._record(self._number_of[decision.action], undo_point)
                self.log.write_decision(decision, self.session)

    def undo(self) -> bool:
        """Restore the state before the person's last decision; return False, without any change, if
        there is none.
        """
        if not self._undo_points:
            return False
        self._complete = self._undo_points.pop()
        self._restore()
        return True

    def _restore(self) -> None:
        """Restore the state after the last complete decision."""
        self.env.restore(self._complete.snapshot)
        del self.actions[self._complete.decisions :]

    def _undo_point(self) -> UndoPoint | None:
        """Return the current state if the person is to act; otherwise None."""
        own = self.seats.human == self.session.acting_side + 1
        return UndoPoint(self.env.snapshot(), len(self.actions)) if own else None

    def _record(self, action: int, undo_point: UndoPoint | None) -> None:
        """Record a decision that has been carried out, and the
        state before it if undo restores that.
        """
        if undo_point is not None:
            self._undo_points.append(undo_point)
        self.actions.append(action)
        self._complete = UndoPoint(self.env.snapshot(), len(self.actions))

    # --- files ---------------------------------------------------------------------------------------------

    def saved(self) -> SavedGame:
        """Return the match for a file; restores the state after the last complete decision, as
        Ctrl-C may come at any time.
        """
        self._restore()
        return SavedGame.of(
            self.settings,
            self.seats,
            self.session.fingerprints[0].hex(),
            tuple(self.actions),
            self._digest(),
            self.resigned,
        )

    def _digest(self) -> str:
        return hashlib.blake2b(self.env.snapshot(), digest_size=16).hexdigest()

    def resume(self, saved: SavedGame, file: str) -> None:
        """Play the decisions of a saved game again. Raises
        ContentError if scenario, rules or state differ.
        """
        if saved.fingerprint != self.session.fingerprints[0].hex():
            expected = f"the scenario {self.session.setting.scenario.name} and the rules as they are now"
            raise ContentError(file, "fingerprint", expected, "those of a scenario or of rules that have changed")
        for index, action in enumerate(saved.actions):
            undo_point = self._undo_point()
            try:
                self.env.session.step(action)
            except ActionError as error:
                key = f"actions[{index}]"
                raise ContentError(file, key, "a legal action", f"{action}", str(error)) from None
            self._record(action, undo_point)
        self._restore()  # so that the environment, too, has the state of the game
        if saved.state != self._digest():
            raise ContentError(file, "state", "the game that its actions lead to", "another: the file is damaged")
        if saved.resigned is not None and self.session.over:
            raise ContentError(file, "resigned", "null in a game that was played to its end", str(saved.resigned))
        self.resigned = saved.resigned

    # --- the result ----------------------------------------------------------------------------------------

    def activations(self) -> int:
        """Return the number of activations so far, of both players."""
        return sum(stage_of(self.env.layout, action) == SELECT for action in self.actions)

    def result(self) -> dict[str, Any]:
        """Return the state or result of the game, for programs: docs/playing.md lists the keys."""
        summary = self.session.summary()
        winner: int | None = None
        method: str | None = None
        if self.resigned is not None:
            winner, method = 3 - self.resigned, RESIGNATION
        elif self.session.over:
            winner, method = summary[SUMMARY_WINNER], WIN_METHODS[int(self.session.games[0].win_method)]
        return {
            "scenario": self.session.setting.scenario.name,
            "seed": self.settings.seed,
            "over": self.over,
            "winner": winner,
            "method": method,
            "victory_points": summary[SUMMARY_POINTS : SUMMARY_POINTS + 2],
            "turns": summary[SUMMARY_TURN],
            "activations": self.activations(),
            "decisions": len(self.actions),
            "players": {str(number): player.about for number, player in sorted(self.players.items())},
        }
