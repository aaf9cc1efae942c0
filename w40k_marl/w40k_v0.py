"""The PettingZoo module: ``w40k_v0.env(...)`` for everyone, ``w40k_v0.raw_env(...)`` for tools.

The number grows with every change that can alter learning results; a change of speed does not count.
"""

from __future__ import annotations

from .env.aec import Env as env
from .env.aec import RawEnv as raw_env

__all__ = ["env", "raw_env"]
