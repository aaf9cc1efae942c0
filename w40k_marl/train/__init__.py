"""Learning and evaluation, with stable-baselines3 and sb3-contrib: the extra ``train``.

``SeatVecEnv`` is imported on first access.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .vec_env import SeatVecEnv

__all__ = ["SeatVecEnv"]


def __getattr__(name: str) -> object:
    """Import and return the class of this name. Raises AttributeError for other names."""
    if name != "SeatVecEnv":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .vec_env import SeatVecEnv

    return SeatVecEnv
