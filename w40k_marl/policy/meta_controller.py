"""The two functions of the meta-controller document (docs/sources.md).

``select_model_for_unit`` chooses a model by the type of a unit, ``get_action_for_unit`` asks it for
an action. Neither chooses the unit, and neither changes the game.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from ..content.reading import shown
from ..content.world import Setting
from ..env.session import Session
from ..errors import W40KError, brief, did_you_mean
from ..observe.layout import Layout
from .block_policy import block_masks
from .config import MetaConfig, check_agent_key, check_mapping
from .errors import (
    EmptyMaskError,
    ForeignUnitError,
    NotActiveError,
    NotToActError,
    UnitMismatchError,
    UnitTypeMissingError,
    UnmappedUnitTypeError,
)
from .registry import check_models, registry_of

logger = logging.getLogger("w40k_marl.meta")

Unit: TypeAlias = Mapping[str, Any]
"""A unit as a mapping with ``id``, ``unitType`` and ``player``,
and for messages ``scenario``, a name.
"""


class GameView(Protocol):
    """The part of a ``Session`` that the meta-controller reads."""

    layout: Layout
    setting: Setting

    @property
    def over(self) -> bool:
        """True if the game has ended."""

    @property
    def acting_side(self) -> int:
        """The side that is to act, 0 or 1."""

    @property
    def active_unit(self) -> str | None:
        """Id of the unit whose activation is open; None if there is none."""

    def view(self, side: int) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
        """Return observation (observation_size,) and mask (action_count,) of a side."""

    def where(self) -> str:
        """Describe turn, phase and player, for messages."""


def game_of(game_state: object) -> GameView:
    """Return the game of an environment, a seat, a wrapper of these, or a session.

    Raises NotToActError before the first ``reset``, W40KError if ``game_state`` is none of these.
    """
    inner = getattr(game_state, "unwrapped", game_state)
    game = getattr(inner, "session", inner)
    if isinstance(game, Session) and int(game.games[0].turn) == 0:
        raise NotToActError("game_state: expected a game that has begun, got one before reset()")
    if not all(hasattr(game, name) for name in ("view", "active_unit", "acting_side", "setting")):
        raise W40KError(f"game_state: expected an environment, a seat or a session, got {type(game_state).__name__}")
    return cast(GameView, game)


def unit_view(game_state: object, unit_id: str | None = None) -> Unit:
    """Return a unit of a game, by default the active one, as a read-only mapping.

    Its keys are ``id``, ``unitType``, ``player`` and ``scenario``. Raises NotActiveError if no
    activation is open, UnitMismatchError for an unknown id, NotToActError before the first
    ``reset``.
    """
    game = game_of(game_state)
    wanted = game.active_unit if unit_id is None else unit_id
    if wanted is None:
        raise NotActiveError(f"unit: expected an open activation, got none ({game.where()})")
    number = game.setting.number_of.get(wanted) if isinstance(wanted, str) else None
    unit = None if number is None else game.setting.units[number]
    if unit is None:
        known = ", ".join(game.setting.number_of)
        raise UnitMismatchError(f"unit: expected an id of {game.setting.scenario.name}: {known}, got {shown(wanted)}")
    scenario = game.setting.scenario.name
    return MappingProxyType({"id": unit.id, "unitType": unit.type.name, "player": unit.player, "scenario": scenario})


def select_model_for_unit(unit: Unit, model_by_unit_type: Mapping[str, str], default_model: str | None) -> str:
    """Return the agent key of a unit's model: that of its type, else ``default_model``.

    ``default_model`` is None in strict mode. Raises UnitTypeMissingError if the unit has no
    ``unitType``; UnmappedUnitTypeError, which is also logged, for a type without a model;
    ContentError if the mapping or the default does not hold agent keys.
    """
    unit_type = _required(unit, "unitType")
    if not isinstance(unit_type, str):
        raise UnitTypeMissingError(
            f"unit {unit.get('id', '?')}: expected the name of its unitType, got {brief(unit_type)}"
        )
    check_mapping(model_by_unit_type)
    if default_model is not None:
        check_agent_key(default_model, "default_model")
    if unit_type in model_by_unit_type:
        key = model_by_unit_type[unit_type]
        check_agent_key(key, f"model_by_unit_type.{unit_type}")
        return key
    if default_model is None:
        error = _unmapped(unit, unit_type, model_by_unit_type)
        logger.error("[META] unitType=%s -> no model: %s", unit_type, error)
        raise error
    return default_model


def _unmapped(unit: Unit, unit_type: str, mapping: Mapping[str, str]) -> UnmappedUnitTypeError:
    """Return the error of a type without a model, with the unit,
    player and scenario that are known.
    """
    known, hint = ", ".join(mapping) or "none", did_you_mean(unit_type, mapping)
    words = (("unit {}", "id"), ("of player {}", "player"), ("in {}", "scenario"))
    where = " ".join(word.format(unit[key]) for word, key in words if unit.get(key) is not None)
    return UnmappedUnitTypeError(
        (f"{where}: " if where else "")
        + f"unitType: expected one of model_by_unit_type ({known}), for there is no default_model, "
        f'got "{unit_type}"' + (f" ({hint})" if hint else "")
    )


def get_action_for_unit(
    game_state: object, unit: Unit, models_registry: Mapping[str, object], *, meta: MetaConfig | None = None
) -> int:
    """Return the micro action, 0 to 12, of the active unit's model; the flat action is
    ``layout.micro_start`` more.

    ``game_state`` is an environment, a seat or a session, and is not changed. ``models_registry``
    is a ModelsRegistry, or a plain mapping of agent keys to models with
    ``predict(observation, action_masks=...)``, whose mapping of unit types is ``meta``, by default
    the shipped one.

    Raises UnitTypeMissingError if the unit has no ``id``, ``unitType`` or ``player``;
    ForeignUnitError if it is the other player's; UnmappedUnitTypeError in strict mode for a type
    without a model; UnitMismatchError if the game has another unit of this id; NotToActError before
    ``reset`` and after the end; NotActiveError if its activation is not open; UnknownModelError if
    its model is not loaded; EmptyMaskError if no micro action is legal; PredictionError or
    IllegalPredictionError for the answer of a model; ContentError, ActionSpaceMismatchError,
    LayoutMismatchError or ModelFileError if a model of a plain mapping does not fit.
    """
    check_models(models_registry)
    game = game_of(game_state)
    registry = registry_of(models_registry, game.layout, meta)
    meta = registry.meta
    unit_type, unit_id = _required(unit, "unitType"), _required(unit, "id")
    if _required(unit, "player") != meta.controlled_player:
        raise ForeignUnitError(
            f"unit {unit_id}: expected a unit of player {meta.controlled_player}, got one of player {unit['player']}"
        )
    known = {"scenario": game.setting.scenario.name, **unit}
    key = select_model_for_unit(known, meta.model_by_unit_type, meta.default_model)
    _check_moment(game, unit, unit_view(game, str(unit_id)))
    model = registry[key]
    log_route(unit_type, key)
    observation, mask = game.view(game.acting_side)
    legal = block_masks(game.layout, "micro", mask[None])
    if not legal.any():
        raise EmptyMaskError(f"unit {unit_id}: expected a legal micro action, got an empty mask ({game.where()})")
    return int(model(observation[None], legal)[0])


def log_route(unit_type: str, key: str) -> None:
    """Log ``[META] unitType=Hormagaunt -> model=Tyranid_Infantry_Swarm_MeleeSwarm`` at INFO."""
    logger.info("[META] unitType=%s -> model=%s", unit_type, key)


def _required(unit: Unit, key: str) -> Any:
    """Return the value of a key. Raises UnitTypeMissingError if the unit does not have it."""
    if not isinstance(unit, Mapping):
        raise UnitTypeMissingError(f"unit: expected a mapping with {key}, got {brief(unit)}")
    value = unit.get(key)
    if value is None or (isinstance(value, str) and not value):
        known = sorted(map(str, unit))
        raise UnitTypeMissingError(f"unit {unit.get('id', '?')}: expected {key}, got a unit with {brief(known)}")
    return value


def _check_moment(game: GameView, unit: Unit, real: Unit) -> None:
    """Check that the unit is as in the game, and active.

    Raises UnitMismatchError, NotToActError or NotActiveError.
    """
    for key in ("unitType", "player"):
        if unit[key] != real[key]:
            raise UnitMismatchError(f"unit {real['id']}: expected {key} {real[key]} as in the game, got {unit[key]}")
    if game.over:
        raise NotToActError(f"unit {real['id']}: expected a game that goes on, got one that is over")
    if game.active_unit != real["id"]:
        active = "nobody's" if game.active_unit is None else f"that of unit {game.active_unit}"
        raise NotActiveError(f"unit {real['id']}: expected its activation to be open, got {active} ({game.where()})")
