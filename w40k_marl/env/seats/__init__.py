"""Views of the game for one learner: it makes some decisions of a
side, policies make all others in ``step``.

``learner.py`` defines the decisions of the learner, ``partners.py`` the policies that make the
others; ``single.py`` plays one game with them, ``vector.py`` many in a batch.
"""

from __future__ import annotations

from .single import MacroEnv, MicroEnv, SeatEnv
from .vector import MacroVectorEnv, MicroVectorEnv, SeatVectorEnv

__all__ = ["MacroEnv", "MacroVectorEnv", "MicroEnv", "MicroVectorEnv", "SeatEnv", "SeatVectorEnv"]
