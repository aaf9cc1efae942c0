"""Result of a comparison: choices that agree, differences with a name, and defects."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from .states import Difference

ROWS = tuple(f"D{number}" for number in range(1, 23))
"""The named differences from the reference, in the order of ``docs/parity.md``."""


@dataclass(slots=True)
class Tally:
    """Counts of one or several games; a step counts once for each row that explains a choice in it."""

    agree: int = 0
    explained: Counter[str] = field(default_factory=Counter)  # choices, by row
    steps: Counter[str] = field(default_factory=Counter)  # steps, by row
    fields: Counter[tuple[str, str]] = field(default_factory=Counter)  # choices, by row and kind of choice
    defects: list[Difference] = field(default_factory=list)
    _last_step: dict[str, int] = field(default_factory=dict)

    def explain(self, row: str, kind: str, step: int) -> None:
        """Count one difference that a row reproduces."""
        self.explained[row] += 1
        self.fields[row, kind] += 1
        if self._last_step.get(row) != step:
            self._last_step[row] = step
            self.steps[row] += 1

    def add(self, other: Tally) -> None:
        """Add the counts of another game."""
        self.agree += other.agree
        self.explained += other.explained
        self.steps += other.steps
        self.fields += other.fields
        self.defects += other.defects

    @property
    def explained_choices(self) -> int:
        """Number of differences with a name."""
        return sum(self.explained.values())
