"""Distances, walking distances and lines of sight against the samples in the headers of recorded games."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import pytest
from recorded_games.game import ReplayedGame
from recorded_games.trace import Trace, read_trace

from w40k_marl.rules import hexes

from .conftest import Recorded

UNREACHED, SEARCHED = 51, 50  # steps after which the recorded search gives up
NEIGHBOURS = {
    0: [(0, -1), (1, -1), (1, 0), (0, 1), (-1, 0), (-1, -1)],
    1: [(0, -1), (1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0)],
}

Place = tuple[int, int]


def straight(a: Place, b: Place) -> int:
    """The compiled rule run as plain Python."""
    plain = getattr(hexes.distance, "py_func", hexes.distance)
    return int(plain(a[0] * 64 + a[1], b[0] * 64 + b[1]))


def walk(trace: Trace, start: Place, goal: Place) -> int:
    """Steps around walls, units ignored."""
    board, walls = (
        trace.header["scenario"]["board"],
        {tuple(wall) for wall in trace.header["scenario"]["walls"]},
    )
    steps, queue = {start: 0}, deque([start])
    while queue:
        place = queue.popleft()
        if place == goal:
            return steps[place]
        for right, down in NEIGHBOURS[place[0] & 1]:
            there = place[0] + right, place[1] + down
            inside = 0 <= there[0] < board["cols"] and 0 <= there[1] < board["rows"]
            if inside and there not in walls and there not in steps and steps[place] < SEARCHED:
                steps[there] = steps[place] + 1
                queue.append(there)
    return UNREACHED


def differences(trace: Trace) -> list[object]:
    board = ReplayedGame(trace).setting.board
    found: list[object] = []
    for c1, r1, c2, r2, distance, walking, sight in trace.header["geometry_samples"]:
        a, b = (c1, r1), (c2, r2)
        sees = int(board[c1 * 64 + r1, c2]) >> r2 & 1
        walked = walking if walking is None else walk(trace, a, b)
        if (straight(a, b), walked, sees) != (distance, walking, sight):
            found.append((a, b, (distance, walking, sight), (straight(a, b), walked, sees)))
    return found


@pytest.mark.parametrize("name", ["s001", "s027", "s042", "s047", "s055"])
def test_samples(recorded: Recorded, name: str) -> None:
    trace = recorded(name)
    assert len(trace.header["geometry_samples"]) == 120
    assert differences(trace) == []


@pytest.mark.slow
def test_samples_of_all_games(all_traces: list[Path]) -> None:
    for path in all_traces:
        assert differences(read_trace(path)) == [], path.name
