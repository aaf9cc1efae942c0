"""Reads games from snapshots and pickles: accepts only records that are a state of the game.

The compiled rules use the numbers of a record without checks; ``rules/validity.py`` defines the
records that are safe.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..content.world import Setting
from ..errors import ContentError, W40KError, brief
from ..rules.state import Games
from ..rules.validity import FAULTS, SOUND, first_fault
from .loading import FINGERPRINT, LoadedScenario


def read_snapshot(
    snapshot: object, scenarios: Sequence[LoadedScenario], dtype: np.dtype[Any], of: str = "a scenario of this session"
) -> tuple[int, Games]:
    """Return the index of the snapshot's setting in ``playables``, and its game, an array of one.

    ``of`` describes the accepted games in the error. Raises ContentError if the snapshot is not
    bytes of the right length, if it is of another setting, or if its record is not a state of a
    game.
    """
    size = FINGERPRINT + dtype.itemsize
    if not isinstance(snapshot, bytes | bytearray | memoryview):
        raise ContentError("snapshot", "type", "bytes, as snapshot() returns them", brief(snapshot))
    given = bytes(snapshot)
    if len(given) != size:
        raise ContentError("snapshot", "size", f"{size} bytes, as games of this layout have", f"{len(given)} bytes")
    known = [loaded.fingerprint for loaded in scenarios]
    if given[:FINGERPRINT] not in known:
        expected = f"a game of {of}, with the same rules, layout and decisions"
        raise ContentError("snapshot", "scenario", expected, "another")
    index = known.index(given[:FINGERPRINT])
    games = games_of(given[FINGERPRINT:], dtype)
    check_game(scenarios[index].setting, games)
    return index, games


def games_of(data: bytes, dtype: np.dtype[Any]) -> Games:
    """Return the records in some bytes as an array of exactly the type that the rules are compiled
    for.
    """
    return np.frombuffer(bytearray(data), dtype=dtype)  # numpy is slow to copy records, and fast to copy bytes


def put(game: Games, games: Games, row: int = 0) -> None:
    """Write an array of one game into a row."""
    games[row : row + 1].view(np.uint8)[:] = game.view(np.uint8)


def check_game(setting: Setting, games: Games, row: int = 0, file: str = "snapshot") -> None:
    """Raise ContentError if the record of a row is not a state of a game of this setting."""
    fault = first_fault(setting.worlds, setting.board, games, row)
    if fault != SOUND:
        field, expected = FAULTS[fault]
        raise ContentError(file, field, expected, brief(games[field][row].tolist()))


def alike(expected: NDArray[Any], got: object) -> bool:
    """Return True if an array has the dtype, shape and memory order of the expected one."""
    if not isinstance(got, np.ndarray):
        return False
    return got.dtype == expected.dtype and got.shape == expected.shape and bool(got.flags.carray)


@contextmanager
def unpickling() -> Iterator[None]:
    """Raise ContentError for every error while an object is created from a damaged pickle."""
    try:
        yield
    except W40KError:
        raise
    except Exception as error:  # parts of a pickle may have any type and raise any exception
        got = f"one that raises {type(error).__name__}: {error}"
        raise ContentError("pickle", "state", "the state of such an object", got) from error
