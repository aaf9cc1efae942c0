"""`models_registry[key] = MaskablePPO.load(...)`: a plain dictionary of models, checked when it is handed over."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
import pytest

from w40k_marl import MetaConfig, PvEController, get_action_for_unit
from w40k_marl.env.aec import RawEnv
from w40k_marl.env.seats import SeatVectorEnv
from w40k_marl.errors import ContentError
from w40k_marl.observe.layout import Layout
from w40k_marl.policy.block_policy import block_masks
from w40k_marl.policy.bots import GreedyMicro, first_legal, greedy_player
from w40k_marl.policy.errors import (
    ActionSpaceMismatchError,
    ForeignUnitError,
    IllegalPredictionError,
    LayoutMismatchError,
    PredictionError,
    UnknownModelError,
)
from w40k_marl.policy.macro_bots import GreedyMacro
from w40k_marl.policy.meta_controller import unit_view
from w40k_marl.policy.registry import ModelsRegistry, load_registry

SWARM, TROOP = "Tyranid_Infantry_Swarm_MeleeSwarm", "Tyranid_Infantry_Troop_RangedTroop"
LAYOUT = Layout()
Activate = Callable[[RawEnv, str], None]


class LastLegal:
    """A model that predicts as the document calls it: one observation, one mask."""

    def predict(self, obs: Any, action_masks: Any = None) -> tuple[int, None]:
        assert obs.shape == (LAYOUT.observation_size,)
        assert action_masks.shape == (13,)
        assert action_masks.dtype == np.bool_
        return int(np.flatnonzero(action_masks)[-1]), None


class Deterministic:
    """A model with the signature of stable-baselines3."""

    def predict(
        self, observation: Any, state: Any = None, deterministic: bool = False, action_masks: Any = None
    ) -> Any:
        assert deterministic
        return np.array(np.flatnonzero(action_masks)[-1]), state


class Bare:
    """A model that returns the action alone, in an array of one."""

    def predict(self, observation: Any, **settings: Any) -> Any:
        return np.flatnonzero(settings["action_masks"])[-1:]


@pytest.mark.parametrize("model", [LastLegal(), Deterministic(), Bare(), GreedyMicro(LAYOUT), first_legal])
def test_plain_dictionary_acts_for_a_unit(env: RawEnv, activate: Activate, model: Any) -> None:
    activate(env, "Hormagaunt")
    models_registry = {SWARM: model}
    before, mask = env.session.games.tobytes(), block_masks(LAYOUT, "micro", env.session.mask()[None])[0]
    action = get_action_for_unit(env, unit_view(env), models_registry)
    assert mask[action]
    if not callable(model):
        assert action == np.flatnonzero(mask)[-1]
    assert env.session.games.tobytes() == before


def test_mapping_of_a_plain_dictionary_is_the_shipped_one_or_that_which_is_given(
    env: RawEnv, activate: Activate
) -> None:
    activate(env, "Hormagaunt")
    unit = unit_view(env)
    with pytest.raises(UnknownModelError, match=f'loaded at start, none, got "{SWARM}"'):
        get_action_for_unit(env, unit, {"Mine": LastLegal()})
    mine = MetaConfig(2, {"Hormagaunt": "Mine"}, None, strict=True)
    assert get_action_for_unit(env, unit, {"Mine": LastLegal()}, meta=mine) >= 0
    with pytest.raises(ForeignUnitError):
        get_action_for_unit(env, unit, {"Mine": LastLegal()}, meta=MetaConfig(1, {}, "Mine"))


@pytest.mark.parametrize("model", [LastLegal(), Deterministic(), Bare()])
def test_controller_plays_whole_games_with_a_plain_dictionary(model: Any) -> None:
    env, random, done = RawEnv("pve", max_turns=2), np.random.default_rng(1), 0
    env.reset(seed=1)
    controller = PvEController(None, env, models_registry={SWARM: model, TROOP: model})
    while not env.session.over:
        if env.agent_selection == controller.agent:
            done += len(controller.execute_ai_turn(env))
        else:
            env.step(int(random.choice(env.session.legal_actions())))
    assert done > 30
    seats = SeatVectorEnv("pve", 4, opponent=PvEController(models_registry={SWARM: model, TROOP: model}))
    seats.reset(seed=1)
    seats.step(seats.action_masks().argmax(axis=1))


def test_super_agent_may_stand_in_the_dictionary(env: RawEnv) -> None:
    models = {SWARM: LastLegal(), TROOP: LastLegal(), "Boss": GreedyMacro(LAYOUT)}
    controller = PvEController(None, env, super_agent="Boss", models_registry=models)
    assert controller.execute_ai_turn(env)[0].chosen_by == "Boss"
    del models["Boss"]
    assert (
        PvEController(None, env, super_agent="MacroController", models_registry=models).chosen_by == "MacroController"
    )


def test_controller_takes_the_registry_that_was_loaded(meta: MetaConfig) -> None:
    registry = load_registry(meta, LAYOUT)
    controller = PvEController(models_registry=registry)
    assert controller.registry is registry
    assert controller.meta is meta


def spaces(size: int = LAYOUT.observation_size, actions: Any = 13, **more: Any) -> Any:
    model = LastLegal()
    model.observation_space = gymnasium.spaces.Box(-1, 1, (size,), np.float32)  # type: ignore[attr-defined]
    model.action_space = gymnasium.spaces.Discrete(actions)  # type: ignore[attr-defined]
    for name, value in more.items():
        setattr(model, name, value)
    return model


class Unmasked:
    def predict(self, observation: Any, state: Any = None, deterministic: bool = False) -> Any:
        return 0, state


REFUSED: list[tuple[Any, Any, str]] = [
    (spaces(actions=14), ActionSpaceMismatchError, "expected 13 actions, got 14"),
    (spaces(size=3), LayoutMismatchError, r"expected observations of shape \(922,\), got \(3,\)"),
    (spaces(kind="macro"), ContentError, "expected a micro policy, got a macro policy"),
    (spaces(layout=Layout(objectives=3)), ContentError, "objectives=8, got one for objectives=3"),
    (spaces(seat=1), ContentError, "a policy for seat 2, got one for seat 1"),
    (spaces(_last_original_obs=np.zeros(3)), LayoutMismatchError, "trained behind VecNormalize"),
    (Unmasked(), ContentError, r"predict\(observation, action_masks=...\).*got predict\(observation, state, determ"),
    (GreedyMacro(LAYOUT), ContentError, "expected a micro policy, got a macro policy"),
    (greedy_player(Layout(objectives=3)), ContentError, "objectives=8, got one for objectives=3"),
    (LastLegal, ContentError, "expected a model with predict"),
    (None, ContentError, "expected a model with predict"),
    ("model.zip", ContentError, "expected a model with predict"),
    (SimpleNamespace(predict=3), ContentError, "expected a model with predict"),
]


@pytest.mark.parametrize(("model", "error", "said"), REFUSED)
def test_model_for_another_game_is_refused_at_the_door(
    env: RawEnv, activate: Activate, model: Any, error: type[Exception], said: str
) -> None:
    activate(env, "Hormagaunt")
    with pytest.raises(error, match=said) as caught:
        get_action_for_unit(env, unit_view(env), {SWARM: model})
    assert SWARM in str(caught.value)
    with pytest.raises(error, match=said):
        PvEController(None, env, models_registry={SWARM: model, TROOP: LastLegal()})
    with pytest.raises(error, match=said):
        ModelsRegistry(MetaConfig(2, {}, SWARM), LAYOUT, {SWARM: model})


def test_controller_without_a_required_model_is_refused(env: RawEnv) -> None:
    with pytest.raises(UnknownModelError, match=f'got "{TROOP}"'):
        PvEController(None, env, models_registry={SWARM: LastLegal()})


@pytest.mark.parametrize("models", [{}, [], None, 3, "models", [("A", LastLegal())]])
def test_registry_that_is_no_mapping_of_models_is_refused(env: RawEnv, activate: Activate, models: Any) -> None:
    activate(env, "Hormagaunt")
    with pytest.raises(ContentError, match="models_registry: expected a ModelsRegistry, or a mapping"):
        get_action_for_unit(env, unit_view(env), models)
    if models is not None:
        with pytest.raises(ContentError, match="models_registry: expected a ModelsRegistry, or a mapping"):
            PvEController(None, env, models_registry=models)


@pytest.mark.parametrize(
    "answer", [None, (), (None, None), [1, 2], [[1], [2, 3]], 1.5, float("nan"), "wait", ("wait", None), {}, [], -1, 99]
)
def test_answer_that_is_no_legal_action_is_refused(env: RawEnv, activate: Activate, answer: Any) -> None:
    activate(env, "Hormagaunt")
    model = SimpleNamespace(predict=lambda obs, action_masks: answer)
    with pytest.raises(PredictionError) as caught:
        get_action_for_unit(env, unit_view(env), {SWARM: model})
    assert isinstance(caught.value, IllegalPredictionError) == (answer in (-1, 99))
