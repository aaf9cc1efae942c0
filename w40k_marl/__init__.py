"""A two-player hex wargame as a fast PettingZoo environment.

Importing it registers ``w40k/skirmish-v0`` with PettingZoo and loads nothing else: rules, files and the names of
the meta-controller come with first use.
"""

from __future__ import annotations

import os as _os
from importlib import import_module as _import_module
from typing import TYPE_CHECKING

try:
    import pettingzoo as _pettingzoo
except FileNotFoundError:  # it asks for the current folder, which has been deleted: lend it another
    _here = _os.open(".", _os.O_RDONLY)
    _os.chdir(_os.sep)
    try:
        import pettingzoo as _pettingzoo
    finally:
        _os.fchdir(_here)
        _os.close(_here)

if TYPE_CHECKING:
    from .policy.config import MetaConfig, meta_config
    from .policy.meta_controller import get_action_for_unit, select_model_for_unit
    from .policy.pve import PvEController
    from .policy.registry import ModelsRegistry, load_registry

__all__ = [
    "MetaConfig",
    "ModelsRegistry",
    "PvEController",
    "get_action_for_unit",
    "load_registry",
    "meta_config",
    "select_model_for_unit",
]

__version__ = "0.1.0"

ENVIRONMENT_ID = "w40k/skirmish-v0"

if ENVIRONMENT_ID not in _pettingzoo.aec_registry:  # a reload must not warn
    _pettingzoo.register("aec", ENVIRONMENT_ID, entry_point="w40k_marl.w40k_v0:env")

_HOMES = {
    "MetaConfig": ".policy.config",
    "meta_config": ".policy.config",
    "select_model_for_unit": ".policy.meta_controller",
    "get_action_for_unit": ".policy.meta_controller",
    "ModelsRegistry": ".policy.registry",
    "load_registry": ".policy.registry",
    "PvEController": ".policy.pve",
}


def __getattr__(name: str) -> object:
    """Import one of the names above when it is asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(_import_module(_HOMES[name], __name__), name)
