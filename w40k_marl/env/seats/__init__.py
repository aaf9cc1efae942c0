"""Views of the game for one learner: it makes some of the decisions of a side, policies make all others in ``step``.

What the learner decides is data (``learner.py``), as is who is asked for the rest (``partners.py``); ``single.py``
plays one game with them, ``vector.py`` many in a batch.
"""

from __future__ import annotations

from .single import MacroEnv, MicroEnv, SeatEnv
from .vector import MacroVectorEnv, MicroVectorEnv, SeatVectorEnv

__all__ = ["MacroEnv", "MacroVectorEnv", "MicroEnv", "MicroVectorEnv", "SeatEnv", "SeatVectorEnv"]
