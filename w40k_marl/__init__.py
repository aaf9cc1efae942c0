"""A two-player hex wargame as a fast PettingZoo environment."""

from __future__ import annotations

__version__ = "0.1.0"
