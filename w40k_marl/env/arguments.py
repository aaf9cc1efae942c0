"""Checks of the arguments of environments before anything changes: seeds, counts, rows, reset
options.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ContentError, brief

LAST_GAME_SEED = 2**63 - 1


def whole_number(name: str, value: object, least: int | None = None, most: int | None = None, remark: str = "") -> int:
    """Return a whole number of Python or numpy.

    Raises ContentError if the value is of another type, a bool, or outside ``least`` to ``most``.
    """
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        number = int(value)
        if (least is None or number >= least) and (most is None or number <= most):
            return number
    bounds = "" if least is None else f", at least {least}" if most is None else f", from {least} to {most}"
    raise ContentError("argument", name, f"a whole number{bounds}{remark}", brief(value))


def seed_or_none(seed: object) -> int | None:
    """Return the seed of a stream of games, or None.

    Raises ContentError if it is not a whole number of at least 0.
    """
    return None if seed is None else whole_number("seed", seed, 0, remark=", or None")


def game_seed_of(options: object) -> int | None:
    """Return the seed of one game from the options of a reset, or None; ignore other options.

    Raises ContentError if the options are not a dictionary, or the seed is not from 0 to 2**63 - 1.
    """
    if options is None:
        return None
    if not isinstance(options, Mapping):
        raise ContentError("argument", "options", "None or a dictionary", brief(options))
    return game_seed_or_none(options.get("game_seed"), 'options["game_seed"]')


def game_seed_or_none(seed: object, name: str = "game_seed") -> int | None:
    """Return the seed of one game, or None.

    Raises ContentError if it is not a whole number from 0 to 2**63 - 1.
    """
    return None if seed is None else whole_number(name, seed, 0, LAST_GAME_SEED, ", or None")


def as_array(value: object) -> NDArray[Any]:
    """Return ``value`` as an array; an object array without dimensions if numpy cannot convert it."""
    try:
        return np.asarray(value)
    except (ValueError, TypeError, OverflowError):  # lists of different lengths, numbers that are too large
        return np.empty((), dtype=object)


def kind_of(array: NDArray[Any]) -> str:
    """Return type and shape of an array, for messages."""
    return f"{array.dtype} of shape {array.shape}"
