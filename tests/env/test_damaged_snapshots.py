"""A damaged snapshot or pickle is refused, or is a legal game that can be played to its end.

The games are played in a process of their own: what these tests guard against ends the interpreter, or never returns.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from w40k_marl import w40k_v0
from w40k_marl.content.agents import RewardsConfig
from w40k_marl.content.scenario import list_scenarios
from w40k_marl.env.aec import RawEnv
from w40k_marl.env.batch import BatchEnv
from w40k_marl.env.invariants import broken_invariants
from w40k_marl.env.playable import FINGERPRINT
from w40k_marl.env.seat import SeatEnv, SeatVectorEnv
from w40k_marl.env.session import Session
from w40k_marl.errors import ContentError
from w40k_marl.observe.layout import Layout
from w40k_marl.rules.validity import FAULTS

Play = Callable[..., Iterator[tuple[str, int]]]
Damage = Callable[[np.random.Generator, list[bytes], np.dtype[Any]], bytes]

LONGEST_GAME = 20_000  # steps; the longest of the shipped scenarios take some hundreds

SETTINGS: list[dict[str, Any]] = [
    {"scenario": "small_board"},
    {"scenario": "small_board", "layout": Layout(intents=True), "rewards": RewardsConfig({"kills": 1.0})},
    {"scenario": "weapon_rules_lab", "weapon_rules": "full"},
    {"scenario": "tyranid_meleeswarm_bot_1", "decisions": "reference"},
    {"scenario": "macro_default", "layout": Layout(macro=True, macro_extras=True)},
    {"scenario": "pve", "layout": Layout(intents=True, macro=True), "weapon_rules": "full"},
    {"scenario": "dense_walls", "max_turns": 2},
]


# --- ways to damage a snapshot -----------------------------------------------------------------------------


def flip_bits(random: np.random.Generator, snapshots: list[bytes], dtype: np.dtype[Any]) -> bytes:
    data = bytearray(snapshots[random.integers(len(snapshots))])
    for _ in range(random.integers(1, 9)):
        data[random.integers(FINGERPRINT, len(data))] ^= 1 << int(random.integers(8))
    return bytes(data)


def scatter_bytes(random: np.random.Generator, snapshots: list[bytes], dtype: np.dtype[Any]) -> bytes:
    data = bytearray(snapshots[random.integers(len(snapshots))])
    start, length = int(random.integers(FINGERPRINT, len(data))), int(random.integers(1, 40))
    data[start : start + length] = random.bytes(len(data[start : start + length]))
    return bytes(data)


def set_a_field(random: np.random.Generator, snapshots: list[bytes], dtype: np.dtype[Any]) -> bytes:
    """A number of one field, or all of them, becomes an extreme of its type or a small number."""
    data = snapshots[random.integers(len(snapshots))]
    game = np.frombuffer(data, dtype=dtype, offset=FINGERPRINT).copy()
    field = game[random.choice(dtype.names)].reshape(-1)
    limits = np.iinfo(field.dtype)
    values = [limits.min, limits.max, 0, 1, limits.max if limits.min == 0 else -1, int(random.integers(70))]
    value = values[random.integers(len(values))]
    if random.integers(3):
        field[random.integers(len(field))] = value
    else:
        field[:] = value
    return data[:FINGERPRINT] + game.tobytes()


def swap_a_field(random: np.random.Generator, snapshots: list[bytes], dtype: np.dtype[Any]) -> bytes:
    """One field comes from another moment or another game of the same scenario."""
    one, other = (snapshots[random.integers(len(snapshots))] for _ in range(2))
    games = [np.frombuffer(data, dtype=dtype, offset=FINGERPRINT).copy() for data in (one, other)]
    for _ in range(random.integers(1, 4)):
        field = random.choice(dtype.names)
        games[0][field] = games[1][field]
    return one[:FINGERPRINT] + games[0].tobytes()


WAYS: list[Damage] = [flip_bits, scatter_bytes, set_a_field, swap_a_field]


# --- games that go on from them ----------------------------------------------------------------------------


def moments(session: Session, random: np.random.Generator, games: int) -> list[bytes]:
    """Snapshots of every step of some games of random play."""
    kept = []
    for _ in range(games):
        session.reset(random)
        while not session.over:
            kept.append(session.snapshot())
            session.step(int(random.choice(session.legal_actions())))
        kept.append(session.snapshot())
    return kept


def play_on(session: Session, random: np.random.Generator) -> None:
    """Play a game at random to its end; the checker and all that reads a game find nothing wrong on the way."""
    for step in range(LONGEST_GAME):
        if step % 16 == 0 or session.over:
            assert list(broken_invariants(session)) == [], session.where()
            assert session.snapshot() == snapshot_taken_back(session)
        session.events()
        for side in (0, 1):
            assert np.isfinite(session.view(side)[0]).all()
        if session.over:
            return
        session.step(int(random.choice(session.legal_actions())))
    raise AssertionError(f"the game goes on and on: {session.where()}")


def snapshot_taken_back(session: Session) -> bytes:
    """The snapshot of a session that goes back to its own snapshot."""
    session.restore(session.snapshot())
    return session.snapshot()


def try_damaged(count: int, seed: int) -> Counter[str]:
    """Restore so many damaged snapshots in sessions and batches; how many were refused, accepted, unchanged."""
    random, told = np.random.default_rng(seed), Counter[str]()
    for number, settings in enumerate(SETTINGS):
        session, batch = Session(**settings), BatchEnv(num_games=3, **settings)
        batch.reset(seed)
        snapshots = moments(session, random, 3)
        for attempt in range(number, count, len(SETTINGS)):
            way = WAYS[random.integers(len(WAYS))]
            damaged = way(random, snapshots, session.games.dtype)
            kept = snapshots[random.integers(len(snapshots))]
            session.restore(kept)
            try:
                session.restore(damaged)
            except ContentError:
                told["refused"] += 1
                assert session.snapshot() == kept, "the game before stays"
                continue
            told["unchanged" if damaged in snapshots else way.__name__] += 1
            if not session.over:
                batch.restore(attempt % 3, damaged)
                for _ in range(20):
                    batch.step(batch.random_actions())
            play_on(session, random)
    return told


def in_a_process(count: int, seed: int, seconds: int) -> Counter[str]:
    """``try_damaged`` in a process that may crash or hang."""
    command = [sys.executable, "-X", "faulthandler", __file__, str(count), str(seed)]
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, timeout=seconds, check=False)
    assert done.returncode == 0, f"status {done.returncode}: {done.stderr[-3000:]}"
    return Counter({name: int(number) for name, number in (line.split() for line in done.stdout.splitlines())})


def test_damaged_snapshots_are_refused_or_played_to_the_end() -> None:
    told = in_a_process(400, seed=1, seconds=400)
    assert told.total() == 400
    assert told["refused"] > 200
    assert told.total() > told["refused"] + told["unchanged"], "some are other legal games"


@pytest.mark.slow
def test_ten_thousand_damaged_snapshots_are_refused_or_played_to_the_end() -> None:
    told = in_a_process(10_000, seed=2, seconds=3000)
    assert told.total() == 10_000
    assert told["refused"] > 5_000


if __name__ == "__main__":
    for outcome, times in try_damaged(int(sys.argv[1]), int(sys.argv[2])).items():
        print(outcome, times)
