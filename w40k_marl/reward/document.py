"""The table of docs/rewards.md: what each term means and what it weighs for the macro agent.

``python -m w40k_marl.reward.document`` prints it; ``--write FILE`` puts it into a page, between its marks.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ..content.agents import DEFAULT_AGENT, rewards_config
from ..content.reward_terms import REWARD_TERMS
from ..observe.document import fill_in


def term_table() -> str:
    """A row for each term, in the order of the arrays."""
    weights = rewards_config(DEFAULT_AGENT).terms
    lines = [f"| term | amount | unit | `{DEFAULT_AGENT}` |", "| --- | --- | --- | --- |"]
    lines += [f"| `{name}` | {meaning} | {unit} | {weights[name]:g} |" for name, meaning, unit in REWARD_TERMS]
    return "\n".join(lines)


def fill(page: str) -> str:
    """A page with the table between its marks made anew. Raises ValueError where a mark is missing."""
    return fill_in(page, {"terms": term_table()})


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, or bring a page up to date."""
    parser = argparse.ArgumentParser(prog="python -m w40k_marl.reward.document", description=__doc__)
    parser.add_argument("--write", type=Path, metavar="FILE", help="bring this page up to date instead of printing")
    page: Path | None = parser.parse_args(arguments).write
    if page is None:
        sys.stdout.write(term_table() + "\n")
    else:
        page.write_text(fill(page.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
