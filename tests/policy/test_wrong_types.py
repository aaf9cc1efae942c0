"""Arguments of wrong types, to every public function and method of policy/, end in errors of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from w40k_marl.env.aec import RawEnv
from w40k_marl.errors import W40KError
from w40k_marl.observe.layout import Layout
from w40k_marl.policy.block_policy import BlockPolicy, FlatPolicy
from w40k_marl.policy.bots import GreedyMicro, first_legal, greedy_player, make_bot
from w40k_marl.policy.config import MetaConfig, meta_config, policy_config
from w40k_marl.policy.contract import check_contract, contract_path, made_for, write_contract
from w40k_marl.policy.decision import carry_out, stage_of, unit_of
from w40k_marl.policy.macro_bots import GreedyMacro, PoolOrder
from w40k_marl.policy.meta_controller import game_of, get_action_for_unit, select_model_for_unit, unit_view
from w40k_marl.policy.observation_reader import FieldReader
from w40k_marl.policy.pve import PvEController
from w40k_marl.policy.registry import ModelsRegistry, load_policy, load_registry, registry_of
from w40k_marl.policy.roster import layout_of, profile_of, settings_of
from w40k_marl.policy.unit_type_router import RoutedPolicy

LAYOUT = Layout()
SEEN, MICRO = np.zeros((2, LAYOUT.observation_size), np.float32), np.ones((2, 13), np.int8)
FLAT, MACRO = np.ones((2, LAYOUT.action_count), np.int8), np.ones((2, LAYOUT.action_count - 13), np.int8)
META = MetaConfig(2, {}, "Tyranid_Infantry_Swarm_MeleeSwarm")
UNIT = {"id": "8", "unitType": "Hormagaunt", "player": 2}
TYPES = np.array(["Hormagaunt", "Hormagaunt"])

WRONG: list[Any] = [
    None, True, -1, 3, 1.5, float("nan"), "", "x", "a\0b", "x" * 5000, b"x", [], [[1], [2, 3]], ["a"], {}, {"a": 1},
    {1: 2}, (), object(), int, Path("nowhere"), Path("x" * 5000), np.zeros(0), np.zeros((2, 3)), np.array("x"),
    np.array([None, 1], dtype=object), 10**30, LAYOUT, SEEN, lambda *arguments: None,
]  # fmt: skip


def game() -> RawEnv:
    env = RawEnv("pve")
    env.reset(seed=1)
    return env


def functions(env: RawEnv) -> Iterator[tuple[str, Callable[..., Any], list[Any], dict[str, Any]]]:
    """Each with arguments that are right."""
    registry = load_registry(META, LAYOUT)
    controller = PvEController(META, env)
    greedy = GreedyMicro(LAYOUT)
    block = BlockPolicy("a", "b", "micro", LAYOUT, greedy)
    reader = FieldReader(LAYOUT)
    yield "meta_config", meta_config, [None], {"unit_types": ()}
    yield "policy_config", policy_config, ["MacroController", None], {}
    yield "MetaConfig", MetaConfig, [2, {"Hormagaunt": "A"}, "A", False, None], {}
    yield (
        "load_policy",
        load_policy,
        ["MacroController", "macro", LAYOUT],
        {"folder": None, "profile": None, "seed": 0, "trust_models": False},
    )
    yield "load_registry", load_registry, [META, LAYOUT], {"profile": None, "seed": 0, "trust_models": False}
    yield "registry_of", registry_of, [{META.default_model: greedy}, LAYOUT, META], {}
    yield "ModelsRegistry", ModelsRegistry, [META, LAYOUT, {"A": greedy}], {}
    yield "registry[]", registry.__getitem__, ["Tyranid_Infantry_Swarm_MeleeSwarm"], {}
    yield "contract_path", contract_path, ["model.zip"], {}
    yield "made_for", made_for, [LAYOUT, "micro", None], {}
    yield "check_contract", check_contract, ["model.zip", LAYOUT, "micro", None], {}
    yield "write_contract", write_contract, ["model.zip", LAYOUT, "micro", None], {}
    yield "make_bot", make_bot, ["random", "micro", LAYOUT, 0], {}
    yield "greedy_player", greedy_player, [LAYOUT], {}
    yield "greedy_player()", greedy_player(LAYOUT), [SEEN, FLAT], {}
    yield "first_legal", first_legal, [SEEN, MICRO], {}
    yield "random", make_bot("random", "micro", LAYOUT), [SEEN, MICRO], {}
    yield "GreedyMicro", GreedyMicro, [LAYOUT], {}
    yield "GreedyMicro()", greedy, [SEEN, MICRO], {}
    yield "GreedyMacro", GreedyMacro, [LAYOUT], {}
    yield "GreedyMacro()", GreedyMacro(LAYOUT), [SEEN, MACRO], {}
    yield "PoolOrder", PoolOrder, [LAYOUT], {}
    yield "PoolOrder()", PoolOrder(LAYOUT), [SEEN, MACRO], {}
    yield "FieldReader", FieldReader, [LAYOUT], {}
    yield "FieldReader.rows", reader.rows, [SEEN, "my_units", "value"], {}
    yield "FieldReader.one", reader.one, [SEEN, "active_unit", "slot"], {}
    yield "FieldReader.active_unit", reader.active_unit, [SEEN, "value"], {}
    yield "BlockPolicy", BlockPolicy, ["a", "b", "micro", LAYOUT, greedy], {}
    yield "BlockPolicy()", block, [SEEN, MICRO], {}
    yield "BlockPolicy.predict", block.predict, [SEEN[0]], {"action_masks": MICRO[0]}
    yield "FlatPolicy", FlatPolicy, [LAYOUT, GreedyMacro(LAYOUT), greedy], {}
    yield "RoutedPolicy", RoutedPolicy, [registry], {}
    yield "RoutedPolicy()", RoutedPolicy(registry), [SEEN, MICRO, TYPES], {}
    yield "game_of", game_of, [env], {}
    yield "unit_view", unit_view, [env, "8"], {}
    yield "select_model_for_unit", select_model_for_unit, [UNIT, {"Hormagaunt": "A"}, "A"], {}
    yield "get_action_for_unit", get_action_for_unit, [env, UNIT, registry], {"meta": None}
    yield "layout_of", layout_of, [env], {}
    yield "profile_of", profile_of, [env], {}
    yield "settings_of", settings_of, [env], {}
    yield (
        "PvEController",
        PvEController,
        [META, env],
        {"super_agent": "MacroController", "profile": None, "seed": 0, "trust_models": False, "models_registry": None},
    )
    yield "PvEController()", controller, [SEEN, FLAT, TYPES], {}
    yield "PvEController.action", controller.action, [env], {}
    yield "PvEController.step", controller.step, [env], {}
    yield "PvEController.execute_ai_turn", controller.execute_ai_turn, [env], {}
    yield "carry_out", carry_out, [env, env.session, 0, "a", "b"], {}
    yield "stage_of", stage_of, [LAYOUT, 0], {}
    yield "unit_of", unit_of, [env.session, 0], {}


def wrong_calls(arguments: list[Any], named: dict[str, Any]) -> Iterator[tuple[list[Any], dict[str, Any]]]:
    """Each argument in its turn replaced by each wrong value."""
    for value in WRONG:
        for place in range(len(arguments)):
            yield [*arguments[:place], value, *arguments[place + 1 :]], named
        for name in named:
            yield arguments, {**named, name: value}


NAMES = [name for name, *_ in functions(game())]


@pytest.mark.parametrize("name", NAMES)
def test_wrong_types_end_in_errors_of_ours(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    function, arguments, named = next(entry[1:] for entry in functions(game()) if entry[0] == name)
    bare = []
    for given, options in wrong_calls(arguments, named):
        try:
            function(*given, **options)
        except W40KError as error:
            if any(mark in str(error) for mark in "\n\0"):
                bare.append(f"{error!r}")
        except Exception as error:
            wrong = [
                value
                for value, right in zip([*given, *options.values()], [*arguments, *named.values()], strict=True)
                if value is not right
            ]
            bare.append(f"{str(wrong)[:80]}: {type(error).__name__}: {str(error)[:100]}")
    assert bare == []
