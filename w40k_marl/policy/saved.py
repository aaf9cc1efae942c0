"""MaskablePPO models from their zip files, without running what is stored in them.

A zip of stable-baselines3 holds pickled objects, and unpickling runs any code that its author chose. Prediction needs
the weights alone: the network is built from the contract, and its weights are read by PyTorch's reader that runs none.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np

from ..content.models import NetworkEntry
from ..env.seat import Policy
from ..errors import how_to_install
from ..observe.layout import Layout
from .adapter import Actions, Kind, Masks, Vectors, block_size
from .contract import check_contract
from .errors import (
    ActionSpaceMismatchError,
    LayoutMismatchError,
    MissingExtraError,
    ModelFileError,
    UnsafeModelError,
)

if TYPE_CHECKING:
    from ..observe.profiles import ProfileOptions

ACTIVATIONS = ("Tanh", "ReLU", "ELU", "LeakyReLU", "GELU", "SiLU", "Mish", "Sigmoid", "Softsign", "Identity")
"""The activation functions, of ``torch.nn``, that a network may be built with."""

ALLOW = "pass trust_models=True only if you know who made the file: it then runs whatever code is stored in it"

_WEIGHTS, _DATA = "policy.pth", "data"
_POLICY, _VALUE = "mlp_extractor.policy_net.", "mlp_extractor.value_net."


def load_model(
    model: Path, layout: Layout, kind: Kind, *, profile: ProfileOptions | None = None, trust: bool = False
) -> Policy:
    """A saved model as a policy over its block, on the CPU, deterministic, for games of this layout and profile.

    With ``trust``, what cannot be loaded by weights alone is unpickled by ``MaskablePPO.load``. Raises the errors of
    ``check_contract``, MissingExtraError, ModelFileError, UnsafeModelError.
    """
    network = check_contract(model, layout, kind, profile)
    _require_extra()
    if network is not None:
        return SavedPolicy(_built(model, layout, kind, network))
    if not trust:
        raise UnsafeModelError(
            f"{model}: expected a plain MlpPolicy, which loads without running code, got another ({ALLOW})"
        )
    return SavedPolicy(_unpickled(model, layout, kind))


class SavedPolicy:
    """The policy network of a model as a ``Policy``."""

    def __init__(self, network: Any) -> None:
        """Take a MaskableActorCriticPolicy, or anything that predicts as it does."""
        self._network = network

    def __call__(self, observations: Vectors, masks: Masks) -> Actions:
        """The most probable legal action of each row."""
        chosen, _ = self._network.predict(observations, deterministic=True, action_masks=masks != 0)
        return np.asarray(chosen, dtype=np.int64)


def network_of(model: Path, layout: Layout, kind: Kind) -> NetworkEntry | None:
    """The network of a saved MlpPolicy, from its weights and the readable part of its zip; None for another policy.

    Raises ModelFileError, MissingExtraError, and a ContractError where the spaces are not those of the game.
    """
    _require_extra()
    shapes = {name: tuple(value.shape) for name, value in _weights(model).items()}
    activation = _activation(model)
    policy, value = _layers(shapes, _POLICY), _layers(shapes, _VALUE)
    heads = {f"{head}.{part}" for head in ("action_net", "value_net") for part in ("weight", "bias")}
    if not heads <= set(shapes):
        return None
    others = set(shapes) - heads - {name for name in shapes if name.startswith((_POLICY, _VALUE))}
    _check_sizes(model, shapes, policy, layout, kind)
    if others or activation not in ACTIVATIONS:
        return None
    return NetworkEntry(policy_layers=policy, value_layers=value, activation=activation)


def _layers(shapes: Mapping[str, tuple[int, ...]], prefix: str) -> tuple[int, ...]:
    """Units of each hidden layer, in order."""
    numbers = sorted(
        int(name.split(".")[-2]) for name in shapes if name.startswith(prefix) and name.endswith(".weight")
    )
    return tuple(shapes[f"{prefix}{number}.weight"][0] for number in numbers)


def _check_sizes(
    model: Path, shapes: Mapping[str, tuple[int, ...]], layers: tuple[int, ...], layout: Layout, kind: Kind
) -> None:
    """Refuse weights of other sizes than the spaces of the game."""
    actions, seen = shapes["action_net.weight"]
    if actions != block_size(layout, kind):
        raise ActionSpaceMismatchError(f"{model}: expected {block_size(layout, kind)} actions, got {actions}")
    first = shapes.get(f"{_POLICY}0.weight", (0, seen))[1]
    if first != layout.observation_size:
        raise LayoutMismatchError(f"{model}: expected observations of {layout.observation_size} numbers, got {first}")


def _built(model: Path, layout: Layout, kind: Kind, network: NetworkEntry) -> Any:
    """A new network of the right shape with the weights of the file."""
    import torch
    from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy

    if network.activation not in ACTIVATIONS:
        raise ModelFileError(f"{model}: expected an activation of {', '.join(ACTIVATIONS)}, got {network.activation!r}")
    weights = _weights(model)
    with torch.random.fork_rng(devices=[]):  # the weights that are drawn here are replaced; the stream is the user's
        built = MaskableActorCriticPolicy(
            gymnasium.spaces.Box(-1.0, 1.0, (layout.observation_size,), np.float32),
            gymnasium.spaces.Discrete(block_size(layout, kind)),
            lambda _: 0.0,
            net_arch={"pi": list(network.policy_layers), "vf": list(network.value_layers)},
            activation_fn=getattr(torch.nn, network.activation),
            ortho_init=False,
        )
    try:
        built.load_state_dict(weights)
    except RuntimeError as error:
        raise ModelFileError(f"{model}: expected the weights that its contract describes, got {error}") from None
    return built


def _unpickled(model: Path, layout: Layout, kind: Kind) -> Any:
    """The whole model, as its author stored it."""
    from sb3_contrib import MaskablePPO

    loaded = MaskablePPO.load(model, device="cpu")
    actions, shape = getattr(loaded.action_space, "n", loaded.action_space), loaded.observation_space.shape
    if actions != block_size(layout, kind):
        raise ActionSpaceMismatchError(f"{model}: expected {block_size(layout, kind)} actions, got {actions}")
    if shape != (layout.observation_size,):
        raise LayoutMismatchError(f"{model}: expected observations of shape ({layout.observation_size},), got {shape}")
    return loaded


def _weights(model: Path) -> dict[str, Any]:
    """The tensors of a model by name, read without running code."""
    import pickle

    import torch

    data = _entry(model, _WEIGHTS)
    try:
        found = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise UnsafeModelError(
            f"{model}: expected weights alone in {_WEIGHTS}, got objects that run code when they are loaded"
        ) from None
    except Exception as error:  # torch's reader raises whatever its archive and its pickles do
        raise ModelFileError(f"{model}: expected weights in {_WEIGHTS}, got {type(error).__name__}: {error}") from None
    if not isinstance(found, Mapping) or not all(isinstance(value, torch.Tensor) for value in found.values()):
        raise ModelFileError(f"{model}: expected weights by name in {_WEIGHTS}, got {type(found).__name__}")
    return dict(found)


def _activation(model: Path) -> str:
    """Name of the activation function, from the text that stands beside the pickled settings; it may be unknown."""
    try:
        settings = json.loads(_entry(model, _DATA)).get("policy_kwargs", {})
        text = settings.get("activation_fn", "Tanh")
        others = {"net_arch", "activation_fn", "ortho_init", "optimizer_class", "optimizer_kwargs"}
        others |= {":type:", ":serialized:"}
    except (ValueError, AttributeError):
        raise ModelFileError(f"{model}: expected the settings of a model in {_DATA}, got something else") from None
    if set(settings) - others:
        return "of a policy with settings of its own"
    return str(text).removesuffix("'>").rpartition(".")[2]


def _entry(model: Path, name: str) -> bytes:
    """The bytes of a file in the zip."""
    try:
        with zipfile.ZipFile(model) as archive:
            return archive.read(name)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise ModelFileError(f"{model}: expected {name} in the zip of a saved model, got {error}") from None


def _require_extra() -> None:
    """Say in one sentence what to install."""
    try:
        import sb3_contrib  # noqa: F401
        import torch  # noqa: F401
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("torch", "sb3_contrib", "stable_baselines3"):
            raise
        raise MissingExtraError(f"a saved model needs PyTorch and sb3-contrib: {how_to_install('train')}") from None
