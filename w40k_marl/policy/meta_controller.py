"""The meta-controller: which model acts for a unit, by the unit's type, and what it does.

The two functions of the meta-controller document (docs/sources.md). They choose a model, never the unit, and change
nothing.
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
"""A unit as the meta-controller reads it, with at least ``id``, ``unitType`` and ``player``.

``scenario``, its name, is for messages.
"""


class GameView(Protocol):
    """What is read of a game: ``Session`` has it, and every environment and seat has a session."""

    layout: Layout
    setting: Setting

    @property
    def over(self) -> bool:
        """Whether the game has ended."""

    @property
    def acting_side(self) -> int:
        """0 or 1: whose unit is to act."""

    @property
    def active_unit(self) -> str | None:
        """Id of the unit whose activation is open."""

    def view(self, side: int) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
        """Observation and mask of a side."""

    def where(self) -> str:
        """Turn, phase and player, for messages."""


def game_of(game_state: object) -> GameView:
    """The game behind an environment of PettingZoo, a seat, a wrapper of these, or a session.

    Raises NotToActError before the first ``reset``, W40KError for anything else.
    """
    inner = getattr(game_state, "unwrapped", game_state)
    game = getattr(inner, "session", inner)
    if isinstance(game, Session) and int(game.games[0].turn) == 0:
        raise NotToActError("game_state: expected a game that has begun, got one before reset()")
    if not all(hasattr(game, name) for name in ("view", "active_unit", "acting_side", "setting")):
        raise W40KError(f"game_state: expected an environment, a seat or a session, got {type(game_state).__name__}")
    return cast(GameView, game)


def unit_view(game_state: object, unit_id: str | None = None) -> Unit:
    """A unit of a game as a read-only mapping: ``id``, ``unitType``, ``player``, ``scenario``.

    By default it is the active one.

    Raises NotActiveError where no activation is open, UnitMismatchError for an unknown id.
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
    """The agent key of the model that plays a unit: that of its type, else the default.

    ``default_model`` is None in strict mode. Raises UnitTypeMissingError; UnmappedUnitTypeError, which is logged too,
    for a type without a model; ContentError for a mapping or a default that holds no agent keys.
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
    """The refusal of a type without a model; it names unit, player and scenario, as far as they are known."""
    known, hint = ", ".join(mapping) or "none", did_you_mean(unit_type, mapping)
    places = (("unit {}", "id"), ("of player {}", "player"), ("in {}", "scenario"))
    where = " ".join(words.format(unit[key]) for words, key in places if unit.get(key) is not None)
    return UnmappedUnitTypeError(
        (f"{where}: " if where else "")
        + f"unitType: expected one of model_by_unit_type ({known}), for there is no default_model, "
        f'got "{unit_type}"' + (f" ({hint})" if hint else "")
    )


def get_action_for_unit(
    game_state: object, unit: Unit, models_registry: Mapping[str, object], *, meta: MetaConfig | None = None
) -> int:
    """The micro action, 0 to 12, that the model of a unit takes now; the unit's activation must be open.

    ``game_state`` is an environment, a seat or a session, and is not changed. ``models_registry`` is a ModelsRegistry,
    or a plain mapping of agent keys to models with ``predict(observation, action_masks=...)``; the mapping of unit
    types of the latter is ``meta``, by default the one that ships. The index of the flat action space is
    ``layout.micro_start`` more. Raises UnitTypeMissingError, ForeignUnitError, UnmappedUnitTypeError,
    UnitMismatchError, NotToActError, NotActiveError, UnknownModelError, EmptyMaskError, PredictionError or
    IllegalPredictionError, ContentError for what is no registry, and the errors of ``registry_of`` for a plain mapping;
    nothing is repaired.
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
    """``[META] unitType=Hormagaunt -> model=Tyranid_Infantry_Swarm_MeleeSwarm``, at INFO."""
    logger.info("[META] unitType=%s -> model=%s", unit_type, key)


def _required(unit: Unit, key: str) -> Any:
    """A key of a unit that it must have."""
    if not isinstance(unit, Mapping):
        raise UnitTypeMissingError(f"unit: expected a mapping with {key}, got {brief(unit)}")
    value = unit.get(key)
    if value is None or (isinstance(value, str) and not value):
        known = sorted(map(str, unit))
        raise UnitTypeMissingError(f"unit {unit.get('id', '?')}: expected {key}, got a unit with {brief(known)}")
    return value


def _check_moment(game: GameView, unit: Unit, real: Unit) -> None:
    """The unit is what the game has under its id, and it is the one that is active."""
    for key in ("unitType", "player"):
        if unit[key] != real[key]:
            raise UnitMismatchError(f"unit {real['id']}: expected {key} {real[key]} as in the game, got {unit[key]}")
    if game.over:
        raise NotToActError(f"unit {real['id']}: expected a game that goes on, got one that is over")
    if game.active_unit != real["id"]:
        active = "nobody's" if game.active_unit is None else f"that of unit {game.active_unit}"
        raise NotActiveError(f"unit {real['id']}: expected its activation to be open, got {active} ({game.where()})")
