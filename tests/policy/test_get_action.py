"""`get_action_for_unit`: one micro action of the active unit by the model of its type, or a refusal by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from w40k_marl import ModelsRegistry, get_action_for_unit, load_registry, w40k_v0
from w40k_marl.env.aec import RawEnv
from w40k_marl.env.seats import SeatEnv
from w40k_marl.errors import ContentError, W40KError
from w40k_marl.policy.block_policy import BlockPolicy
from w40k_marl.policy.bots import GreedyMicro
from w40k_marl.policy.config import MetaConfig
from w40k_marl.policy.errors import (
    EmptyMaskError,
    ForeignUnitError,
    IllegalPredictionError,
    NotActiveError,
    NotToActError,
    PredictionError,
    UnitMismatchError,
    UnitTypeMissingError,
    UnknownModelError,
    UnmappedUnitTypeError,
)
from w40k_marl.policy.meta_controller import game_of, unit_view

SWARM, TROOP = "Tyranid_Infantry_Swarm_MeleeSwarm", "Tyranid_Infantry_Troop_RangedTroop"

Activate = Callable[[RawEnv, str], None]


@pytest.fixture
def registry(meta: MetaConfig, env: RawEnv) -> ModelsRegistry:
    return load_registry(meta, env.layout)


def answering(registry: ModelsRegistry, policy: Any) -> ModelsRegistry:
    """The same mapping with one policy behind both keys."""
    layout = registry.layout
    return ModelsRegistry(
        registry.meta, layout, {key: BlockPolicy(key, "test", "micro", layout, policy) for key in registry}
    )


@pytest.mark.parametrize("unit_type", ["Hormagaunt", "TyranidWarriorRanged"])
def test_action_is_that_of_the_model_and_changes_nothing(
    env: RawEnv, registry: ModelsRegistry, activate: Activate, unit_type: str
) -> None:
    activate(env, unit_type)
    before = env.session.games.tobytes()
    action = get_action_for_unit(env, unit_view(env), registry)
    observation, mask = env.session.view(1)
    legal = mask[env.layout.micro_start :][None]
    assert type(action) is int
    assert legal[0, action]
    assert action == GreedyMicro(env.layout)(observation[None], legal)[0]
    assert env.session.games.tobytes() == before


def test_unit_is_played_by_the_model_of_its_type(env: RawEnv, registry: ModelsRegistry, activate: Activate) -> None:
    asked: list[str] = []

    def spy(key: str) -> Any:
        def act(observations: Any, masks: Any) -> Any:
            asked.append(key)
            return np.argmax(masks, axis=1)

        return act

    spies = {key: BlockPolicy(key, "spy", "micro", env.layout, spy(key)) for key in registry}
    activate(env, "TyranidWarriorRanged")
    get_action_for_unit(env, unit_view(env), ModelsRegistry(registry.meta, env.layout, spies))
    assert asked == [TROOP]


def test_every_view_of_a_game_will_do(env: RawEnv, registry: ModelsRegistry, activate: Activate) -> None:
    activate(env, "Hormagaunt")
    unit, expected = unit_view(env), get_action_for_unit(env, unit_view(env), registry)
    assert get_action_for_unit(env.session, unit, registry) == expected
    checked = w40k_v0.env(scenario="pve")
    checked.restore(env.snapshot())
    assert get_action_for_unit(checked, unit, registry) == expected
    seat = SeatEnv("pve", seat=2)
    seat.session.restore(env.snapshot())
    assert get_action_for_unit(seat, unit, registry) == expected


def test_something_that_is_no_game_is_refused(registry: ModelsRegistry) -> None:
    unit = {"id": "8", "unitType": "Hormagaunt", "player": 2}
    with pytest.raises(W40KError, match="expected an environment, a seat or a session, got dict"):
        get_action_for_unit({}, unit, registry)
    with pytest.raises(NotToActError, match=r"before reset\(\)"):
        get_action_for_unit(RawEnv("pve"), unit, registry)


def test_registry_and_unit_must_be_such(env: RawEnv, registry: ModelsRegistry, activate: Activate) -> None:
    activate(env, "Hormagaunt")
    with pytest.raises(ContentError, match=r"models_registry: expected a ModelsRegistry, .* got dict"):
        get_action_for_unit(env, unit_view(env), {})  # type: ignore[arg-type]
    with pytest.raises(UnitTypeMissingError, match="unit: expected a mapping with unitType, got None"):
        get_action_for_unit(env, None, registry)  # type: ignore[arg-type]


@pytest.mark.parametrize("missing", ["id", "unitType", "player"])
def test_unit_needs_its_three_keys(env: RawEnv, registry: ModelsRegistry, activate: Activate, missing: str) -> None:
    activate(env, "Hormagaunt")
    unit = {key: value for key, value in unit_view(env).items() if key != missing}
    with pytest.raises(UnitTypeMissingError, match=f"expected {missing}"):
        get_action_for_unit(env, unit, registry)


def test_unit_of_the_other_player_is_refused(env: RawEnv, registry: ModelsRegistry) -> None:
    with pytest.raises(ForeignUnitError, match="unit 3: expected a unit of player 2, got one of player 1"):
        get_action_for_unit(env, unit_view(env, "3"), registry)


def test_unit_that_is_not_active_is_refused(env: RawEnv, registry: ModelsRegistry, activate: Activate) -> None:
    other = unit_view(env, "9")
    with pytest.raises(NotActiveError, match="unit 9: expected its activation to be open, got nobody's"):
        get_action_for_unit(env, other, registry)
    activate(env, "Hormagaunt")
    assert env.session.active_unit == "8"
    with pytest.raises(NotActiveError, match=r"unit 9: .* got that of unit 8"):
        get_action_for_unit(env, other, registry)


def test_nobody_is_active_between_activations(env: RawEnv) -> None:
    with pytest.raises(NotActiveError, match="expected an open activation, got none"):
        unit_view(env)


def test_unit_must_be_the_one_of_the_game(env: RawEnv, registry: ModelsRegistry, activate: Activate) -> None:
    activate(env, "Hormagaunt")
    with pytest.raises(UnitMismatchError, match="unit 8: expected unitType Hormagaunt as in the game, got TyranidW"):
        get_action_for_unit(env, {**unit_view(env), "unitType": "TyranidWarriorRanged"}, registry)
    with pytest.raises(UnitMismatchError, match=r'expected an id of pve: .*, got "99"'):
        get_action_for_unit(env, {**unit_view(env), "id": "99"}, registry)


def test_game_that_is_over_is_refused(env: RawEnv, registry: ModelsRegistry) -> None:
    random = np.random.default_rng(1)
    while not env.session.over:
        env.step(int(random.choice(env.session.legal_actions())))
    with pytest.raises(NotToActError, match="got one that is over"):
        get_action_for_unit(env, unit_view(env, "8"), registry)


def test_type_outside_of_a_strict_mapping_gets_no_action(
    env: RawEnv, activate: Activate, caplog: pytest.LogCaptureFixture
) -> None:
    """T-3: no action for a unit outside the mapped types."""
    asked: list[int] = []

    def act(observations: Any, masks: Any) -> Any:
        asked.append(len(masks))
        return np.argmax(masks, axis=1)

    only = MetaConfig(2, {"TyranidWarriorRanged": TROOP}, None, strict=True)
    registry = ModelsRegistry(only, env.layout, {TROOP: BlockPolicy(TROOP, "test", "micro", env.layout, act)})
    activate(env, "Hormagaunt")
    before = env.session.games.tobytes()
    bare = {key: unit_view(env)[key] for key in ("id", "unitType", "player")}
    with pytest.raises(UnmappedUnitTypeError, match=r'^unit 8 of player 2 in pve: .*got "Hormagaunt"'):
        get_action_for_unit(env, bare, registry)
    assert asked == []
    assert env.session.games.tobytes() == before
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_model_that_was_not_loaded_is_refused(env: RawEnv, registry: ModelsRegistry, activate: Activate) -> None:
    wider = MetaConfig(2, {"Hormagaunt": "Tyranid_Infantry_Elite_MeleeElite"}, None, strict=True)
    activate(env, "Hormagaunt")
    with pytest.raises(UnknownModelError, match=f"loaded at start, {SWARM}, {TROOP}, got"):
        get_action_for_unit(env, unit_view(env), ModelsRegistry(wider, env.layout, dict(registry)))


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        ([12], IllegalPredictionError, r"expected one of \[.*11 wait\], got 12 advance"),
        ([13], IllegalPredictionError, "got 13"),
        ([-1], IllegalPredictionError, "got -1"),
        ([0.0], PredictionError, r"whole numbers of shape \(1,\), got float64"),
        ([11, 11], PredictionError, r"got int64 of shape \(2,\)"),
    ],
)
def test_prediction_is_refused_and_not_repaired(
    env: RawEnv, registry: ModelsRegistry, activate: Activate, answer: list[float], error: type[Exception], said: str
) -> None:
    activate(env, "Hormagaunt")
    before = env.session.games.tobytes()
    with pytest.raises(error, match=said):
        get_action_for_unit(env, unit_view(env), answering(registry, lambda observations, masks: np.array(answer)))
    assert env.session.games.tobytes() == before


def test_empty_mask_is_refused(env: RawEnv, registry: ModelsRegistry, activate: Activate) -> None:
    activate(env, "Hormagaunt")

    class Nothing:
        """The same game, in which nothing is legal."""

        def __getattr__(self, name: str) -> Any:
            return getattr(env.session, name)

        def view(self, side: int) -> Any:
            observation, mask = env.session.view(side)
            return observation, np.zeros_like(mask)

    empty: Any = Nothing()
    assert game_of(empty) is empty
    with pytest.raises(EmptyMaskError, match=r"unit 8: expected a legal micro action.*turn 1, phase move"):
        get_action_for_unit(empty, unit_view(env), registry)
