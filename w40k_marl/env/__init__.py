"""The game as environments: one game by PettingZoo's agent cycle, many in a batch, single-agent seats.

No rule lives here. ``BatchEnv`` and the views for one learner are imported when they are asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .batch import BatchEnv
    from .seats import MacroEnv, MacroVectorEnv, MicroEnv, MicroVectorEnv, SeatEnv, SeatVectorEnv

__all__ = ["BatchEnv", "MacroEnv", "MacroVectorEnv", "MicroEnv", "MicroVectorEnv", "SeatEnv", "SeatVectorEnv"]


def __getattr__(name: str) -> object:
    """Import one of the names above."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(".batch" if name == "BatchEnv" else ".seats", __name__), name)
