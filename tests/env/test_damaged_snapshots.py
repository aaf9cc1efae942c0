"""A damaged snapshot or pickle is refused, or is a legal game that can be played to its end.

The games are played in a process of their own: what these tests guard against ends the interpreter, or never returns.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from w40k_marl import w40k_v0
from w40k_marl.content.scenario import list_scenarios
from w40k_marl.env.batch import BatchEnv
from w40k_marl.env.invariants import broken_invariants
from w40k_marl.env.loading import FINGERPRINT
from w40k_marl.env.seats import SeatEnv, SeatVectorEnv
from w40k_marl.env.session import Session
from w40k_marl.errors import ContentError, IllegalActionError, W40KError
from w40k_marl.observe.layout import Layout
from w40k_marl.reward.config import RewardsConfig
from w40k_marl.rules import events
from w40k_marl.rules.validity import FAULTS

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
    told = in_a_process(300, seed=1, seconds=400)
    assert told.total() == 300
    assert told["refused"] > 100
    assert told.total() > told["refused"] + told["unchanged"], "some are other legal games"


@pytest.mark.slow
def test_ten_thousand_damaged_snapshots_are_refused_or_played_to_the_end() -> None:
    told = in_a_process(10_000, seed=2, seconds=3000)
    assert told.total() == 10_000
    assert told["refused"] > 5_000


# --- what is refused, and what is not ----------------------------------------------------------------------


@pytest.mark.parametrize("weapon_rules", ["reference", "full"])
@pytest.mark.parametrize("decisions", ["agent", "reference"])
@pytest.mark.parametrize("scenario", list_scenarios())
def test_every_state_of_a_legal_game_is_accepted(scenario: str, decisions: str, weapon_rules: str) -> None:
    random = np.random.default_rng(3)
    for intents in (False, True):
        session = Session(scenario, decisions=decisions, weapon_rules=weapon_rules, layout=Layout(intents=intents))
        for snapshot in moments(session, random, 1):
            session.restore(snapshot)
            assert session.snapshot() == snapshot


def some_moment(**settings: Any) -> Session:
    """A game in the shooting phase, with an activation open."""
    session, random = Session("macro_default", **settings), np.random.default_rng(1)
    session.reset(random)
    while session.games[0].phase != 2 or session.games[0].active < 0:
        session.step(int(random.choice(session.legal_actions())))
    return session


def damage(session: Session, field: str, value: Any, place: Any = ...) -> bytes:
    game = session.games.copy()
    game[field][(0, *place) if isinstance(place, tuple) else (0, place)] = value
    return session.snapshot()[:FINGERPRINT] + game.tobytes()


@pytest.mark.parametrize(
    ("field", "place", "value", "named"),
    [
        ("turn", ..., 32767, "turn"),
        ("turn", ..., 0, "turn"),
        ("side", ..., 2, "turn"),
        ("phase", ..., 0, "turn"),
        ("over", ..., 1, "turn"),
        ("seed", ..., 2**63, "steps"),
        ("steps", ..., -1, "steps"),
        ("dice_rolled", ..., 2**64 - 1, "steps"),
        ("recording", ..., 1, "recording"),
        ("recorded_count", ..., 9, "recording"),
        ("hit_points", 0, 999, "hit_points"),
        ("hit_points", 0, 0, "hit_points"),
        ("alive", 0, 2**64 - 1, "hit_points"),
        ("hexes", ..., -32768, "hexes"),
        ("hexes", 0, 25 * 64, "hexes"),
        ("hexes", 0, 30, "hexes"),
        ("selected_weapon", 0, -1, "selected_weapon"),
        ("selected_weapon", 0, 8, "selected_weapon"),
        ("combi_blocked", 0, 255, "selected_weapon"),
        ("control", 0, 3, "control"),
        ("control", 7, 1, "control"),
        ("victory_points", 0, -1, "victory_points"),
        ("victory_points", 1, 2**31 - 1, "victory_points"),
        ("fled", 1, 1, "moved"),
        ("charged", 0, 1, "moved"),
        ("pool", 0, 2**40, "pool"),
        ("pool", 1, 1, "pool"),
        ("pool", ..., 0, "pool"),
        ("chargers", ..., 1, "pool"),
        ("fight_stage", ..., 1, "fight_stage"),
        ("alternation", ..., 3, "fight_stage"),
        ("winner", ..., 1, "winner"),
        ("active", ..., 31, "active"),
        ("active", ..., -32768, "active"),
        ("target_count", ..., 17, "attacks_left"),
        ("target", ..., 16, "attacks_left"),
        ("targets", ..., 32767, "attacks_left"),
        ("attacks_left", ..., -1, "attacks_left"),
        ("has_attacked", ..., 1, "attacks_left"),
        ("fired", ..., 255, "attacks_left"),
        ("target_count", ..., 0, "targets"),
        ("targets", 0, 0, "targets"),
        ("intent", 0, 6, "intent"),
        ("intent_stage", ..., 1, "intent"),
        ("event_count", ..., 65, "events"),
        ("event_count", ..., -1, "events"),
        ("events_lost", ..., -1, "events"),
        ("events", (0, 0), 20, "events"),
        ("events", (0, 1), 31, "events"),
        ("summary", 0, 1, "summary"),
    ],
)
def test_field_that_fits_no_game_is_named(field: str, place: Any, value: int, named: str) -> None:
    session = some_moment()
    before = session.snapshot()
    with pytest.raises(ContentError, match=f"^snapshot: {named}: expected .*, got "):
        session.restore(damage(session, field, value, place))
    assert session.snapshot() == before


def test_every_fault_says_which_field_and_what_was_expected() -> None:
    session = some_moment()
    assert sorted(FAULTS) == list(range(1, len(FAULTS) + 1))
    assert all(field in session.games.dtype.names and expected for field, expected in FAULTS.values())


@pytest.mark.parametrize("snapshot", [None, 3, "abc", [], b"", bytes(100), bytes(100_000), np.zeros(3), object()])
def test_what_is_no_snapshot_is_refused_everywhere(snapshot: Any) -> None:
    env, batch = w40k_v0.env("small_board"), BatchEnv("small_board", 2)
    env.reset(seed=1)
    batch.reset(seed=1)
    before = env.snapshot(), batch.games.tobytes()
    for restore in (env.restore, env.session.restore, lambda given: batch.restore(1, given)):
        with pytest.raises(ContentError, match=r"snapshot: (type|size): expected"):
            restore(snapshot)
    assert (env.snapshot(), batch.games.tobytes()) == before


def test_damaged_row_of_a_batch_is_refused_and_the_games_go_on() -> None:
    batch = BatchEnv("small_board", 3000)
    batch.reset(seed=1)
    game, before = batch.games[:1].copy(), batch.games.tobytes()
    game["hexes"] = -32768
    with pytest.raises(ContentError, match="snapshot: hexes: expected an open hex"):
        batch.restore(0, batch.snapshot(0)[:FINGERPRINT] + game.tobytes())
    assert batch.games.tobytes() == before
    for _ in range(60):
        batch.step(batch.random_actions())


def test_lost_events_are_counted_up_to_the_end_of_the_type() -> None:
    session = some_moment()
    session.games[0].events_lost = 2**15 - 1
    session.games[0].event_count = 64
    session.games[0].events[:] = session.games[0].events[0]
    record = getattr(events.record, "py_func", events.record)
    record(session.games[0], events.WAITED, 0, 0, 0, 0, 0, 0, 0)
    assert session.games[0].events_lost == 2**15 - 1


# --- pickles -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("field", "value"), [("hexes", -32768), ("active", 99), ("turn", -5), ("alive", 2**63)])
def test_pickle_of_a_damaged_game_is_refused(field: str, value: int) -> None:
    env, seat, batch = w40k_v0.raw_env("small_board"), SeatEnv("small_board"), BatchEnv("small_board", 3)
    many = SeatVectorEnv("small_board", 3)
    for each in (env, seat, batch, many):
        each.reset(seed=1)
        pickle.loads(pickle.dumps(each))
    for games in (env.session.games, seat.session.games, batch.games, many.batch.games):
        games[field] = value
    for each in (env, seat, batch, many):
        with pytest.raises(ContentError, match="pickle: "):
            pickle.loads(pickle.dumps(each))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_watchers", np.full(3, 7, np.int8)),
        ("_finals", np.zeros((1, 4), np.float32)),
        ("observations", np.zeros((3, 5), np.float32)),
        ("action_masks", None),
        ("games", np.zeros(3)),
        ("num_games", 4),
        ("num_games", 99999999999),
        ("_threads", 0),
        ("_base", "x"),
    ],
)
def test_pickle_of_a_batch_with_other_arrays_is_refused(name: str, value: Any) -> None:
    batch = BatchEnv("small_board", 3)
    batch.reset(seed=1)
    batch.watch(np.zeros(3, np.int8))
    state = batch.__getstate__() | {name: value}
    before = batch.games.tobytes()
    with pytest.raises(ContentError):
        batch.__setstate__(state)
    assert batch.games.tobytes() == before
    batch.step(batch.random_actions())


@pytest.mark.parametrize("change", [{"row": b""}, {"setting_index": 3}, {"scenarios": []}, {"fingerprints": []}])
def test_pickle_of_a_session_with_other_parts_is_refused(change: dict[str, Any]) -> None:
    session = some_moment()
    before = session.snapshot()
    for state in (session.__getstate__() | change, None, 3, {}):
        with pytest.raises(ContentError, match="pickle: "):
            session.__setstate__(state)  # type: ignore[arg-type]
    assert session.snapshot() == before


def test_pickle_whose_scenario_is_another_than_its_game_was_played_in_is_refused() -> None:
    session = some_moment()
    state = session.__getstate__()
    other = Session("small_board").__getstate__()
    with pytest.raises(ContentError, match="pickle: scenarios: expected"):
        session.__setstate__(state | {"scenarios": other["scenarios"]})


# --- arrays that callers hold ------------------------------------------------------------------------------


def test_legal_is_what_the_rules_allow_whatever_stands_in_the_masks() -> None:
    batch = BatchEnv("small_board", 4)
    batch.reset(seed=1)
    legal, before = batch.random_actions(), batch.games.tobytes()
    batch.action_masks[:] = 1
    with pytest.raises(IllegalActionError, match=r"actions\[0\]: expected one of \[0, .*\], got 28"):
        batch.step(np.full(4, 28))
    assert batch.games.tobytes() == before
    batch.action_masks[:] = 0
    batch.step(legal)
    assert (batch.games["steps"] == 1).all()
    assert batch.action_masks.any(axis=1).all()


@pytest.mark.parametrize(
    "sides", [np.full(4, 2), np.full(4, -1), np.full(3, 0), np.zeros(4), None, "x", [[0], [1, 2]], np.ones(4, bool)]
)
def test_sides_that_do_not_exist_are_not_watched(sides: Any) -> None:
    batch = BatchEnv("small_board", 4)
    batch.reset(seed=1)
    with pytest.raises(ContentError, match="argument: sides: expected"):
        batch.watch(sides, others_play=True)
    batch.step(batch.random_actions())
    assert (batch.games["steps"] == 1).all(), "others do not play"


@pytest.mark.parametrize("side", [2, -1, 32767, None, "x"])
def test_side_that_does_not_exist_sees_nothing(side: Any) -> None:
    with pytest.raises(W40KError, match="side: expected 0 or 1, got"):
        some_moment().view(side)


if __name__ == "__main__":
    found = try_damaged(int(sys.argv[1]), int(sys.argv[2]))
    sys.stdout.write("".join(f"{outcome} {times}\n" for outcome, times in found.items()))
