"""All models are loaded once, before the game."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from w40k_marl import load_registry
from w40k_marl.env.aec import RawEnv
from w40k_marl.errors import ContentError
from w40k_marl.observe.layout import Layout
from w40k_marl.policy import registry as registry_module
from w40k_marl.policy.config import MetaConfig
from w40k_marl.policy.errors import ContractMissingError, ModelMissingError, UnknownModelError
from w40k_marl.policy.pve import PvEController

Agents = Callable[..., Path]
BOT = {"kind": "bot", "bot": "random"}


def test_required_models_are_loaded_each_once(agents: Agents, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    original = registry_module.policy_config

    def counting(key: str, folder: Path | None = None) -> Any:
        loaded.append(key)
        return original(key, folder)

    monkeypatch.setattr(registry_module, "policy_config", counting)
    folder = agents(A=BOT, B=BOT, C=BOT)
    types = {"Hormagaunt": "B", "Termagant": "A", "Carnifex": "B"}
    registry = load_registry(MetaConfig(2, types, "C", folder=folder), Layout())
    assert loaded == list(registry) == ["B", "A", "C"]
    loaded.clear()
    assert list(load_registry(MetaConfig(2, types, None, strict=True, folder=folder), Layout())) == ["B", "A"]


def test_nothing_is_loaded_during_a_game(env: RawEnv, monkeypatch: pytest.MonkeyPatch) -> None:
    controller = PvEController(None, env, super_agent="MacroController")

    def never(*arguments: Any, **settings: Any) -> Any:
        raise AssertionError(f"loaded during a game: {arguments}")

    monkeypatch.setattr(registry_module, "policy_config", never)
    monkeypatch.setattr(registry_module, "_load", never)
    random, turns = np.random.default_rng(1), 0
    while not env.session.over:
        if env.agent_selection == controller.agent:
            controller.execute_ai_turn(env)
            turns += 1
        else:
            env.step(int(random.choice(env.session.legal_actions())))
    assert turns > 1


def test_key_that_was_not_loaded(meta: MetaConfig) -> None:
    registry = load_registry(meta, Layout())
    assert "Tyranid_Infantry_Swarm_MeleeSwarm" in registry
    with pytest.raises(UnknownModelError, match=r'got "Tyranid_Infantry_Swarm_MeleeSwam".*did you mean'):
        registry["Tyranid_Infantry_Swarm_MeleeSwam"]


def test_key_without_an_agent(agents: Agents) -> None:
    with pytest.raises(ContentError, match=r'one of MacroController.*got "Nobody"'):
        load_registry(MetaConfig(2, {}, "Nobody", folder=agents()), Layout())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("x", Layout()), "meta: expected a MetaConfig"), ((None, Layout()), "meta: expected a MetaConfig")],
)
def test_registry_of_no_mapping_is_refused(arguments: Any, said: str) -> None:
    with pytest.raises(ContentError, match=f"argument: {said}.* got"):
        load_registry(*arguments)


def test_registry_for_no_layout_is_refused(meta: MetaConfig) -> None:
    with pytest.raises(ContentError, match="argument: layout: expected a Layout, got 16"):
        load_registry(meta, 16)  # type: ignore[arg-type]


def test_agent_of_no_block_or_name_is_refused() -> None:
    with pytest.raises(ContentError, match='argument: kind: expected "micro" or "macro", got \'mikro\''):
        registry_module.load_policy("MacroController", "mikro", Layout())  # type: ignore[arg-type]
    with pytest.raises(ContentError, match="argument: key: expected an agent key, got 3"):
        registry_module.load_policy(3, "macro", Layout())  # type: ignore[arg-type]


def test_what_stands_behind_a_key_is_said_once(meta: MetaConfig, meta_lines: Callable[[], list[str]]) -> None:
    load_registry(meta, Layout())
    assert meta_lines() == [
        "[META] model=Tyranid_Infantry_Swarm_MeleeSwarm is the bot greedy, not a trained model",
        "[META] model=Tyranid_Infantry_Troop_RangedTroop is the bot greedy, not a trained model",
    ]


def test_model_that_is_not_on_the_disk(agents: Agents) -> None:
    folder = agents(Trained={"kind": "maskable_ppo"})
    with pytest.raises(ModelMissingError, match=r"Trained.model\.zip: expected the zip of a saved model, got no such"):
        load_registry(MetaConfig(2, {}, "Trained", folder=folder), Layout())


def test_model_without_a_contract(agents: Agents) -> None:
    folder = agents(Trained={"kind": "maskable_ppo"})
    (folder / "Trained" / "model.zip").write_bytes(b"")
    with pytest.raises(ContractMissingError, match=r"model\.contract\.json.*write_contract"):
        load_registry(MetaConfig(2, {}, "Trained", folder=folder), Layout())


def test_random_bots_have_streams_of_their_own(agents: Agents) -> None:
    meta = MetaConfig(2, {"Hormagaunt": "A", "Termagant": "B"}, None, strict=True, folder=agents(A=BOT, B=BOT))
    seen, masks = np.zeros((50, Layout().observation_size), dtype=np.float32), np.ones((50, 13), dtype=np.int8)

    def played(seed: int) -> dict[str, list[int]]:
        return {key: policy(seen, masks).tolist() for key, policy in load_registry(meta, Layout(), seed=seed).items()}

    assert played(1) == played(1)
    assert played(1) != played(2)
    assert played(1)["A"] != played(1)["B"]


def test_function_of_the_user(agents: Agents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "players_for_test.py").write_text(
        "import numpy as np\ndef last(observations, masks):\n    return 12 - np.argmax(masks[:, ::-1], axis=1)\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    folder = agents(Mine={"kind": "callable", "callable": "players_for_test:last"})
    policy = load_registry(MetaConfig(2, {}, "Mine", folder=folder), Layout(), trust_models=True)["Mine"]
    seen, masks = np.zeros((1, Layout().observation_size), dtype=np.float32), np.ones((1, 13), dtype=np.int8)
    assert policy(seen, masks).tolist() == [12]


@pytest.mark.parametrize("name", ["random", "nowhere_at_all:act", "json:nothing", "json:__name__"])
def test_function_that_is_none_is_refused(agents: Agents, name: str) -> None:
    folder = agents(Mine={"kind": "callable", "callable": name})
    with pytest.raises(ContentError, match="callable: expected module:function") as caught:
        load_registry(MetaConfig(2, {}, "Mine", folder=folder), Layout(), trust_models=True)
    assert caught.value.file == str(folder / "Mine" / "policy.json")


CHEAP = "import sys, w40k_marl; print(sorted({'torch', 'numba', 'msgspec'} & set(sys.modules)))"
WITH_BOTS = "import sys; from w40k_marl import PvEController; PvEController(); print('torch' in sys.modules)"


@pytest.mark.parametrize(("program", "answer"), [(CHEAP, "[]"), (WITH_BOTS, "False")])
def test_only_what_is_used_is_imported(program: str, answer: str) -> None:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == answer
