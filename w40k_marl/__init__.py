"""A two-player hex wargame as a fast PettingZoo environment.

Importing it registers ``w40k/skirmish-v0`` with PettingZoo and loads nothing else: rules and files come with first use.
"""

from __future__ import annotations

import pettingzoo as _pettingzoo

__version__ = "0.1.0"

ENVIRONMENT_ID = "w40k/skirmish-v0"

if ENVIRONMENT_ID not in _pettingzoo.aec_registry:  # a reload must not warn
    _pettingzoo.register("aec", ENVIRONMENT_ID, entry_point="w40k_marl.w40k_v0:env")
