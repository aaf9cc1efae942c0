"""A two-player hex wargame as a fast PettingZoo environment.

Importing it registers ``w40k/skirmish-v0`` with PettingZoo. All public names (docs/api.md) are
imported at their first use.
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
    from . import w40k_v0 as w40k_v0
    from .env import BatchEnv, MacroEnv, MacroVectorEnv, MicroEnv, MicroVectorEnv, SeatEnv, SeatVectorEnv
    from .observe.layout import Layout
    from .policy.config import MetaConfig, meta_config
    from .policy.contract import write_contract
    from .policy.meta_controller import get_action_for_unit, select_model_for_unit
    from .policy.pve import PvEController
    from .policy.registry import ModelsRegistry, load_policy, load_registry

__all__ = [
    "BatchEnv",
    "Layout",
    "MacroEnv",
    "MacroVectorEnv",
    "MetaConfig",
    "MicroEnv",
    "MicroVectorEnv",
    "ModelsRegistry",
    "PvEController",
    "SeatEnv",
    "SeatVectorEnv",
    "get_action_for_unit",
    "load_policy",
    "load_registry",
    "meta_config",
    "select_model_for_unit",
    "write_contract",
]

__version__ = "0.1.0"

ENVIRONMENT_ID = "w40k/skirmish-v0"

if ENVIRONMENT_ID not in _pettingzoo.aec_registry:  # a reload must not warn
    _pettingzoo.register("aec", ENVIRONMENT_ID, entry_point="w40k_marl.w40k_v0:env")

_HOMES = {
    "BatchEnv": ".env",
    "Layout": ".observe.layout",
    "MacroEnv": ".env",
    "MacroVectorEnv": ".env",
    "MetaConfig": ".policy.config",
    "MicroEnv": ".env",
    "MicroVectorEnv": ".env",
    "ModelsRegistry": ".policy.registry",
    "PvEController": ".policy.pve",
    "SeatEnv": ".env",
    "SeatVectorEnv": ".env",
    "get_action_for_unit": ".policy.meta_controller",
    "load_policy": ".policy.registry",
    "load_registry": ".policy.registry",
    "meta_config": ".policy.config",
    "select_model_for_unit": ".policy.meta_controller",
    "write_contract": ".policy.contract",
}
"""The module of each name; the submodule ``w40k_v0`` is imported lazily too."""


def __getattr__(name: str) -> object:
    """Import a public name at its first use. Raises AttributeError for any other name."""
    if name == "w40k_v0":
        return _import_module(".w40k_v0", __name__)
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(_import_module(_HOMES[name], __name__), name)


def __dir__() -> list[str]:
    """Return the names of the package, also of those that are not imported yet."""
    return sorted({*globals(), *_HOMES, "w40k_v0"})
