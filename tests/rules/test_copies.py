"""A game is a row: copied, pickled or restored at any step, it goes on as it would have."""

from __future__ import annotations

import copy
import pickle
import random
from typing import Any

import numpy as np
import pytest

from w40k_marl.rules import engine


def act(table: Any, picks: random.Random) -> None:
    actions = table.actions()
    table.step(actions[picks.randrange(len(actions))])


def whole(games: Any) -> bytes:
    """All fields of the rows; the padding between them is not part of a game, and numpy's copies leave it undefined."""
    return b"".join(games[name].tobytes() for name in games.dtype.names)


def several(games: Any, count: int) -> Any:
    """An array of ``count`` copies of a game."""
    found = np.zeros(count, dtype=games.dtype).view(np.recarray)
    found[:] = games
    return found


def skirmish(play: Any, decisions: str) -> Any:
    return play(
        "^1 IntercessorGrenadeLauncher 3,9", "^2 Hormagaunt 5,8", "v3 TyranidWarriorRanged 9,5",
        "v4 AssaultIntercessor 8,4",
        board=(13, 13), walls="6,6", decisions=decisions, seed=11, max_turns=3,
    )  # fmt: skip


@pytest.mark.parametrize("decisions", ["reference", "agent"])
def test_row_at_any_step_is_the_whole_game(play: Any, decisions: str) -> None:
    """At each step five copies are taken; one more action later all of them hold the same values."""
    table = skirmish(play, decisions)
    picks = random.Random(2)
    while not table.over:
        copies = [
            table.games.copy(),
            copy.deepcopy(table.games),
            pickle.loads(pickle.dumps(table.games)),
            np.frombuffer(bytearray(table.games.tobytes()), dtype=table.games.dtype).view(np.recarray),
            several(table.games, 2)[1:],
        ]
        for twin in copies:
            assert whole(twin) == whole(table.games)
        actions = table.actions()
        action = actions[picks.randrange(len(actions))]
        table.step(action)
        for twin in copies:
            twin = twin.copy()
            assert engine.step(table.setting.worlds, table.setting.board, twin, 0, action) == engine.ACCEPTED
            assert whole(twin) == whole(table.games)


def test_rest_of_the_game_follows_from_the_row(play: Any) -> None:
    table = skirmish(play, "agent")
    picks = random.Random(3)
    moments = []
    while not table.over:
        moments.append((table.games.copy(), picks.getstate()))
        act(table, picks)
    end = whole(table.games)
    for games, state in moments[::7]:
        table.games[:] = games
        picks.setstate(state)
        while not table.over:
            act(table, picks)
        assert whole(table.games) == end


def test_rows_of_one_array_do_not_touch_each_other(play: Any) -> None:
    """Three games in one array, played in turns, are the three games played alone."""
    table = skirmish(play, "agent")
    worlds, board = table.setting.worlds, table.setting.board

    def alone(seed: int) -> bytes:
        games = table.games.copy()
        return finish(games, 0, seed)

    def finish(games: Any, row: int, seed: int) -> bytes:
        engine.reset(worlds, board, games, row, np.uint64(seed))
        picks = random.Random(seed)
        while step(games, row, picks):
            pass
        return whole(games[row : row + 1])

    def step(games: Any, row: int, picks: random.Random) -> bool:
        mask = np.empty(29, dtype=np.int8)
        engine.legal_mask(worlds, games, row, mask)
        legal = np.flatnonzero(mask)
        if len(legal) == 0:
            return False
        engine.step(worlds, board, games, row, int(legal[picks.randrange(len(legal))]))
        return True

    rows = several(table.games, 3)
    picks = [random.Random(seed) for seed in range(3)]
    for row in range(3):
        engine.reset(worlds, board, rows, row, np.uint64(row))
    while sum(step(rows, row, picks[row]) for row in range(3)):
        pass
    assert [whole(rows[row : row + 1]) for row in range(3)] == [alone(seed) for seed in range(3)]


def test_reset_leaves_nothing_of_the_game_before(play: Any) -> None:
    """D11: after a whole game, a reset gives the bytes that a fresh array gets."""
    table = skirmish(play, "agent")
    fresh = table.games.tobytes()
    picks = random.Random(4)
    while not table.over:
        act(table, picks)
    engine.reset(*table.arguments, np.uint64(11))
    assert table.where == (1, 1, "move")
    ignored = {"events", "targets"}  # rows beyond the counts are left as they were
    before = np.frombuffer(fresh, dtype=table.games.dtype)
    for name in table.games.dtype.names:
        if name not in ignored:
            assert (table.games[name] == before[name]).all(), name
