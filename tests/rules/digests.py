"""Plays seeded games and prints a digest of the row after every step, and perft counts: one line of JSON.

Run in a process of its own, with and without the compiler, with and without bounds checks; the lines must agree.
Arguments: games a scenario, then names of scenarios.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
from pathlib import Path

import numpy as np

from w40k_marl.env.session import Session

sys.path.insert(0, str(Path(__file__).parent))
import make_perft

PERFT_DEPTH = {"duel": 9, "shots": 7, "brawl": 7}


def digest(session: Session, seed: int, picks: random.Random) -> str:
    """A digest of the whole game: reset and random legal play."""
    found = hashlib.sha256()
    session.reset(np.random.default_rng(seed))
    found.update(session.games.tobytes())
    while not session.over:
        legal = session.legal_actions()
        session.step(legal[picks.randrange(len(legal))])
        found.update(session.games.tobytes())
    return found.hexdigest()


def digests(scenario: str, decisions: str, weapon_rules: str, games: int) -> list[str]:
    """Digests of the first games on a scenario."""
    session = Session(scenario, decisions=decisions, weapon_rules=weapon_rules)
    return [digest(session, seed, random.Random(seed)) for seed in range(games)]


if __name__ == "__main__":
    games, scenarios = int(sys.argv[1]), sys.argv[2:]
    played = {
        f"{scenario} {decisions} {weapon_rules}": digests(scenario, decisions, weapon_rules, games)
        for scenario in scenarios
        for decisions in ("reference", "agent")
        for weapon_rules in ("reference", "full")
    }
    print(json.dumps({"games": played, "perft": make_perft.table(PERFT_DEPTH)}))  # noqa: T201
