"""Prints a game of random legal actions, or updates the playthroughs that the tests compare.

python tools/playthrough.py small_board --seed 3
python tools/playthrough.py --update
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent))  # for `python -I`, too

from dev import packages_needed

with packages_needed():
    from w40k_marl.env.playthrough import playthrough
    from w40k_marl.env.session import Session
    from w40k_marl.errors import W40KError

FOLDER = Path(__file__).resolve().parents[1] / "tests" / "rules" / "playthroughs"

KEPT = {
    "small_board": ("agent", None, 1, "reference"),
    "pve": ("reference", 3, 2, "reference"),
    "asymmetric": ("agent", 3, 3, "reference"),
    "weapon_rules_lab": ("agent", 3, 4, "full"),
}
"""The playthroughs of the tests, by scenario: decisions, number of turns, seed, weapon rules."""


def text(scenario: str, decisions: str, max_turns: int | None, seed: int, weapon_rules: str) -> str:
    """Return the playthrough of a scenario, with a title."""
    session = Session(scenario, decisions=decisions, max_turns=max_turns, weapon_rules=weapon_rules)
    title = f"{scenario}, decisions {decisions}, seed {seed}"
    if weapon_rules != "reference":
        title += f", weapon rules {weapon_rules}"
    return "\n".join([title, *playthrough(session, seed)]) + "\n"


def main(arguments: list[str]) -> int:
    """Run the command; return 0, or 2 if an argument is invalid."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", nargs="?", default="small_board", help="name or path of a scenario")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--decisions", choices=("agent", "reference"), default="agent")
    parser.add_argument("--max-turns", type=int)
    parser.add_argument("--weapon-rules", choices=("reference", "full"), default="reference")
    parser.add_argument("--update", action="store_true", help=f"write {FOLDER.relative_to(FOLDER.parents[2])} anew")
    options = parser.parse_args(arguments)
    if options.update:
        FOLDER.mkdir(exist_ok=True)
        for scenario, how in KEPT.items():
            (FOLDER / f"{scenario}.txt").write_text(text(scenario, *how), encoding="utf-8")
        return 0
    try:
        how = (options.decisions, options.max_turns, options.seed, options.weapon_rules)
        print(text(options.scenario, *how), end="")
    except W40KError as error:
        print(f"playthrough: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
