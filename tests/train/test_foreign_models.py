"""A foreign model is exactly what the loader rebuilds, or it is refused, in one sentence and in bounded memory.

Needs the extra ``train``: ``tox -e train``.
"""

from __future__ import annotations

import base64
import functools
import io
import json
import os
import pickle
import random
import struct
import tracemalloc
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import gymnasium
import numpy as np
import pytest

from w40k_marl import MetaConfig, PvEController, get_action_for_unit
from w40k_marl.env.aec import RawEnv
from w40k_marl.errors import W40KError
from w40k_marl.observe.layout import Layout
from w40k_marl.policy.contract import contract_path, made_for, write_contract
from w40k_marl.policy.errors import LayoutMismatchError, ModelFileError, UnsafeModelError
from w40k_marl.policy.meta_controller import unit_view
from w40k_marl.policy.registry import load_policy
from w40k_marl.policy.saved import load_model

WHY = 'needs the extra "train": tox -e train'
torch = pytest.importorskip("torch", reason=WHY)
pytest.importorskip("sb3_contrib", reason=WHY)

from sb3_contrib import MaskablePPO  # noqa: E402
from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy  # noqa: E402
from stable_baselines3 import PPO  # noqa: E402
from stable_baselines3.common.torch_layers import FlattenExtractor  # noqa: E402
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize  # noqa: E402

LAYOUT = Layout(units_per_side=4, objectives=3)
SIZE = LAYOUT.observation_size


class _Spaces(gymnasium.Env[Any, Any]):
    observation_space = gymnasium.spaces.Box(-1.0, 1.0, (SIZE,), np.float32)
    action_space: Any = gymnasium.spaces.Discrete(13)

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        return np.zeros(SIZE, dtype=np.float32), {}

    def step(self, action: Any) -> Any:
        return np.ones(SIZE, dtype=np.float32), 0.0, False, False, {}

    def action_masks(self) -> Any:
        return np.ones(13, dtype=np.bool_)


class OtherDefaults(MaskableActorCriticPolicy):  # type: ignore[misc]
    """A policy whose activation is another by default: nothing in the settings says so but its class."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **{"activation_fn": torch.nn.ReLU, **settings})


class OwnHead(MaskableActorCriticPolicy):  # type: ignore[misc]
    """The same weights by name and shape, used in another way."""

    def _get_action_dist_from_latent(self, latent: Any) -> Any:
        return self.action_dist.proba_distribution(action_logits=-self.action_net(latent))


class ReLU(torch.nn.Module):  # type: ignore[misc, name-defined]
    """Has the name of another."""

    def forward(self, values: Any) -> Any:
        return -values


class OwnExtractor(FlattenExtractor):  # type: ignore[misc]
    def forward(self, observations: Any) -> Any:
        return -super().forward(observations)


def saved(
    path: Path, policy: Any = "MlpPolicy", algorithm: Any = MaskablePPO, env: Any = None, **settings: Any
) -> Path:
    """A model that has learned nothing."""
    arguments = {"net_arch": [16], **settings}
    model = algorithm(policy, env or _Spaces(), n_steps=8, batch_size=8, seed=1, policy_kwargs=arguments)
    model.save(path)
    return path


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("models") / "plain.zip")


@pytest.fixture
def model(plain: Path, tmp_path: Path) -> Path:
    """A copy of a plain model, with its contract."""
    path = tmp_path / "model.zip"
    path.write_bytes(plain.read_bytes())
    write_contract(path, LAYOUT)
    return path


def entries_of(model: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(model) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewrite(model: Path, entries: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(model, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    sign(model)


def sign(model: Path, **changes: Any) -> None:
    """Let the contract be that of the file as it is now, as who forges a model would."""
    import hashlib

    network = {"policy_layers": [16], "value_layers": [16], "activation": "Tanh"}
    made = {"libraries": {}, "network": network, "model_sha256": hashlib.sha256(model.read_bytes()).hexdigest()}
    contract_path(model).write_text(json.dumps(made_for(LAYOUT, "micro") | made | changes), encoding="utf-8")


def with_settings(model: Path, **changes: Any) -> None:
    entries = entries_of(model)
    entries["data"] = json.dumps(json.loads(entries["data"]) | changes).encode()
    rewrite(model, entries)


def pickled(value: Any, text: str = "<class 'type'>") -> dict[str, str]:
    return {":type:": text, ":serialized:": base64.b64encode(pickle.dumps(value)).decode()}


def refused(model: Path, error: type[W40KError] = ModelFileError, said: str | None = None) -> None:
    """Both doors refuse a file in one short line."""
    for act in (lambda: load_model(model, LAYOUT, "micro"), lambda: write_contract(model, LAYOUT)):
        with pytest.raises(error, match=said) as caught:
            act()
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 600
        assert str(model) in str(caught.value)


# --- policies that are not what the loader builds ----------------------------------------------------------------

OTHERS: list[tuple[dict[str, Any], str]] = [
    ({"policy": OtherDefaults}, "policy_class .*OtherDefaults"),
    ({"policy": OwnHead}, "policy_class .*OwnHead"),
    ({"algorithm": PPO}, "policy_class stable_baselines3.common.policies.ActorCriticPolicy"),
    ({"activation_fn": ReLU}, "activation_fn .*ReLU"),
    ({"activation_fn": functools.partial(torch.nn.LeakyReLU, 0.5)}, "activation_fn a result of functools.partial"),
    ({"activation_fn": torch.nn.Hardtanh}, "activation_fn torch.nn.modules.activation.Hardtanh"),
    ({"features_extractor_class": OwnExtractor}, "'features_extractor_class' .*OwnExtractor"),
    ({"share_features_extractor": False}, "'share_features_extractor' False"),
    ({"normalize_images": False}, "'normalize_images' False"),
]


@pytest.mark.parametrize(("settings", "said"), OTHERS, ids=[said for _, said in OTHERS])
def test_policy_that_is_not_what_the_loader_builds_is_refused_by_name(
    tmp_path: Path, settings: dict[str, Any], said: str
) -> None:
    path = saved(tmp_path / "model.zip", **settings)
    write_contract(path, LAYOUT)
    assert json.loads(contract_path(path).read_text())["network"] is None
    with pytest.raises(UnsafeModelError, match=f"expected a plain MlpPolicy, .* got {said}"):
        load_model(path, LAYOUT, "micro")
    sign(path)  # with the network of a plain one
    with pytest.raises(UnsafeModelError, match=f"expected a plain MlpPolicy, .* got {said}"):
        load_model(path, LAYOUT, "micro")


@pytest.mark.parametrize("policy", [OtherDefaults, OwnHead])
def test_what_is_trusted_predicts_as_its_own_code_does(tmp_path: Path, policy: Any) -> None:
    path = saved(tmp_path / "model.zip", policy)
    write_contract(path, LAYOUT)
    seen = np.random.default_rng(1).uniform(-1, 1, (200, SIZE)).astype(np.float32)
    masks = np.ones((200, 13), dtype=np.int8)
    whole, _ = MaskablePPO.load(path).predict(seen, deterministic=True, action_masks=masks)
    assert load_model(path, LAYOUT, "micro", trust=True)(seen, masks).tolist() == whole.tolist()


def test_defaults_that_are_spelled_out_are_plain(tmp_path: Path) -> None:
    settings = {
        "activation_fn": torch.nn.GELU,
        "features_extractor_class": FlattenExtractor,
        "features_extractor_kwargs": {},
        "share_features_extractor": True,
        "normalize_images": True,
    }
    path = saved(tmp_path / "model.zip", **settings)
    write_contract(path, LAYOUT)
    assert callable(load_model(path, LAYOUT, "micro"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"policy_class": pickled(OtherDefaults)}, "policy_class .*OtherDefaults"),
        ({"policy_class": "MlpPolicy"}, "policy_class 'MlpPolicy'"),
        ({"policy_class": None}, "policy_class None"),
        ({"policy_kwargs": {"activation_fn": "<class 'torch.nn.modules.activation.Tanh'>"}}, "activation_fn .<class"),
        ({"policy_kwargs": pickled({"activation_fn": ("torch.nn.modules.activation", "Tanh")})}, "activation_fn tuple"),
        ({"policy_kwargs": {":serialized:": "no base64"}}, "policy_kwargs: a damaged pickle"),
        ({"policy_kwargs": {":serialized:": 3}}, "policy_kwargs: a pickle of another form"),
        ({"policy_kwargs": pickled({3: 4})}, "policy_kwargs dict"),
        ({"policy_kwargs": []}, "policy_kwargs list"),
        ({"policy_kwargs": {"own": 1}}, "'own' 1"),
        ({"policy_kwargs": {"\x1b[31m": 1}}, r"'\\x1b\[31m' 1"),
        ({"predict": pickled(len)}, "a predict of its own"),
        ({"action_space": pickled(gymnasium.spaces.MultiDiscrete([13]))}, "action_space .*MultiDiscrete"),
        ({"observation_space": pickled(gymnasium.spaces.MultiBinary(SIZE))}, "observation_space .*MultiBinary"),
    ],
)
def test_text_beside_a_pickle_proves_nothing(model: Path, changes: dict[str, Any], said: str) -> None:
    with_settings(model, **changes)
    with pytest.raises(UnsafeModelError, match=f"expected a plain MlpPolicy, .* got {said}") as caught:
        load_model(model, LAYOUT, "micro")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", ["policy.action_net.pth", "other.pth"])
def test_tensors_that_would_replace_those_of_the_policy_are_refused(model: Path, name: str) -> None:
    entries = entries_of(model)
    rewrite(model, {**entries, name: entries["policy.pth"]})
    with pytest.raises(UnsafeModelError, match=f"tensors in '{name}'"):
        load_model(model, LAYOUT, "micro")
    rewrite(model, {**entries, "pytorch_variables.pth": entries["policy.pth"]})
    with pytest.raises(UnsafeModelError, match=r"tensors in pytorch_variables\.pth"):
        load_model(model, LAYOUT, "micro")


def test_model_trained_behind_normalised_observations_is_refused(tmp_path: Path) -> None:
    learner = MaskablePPO("MlpPolicy", VecNormalize(DummyVecEnv([_Spaces])), n_steps=8, batch_size=8, n_epochs=1)
    learner.learn(8)
    path = tmp_path / "model.zip"
    learner.save(path)
    sign(path)
    refused(path, LayoutMismatchError, "got one that was trained behind VecNormalize")
    with pytest.raises(LayoutMismatchError, match="VecNormalize"):
        load_model(path, LAYOUT, "micro", trust=True)


def altered(model: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the tensors of a model."""
    entries, buffer = entries_of(model), io.BytesIO()
    weights = torch.load(io.BytesIO(entries["policy.pth"]))
    change(weights)
    torch.save(weights, buffer)
    rewrite(model, {**entries, "policy.pth": buffer.getvalue()})


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite_are_refused_with_agent_file_and_tensor(model: Path, value: float) -> None:
    altered(model, lambda weights: weights["action_net.bias"].fill_(value))
    refused(model, ModelFileError, "expected finite weights, got NaN or infinity in action_net.bias")
    (model.parent / "Mine").mkdir()
    (model.parent / "Mine" / "policy.json").write_text('{"kind": "maskable_ppo", "model": "../model.zip"}')
    with pytest.raises(ModelFileError, match=r"^Mine: .*model\.zip: expected finite weights, .*action_net\.bias"):
        load_policy("Mine", "micro", LAYOUT, folder=model.parent)


def test_weights_of_a_trusted_or_given_model_are_finite_too(tmp_path: Path) -> None:
    path = saved(tmp_path / "model.zip", OwnHead)
    learner = MaskablePPO.load(path)
    learner.policy.action_net.bias.data.fill_(np.nan)
    learner.save(path)
    write_contract(path, LAYOUT)
    with pytest.raises(ModelFileError, match=r"expected finite weights, .* in action_net\.bias"):
        load_model(path, LAYOUT, "micro", trust=True)
    with pytest.raises(ModelFileError, match="expected finite weights"):
        PvEController(MetaConfig(2, {}, "Mine"), LAYOUT, models_registry={"Mine": learner})


def test_line_of_the_document(plain: Path) -> None:
    """`models_registry[agent_key] = MaskablePPO.load(...)`."""
    env, models_registry = RawEnv("small_board", layout=LAYOUT), {}
    models_registry["Mine"] = MaskablePPO.load(plain)
    env.reset(seed=1)
    while env.session.active_unit is None:
        env.step(env.session.legal_actions()[0])
    unit = unit_view(env)
    meta = MetaConfig(unit["player"], {}, "Mine")
    action = get_action_for_unit(env, unit, models_registry, meta=meta)
    observation, mask = env.session.view(env.session.acting_side)
    micro = mask[LAYOUT.micro_start : LAYOUT.micro_stop]
    expected, _ = models_registry["Mine"].predict(observation, action_masks=micro, deterministic=True)
    assert action == expected
    controller = PvEController(meta, env, models_registry=models_registry)
    assert controller.action(env) == LAYOUT.micro_start + action
    with pytest.raises(LayoutMismatchError, match=f"expected observations of shape .* got \\({SIZE},\\)"):
        PvEController(meta, Layout(), models_registry=models_registry)


# --- damaged and hostile files -------------------------------------------------------------------------------


def test_contract_that_asks_for_a_huge_network_builds_none(model: Path) -> None:
    huge = {"policy_layers": [100_000, 100_000], "value_layers": [100_000], "activation": "Tanh"}
    sign(model, network=huge)
    began = monotonic()
    with pytest.raises(ModelFileError, match="expected the weights that its contract describes"):
        load_model(model, LAYOUT, "micro")
    assert monotonic() - began < 5


@pytest.mark.parametrize("activation", ["ReLU", "Nothing"])
def test_contract_with_another_activation_is_refused(model: Path, activation: str) -> None:
    sign(model, network={"policy_layers": [16], "value_layers": [16], "activation": activation})
    with pytest.raises(ModelFileError, match=r"expected the weights .* got policy \[16\], value \[16\], Tanh"):
        load_model(model, LAYOUT, "micro")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda w: w.update({"action_net.bias": torch.zeros(13, dtype=torch.float64)}), "torch.DoubleStorage"),
        (lambda w: w.update({"action_net.bias": torch.zeros(0)}), "empty"),
        (lambda w: w.update({"action_net.bias": torch.zeros(1).expand(13)}), "larger than its storage"),
        (lambda w: w.update({"action_net.weight": torch.zeros(1).expand(13, 2**40)}), "odd shape"),
        (lambda w: w.update({"action_net.bias": torch.zeros(13).to_sparse()}), "run code"),
        (lambda w: w.update({"action_net.bias": 3}), "run code"),
    ],
)
def test_odd_tensors_are_refused(model: Path, change: Any, said: str) -> None:
    altered(model, change)
    refused(model, W40KError, said)


@pytest.mark.parametrize(
    "change",
    [
        lambda w: w.update({"action_net.bias": torch.zeros(14)}),
        lambda w: w.update({"more": torch.zeros(1)}),
        lambda w: w.pop("value_net.bias"),
        lambda w: w.clear(),
        lambda w: w.update({"action_net.weight": torch.zeros(13)}),
    ],
)
def test_tensors_of_other_names_or_shapes_are_refused(model: Path, change: Any) -> None:
    altered(model, change)
    with pytest.raises(UnsafeModelError, match=r"expected a plain MlpPolicy, .* got weights"):
        load_model(model, LAYOUT, "micro")


def flag(content: bytes, offset_in_central: int, offset_in_local: int, value: int) -> bytes:
    """Change a 16-bit field in all headers of a zip."""
    changed = bytearray(content)
    for signature, offset in ((b"PK\x01\x02", offset_in_central), (b"PK\x03\x04", offset_in_local)):
        place = changed.find(signature)
        while place >= 0:
            struct.pack_into("<H", changed, place + offset, value)
            place = changed.find(signature, place + 1)
    return bytes(changed)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda content: flag(content, 8, 6, 1), "an encrypted"),
        (lambda content: flag(content, 10, 8, 99), "compression method 99"),
        (lambda content: flag(content, 10, 8, zipfile.ZIP_DEFLATED), "expected"),
        (lambda content: flag(content, 10, 8, zipfile.ZIP_LZMA), "compression method 14"),
        (lambda content: content[: len(content) // 2], "expected"),
        (lambda content: b"", r"policy\.pth in the zip"),
        (lambda content: content[:-22] + content[-22:-10] + b"\xff" * 10, r"policy\.pth in the zip"),
    ],
)
def test_damaged_zip_is_refused(model: Path, damage: Callable[[bytes], bytes], said: str) -> None:
    model.write_bytes(damage(model.read_bytes()))
    sign(model)
    refused(model, ModelFileError, said)


def test_entries_of_the_same_name_are_refused(model: Path) -> None:
    with zipfile.ZipFile(model, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("policy.pth", b"")
    sign(model)
    refused(model, ModelFileError, "entries of the same name")


class _Bomb:
    """Weights that ask for a hundred gigabytes by means that PyTorch's own safe reader allows."""

    def __reduce__(self) -> Any:
        return bytearray, (10**11,)


def deep_json() -> bytes:
    return b'{"a": ' + b"[" * 90_000 + b"]" * 90_000 + b"}"


def many_entries() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(10_001):
            archive.writestr(str(number), b"")
    return buffer.getvalue()


def inner_bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(2**28))
    return buffer.getvalue()


def pickle_in_archive(value: Any) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", value if isinstance(value, bytes) else pickle.dumps(value))
    return buffer.getvalue()


NESTED_TUPLES = b"\x80\x04}" + b")" + b"\x85" * 200_000 + b"K\x01s."


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("data", lambda: bytes(2**28)),
        ("data", lambda: b"[" + b"[]," * 10**7 + b"[]]"),
        ("data", deep_json),
        ("data", lambda: b'{"a": ' + b"9" * 10**6 + b"}"),
        ("policy.pth", lambda: bytes(2**28 + 1)),
        ("policy.pth", inner_bomb),
        ("policy.pth", many_entries),
        ("policy.pth", lambda: pickle_in_archive({"a": _Bomb()})),
        ("policy.pth", lambda: pickle_in_archive(OrderedDict(a=_Bomb()))),
        ("policy.pth", lambda: pickle_in_archive(NESTED_TUPLES)),
        ("policy.pth", lambda: pickle_in_archive(b"\x80\x04r\xff\xff\xff\x7f.")),
        ("policy.pth", lambda: pickle_in_archive(b"\x80\x04" + b"(" * 200_000)),
    ],
    ids=[
        "zeros",
        "lists",
        "deep",
        "number",
        "weights",
        "inner",
        "entries",
        "dict",
        "ordered",
        "tuples",
        "memo",
        "marks",
    ],
)
def test_file_that_unpacks_to_gigabytes_is_refused_in_bounded_memory(
    model: Path, name: str, content: Callable[[], bytes]
) -> None:
    rewrite(model, entries_of(model) | {name: content()}, zipfile.ZIP_DEFLATED)
    began = monotonic()
    tracemalloc.start()
    refused(model, W40KError)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150 * 2**20
    assert monotonic() - began < 20


def test_deflated_model_is_read(model: Path) -> None:
    rewrite(model, entries_of(model), zipfile.ZIP_DEFLATED)
    assert callable(load_model(model, LAYOUT, "micro"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize("kind", ["pipe", "device", "directory"])
def test_what_is_not_a_regular_file_is_refused_at_once(model: Path, kind: str) -> None:
    for path in (model, contract_path(model)):
        kept = path.read_bytes()
        path.unlink()
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "device":
            path.symlink_to("/dev/zero")
        else:
            path.mkdir()
        with pytest.raises(W40KError) as caught:
            load_model(model, LAYOUT, "micro")
        assert "\n" not in str(caught.value)
        if path == model:
            with pytest.raises(ModelFileError, match="a directory, a device or a pipe"):
                write_contract(model, LAYOUT)
        path.rmdir() if kind == "directory" else path.unlink()
        path.write_bytes(kept)


def mutated(content: bytes, dice: random.Random) -> bytes:
    """Flip bits, cut, swap or repeat a part."""
    changed, kind = bytearray(content), dice.choice(["bits", "headers", "cut", "swap", "zeros"])
    if kind == "bits":
        for _ in range(dice.randint(1, 20)):
            changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    elif kind == "headers":
        places = [place for place in range(len(changed)) if changed[place : place + 2] == b"PK"] or [0]
        for _ in range(dice.randint(1, 5)):
            changed[min(dice.choice(places) + dice.randrange(46), len(changed) - 1)] ^= 1 << dice.randrange(8)
    elif kind == "cut":
        del changed[dice.randrange(len(changed)) :]
    else:
        first, second, length = (dice.randrange(len(changed)) for _ in range(3))
        changed[first : first + length] = bytes(length) if kind == "zeros" else changed[second : second + length]
    return bytes(changed)


def test_two_hundred_mutated_zips_end_in_errors_of_ours(model: Path) -> None:
    content, dice, outcomes = model.read_bytes(), random.Random(1), []
    entries = entries_of(model)
    for number in range(200):
        if number % 3:
            model.write_bytes(mutated(content, dice))
            sign(model)
        else:
            name = dice.choice(["data", "policy.pth", "pytorch_variables.pth"])
            rewrite(model, entries | {name: mutated(entries[name], dice)})
        for act in (lambda: load_model(model, LAYOUT, "micro"), lambda: write_contract(model, LAYOUT)):
            try:
                act()
                outcomes.append("")
            except W40KError as error:
                outcomes.append(str(error))
    assert not any("\n" in outcome for outcome in outcomes)
    assert sum(outcome != "" for outcome in outcomes) > 100
