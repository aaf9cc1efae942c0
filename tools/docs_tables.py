#!/usr/bin/env python3
"""Writes the generated parts of the documentation: tables of the observation, the actions and the reward terms.

python tools/docs_tables.py           update every page
python tools/docs_tables.py --check   exit status 1 if a page is not up to date
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.append(str(Path(__file__).resolve().parent))  # for `python -I`, too

from dev import packages_needed

with packages_needed():
    from w40k_marl.content.paths import DEFAULT_AGENT
    from w40k_marl.observe.layout import Block, Layout
    from w40k_marl.reward.config import rewards_config
    from w40k_marl.reward.terms import REWARD_TERMS
    from w40k_marl.rules.actions import MICRO_ACTIONS

DOCS = Path(__file__).resolve().parent.parent / "docs"

BEGIN, END = "<!-- tables of {} -->", "<!-- end of tables -->"

_BLOCKS = {
    "global": "The game as a whole.",
    "active_unit": "The unit whose activation is open; all 0 between activations.",
    "targets": "The targets of the active unit, for both observers: row *i* is the target of the action `target_i`.",
    "objectives": "Objectives in the order of the scenario.",
    "my_units": "Units of the observing player by roster slot: row *i* is the unit of the action `select_i`.",
    "enemy_units": "Units of the other player by roster slot, with the fields of `my_units`.",
    "macro_global": "The game as a whole, with players 1 and 2 by number for both observers.",
    "macro_units": "Living units of both players in the order of their ids as text; row *i* is no fixed unit.",
    "macro_objectives": "Objectives in the order of the scenario.",
    "macro_threats": "What threatens the units of `macro_units`, in their order.",
    "macro_priorities": "What the objectives are worth going to, in the order of the scenario.",
}

_MICRO = {
    "move_aggressive": "move as near to the enemy as possible",
    "move_tactical": "move where most enemies are within range",
    "move_defensive": "move as far from the enemy as possible",
    "move_random": "move to a hex drawn by dice",
    "charge": "charge: the nearest enemy that can be charged",
    "fight": "fight: the first enemy in contact",
    "wait": "end the activation, with what it has done so far",
    "advance": "advance by a die towards the nearest enemy",
}


def observation_tables(layout: Layout) -> str:
    """Return a table of the blocks, then a table of fields for each kind of block."""
    lines = _table(
        ("index", "block", "rows", "numbers a row"),
        [(_span(block.start, block.stop), f"`{block.name}`", block.rows, len(block.fields)) for block in layout.blocks],
    )
    for block in layout.blocks:
        lines += ["", f"**`{block.name}`**. {_BLOCKS[block.name]}"]
        if block.name == "enemy_units":
            lines[-1] += f" The index is {_index(block, 0)} + number of the field."
        else:
            lines += ["", *_fields(block)]
    return "\n".join(lines)


def action_table(layout: Layout) -> str:
    """Return a table with a row for each micro action and one for the whole select block."""
    rows: list[tuple[object, ...]] = [
        (
            _span(0, layout.micro_start),
            "`select_0`, `select_1`, ...",
            "open the activation of the unit in this roster slot",
        )
    ]
    for number, name in enumerate(MICRO_ACTIONS):
        meaning = _MICRO.get(name) or f"shoot at, charge or fight the target in row {name.removeprefix('target_')}"
        rows.append((layout.micro_start + number, f"`{name}`", meaning))
    return "\n".join(_table(("action", "name", "what it does"), rows))


def tables(layout: Layout) -> dict[str, str]:
    """Return the generated parts of docs/environment.md, by the name in their mark."""
    return {"observation": observation_tables(layout), "actions": action_table(layout)}


def fill_in(page: str, texts: Mapping[str, str]) -> str:
    """Put texts between the marks of their names. Raises ValueError if a mark is missing."""
    for name, text in texts.items():
        begin = BEGIN.format(name)
        before, found, rest = page.partition(begin)
        _, closed, after = rest.partition(END)
        if not (found and closed):
            raise ValueError(f"page: expected {begin} and after it {END}, got neither or one")
        page = f"{before}{begin}\n\n{text}\n\n{END}{after}"
    return page


def _fields(block: Block) -> list[str]:
    rows = [(_index(block, number), f"`{name}`", meaning) for number, (name, meaning) in enumerate(block.fields)]
    return _table(("index", "field", "meaning"), rows)


def _index(block: Block, number: int) -> str:
    """Return the index of a field: a number, or a formula if the block has several rows."""
    first = block.start + number
    return str(first) if block.rows == 1 else f"{first} + {len(block.fields)} *i*"


def _span(start: int, stop: int) -> str:
    return f"{start} to {stop - 1}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    lines = [heads, ["---"] * len(heads), *rows]
    return ["| " + " | ".join(map(str, line)) + " |" for line in lines]


def term_table() -> str:
    """Return a table with a row for each reward term, in the order of the arrays."""
    weights = rewards_config(DEFAULT_AGENT).terms
    rows = [(f"`{name}`", meaning, unit, f"{weights[name]:g}") for name, meaning, unit in REWARD_TERMS]
    return "\n".join(_table(("term", "amount", "unit", f"`{DEFAULT_AGENT}`"), rows))


def pages() -> dict[Path, dict[str, str]]:
    """Return the generated texts of each page, by the name in their mark."""
    return {DOCS / "environment.md": tables(Layout()), DOCS / "rewards.md": {"terms": term_table()}}


def main(arguments: Sequence[str] | None = None) -> int:
    """Update every page, or check it; return the exit status."""
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="docs_tables.py", description=__doc__, formatter_class=layout)
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 if a page is stale")
    check = parser.parse_args(arguments).check
    stale = []
    for path, texts in pages().items():
        before = path.read_text(encoding="utf-8")
        after = fill_in(before, texts)
        if before != after:
            stale.append(path.name)
            if not check:
                path.write_text(after, encoding="utf-8")
    if stale:
        print(f"docs_tables.py: {'not up to date' if check else 'written'}: {', '.join(stale)}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
