"""One recorded step beside our game: compares choices, and names a difference where a row reproduces it."""

from __future__ import annotations

from collections.abc import Callable

from w40k_marl.testing import forcing

from .game import ReplayedGame
from .reference_state import Memory
from .states import Difference
from .tally import Tally
from .trace import Json

Row = tuple[str, Callable[[], object]]
"""A named difference, and what the reference would offer because of it."""

_TOLERANCE = 1e-9


class Comparison:
    """What the reference chose in one step, and what our rules choose in the same state."""

    def __init__(self, game: ReplayedGame, step: Json, index: int, memory: Memory, tally: Tally) -> None:
        """Open the unit's activation on a copy of the game; ``game`` itself is only read."""
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
        """Count one choice; returns the row that explains a difference, "" for a defect, None if none."""
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
        """``compare`` a question about the board; a difference may come from walls that do not stop (D8)."""
        if self.recording.board is not self.recording.setting.board:
            rows = (*rows, ("D8", lambda: question(self.recording)))
        return self.compare(field, recorded, question(self.ours), *rows)


def same(a: object, b: object) -> bool:
    """Equal; numbers within 1e-9, tuples like lists, no list like an empty one."""
    if isinstance(a, list | tuple) or isinstance(b, list | tuple):
        left, right = a or [], b or []
        if not isinstance(left, list | tuple) or not isinstance(right, list | tuple):
            return False
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b) <= _TOLERANCE
    return a == b
