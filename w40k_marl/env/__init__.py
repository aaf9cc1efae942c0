"""The game as environments: one game by PettingZoo's agent cycle, many in a batch, single-agent seats.

No rule lives here. ``BatchEnv`` and the views for one learner are imported when they are asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .batch import BatchEnv
    from .macro_seat import MacroEnv, MacroVectorEnv
    from .micro_seat import MicroEnv, MicroVectorEnv
    from .seat import SeatEnv, SeatVectorEnv

__all__ = ["BatchEnv", "MacroEnv", "MacroVectorEnv", "MicroEnv", "MicroVectorEnv", "SeatEnv", "SeatVectorEnv"]

_HOMES = {
    "BatchEnv": ".batch",
    "MacroEnv": ".macro_seat",
    "MacroVectorEnv": ".macro_seat",
    "MicroEnv": ".micro_seat",
    "MicroVectorEnv": ".micro_seat",
    "SeatEnv": ".seat",
    "SeatVectorEnv": ".seat",
}


def __getattr__(name: str) -> object:
    """Import one of the names above."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name], __name__), name)
