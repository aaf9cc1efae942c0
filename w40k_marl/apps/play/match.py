"""A match: one game, a player for each side, all decisions so far, and the places that undo goes back to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ...env.aec import RawEnv
from ...env.session import Session, Snapshot
from ...errors import ActionError, ContentError
from ...policy.decision import SELECT, stage_of
from ...rules.state import SUMMARY_POINTS, SUMMARY_TURN, SUMMARY_WINNER, WIN_METHODS
from .game_log import Journal
from .players import Player
from .saved_game import GameSettings, SavedGame, Seats

RESIGNATION = "resignation"
"""How a game was won that the other player has given up; beside ``rules.state.WIN_METHODS``."""


@dataclass(frozen=True, slots=True)
class Place:
    """A moment of a match that one can go back to."""

    snapshot: Snapshot
    decisions: int


class Match:
    """Plays a game that has been reset."""

    def __init__(
        self, env: RawEnv, settings: GameSettings, seats: Seats, players: Mapping[int, Player], journal: Journal
    ) -> None:
        """Take an environment after ``reset(seed=settings.seed)`` and the players 1 and 2."""
        self.env = env
        self.settings = settings
        self.seats = seats
        self.players = players
        self.journal = journal
        self.actions: list[int] = []  # of the flat space, both players'
        self._number_of = {env.layout.describe_action(action): action for action in range(env.layout.action_count)}
        self._places: list[Place] = []  # before each decision of the person
        self._complete = Place(env.snapshot(), 0)  # after the last decision that was carried out to its end
        self.resigned: Literal[1, 2] | None = None  # the player who has given the game up

    @property
    def session(self) -> Session:
        """The game."""
        return self.env.session

    @property
    def over(self) -> bool:
        """Whether the game has been played to its end or given up."""
        return self.session.over or self.resigned is not None

    def play(self) -> None:
        """Play to the end, or to what a player raises."""
        while not self.over:
            player = self.players[self.session.acting_side + 1]
            player.begin_decision(self.settings.seed, len(self.actions))
            place = self._place()
            self.journal.before(self.session)
            done = player.step(self)
            if done is not None:
                self._note(self._number_of[done.action], place)
                self.journal.tell(done, self.session)

    def undo(self) -> bool:
        """Go back to the person's decision before this one; False, and nothing changed, where there is none."""
        if not self._places:
            return False
        self._complete = self._places.pop()
        self._go_back()
        return True

    def _go_back(self) -> None:
        """Be again where the last complete decision has led."""
        self.env.restore(self._complete.snapshot)
        del self.actions[self._complete.decisions :]

    def _place(self) -> Place | None:
        """The moment as it is, if the decision is the person's."""
        own = self.seats.human == self.session.acting_side + 1
        return Place(self.env.snapshot(), len(self.actions)) if own else None

    def _note(self, action: int, place: Place | None) -> None:
        """Keep a decision that has been carried out, and where it was taken if undo goes back to it."""
        if place is not None:
            self._places.append(place)
        self.actions.append(action)
        self._complete = Place(self.env.snapshot(), len(self.actions))

    # --- files ---------------------------------------------------------------------------------------------

    def saved(self) -> SavedGame:
        """The match as a file keeps it; it goes back to its last complete decision, for Ctrl-C falls anywhere."""
        self._go_back()
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
        """Play the decisions of a saved game again. Raises ContentError where this is no game of the same kind."""
        if saved.fingerprint != self.session.fingerprints[0].hex():
            expected = f"the scenario {self.session.setting.scenario.name} and the rules as they are now"
            raise ContentError(file, "fingerprint", expected, "those of a scenario or of rules that have changed")
        for index, action in enumerate(saved.actions):
            place = self._place()
            try:
                self.env.session.step(action)
            except ActionError as error:
                key = f"actions[{index}]"
                raise ContentError(file, key, "a legal action", f"{action}", str(error)) from None
            self._note(action, place)
        self._go_back()  # so that the environment, too, hears where the game is
        if saved.state != self._digest():
            raise ContentError(file, "state", "the game that its actions lead to", "another: the file is damaged")
        if saved.resigned is not None and self.session.over:
            raise ContentError(file, "resigned", "null in a game that was played to its end", str(saved.resigned))
        self.resigned = saved.resigned

    # --- the result ----------------------------------------------------------------------------------------

    def activations(self) -> int:
        """How many units have been activated, by both players."""
        return sum(stage_of(self.env.layout, action) == SELECT for action in self.actions)

    def result(self) -> dict[str, Any]:
        """How the game stands, for programs: docs/playing.md lists the keys."""
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
