"""The controller of one side of a game: several models, chosen by the type of the active unit.

It plays by PettingZoo's agent cycle, a whole turn at a time, or as the policy of a seat in many games; the invariants
of the meta-controller document are checked at every step of a single game.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..env.aec import PLAYERS, RawEnv
from ..env.batch import BatchEnv
from ..env.invariants import broken_invariants
from ..env.seats import SeatEnv, SeatVectorEnv
from ..env.session import Session
from ..errors import ContentError
from ..observe.layout import Layout
from ..rules.state import INTENT_SETTLED
from .block_policy import Actions, BlockPolicy, Masks, Vectors, as_array, block_masks, check_shapes, to_flat
from .config import MetaConfig, check_agent_key, meta_config
from .decision import ACT, DETAIL, INTENT, SELECT, Activation, carry_out, describe_activation, stage_of, unit_of
from .errors import BrokenTurnError, ForeignUnitError, NotToActError, PredictionError, UnitTypesNotGivenError
from .macro_bots import PoolOrder
from .meta_controller import game_of, get_action_for_unit, log_route, select_model_for_unit, unit_view
from .registry import (
    LoadOptions,
    ModelsRegistry,
    block_policy,
    check_models,
    check_options,
    load_policy,
    load_registry,
    registry_of,
)
from .roster import check_roster, layout_of, own_types, profile_of, settings_of

if TYPE_CHECKING:
    from ..observe.macro.offensive_profile import ProfileOptions

logger = logging.getLogger("w40k_marl.meta")

POOL_ORDER = "pool order"
"""Who chooses units without a super-agent: the engine, in roster order; where intents are played, always ``tempo``."""

OF_ONE_UNIT = {
    "moved",
    "waited",
    "no_destination",
    "advanced",
    "advance_blocked",
    "charged",
    "charge_failed",
    "attacked",
    "stopped_shooting",
    "passed",
    "rerolled",
    "hazard_rolled",
}
"""Events of which the unit is the one that acts."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A decision that is not carried out yet."""

    action: int  # of the flat space
    unit: str  # id of the unit that is selected or active
    model: str  # agent key of the unit's model
    stage: str  # SELECT, INTENT, DETAIL or ACT


class PvEController:
    """Plays the controlled player of ``meta``.

    Without ``super_agent`` the engine's order decides which unit is next, and where the layout plays intents each has
    the intent ``tempo``; with one, the macro policy behind that agent key chooses unit, intent and detail. All models
    are loaded here, and none later. As a ``Policy`` it plays seats:
    ``SeatVectorEnv("pve", seat=1, opponent=controller)``.
    """

    takes_unit_types = True

    def __init__(
        self,
        meta: MetaConfig | str | Path | None = None,
        game: Layout | RawEnv | Session | BatchEnv | SeatEnv | SeatVectorEnv | None = None,
        *,
        super_agent: str | None = None,
        profile: ProfileOptions | None = None,
        seed: int = 0,
        trust_models: bool = False,
        models_registry: Mapping[str, object] | None = None,
    ) -> None:
        """Read the mapping (by default the shipped one) and load its models for the layout of ``game``.

        With ``models_registry``, agent keys to models that are loaded already, nothing is loaded: it must hold every
        model that the mapping requires; the super-agent is looked up there first.

        Where ``game`` is an environment or a session, its roster is known: every mapped type must exist, and every unit
        of the controlled player must have a model. ``profile`` is that of the games, for layouts with macro blocks; by
        default that of ``game``. Raises the errors of ``meta_config``, ``load_registry`` and ``registry_of``,
        UnknownModelError for a model that ``models_registry`` does not hold, and UnmappedUnitTypeError.
        """
        check_options(seed, trust_models)
        if super_agent is not None:
            check_agent_key(super_agent, "super_agent")
        if models_registry is not None:
            check_models(models_registry)
        if meta is None and isinstance(models_registry, ModelsRegistry):
            meta = models_registry.meta
        settings = settings_of(game)
        if not isinstance(meta, MetaConfig):
            known = {unit.type.name for setting in settings for unit in setting.scenario.units}
            meta = meta_config(meta, unit_types=known)
        self.layout = layout_of(game)
        self.meta = meta
        self.side = meta.controlled_player - 1
        self.seat = meta.controlled_player
        self.agent = PLAYERS[self.side]
        check_roster(meta, settings)
        self._own_types = own_types(settings, self.seat)  # empty where the roster is not known
        profile = profile_of(game) if profile is None else profile
        options: LoadOptions = {"profile": profile, "seed": seed, "trust_models": trust_models}
        if models_registry is None:
            self.registry = load_registry(meta, self.layout, **options)
        else:
            self.registry = registry_of(models_registry, self.layout, meta)
            for key in meta.required_models:
                self.registry[key]  # all at the start, none later
        self.chosen_by = super_agent or POOL_ORDER
        if super_agent is None:
            order = PoolOrder(self.layout)
            self.super_agent = BlockPolicy(POOL_ORDER, "the first eligible unit", "macro", self.layout, order)
        elif models_registry is not None and super_agent in models_registry:
            self.super_agent = block_policy(
                super_agent, models_registry[super_agent], "macro", self.layout, meta.controlled_player
            )
        else:
            self.super_agent = load_policy(super_agent, "macro", self.layout, folder=meta.folder, **options)

    # --- one game ------------------------------------------------------------------------------------------

    def action(self, env: RawEnv | Session) -> int:
        """The next action of the controlled player in the flat space, for ``env.step``; changes nothing.

        Raises NotToActError where that player is not to act, and the errors of ``get_action_for_unit``.
        """
        return self._choose(_session_of(env)).action

    def step(self, env: RawEnv | Session) -> Activation:
        """Take exactly one action in ``env`` and return what came of it, which is logged.

        Raises the errors of ``action``, the game then being as it was, and BrokenTurnError.
        """
        session = _session_of(env)
        before, pool, where = session.games.tobytes(), session.pool(), session.where()
        choice = self._choose(session)
        if session.games.tobytes() != before or _session_of(env) is not session:
            raise BrokenTurnError(f"{where}: expected a game that choosing does not change, got another state")
        done = carry_out(env, session, choice.action, self.chosen_by, choice.model)
        problems = list(self._problems(_session_of(env), session, choice, pool))
        if problems:
            raise BrokenTurnError(f"{where}: expected one legal step of one unit, got: {'; '.join(problems)}")
        if logger.isEnabledFor(logging.INFO):
            logger.info("[META] %s", describe_activation(done))
        return done

    def execute_ai_turn(self, env: RawEnv | Session) -> list[Activation]:
        """Play until the other player is to act or the game is over; what was done, in order.

        Raises NotToActError where the controlled player is not to act, and the errors of ``step``.
        """
        session = _session_of(env)
        done = [self.step(env)]
        while not session.over and session.acting_side == self.side:
            done.append(self.step(env))
        return done

    def _choose(self, session: Session) -> Choice:
        """Select a unit, say what for, or act with the active one; only units that have a model."""
        self._check_turn(session)
        observation, mask = session.view(self.side)
        if block_masks(self.layout, "micro", mask[None]).any():
            unit = unit_view(session)
            action = self.layout.micro_start + get_action_for_unit(session, unit, self.registry)
        else:
            chosen = self.super_agent(observation[None], block_masks(self.layout, "macro", mask[None]))
            action = int(to_flat(self.layout, "macro", chosen)[0])
            unit = unit_view(session, unit_of(session, action))
        model = select_model_for_unit(unit, self.meta.model_by_unit_type, self.meta.default_model)
        return Choice(action, unit["id"], model, stage_of(self.layout, action))

    def _check_turn(self, session: Session) -> None:
        if session.over:
            raise NotToActError(f"{self.agent}: expected a game that goes on, got one that is over")
        if session.acting_side != self.side:
            raise NotToActError(f"{self.agent}: expected to be the player to act, got {session.where()}")

    def _problems(self, after: Session, session: Session, choice: Choice, pool: Sequence[str]) -> Iterator[str]:
        """What contradicts the constraints of a turn in the step that was just taken."""
        if after is not session:
            yield "another game than the one that was looked at"
            return
        stage, unit = choice.stage, choice.unit
        if stage == SELECT and unit not in pool:
            yield f"unit {unit} was selected and the pool was {pool}"
        if session.active_unit != unit and (stage != ACT or session.active_unit is not None):
            yield f"unit {session.active_unit} is active after a step of unit {unit}"
        events = session.events()
        selected = [event["unit"] for event in events if event["event"] == "selected"]
        if selected != ([unit] if stage == SELECT else []):
            yield f"selections of {selected}"
        intended = [event["unit"] for event in events if event["event"] == "intended"]
        settled = stage in (INTENT, DETAIL) and session.games[0].intent_stage == INTENT_SETTLED
        if intended != ([unit] if settled else []):
            yield f"intents of {intended}"
        acted = {event["unit"] for event in events if event["event"] in OF_ONE_UNIT}
        if acted - ({unit} if stage == ACT else set()):
            yield f"units {sorted(map(str, acted))} acted in a step of unit {unit}, its {stage}"
        yield from broken_invariants(session)

    # --- many games ----------------------------------------------------------------------------------------

    def __call__(self, observations: Vectors, masks: Masks, unit_types: NDArray[np.str_] | None = None) -> Actions:
        """Actions (k,) for observations (k, observation_size), masks (k, action_count) and types of active units (k,).

        Rows in which micro actions are due go to the models of their types, one call for each model; the others,
        selections, intents and details, to the super-agent. ``unit_types`` are those of ``BatchEnv.type_names``; the
        seats pass them on. The rows must be the controlled player's: others are found out where the roster is known,
        by types that only the other player has. Raises UnitTypesNotGivenError, ForeignUnitError,
        UnmappedUnitTypeError, EmptyMaskError and the errors of predictions.
        """
        check_shapes(self.agent, self.layout, None, observations, masks)
        actions = np.zeros(len(masks), dtype=np.int64)
        micro_masks = block_masks(self.layout, "micro", masks)
        acting = micro_masks.any(axis=1)
        for key, rows in self._routes(np.flatnonzero(acting), unit_types):
            chosen = self.registry[key](observations[rows], micro_masks[rows])
            actions[rows] = to_flat(self.layout, "micro", chosen)
        waiting = np.flatnonzero(~acting)
        if len(waiting):
            chosen = self.super_agent(observations[waiting], block_masks(self.layout, "macro", masks[waiting]))
            actions[waiting] = to_flat(self.layout, "macro", chosen)
        return actions

    def _routes(
        self, rows: NDArray[np.intp], unit_types: NDArray[np.str_] | None
    ) -> Iterator[tuple[str, NDArray[np.intp]]]:
        """The rows of each model; a line in the log for each type of unit."""
        if len(rows) == 0:
            return
        if unit_types is None:
            raise UnitTypesNotGivenError(
                f"{self.agent}: expected the unit types of {len(rows)} open activations, got none "
                "(seats pass them on; a BatchEnv has them in type_names())"
            )
        types = as_array(self.agent, unit_types)
        if types.ndim != 1 or len(types) <= rows[-1] or types.dtype.kind != "U":
            raise PredictionError(
                f"{self.agent}: expected a unit type for each row, got shape {types.shape} of {types.dtype}"
            )
        types = types[rows]
        keys: dict[str, list[NDArray[np.intp]]] = {}
        for unit_type in np.unique(types).tolist():
            self._check_own(unit_type)
            unit = {"unitType": unit_type, "player": self.meta.controlled_player}
            key = select_model_for_unit(unit, self.meta.model_by_unit_type, self.meta.default_model)
            log_route(unit_type, key)
            keys.setdefault(key, []).append(rows[types == unit_type])
        for key, parts in keys.items():
            yield key, np.sort(np.concatenate(parts))

    def _check_own(self, unit_type: str) -> None:
        """Refuse a type that no unit of the controlled player has."""
        if self._own_types and unit_type not in self._own_types:
            own = ", ".join(sorted(self._own_types))
            raise ForeignUnitError(
                f'unitType: expected one of the units of player {self.seat} ({own}), got "{unit_type}" '
                "(give rows in which this player is to act)"
            )


def _session_of(env: Any) -> Session:
    """The session of a PettingZoo environment, or the session itself; seats, which play both sides, are refused."""
    inner = getattr(env, "unwrapped", env)
    if not isinstance(inner, RawEnv | Session):
        expected = "an environment of w40k_v0, or a Session"
        raise ContentError("argument", "env", expected, type(env).__name__)
    session = game_of(inner)
    assert isinstance(session, Session)
    return session
