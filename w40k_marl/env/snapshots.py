"""Games from outside: the bytes of a snapshot or a pickle become a record only if they are a state of the game.

The compiled rules follow the numbers of a record unchecked; ``rules/validity.py`` says which records they can follow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..content.world import Setting
from ..errors import ContentError, W40KError, brief
from ..rules.state import Games
from ..rules.validity import FAULTS, SOUND, first_fault
from .loading import FINGERPRINT, LoadedScenario


def read_snapshot(
    snapshot: object, scenarios: Sequence[LoadedScenario], dtype: np.dtype[Any], of: str = "a scenario of this session"
) -> tuple[int, Games]:
    """The index of the setting that a snapshot belongs to, and its game, an array of one.

    ``of`` says in the error whose games are taken. Raises ContentError for anything but bytes of the right length, for
    a game of another setting, and for a record that is no state of a game.
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
    """The records in some bytes, in an array of the very type that the rules are compiled for."""
    return np.frombuffer(bytearray(data), dtype=dtype)  # numpy is slow to copy records, and fast to copy bytes


def put(game: Games, games: Games, row: int = 0) -> None:
    """Write an array of one game into a row."""
    games[row : row + 1].view(np.uint8)[:] = game.view(np.uint8)


def check_game(setting: Setting, games: Games, row: int = 0, file: str = "snapshot") -> None:
    """Raise ContentError where the record of a row is no state of a game of a setting."""
    fault = first_fault(setting.worlds, setting.board, games, row)
    if fault != SOUND:
        field, expected = FAULTS[fault]
        raise ContentError(file, field, expected, brief(games[field][row].tolist()))


@contextmanager
def unpickling() -> Iterator[None]:
    """Raise ContentError for whatever goes wrong in making an object from the state of a damaged pickle."""
    try:
        yield
    except W40KError:
        raise
    except Exception as error:  # the parts of a pickle may be of any type, and fail in any way
        got = f"one that raises {type(error).__name__}: {error}"
        raise ContentError("pickle", "state", "the state of such an object", got) from error
