"""Plays every scenario between equal players and prints the win rates as a Markdown table.

The same bot plays both sides of a game. In one half of the games the armies keep their seats, in
the other half they exchange them; player 1 always begins. Percentages refer to all games; the
interval is the 95 % Wilson interval.

python tools/balance.py small_board pve
python tools/balance.py --games 2000 --write docs/balance.md
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.append(str(Path(__file__).resolve().parent))  # for `python -I`, too

from dev import packages_needed

with packages_needed():
    import numpy as np

    from w40k_marl.content.reading import read_json
    from w40k_marl.content.scenario import list_scenarios, scenario_path
    from w40k_marl.env.batch import BatchEnv
    from w40k_marl.errors import W40KError
    from w40k_marl.policy.bots import greedy_player

BOTS = ("greedy", "random")
NORMAL_95 = 1.959964
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
HEADS = ("scenario", "players", "player 1 wins", "95 %", "player 2 wins", "draws", "exchanged: player 1 wins", "95 %")


@dataclass(frozen=True)
class Count:
    """Results of games between equal players on one scenario."""

    games: int
    first: int  # won by player 1
    second: int

    @property
    def draws(self) -> int:
        """Games without a winner."""
        return self.games - self.first - self.second

    def interval(self) -> tuple[float, float]:
        """The interval of player 1's win rate."""
        return wilson(self.first, self.games)


def wilson(won: int, games: int) -> tuple[float, float]:
    """Return the 95 % Wilson interval of the share ``won / games``, as shares from 0 to 1."""
    share, z = won / games, NORMAL_95
    middle = share + z * z / (2 * games)
    reach = z * math.sqrt(share * (1 - share) / games + z * z / (4 * games * games))
    return (middle - reach) / (1 + z * z / games), (middle + reach) / (1 + z * z / games)


def play(scenario: str | Path, bot: str, games: int, seed: int) -> Count:
    """Play the first game of each row of a batch to its end.

    Raises ContentError if the scenario does not fit.
    """
    batch = BatchEnv(scenario, games)
    batch.reset(seed=seed)
    running, actions = np.arange(games), np.zeros(games, dtype=np.int64)
    choose = _chooser(bot, batch)
    results = np.zeros((games, 3), dtype=np.int32)
    while len(running):
        actions[running] = choose(running)
        batch.step(actions, running)
        over = batch.ended[running] > 0
        results[running[over]] = batch.results[running[over]]
        running = running[~over]
    return Count(games, int((results[:, 0] == 1).sum()), int((results[:, 0] == 2).sum()))


def _chooser(bot: str, batch: BatchEnv) -> Callable[[Any], Any]:
    if bot == "random":
        return lambda rows: batch.random_actions(only=rows)[rows]
    player = greedy_player(batch.layout)
    return lambda rows: player(batch.observations[rows], batch.action_masks[rows])


def exchanged(scenario: str, folder: Path) -> Path:
    """Write the scenario with exchanged players and return the file; units in fixed hexes stay
    there.
    """
    data: Any = read_json(scenario_path(scenario))
    for unit in data["units"]:
        unit["player"] = 3 - unit["player"]
    if data.get("deployment_type") == "fixed":  # the zones are those of the players, the hexes those of the armies
        del data["deployment_type"], data["deployment_zone"]
    path = folder / f"{scenario_path(scenario).stem}.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def rows_of(scenario: str, games: int, seed: int) -> list[list[str]]:
    """Return the table rows of one scenario, one for each bot."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        other = exchanged(scenario, Path(folder))
        for bot in BOTS:
            plain, swapped = (play(which, bot, games, seed) for which in (scenario, other))
            found.append(
                [
                    scenario_path(scenario).stem,
                    bot,
                    *_share(plain),
                    f"{100 * plain.second / games:.1f} %",
                    f"{100 * plain.draws / games:.1f} %",
                    *_share(swapped),
                ]
            )
    return found


def _share(count: Count) -> tuple[str, str]:
    low, high = count.interval()
    return f"{100 * count.first / count.games:.1f} %", f"{100 * low:.1f} to {100 * high:.1f}"


def table(rows: list[list[str]]) -> str:
    """Return the rows as a Markdown table."""
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [list(HEADS), ["---"] * len(HEADS), *rows])


def fill(page: str, text: str) -> str:
    """Return the page with the table between its two marks. Raises W40KError if the marks are
    missing.
    """
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        raise W40KError(f"expected a page with {BEGIN} and {END}, once each")
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.split(END)[1]}"


def main(arguments: list[str] | None = None) -> int:
    """Play, then print or write the table; return 0, or 2 if an argument is invalid."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", nargs="*", help="names or paths (default: all that ship)")
    parser.add_argument("--games", type=int, default=1000, help="for each bot and each order (default 1000)")
    parser.add_argument("--seed", type=int, default=0, help="of dice and random players (default 0)")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table into this page instead of printing")
    options = parser.parse_args(arguments)
    try:
        rows = []
        for scenario in options.scenario or list_scenarios():
            rows += rows_of(scenario, options.games, options.seed)
            print("\n".join(" ".join(cells) for cells in rows[-len(BOTS) :]), file=sys.stderr, flush=True)
        if options.write is None:
            print(table(rows))
        else:
            options.write.write_text(fill(options.write.read_text(encoding="utf-8"), table(rows)), encoding="utf-8")
    except W40KError as error:
        print(f"balance: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
