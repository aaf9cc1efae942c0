"""Compares the choices of one recorded step with our game, and names differences that a row
reproduces.
"""

from __future__ import annotations

from collections.abc import Callable

from w40k_marl.testing import forcing

from .game import ReplayedGame
from .reference_state import Memory
from .states import Difference
from .tally import Tally
from .trace import Json

Row = tuple[str, Callable[[], object]]
"""A named difference, and the value that the reference would have because of it."""

_TOLERANCE = 1e-9


class Comparison:
    """The choices of the reference in one step, and those of our rules in the same state."""

    def __init__(self, game: ReplayedGame, step: Json, index: int, memory: Memory, tally: Tally) -> None:
        """Open the unit's activation on a copy of the game; ``game`` itself does not change."""
        self.step, self.index, self.memory, self.tally = step, index, memory, tally
        self.unit, self.number = str(step["unit"]), game.number(step["unit"])
        self.recording = game
        """The game as it is replayed; in a pool game on a board without walls (D8)."""
        self.ours = game.copy(game.setting.board)
        """Our game."""
        self.active = self.ours.copy()
        """Our game with the activation of the unit open; it may be played on."""
        self.may_act = forcing.force_activation(*self.active.arguments, self.number) == forcing.DONE

    def compare(self, field: str, recorded: object, ours: object, *rows: Row) -> str | None:
        """Compare one choice; return the row that explains a difference, "" for a defect, None if
        equal.
        """
        if same(recorded, ours):
            self.tally.agree += 1
            return None
        for row, offered in rows:
            if same(recorded, offered()):
                self.tally.explain(row, field, self.index)
                return row
        phase = self.step["at"]["phase"]
        self.tally.defects.append(Difference(self.index, phase, self.unit, field, recorded, ours))
        return ""

    def ask(self, field: str, recorded: object, question: Callable[[ReplayedGame], object], *rows: Row) -> str | None:
        """``compare`` a query on the board; a difference may come from walls that do not stop units
        (D8).
        """
        if self.recording.board is not self.recording.setting.board:
            rows = (*rows, ("D8", lambda: question(self.recording)))
        return self.compare(field, recorded, question(self.ours), *rows)


def same(a: object, b: object) -> bool:
    """Return True if two values are equal: numbers within 1e-9, tuples like lists, None like an
    empty list.
    """
    if isinstance(a, list | tuple) or isinstance(b, list | tuple):
        left, right = a or [], b or []
        if not isinstance(left, list | tuple) or not isinstance(right, list | tuple):
            return False
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b) <= _TOLERANCE
    return a == b
