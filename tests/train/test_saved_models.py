"""Saved MaskablePPO models behind agent keys, made here, not trained. Needs the extra ``train``: ``tox -e train``."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from w40k_marl import MetaConfig, PvEController
from w40k_marl.env.aec import RawEnv
from w40k_marl.env.seats import SeatVectorEnv
from w40k_marl.observe.layout import Layout
from w40k_marl.observe.macro.offensive_profile import ProfileOptions
from w40k_marl.policy.block_policy import ActionBlock, block_masks, block_size
from w40k_marl.policy.contract import contract_path, write_contract
from w40k_marl.policy.errors import (
    ActionSpaceMismatchError,
    LayoutMismatchError,
    ModelFileError,
    UnsafeModelError,
)
from w40k_marl.policy.registry import load_registry
from w40k_marl.policy.saved import load_model

WHY = 'needs the extra "train": tox -e train'
torch = pytest.importorskip("torch", reason=WHY)
pytest.importorskip("sb3_contrib", reason=WHY)

from sb3_contrib import MaskablePPO  # noqa: E402
from stable_baselines3.common.torch_layers import FlattenExtractor  # noqa: E402

LAYOUT = Layout()

Save = Callable[..., Path]


class _Spaces(gymnasium.Env[Any, Any]):
    """An environment of which only the spaces are looked at."""

    def __init__(self, observation_size: int, actions: int) -> None:
        self.observation_space = gymnasium.spaces.Box(-1.0, 1.0, (observation_size,), np.float32)
        self.action_space = gymnasium.spaces.Discrete(actions)  # type: ignore[assignment]

    def action_masks(self) -> Any:
        return np.ones(self.action_space.n, dtype=np.bool_)  # type: ignore[attr-defined]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Saves a small model that has learned nothing, as training would; its path."""

    def one(
        name: str = "model",
        kind: ActionBlock = "micro",
        size: int = LAYOUT.observation_size,
        actions: int | None = None,
        contract: bool = True,
        **policy: Any,
    ) -> Path:
        env = _Spaces(size, block_size(LAYOUT, kind) if actions is None else actions)
        settings: dict[str, Any] = {"net_arch": [16], **policy}
        model = MaskablePPO("MlpPolicy", env, n_steps=8, batch_size=8, seed=len(name), policy_kwargs=settings)
        path = tmp_path / f"{name}.zip"
        path.parent.mkdir(exist_ok=True, parents=True)
        model.save(path)
        if contract:
            write_contract(path, LAYOUT, kind)
        return path

    return one


@pytest.fixture(scope="module")
def moments() -> tuple[Any, Any]:
    """Observations (k, n) and flat masks (k, m) of a random game."""
    env, random, seen, masks = RawEnv("pve"), np.random.default_rng(1), [], []
    env.reset(seed=1)
    while not env.session.over:
        observation, mask = env.session.view(env.session.acting_side)
        seen.append(observation)
        masks.append(mask)
        env.step(int(random.choice(np.flatnonzero(mask))))
    return np.array(seen), np.array(masks)


def rows_of(moments: tuple[Any, Any], kind: ActionBlock) -> tuple[Any, Any]:
    own = block_masks(LAYOUT, kind, moments[1])
    return moments[0][own.any(axis=1)], own[own.any(axis=1)]


@pytest.mark.parametrize("kind", ["micro", "macro"])
@pytest.mark.parametrize(
    "policy",
    [
        {},
        {"net_arch": {"pi": [24, 8], "vf": [12]}},
        {"net_arch": []},
        {"activation_fn": torch.nn.ReLU},
        {"activation_fn": torch.nn.SiLU, "net_arch": [8, 8, 8]},
        {"optimizer_class": torch.optim.SGD, "ortho_init": False},
    ],
)
def test_weights_alone_predict_what_the_whole_model_does(
    save: Save, moments: tuple[Any, Any], kind: ActionBlock, policy: dict[str, Any]
) -> None:
    path = save(kind=kind, **policy)
    seen, masks = rows_of(moments, kind)
    chosen = load_model(path, LAYOUT, kind)(seen, masks)
    whole, _ = MaskablePPO.load(path).predict(seen, deterministic=True, action_masks=masks)
    assert len(seen) > 50
    assert chosen.tolist() == whole.tolist()
    assert masks[np.arange(len(masks)), chosen].all()
    assert len(set(chosen.tolist())) > 2


def test_profile_of_a_model_with_macro_blocks_is_that_of_the_game(save: Save) -> None:
    layout, profile = Layout(macro=True), ProfileOptions(real_range=True)
    path = save(kind="macro", size=layout.observation_size, contract=False)
    write_contract(path, layout, "macro", profile)
    assert callable(load_model(path, layout, "macro", profile=profile))
    with pytest.raises(LayoutMismatchError, match=r"profile\.real_range: expected False of the game, got True"):
        load_model(path, layout, "macro")


def test_loading_leaves_the_users_random_numbers_alone(save: Save) -> None:
    path = save()
    torch.manual_seed(1)
    expected = torch.rand(3).tolist()
    torch.manual_seed(1)
    load_model(path, LAYOUT, "micro")
    assert torch.rand(3).tolist() == expected


class _Touch:
    """Something that creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return open, (str(self.path), "w")


def with_entry(model: Path, name: str, content: bytes) -> None:
    """Exchange a file in the zip."""
    changed = model.with_name("changed.zip")
    with zipfile.ZipFile(model) as old, zipfile.ZipFile(changed, "w") as new:
        for entry in old.namelist():
            new.writestr(entry, content if entry == name else old.read(entry))
    shutil.move(changed, model)


def with_code_in_the_settings(model: Path, key: str, trap: Path) -> None:
    """Exchange a pickled setting of the zip for one that runs code."""
    with zipfile.ZipFile(model) as archive:
        settings = json.loads(archive.read("data"))
    code = base64.b64encode(pickle.dumps(_Touch(trap))).decode()
    settings[key] = {":type:": "<class 'dict'>", ":serialized:": code}
    with_entry(model, "data", json.dumps(settings).encode())


@pytest.mark.parametrize("key", ["policy_class", "lr_schedule", "observation_space", "policy_kwargs"])
def test_code_in_a_model_is_not_run(save: Save, tmp_path: Path, key: str) -> None:
    path, trap = save(contract=False), tmp_path / "trap"
    with_code_in_the_settings(path, key, trap)
    write_contract(path, LAYOUT)
    if key == "lr_schedule":  # does not matter to a prediction
        assert callable(load_model(path, LAYOUT, "micro"))
    else:
        with pytest.raises(UnsafeModelError, match=f"expected a plain MlpPolicy.*, got {key} a result of io.open"):
            load_model(path, LAYOUT, "micro")
    assert not trap.exists()
    with contextlib.suppress(Exception):  # whatever stable-baselines3 makes of it
        MaskablePPO.load(path)
    assert trap.exists(), "the trap is a real one"


def test_code_among_the_weights_is_not_run(save: Save, tmp_path: Path) -> None:
    path, trap = save(), tmp_path / "trap"
    contract = json.loads(contract_path(path).read_text())
    torch.save({"log_std": _Touch(trap)}, tmp_path / "weights")
    with_entry(path, "policy.pth", (tmp_path / "weights").read_bytes())
    with pytest.raises(UnsafeModelError, match=r"expected weights alone in policy\.pth"):
        write_contract(path, LAYOUT)
    contract["model_sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    contract_path(path).write_text(json.dumps(contract))
    with pytest.raises(UnsafeModelError, match="objects that run code"):
        load_model(path, LAYOUT, "micro", trust=True)
    assert not trap.exists()


class _Doubled(FlattenExtractor):
    """A part that only its author's code can make."""

    def __init__(self, space: Any) -> None:
        super().__init__(space)
        self.scale = torch.nn.Parameter(torch.ones(1))


def test_policy_that_needs_unpickling_is_refused_unless_allowed(save: Save, moments: tuple[Any, Any]) -> None:
    path = save(features_extractor_class=_Doubled)
    assert json.loads(contract_path(path).read_text())["network"] is None
    with pytest.raises(UnsafeModelError, match=r"expected a plain MlpPolicy.*trust_models=True"):
        load_model(path, LAYOUT, "micro")
    seen, masks = rows_of(moments, "micro")
    chosen = load_model(path, LAYOUT, "micro", trust=True)(seen, masks)
    assert masks[np.arange(len(masks)), chosen].all()


def test_model_for_other_spaces_gets_no_contract(save: Save) -> None:
    with pytest.raises(ActionSpaceMismatchError, match="expected 13 actions, got 29"):
        save(actions=29)
    with pytest.raises(LayoutMismatchError, match="expected observations of 922 numbers, got 323"):
        save(size=323)


@pytest.mark.parametrize("settings", [{"actions": 29}, {"size": 323}])
def test_model_that_contradicts_its_contract_is_refused(save: Save, tmp_path: Path, settings: dict[str, Any]) -> None:
    """A contract that was put beside another model, hash and all."""
    contract = json.loads(contract_path(save("right")).read_text())
    path = save("wrong", contract=False, **settings)
    contract["model_sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    contract_path(path).write_text(json.dumps(contract))
    with pytest.raises(ModelFileError, match="expected the weights that its contract describes"):
        load_model(path, LAYOUT, "micro")
    contract["network"] = None
    contract_path(path).write_text(json.dumps(contract))
    with pytest.raises((ActionSpaceMismatchError, LayoutMismatchError)):
        load_model(path, LAYOUT, "micro", trust=True)


@pytest.mark.parametrize("content", [b"", b"no zip"])
def test_file_that_is_no_model(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.zip").write_bytes(content)
    with pytest.raises(ModelFileError, match=r"expected policy\.pth in the zip of a saved model"):
        write_contract(tmp_path / "model.zip", LAYOUT)


@pytest.mark.parametrize(("entry", "content"), [("policy.pth", b"nonsense"), ("data", b"nonsense"), ("data", b"[]")])
def test_damaged_model(save: Save, entry: str, content: bytes) -> None:
    path = save(contract=False)
    with_entry(path, entry, content)
    with pytest.raises((ModelFileError, UnsafeModelError)):
        write_contract(path, LAYOUT)


# --- whole games ---------------------------------------------------------------------------------------------


@pytest.fixture
def trained(save: Save, tmp_path: Path) -> Path:
    """Agents of models: two micro ones and a macro one, and a mapping beside them."""
    for name, kind in (("Swarm", "micro"), ("Troop", "micro"), ("Macro", "macro")):
        save(f"{name}/model", kind)
        (tmp_path / name / "policy.json").write_text('{"kind": "maskable_ppo"}', encoding="utf-8")
    meta = {
        "controlled_player": 2,
        "model_by_unit_type": {"Hormagaunt": "Swarm", "TyranidWarriorRanged": "Troop"},
        "strict_mapping": True,
    }
    (tmp_path / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
    return tmp_path / "meta.json"


def test_saved_models_play_a_game_and_are_loaded_before_it(trained: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="w40k_marl.meta")
    env = RawEnv("pve")
    env.reset(seed=1)
    controller = PvEController(trained, env, super_agent="Macro")
    for path in trained.parent.rglob("model*"):
        path.unlink()  # nothing is read during a game
    random, done = np.random.default_rng(1), 0
    while not env.session.over:
        if env.agent_selection == controller.agent:
            done += len(controller.execute_ai_turn(env))
        else:
            env.step(int(random.choice(env.session.legal_actions())))
    lines = [record.getMessage() for record in caplog.records]
    assert done > 30
    assert f"[META] model=Swarm is the MaskablePPO model {trained.parent / 'Swarm' / 'model.zip'}" in lines
    assert {"[META] unitType=Hormagaunt -> model=Swarm", "[META] unitType=TyranidWarriorRanged -> model=Troop"} <= {
        *lines
    }


def test_controller_asks_its_models_for_the_profile_of_the_game(save: Save, tmp_path: Path) -> None:
    layout, profile = Layout(macro=True), ProfileOptions(real_range=True)
    path = save("Macro/model", "macro", size=layout.observation_size, contract=False)
    write_contract(path, layout, "macro", profile)
    (tmp_path / "Macro" / "policy.json").write_text('{"kind": "maskable_ppo"}', encoding="utf-8")
    meta = MetaConfig(2, {}, "Tyranid_Infantry_Swarm_MeleeSwarm", folder=tmp_path)
    for game in (
        RawEnv("pve", layout=layout, profile=profile),
        SeatVectorEnv("pve", 2, layout=layout, profile=profile),
    ):
        PvEController(meta, game, super_agent="Macro")
    PvEController(meta, layout, profile=profile, super_agent="Macro")
    with pytest.raises(LayoutMismatchError, match=r"profile\.real_range"):
        PvEController(meta, RawEnv("pve", layout=layout), super_agent="Macro")


def test_saved_models_play_many_games(trained: Path) -> None:
    env = SeatVectorEnv("pve", 8, seat=1, max_turns=1, opponent=PvEController(trained, super_agent="Macro"))
    env.reset(seed=1)
    ended = 0
    for _ in range(60):
        ended += env.step(np.array([np.flatnonzero(mask)[0] for mask in env.action_masks()]))[2].sum()
    assert ended > 4


def test_controller_of_saved_models_can_be_sent_to_another_process(trained: Path, moments: tuple[Any, Any]) -> None:
    controller = PvEController(trained, super_agent="Macro")
    again = pickle.loads(pickle.dumps(controller))
    seen, masks = rows_of(moments, "micro")
    assert again.registry["Swarm"](seen, masks).tolist() == controller.registry["Swarm"](seen, masks).tolist()


def test_predict_of_a_registry_is_that_of_the_model(trained: Path, moments: tuple[Any, Any]) -> None:
    """The call of the document: ``model.predict(obs, action_masks=...)``."""
    meta = MetaConfig(2, {"Hormagaunt": "Swarm"}, None, strict=True, folder=trained.parent)
    seen, masks = rows_of(moments, "micro")
    model = load_registry(meta, LAYOUT)["Swarm"]
    whole = MaskablePPO.load(trained.parent / "Swarm" / "model.zip")
    for row in range(5):
        one, _ = model.predict(seen[row], action_masks=masks[row])
        other, _ = whole.predict(seen[row], action_masks=masks[row], deterministic=True)
        assert one == other
