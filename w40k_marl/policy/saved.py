"""MaskablePPO models from their zip files, without running what is stored in them.

A zip of stable-baselines3 holds pickled objects, and unpickling runs any code that its author chose. Prediction needs
the weights alone: the names in the pickles tell whether the policy is a plain MlpPolicy (``plain_network``); if it is,
the network is built here and given the weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np

from ..env.policies import Policy
from ..errors import how_to_install
from ..observe.layout import Layout
from .block_policy import UNNORMALISED, Actions, Kind, Masks, Vectors, block_size, check_spaces
from .contract import NetworkEntry, check_contract, check_game, checked_path
from .errors import (
    ActionSpaceMismatchError,
    ContractError,
    LayoutMismatchError,
    MissingExtraError,
    ModelFileError,
    UnsafeModelError,
)
from .model_zip import VARIABLES, Arrays, ModelZip, pickled_setting
from .pickle_names import Made, Reference

if TYPE_CHECKING:
    from ..observe.macro.offensive_profile import ProfileOptions

ACTIVATIONS = ("Tanh", "ReLU", "ELU", "LeakyReLU", "GELU", "SiLU", "Mish", "Sigmoid", "Softsign", "Identity")
"""The activation functions, of ``torch.nn``, that a network may be built with."""

ALLOW = "pass trust_models=True only if you know who made the file: it then runs whatever code is stored in it"

_POLICY, _VALUE = "mlp_extractor.policy_net", "mlp_extractor.value_net"
_SPACES = {
    "observation_space": Reference("gymnasium.spaces.box", "Box"),
    "action_space": Reference("gymnasium.spaces.discrete", "Discrete"),
}
_FLATTEN = Reference("stable_baselines3.common.torch_layers", "FlattenExtractor")
_AS_BUILT: Mapping[str, tuple[object, ...]] = {
    "features_extractor_class": (_FLATTEN,),
    "features_extractor_kwargs": (None, {}),
    "share_features_extractor": (True,),
    "normalize_images": (True,),
    "squash_output": (False,),
    "use_sde": (False,),
}
"""Arguments of the policy that a prediction depends on, and the values that ``_built`` has."""
_WITHOUT_EFFECT = {"net_arch", "ortho_init", "optimizer_class", "optimizer_kwargs", "log_std_init", "full_std"}
"""Arguments that training alone depends on, or that the weights say more exactly."""


class _NotPlainError(Exception):
    """A policy that is not a plain MlpPolicy; the message says by what."""


def load_model(
    model: str | Path, layout: Layout, kind: Kind, *, profile: ProfileOptions | None = None, trust: bool = False
) -> Policy:
    """A saved model as a policy over its block, on the CPU, deterministic, for games of this layout and profile.

    With ``trust``, a policy that is not a plain MlpPolicy is unpickled by ``MaskablePPO.load``. Raises the errors of
    ``check_contract``, MissingExtraError, ModelFileError if the file is damaged or too large, differs from its contract
    or has weights that are not finite, UnsafeModelError for another policy without ``trust``, and LayoutMismatchError
    for a model that was trained behind ``VecNormalize``.
    """
    path = checked_path(model)
    network = check_contract(path, layout, kind, profile)
    _require_extra()
    with ModelZip(path) as opened:
        _check_observations(opened)
        try:
            found, weights = plain_network(opened, layout, kind)
        except _NotPlainError as reason:
            if not trust:
                expected = "a plain MlpPolicy, which loads without running code"
                raise UnsafeModelError(f"{path}: expected {expected}, got {reason} ({ALLOW})") from None
            found = None
        except ContractError as error:
            if network is None:
                raise
            raise ModelFileError(f"expected the weights that its contract describes; {error}") from None
    if found is None:
        return SavedPolicy(_unpickled(path, layout, kind))
    if network not in (None, found):
        raise ModelFileError(f"{path}: expected the weights that its contract describes, got {_words(found)}")
    return SavedPolicy(_built(layout, kind, found, weights))


def _words(network: NetworkEntry) -> str:
    shape = f"policy {list(network.policy_layers)}, value {list(network.value_layers)}"
    return f"{shape}, {network.activation}"


class SavedPolicy:
    """The policy network of a model as a ``Policy``."""

    def __init__(self, network: Any) -> None:
        """Take a MaskableActorCriticPolicy, or anything that predicts as it does."""
        self._network = network

    def __call__(self, observations: Vectors, masks: Masks) -> Actions:
        """The most probable legal action of each row."""
        chosen, _ = self._network.predict(observations, deterministic=True, action_masks=masks != 0)
        return np.asarray(chosen, dtype=np.int64)


def network_of(model: str | Path, layout: Layout, kind: Kind) -> NetworkEntry | None:
    """The network of a saved plain MlpPolicy, from the names and weights in its zip; None for another policy.

    Raises ModelFileError, UnsafeModelError, MissingExtraError, and a ContractError if the spaces are not those of the
    game, or if the model was trained behind ``VecNormalize``.
    """
    check_game(layout, kind, None)
    path = checked_path(model)
    _require_extra()
    with ModelZip(path) as opened:
        _check_observations(opened)
        try:
            return plain_network(opened, layout, kind)[0]
        except _NotPlainError:
            return None


def plain_network(model: ModelZip, layout: Layout, kind: Kind) -> tuple[NetworkEntry, Arrays]:
    """The network of a model and its weights. Raises _NotPlainError, and the errors of ``network_of``."""
    activation = _activation(model.settings)
    if unknown := model.unknown_tensors():
        raise _NotPlainError(f"tensors in {unknown[0]!a}")
    if model.has(VARIABLES) and model.weights(VARIABLES):
        raise _NotPlainError(f"tensors in {VARIABLES}")
    weights = model.weights()
    shapes = {name: value.shape for name, value in weights.items()}
    policy, value = _layers(shapes, _POLICY), _layers(shapes, _VALUE)
    network = NetworkEntry(policy_layers=policy, value_layers=value, activation=activation)
    _check_sizes(model.path, shapes, layout, kind)
    wanted = _shapes_of(network, layout, kind)
    for name in sorted({*shapes, *wanted}):
        if shapes.get(name) != wanted.get(name):
            raise _NotPlainError(f"weights {ascii(name)[:80]} of shape {shapes.get(name, 'nothing')}")
    for name, array in weights.items():
        if not np.isfinite(array).all():
            raise ModelFileError(f"{model.path}: expected finite weights, got NaN or infinity in {name}")
    return network, weights


def _check_observations(model: ModelZip) -> None:
    """Refuse a model that has learned from normalised observations: their mean and variance are not in the file."""
    if model.settings.get("_last_original_obs") is not None:
        raise LayoutMismatchError(f"{model.path}: {UNNORMALISED}")


def _activation(settings: Mapping[str, Any]) -> str:
    """Name of the activation function. Raises _NotPlainError unless all else is as in a plain MlpPolicy."""
    from sb3_contrib import MaskablePPO
    from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy as Plain

    for name in settings:
        if hasattr(MaskablePPO, name):
            raise _NotPlainError(f"a {name} of its own")
    policy_class = _setting(settings, "policy_class")
    if policy_class != Reference(Plain.__module__, Plain.__qualname__):
        raise _NotPlainError(f"policy_class {_named(policy_class)}")
    for name, wanted in _SPACES.items():
        space = _setting(settings, name)
        if getattr(space, "call", None) != wanted:
            raise _NotPlainError(f"{name} {_named(space)}")
    arguments = _setting(settings, "policy_kwargs")
    if not isinstance(arguments, dict) or not all(isinstance(name, str) for name in arguments):
        raise _NotPlainError(f"policy_kwargs {_named(arguments)}")
    for name, value in arguments.items():
        if name != "activation_fn" and name not in _WITHOUT_EFFECT and value not in _AS_BUILT.get(name, ()):
            raise _NotPlainError(f"{ascii(name)[:80]} {_named(value)}")
    activation = arguments.get("activation_fn", Reference("torch.nn.modules.activation", "Tanh"))
    for name in ACTIVATIONS:
        if activation == _reference_of(name):
            return name
    raise _NotPlainError(f"activation_fn {_named(activation)}")


def _reference_of(activation: str) -> Reference:
    """The name by which a class of ``torch.nn`` is pickled."""
    import torch

    return Reference(getattr(torch.nn, activation).__module__, activation)


def _setting(settings: Mapping[str, Any], name: str) -> Any:
    """A setting, pickled or not; a damaged one is not plain."""
    try:
        return pickled_setting(settings.get(name))
    except ModelFileError as error:
        raise _NotPlainError(f"{name}: {error}") from None


def _named(value: object) -> str:
    """A value of a pickle in words, without control characters."""
    if isinstance(value, Reference | Made):
        return str(value)
    return ascii(value)[:80] if value is None or isinstance(value, bool | int | float | str) else type(value).__name__


def _layers(shapes: Mapping[str, tuple[int, ...]], prefix: str) -> tuple[int, ...]:
    """Units of each hidden layer, in order; layers of a ``torch.nn.Sequential`` have even numbers."""
    layers: list[int] = []
    while shape := shapes.get(f"{prefix}.{2 * len(layers)}.weight"):
        layers.append(shape[0])
    return tuple(layers)


def _shapes_of(network: NetworkEntry, layout: Layout, kind: Kind) -> dict[str, tuple[int, ...]]:
    """Name and shape of each tensor of a network."""
    shapes: dict[str, tuple[int, ...]] = {}

    def linear(name: str, inputs: int, outputs: int) -> int:
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (outputs, inputs), (outputs,)
        return outputs

    heads = ((_POLICY, network.policy_layers, "action_net", block_size(layout, kind)),)
    for prefix, layers, head, outputs in (*heads, (_VALUE, network.value_layers, "value_net", 1)):
        size = layout.observation_size
        for number, units in enumerate(layers):
            size = linear(f"{prefix}.{2 * number}", size, units)
        linear(head, size, outputs)
    return shapes


def _check_sizes(model: Path, shapes: Mapping[str, tuple[int, ...]], layout: Layout, kind: Kind) -> None:
    """Refuse weights of other sizes than the spaces of the game."""
    head = shapes.get("action_net.weight", ())
    if len(head) != 2:
        raise _NotPlainError("weights without an action_net")
    if head[0] != block_size(layout, kind):
        raise ActionSpaceMismatchError(f"{model}: expected {block_size(layout, kind)} actions, got {head[0]}")
    first = shapes.get(f"{_POLICY}.0.weight", head)[-1]
    if first != layout.observation_size:
        raise LayoutMismatchError(f"{model}: expected observations of {layout.observation_size} numbers, got {first}")


def _built(layout: Layout, kind: Kind, network: NetworkEntry, weights: Arrays) -> Any:
    """A new network with the weights of a file."""
    import torch
    from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy

    with torch.random.fork_rng(devices=[]):  # the weights that are drawn here are replaced; the stream is the user's
        built = MaskableActorCriticPolicy(
            gymnasium.spaces.Box(-1.0, 1.0, (layout.observation_size,), np.float32),
            gymnasium.spaces.Discrete(block_size(layout, kind)),
            lambda _: 0.0,
            net_arch={"pi": list(network.policy_layers), "vf": list(network.value_layers)},
            activation_fn=getattr(torch.nn, network.activation),
            ortho_init=False,
        )
    built.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in weights.items()})
    return built


def _unpickled(model: Path, layout: Layout, kind: Kind) -> Any:
    """The whole model, as its author stored it."""
    from sb3_contrib import MaskablePPO

    try:
        loaded = MaskablePPO.load(model, device="cpu")
    except Exception as error:  # whatever the code in the file raises
        got = f"{type(error).__name__}: {error}"
        raise ModelFileError(f"{model}: expected a model that MaskablePPO.load reads, got {got}") from None
    check_spaces(str(model), loaded, layout, kind)
    check_finite(str(model), loaded)
    return loaded


def check_finite(name: str, model: Any) -> None:
    """Refuse a model of stable-baselines3 whose weights are not finite. Raises ModelFileError."""
    import torch

    for tensor, values in model.policy.state_dict().items():
        if not torch.isfinite(values).all():
            raise ModelFileError(f"{name}: expected finite weights, got NaN or infinity in {tensor}")


def _require_extra() -> None:
    """Say in one sentence what to install."""
    try:
        import sb3_contrib  # noqa: F401
        import torch  # noqa: F401
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("torch", "sb3_contrib", "stable_baselines3"):
            raise
        raise MissingExtraError(f"a saved model needs PyTorch and sb3-contrib: {how_to_install('train')}") from None
