"""Reads layout, scenarios and units of a game before it
begins, and checks a mapping against them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..content.world import Setting
from ..env.batch import BatchEnv
from ..env.session import Session
from ..errors import ContentError
from ..observe.layout import Layout
from .config import MetaConfig, check_unit_types
from .meta_controller import select_model_for_unit

if TYPE_CHECKING:
    from ..observe.macro.offensive_profile import ProfileOptions


def layout_of(game: Any) -> Layout:
    """Return the layout of an environment, a seat or a session; a
    Layout unchanged; of None the default.

    Raises ContentError for anything else.
    """
    inner = getattr(game, "unwrapped", game)
    if inner is None:
        return Layout()
    if isinstance(inner, Layout):
        return inner
    if not isinstance(getattr(inner, "layout", None), Layout):
        raise ContentError("argument", "game", "a Layout, an environment or a Session", type(game).__name__)
    layout: Layout = inner.layout
    return layout


def profile_of(game: Any) -> ProfileOptions | None:
    """Return the options of the macro blocks of a game; None for a layout."""
    inner = getattr(game, "unwrapped", game)
    source = getattr(inner, "session", getattr(inner, "batch", inner))
    return source.options.profile if isinstance(source, Session | BatchEnv) else None


def settings_of(game: Any) -> list[Setting]:
    """Return the scenarios that an environment or a batch may draw; an empty list for a layout."""
    inner = getattr(game, "unwrapped", game)
    source = getattr(inner, "session", getattr(inner, "batch", inner))
    return source.settings if isinstance(source, Session | BatchEnv) else []


def own_types(settings: Sequence[Setting], player: int) -> frozenset[str]:
    """Return the unit types of a player in all scenarios."""
    units = [unit for setting in settings for unit in setting.scenario.units]
    return frozenset(unit.type.name for unit in units if unit.player == player)


def check_roster(meta: MetaConfig, settings: Sequence[Setting]) -> None:
    """Check that every mapped type exists and every unit of the controlled player has a model.

    Raises ContentError for a mapped type that neither the catalogue nor a scenario has, and
    UnmappedUnitTypeError for a unit without a model.
    """
    if settings:
        types = {unit.type.name for setting in settings for unit in setting.scenario.units}
        check_unit_types(meta.model_by_unit_type, types, "argument")
    for setting in settings:
        for unit in setting.scenario.units:
            if unit.player == meta.controlled_player:
                known = {"id": unit.id, "unitType": unit.type.name, "player": unit.player}
                known["scenario"] = setting.scenario.name
                select_model_for_unit(known, meta.model_by_unit_type, meta.default_model)
