"""``PvEController`` plays one side of a game with several models,
chosen by the type of the active unit.

It plays single games, decision by decision or a turn at a time, and checks each step; as a
``Policy`` it plays seats of batches.
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
from ..env.session import Session, View
from ..errors import ContentError, brief
from ..observe.layout import Layout
from ..rules.state import INTENT_SETTLED
from .block_policy import Actions, BlockPolicy, FlatPolicy, Masks, Vectors, block_masks, to_flat
from .config import MetaConfig, check_agent_key, meta_config
from .decision import ACT, DETAIL, INTENT, SELECT, Decision, carry_out, describe_decision, stage_of, unit_of
from .errors import BrokenTurnError, NotToActError
from .macro_bots import PoolOrder
from .meta_controller import game_of, select_model_for_unit, unit_view
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
from .unit_type_router import RoutedPolicy

if TYPE_CHECKING:
    from ..observe.macro.offensive_profile import ProfileOptions

logger = logging.getLogger("w40k_marl.meta")

POOL_ORDER = "pool order"
"""Name of the choice of units without a super-agent: in roster order, with the intent ``tempo``."""

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
"""Events whose ``unit`` is the acting unit."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A decision before it is carried out."""

    action: int  # of the flat space
    unit: str  # id of the unit that is selected or active
    model: str  # agent key of the unit's model
    stage: str  # SELECT, INTENT, DETAIL or ACT


class PvEController:
    """Plays the controlled player of ``meta``.

    Without ``super_agent`` the engine's order decides which unit is next, with the intent ``tempo``
    if the layout has intents; with it, the macro policy behind that agent key chooses unit, intent
    and detail. All models are loaded here, none during a game. As a ``Policy`` it plays seats:
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
        check_invariants: bool = True,
    ) -> None:
        """Read the mapping, by default the shipped one, and load its
        models for the layout of ``game``.

        ``models_registry`` maps agent keys to models that are loaded already; nothing is loaded
        then. It must hold every model that the mapping requires; the super-agent is looked up there
        first. If ``game`` is an environment or a session, every mapped type must exist and every
        unit of the controlled player must have a model. ``profile`` is the offensive profile for
        layouts with macro blocks, by default that of ``game``; ``seed`` is for random bots.
        ``trust_models`` allows models to run code that is stored with them. With
        ``check_invariants``, ``step`` also checks the invariants of the whole game
        (``env/invariants.py``); calls for batches never do.

        Raises ContentError for a broken file, an unknown unit type or agent key, a model that does
        not fit or an argument of another type; UnmappedUnitTypeError in strict mode for a unit
        without a model; UnknownModelError for a model that ``models_registry`` does not hold; and
        for saved models the MetaErrors of files (docs/meta_controller.md, "Errors").
        """
        check_options(seed, trust_models)
        if not isinstance(check_invariants, bool):
            raise ContentError("argument", "check_invariants", "True or False", brief(check_invariants))
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
        self.check_invariants = check_invariants
        profile = profile_of(game) if profile is None else profile
        options: LoadOptions = {"profile": profile, "seed": seed, "trust_models": trust_models}
        if models_registry is None:
            self.registry = load_registry(meta, self.layout, **options)
        else:
            self.registry = registry_of(models_registry, self.layout, meta)
            for key in meta.required_models:
                self.registry[key]  # all at the start, none later
        self._router = RoutedPolicy(self.registry, own_types=own_types(settings, self.seat))
        self.chosen_by = super_agent or POOL_ORDER
        self.super_agent = self._load_super_agent(super_agent, models_registry or {}, options)

    def _load_super_agent(self, key: str | None, models: Mapping[str, object], options: LoadOptions) -> BlockPolicy:
        """Return the macro policy of an agent key, from ``models`` if it is there; of None
        ``PoolOrder``.
        """
        if key is None:
            order = PoolOrder(self.layout)
            return BlockPolicy(POOL_ORDER, "the first eligible unit", "macro", self.layout, order)
        if key in models:
            return block_policy(key, models[key], "macro", self.layout, self.seat)
        return load_policy(key, "macro", self.layout, folder=self.meta.folder, **options)

    # --- one game ------------------------------------------------------------------------------------------

    def action(self, env: RawEnv | Session) -> int:
        """Return the next flat action of the controlled player, for
        ``env.step``; the game stays as it is.

        Raises NotToActError if that player is not to act, UnmappedUnitTypeError in strict mode for
        a unit without a model, EmptyMaskError, PredictionError or IllegalPredictionError, and
        ContentError if ``env`` is not a single game.
        """
        return self._choose(env, _session_of(env)).action

    def step(self, env: RawEnv | Session) -> Decision:
        """Take exactly one action in ``env``, check it, log it and return it.

        Raises BrokenTurnError if choosing changed the game or the step was not one action of one
        unit, and, with an unchanged game, a MetaError or ContentError under the conditions of
        ``action``.
        """
        session = _session_of(env)
        before, where = session.games.tobytes(), session.where()
        choice = self._choose(env, session)
        if session.games.tobytes() != before or _session_of(env) is not session:
            raise BrokenTurnError(f"{where}: expected a game that choosing does not change, got another state")
        pool = session.pool() if choice.stage == SELECT else []
        done = carry_out(env, session, choice.action, self.chosen_by, choice.model)
        problems = list(self._problems(_session_of(env), session, choice, done, pool))
        if problems:
            raise BrokenTurnError(f"{where}: expected one legal step of one unit, got: {'; '.join(problems)}")
        if logger.isEnabledFor(logging.INFO):
            logger.info("[META] %s", describe_decision(done))
        return done

    def execute_ai_turn(self, env: RawEnv | Session) -> list[Decision]:
        """Play until the other player is to act or the game is over; return the decisions in order.

        Raises NotToActError if the controlled player is not to act, and a MetaError or ContentError
        under the conditions of ``step``.
        """
        session = _session_of(env)
        done = [self.step(env)]
        while not session.over and session.acting_side == self.side:
            done.append(self.step(env))
        return done

    def _choose(self, env: RawEnv | Session, session: Session) -> Choice:
        """Choose the next action of the controlled player; only of units that have a model."""
        inner = getattr(env, "unwrapped", env)
        self._check_turn(inner, session)
        observation, mask = self._view(inner, session)
        micro_mask = block_masks(self.layout, "micro", mask[None])
        if micro_mask.any():
            unit = unit_view(session)
            model = self._router.model_of(unit)
            chosen = self.registry[model](observation[None], micro_mask)
            return Choice(self.layout.micro_start + int(chosen[0]), unit["id"], model, ACT)
        chosen = self.super_agent(observation[None], block_masks(self.layout, "macro", mask[None]))
        action = int(to_flat(self.layout, "macro", chosen)[0])
        unit = unit_view(session, unit_of(session, action))
        model = select_model_for_unit(unit, self.meta.model_by_unit_type, self.meta.default_model)
        return Choice(action, unit["id"], model, stage_of(self.layout, action))

    def _view(self, env: object, session: Session) -> View:
        """Return observation and mask; an environment has encoded them in its last step."""
        if not isinstance(env, RawEnv):
            return session.view(self.side)
        seen = env.observe(self.agent)
        return seen["observation"], seen["action_mask"]

    def _check_turn(self, env: object, session: Session) -> None:
        """Raise NotToActError if the game is over, also by an illegal
        action, or another player is to act.
        """
        if session.over or (isinstance(env, RawEnv) and env.terminations.get(self.agent, True)):
            raise NotToActError(f"{self.agent}: expected a game that goes on, got one that is over")
        if session.acting_side != self.side:
            raise NotToActError(f"{self.agent}: expected to be the player to act, got {session.where()}")

    def _problems(
        self, after: Session, session: Session, choice: Choice, done: Decision, pool: Sequence[str]
    ) -> Iterator[str]:
        """Yield what contradicts the constraints of a turn in the step that was just taken."""
        if after is not session:
            yield "another game than the one that was looked at"
            return
        stage, unit = choice.stage, choice.unit
        if stage == SELECT and unit not in pool:
            yield f"unit {unit} was selected and the pool was {pool}"
        if session.active_unit != unit and (stage != ACT or session.active_unit is not None):
            yield f"unit {session.active_unit} is active after a step of unit {unit}"
        selected = [event["unit"] for event in done.events if event["event"] == "selected"]
        if selected != ([unit] if stage == SELECT else []):
            yield f"selections of {selected}"
        intended = [event["unit"] for event in done.events if event["event"] == "intended"]
        settled = stage in (INTENT, DETAIL) and session.games[0].intent_stage == INTENT_SETTLED
        if intended != ([unit] if settled else []):
            yield f"intents of {intended}"
        acted = {event["unit"] for event in done.events if event["event"] in OF_ONE_UNIT}
        if acted - ({unit} if stage == ACT else set()):
            yield f"units {sorted(map(str, acted))} acted in a step of unit {unit}, its {stage}"
        if self.check_invariants:
            yield from broken_invariants(session)

    # --- many games ----------------------------------------------------------------------------------------

    def __call__(self, observations: Vectors, masks: Masks, unit_types: NDArray[np.str_] | None = None) -> Actions:
        """Return actions (k,) for observations (k, observation_size) and masks (k, action_count).

        ``unit_types``, str (k,), are the types of the active units, such as ``BatchEnv.type_names``
        returns; seats pass them. Micro actions are chosen by the models of these types, one call
        for each model; selections, intents and details by the super-agent. All rows must be of the
        controlled player: where the roster is known, types of the other player are refused.

        Raises UnitTypesNotGivenError if activations are open and no types are given,
        ForeignUnitError for a type that only the other player has, UnmappedUnitTypeError in strict
        mode for a type without a model, EmptyMaskError, LayoutMismatchError, PredictionError or
        IllegalPredictionError (docs/meta_controller.md, "Errors").
        """
        return FlatPolicy(self.layout, self.super_agent, self._router, self.agent)(observations, masks, unit_types)


def _session_of(env: Any) -> Session:
    """Return the session of a PettingZoo environment, or the session itself.

    Raises ContentError for anything else, also for seats, NotToActError before the first reset.
    """
    inner = getattr(env, "unwrapped", env)
    if not isinstance(inner, RawEnv | Session):
        expected = "an environment of w40k_v0, or a Session"
        raise ContentError("argument", "env", expected, type(env).__name__)
    session = game_of(inner)
    assert isinstance(session, Session)
    return session
