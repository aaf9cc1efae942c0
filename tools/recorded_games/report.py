"""The result of comparing many recorded games: totals, a table of the named differences, JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from .macro_observations import LevelC
from .states import Difference, LevelA
from .tally import ROWS, Tally

MEANING = {
    "D1": "a weapon emptied by one unit counts as fired for all carriers of its code",
    "D3": "target lists from sight before the last move, or not filtered again",
    "D4": "weapon scores remembered from other weapons",
    "D5": "an advance without targets takes two steps",
    "D6": "a failed advance roll is kept for the next advance",
    "D7": "hexes next to enemies that died in this phase stay closed",
    "D8": "walls do not stop movement in pool games",
    "D10": "a masked-out action is carried out as the end of the activation",
    "D19": "the number of melee attacks is that of the weapon used last",
    "D21": "objective control evaluated once more as the last turn opens",
}
"""For each row that can explain a recorded choice, its description of the reference."""


@dataclass(slots=True)
class GameReport:
    """One game: its states (level A), its choices (level B), its macro observations (level C) if
    any.
    """

    name: str
    file: str
    covered: bool  # by level A
    states: LevelA
    choices: Tally
    macro: LevelC | None = None


@dataclass(slots=True)
class Report:
    """All games of a run."""

    games: list[GameReport] = field(default_factory=list)
    with_macro: bool = False  # True if level C was requested
    partial_because: str | None = None  # reasons for missing games

    @property
    def observed(self) -> list[LevelC]:
        """Level C of the games that have macro observations."""
        return [game.macro for game in self.games if game.macro is not None]

    @property
    def covered(self) -> list[GameReport]:
        """The games that level A covers."""
        return [game for game in self.games if game.covered]

    @property
    def choices(self) -> Tally:
        """Level B over all games."""
        total = Tally()
        for game in self.games:
            total.add(game.choices)
        return total

    @property
    def passed(self) -> bool:
        """True if levels A and C are exact for all games they cover, and level B has no defect."""
        exact = all(game.states.exact for game in self.covered) and all(macro.passed for macro in self.observed)
        return exact and not self.choices.defects and self.partial_because is None

    def last_line(self) -> str:
        """The result in one line."""
        covered, choices = self.covered, self.choices
        exact = sum(game.states.exact for game in covered)
        steps, total = (
            sum(game.states.exact_steps for game in covered),
            sum(game.states.steps for game in covered),
        )
        return (
            f"parity: games {exact} exact/{len(covered)} total, steps {steps} exact/{total} total, level B "
            f"agree {choices.agree} explained {choices.explained_choices} defects {len(choices.defects)}"
            f"{self._level_c() if self.with_macro else ''}"
        )

    def _level_c(self) -> str:
        observed = self.observed
        exact, total = sum(macro.exact for macro in observed), sum(macro.observations for macro in observed)
        games = sum(macro.passed for macro in observed)
        return f", level C games {games} exact/{len(observed)}, observations {exact} exact/{total}"

    def left_out(self) -> str | None:
        """The games that level A does not cover, in one line."""
        games = [game for game in self.games if not game.covered]
        if not games:
            return None
        steps = sum(game.states.steps for game in games)
        return f"left out of level A: {len(games)} pool games, {steps} steps (D8); level B compares them too"

    def table(self) -> list[str]:
        """Counts of each named difference, as lines."""
        steps = sum(game.states.steps for game in self.games)
        choices = self.choices
        lines = ["level B, explained: row  choices  steps  % of steps  what the reference does"]
        for row in ROWS:
            if choices.explained[row]:
                share = 100 * choices.steps[row] / steps
                counts = f"{choices.explained[row]:7}  {choices.steps[row]:5}  {share:10.1f}"
                lines.append(f"{row:>24}  {counts}  {MEANING[row]}")
        return lines

    def as_json(self) -> dict[str, Any]:
        """The whole report as JSON values."""
        return {
            "result": self.last_line(),
            "passed": self.passed,
            "partial_because": self.partial_because,
            "level_b": _counts(self.choices),
            "games": [
                {
                    "name": game.name,
                    "file": game.file,
                    "covered_by_level_a": game.covered,
                    "exact": game.states.exact,
                    "steps": game.states.steps,
                    "exact_steps": game.states.exact_steps,
                    "first_difference": _plain(game.states.difference),
                    "level_b": _counts(game.choices),
                    "level_c": _observations(game.macro),
                }
                for game in self.games
            ],
        }


def _counts(choices: Tally) -> dict[str, Any]:
    kinds: dict[str, Counter[str]] = {}
    for (row, kind), count in choices.fields.items():
        kinds.setdefault(row, Counter())[kind] += count
    return {
        "agree": choices.agree,
        "explained": choices.explained_choices,
        "rows": {
            row: {"choices": choices.explained[row], "steps": choices.steps[row], "by_choice": kinds[row]}
            for row in ROWS
            if choices.explained[row]
        },
        "defects": [_plain(defect) for defect in choices.defects],
    }


def _observations(macro: LevelC | None) -> dict[str, Any] | None:
    if macro is None:
        return None
    differences = [_plain(difference) for difference in macro.differences]
    return {"observations": macro.observations, "exact": macro.exact, "differences": differences}


def _plain(difference: Difference | None) -> dict[str, Any] | None:
    return None if difference is None else asdict(difference)
