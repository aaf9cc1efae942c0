"""The models of a registry as one micro policy, at the seats of learners."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from w40k_marl.env import MacroEnv, MacroVectorEnv, MicroVectorEnv, SeatVectorEnv
from w40k_marl.errors import ContentError
from w40k_marl.observe.layout import Layout
from w40k_marl.policy.block_policy import BlockPolicy, FlatPolicy
from w40k_marl.policy.bots import GreedyMacro, GreedyMicro, greedy_player
from w40k_marl.policy.config import MetaConfig, meta_config
from w40k_marl.policy.errors import ForeignUnitError, PredictionError, UnitTypesNotGivenError, UnmappedUnitTypeError
from w40k_marl.policy.pve import PvEController
from w40k_marl.policy.registry import ModelsRegistry, load_registry
from w40k_marl.policy.unit_type_router import RoutedPolicy

LAYOUT = Layout()


def registry_of(meta: MetaConfig, calls: dict[str, int]) -> ModelsRegistry:
    """Models that take the first legal action and count the rows they are asked for."""

    def counting(key: str) -> BlockPolicy:
        def policy(observations: Any, masks: Any) -> Any:
            calls[key] = calls.get(key, 0) + len(masks)
            return np.argmax(masks, axis=1)

        return BlockPolicy(key, "test", "micro", LAYOUT, policy)

    return ModelsRegistry(meta, LAYOUT, {key: counting(key) for key in meta.required_models})


def test_rows_go_to_the_models_of_their_types(meta: MetaConfig) -> None:
    calls: dict[str, int] = {}
    routed = RoutedPolicy(registry_of(meta, calls))
    masks = np.zeros((5, 13), dtype=np.int8)
    masks[np.arange(5), [3, 1, 4, 1, 5]] = 1
    types = np.array(["Hormagaunt", "TyranidWarriorRanged", "Hormagaunt", "Hormagaunt", "TyranidWarriorRanged"])
    seen = np.zeros((5, LAYOUT.observation_size), dtype=np.float32)
    assert routed(seen, masks, types).tolist() == [3, 1, 4, 1, 5]
    assert calls == dict(zip(meta.required_models, [3, 2], strict=True))


def test_types_are_needed_and_must_be_mapped(meta: MetaConfig) -> None:
    routed = RoutedPolicy(registry_of(meta, {}))
    seen, masks = np.zeros((2, LAYOUT.observation_size), dtype=np.float32), np.ones((2, 13), dtype=np.int8)
    with pytest.raises(UnitTypesNotGivenError, match="player 2: expected the unit types of 2 open activations"):
        routed(seen, masks)
    with pytest.raises(PredictionError, match=r"expected unit types of shape \(2,\), got \(1,\)"):
        routed(seen, masks, np.array(["Hormagaunt"]))
    with pytest.raises(UnmappedUnitTypeError, match="Termagant"):
        routed(seen, masks, np.array(["Hormagaunt", "Termagant"]))


def test_macro_learner_over_the_models_of_a_registry(meta: MetaConfig) -> None:
    """One game and many: both models are asked, and nothing is loaded for it."""
    for make in (MacroEnv, MacroVectorEnv):
        calls: dict[str, int] = {}
        arguments = (4,) if make is MacroVectorEnv else ()
        env: Any = make("pve", *arguments, seat=2, micro=RoutedPolicy(registry_of(meta, calls)), max_turns=1)
        env.reset(seed=1)
        for _ in range(12):
            _, _, ended, _, _ = env.step(env.action_masks().argmax(axis=-1))
            if make is MacroEnv and ended:
                env.reset()
        assert sorted(calls) == sorted(meta.required_models)


def test_rows_of_another_player_are_refused_where_the_types_are_known(meta: MetaConfig) -> None:
    routed = RoutedPolicy(registry_of(meta, {}), own_types=frozenset(meta.model_by_unit_type))
    seen, masks = np.zeros((1, LAYOUT.observation_size), dtype=np.float32), np.ones((1, 13), dtype=np.int8)
    assert routed(seen, masks, np.array(["Hormagaunt"])).tolist() == [0]
    with pytest.raises(ForeignUnitError, match=r'player 2 \(Hormagaunt, Tyranid.*\), got "Intercessor"'):
        routed(seen, masks, np.array(["Intercessor"]))
    with pytest.raises(ContentError, match="own_types: expected a frozenset of unit types, got 'Hormagaunt'"):
        RoutedPolicy(registry_of(meta, {}), own_types="Hormagaunt")  # type: ignore[arg-type]


def test_routed_models_and_a_macro_policy_are_one_player(varied_actions: Callable[..., Any]) -> None:
    """`FlatPolicy` passes the types on: the same games as against the controller that is made of the two."""
    registry = load_registry(meta_config(), LAYOUT)
    player = FlatPolicy(LAYOUT, GreedyMacro(LAYOUT), RoutedPolicy(registry))
    controller = PvEController(super_agent="MacroController")
    first, second = (SeatVectorEnv("pve", 4, seat=1, opponent=opponent) for opponent in (player, controller))
    first.reset(seed=1)
    second.reset(seed=1)
    for _ in range(60):
        actions = varied_actions(first.action_masks())
        assert first.step(actions)[0].tobytes() == second.step(actions)[0].tobytes()
    assert not FlatPolicy(LAYOUT, GreedyMacro(LAYOUT), GreedyMicro(LAYOUT)).takes_unit_types
    seen, masks = np.zeros((2, LAYOUT.observation_size), dtype=np.float32), np.ones((2, 29), dtype=np.int8)
    with pytest.raises(UnitTypesNotGivenError, match="unit types of 2 open activations"):
        player(seen, masks)
    with pytest.raises(PredictionError, match=r"expected a unit type for each row, got shape \(1,\)"):
        player(seen, masks, np.array(["Hormagaunt"]))


def test_learner_of_one_type_beside_the_models_of_the_others(meta: MetaConfig) -> None:
    calls: dict[str, int] = {}
    routed, greedy = RoutedPolicy(registry_of(meta, calls)), greedy_player(LAYOUT)
    settings: dict[str, Any] = {"macro": GreedyMacro(LAYOUT), "opponent": greedy, "seat": 2, "max_turns": 2}
    env = MicroVectorEnv("pve", 4, unit_types="Hormagaunt", micro=routed, **settings)
    env.reset(seed=1)
    for _ in range(20):
        assert set(env.batch.type_names().tolist()) == {"Hormagaunt"}
        env.step(env.action_masks().argmax(axis=1))
    assert list(calls) == [meta.model_by_unit_type["TyranidWarriorRanged"]]


def test_learner_against_the_meta_controller(varied_actions: Callable[..., Any]) -> None:
    env = MicroVectorEnv("pve", 4, unit_types="Intercessor", opponent=PvEController(), max_turns=2)
    env.reset(seed=1)
    ended = 0
    for _ in range(40):
        _, _, over, _, _ = env.step(varied_actions(env.action_masks()))
        ended += int(over.sum())
    assert ended >= 4


@pytest.fixture
def varied_actions() -> Callable[..., Any]:
    """Random legal actions, seeded."""
    random = np.random.default_rng(1)
    return lambda masks: np.array([random.choice(np.flatnonzero(mask)) for mask in masks])


def test_models_of_the_other_player_are_refused(meta: MetaConfig) -> None:
    with pytest.raises(ContentError, match="micro: expected a policy for seat 1, got one for seat 2"):
        MacroEnv("pve", seat=1, micro=RoutedPolicy(load_registry(meta, LAYOUT)))


def test_only_a_registry_is_routed() -> None:
    with pytest.raises(ContentError, match=r"models_registry: expected a ModelsRegistry, .* got dict"):
        RoutedPolicy({})  # type: ignore[arg-type]


def test_models_of_another_layout_are_refused(meta: MetaConfig) -> None:
    with pytest.raises(ContentError, match=r"micro: expected .*objectives=8, got one for objectives=12"):
        MacroEnv("pve", seat=2, micro=RoutedPolicy(load_registry(meta, Layout(objectives=12))))
