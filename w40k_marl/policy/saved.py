"""Loads saved MaskablePPO models as policies, without running
code that is stored in their zip files.

A zip of stable-baselines3 holds pickled objects, and unpickling runs any code that its author
chose. Prediction needs only the weights: if the policy is a plain MlpPolicy (``plain_network``),
the network is built here and given the weights.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np

from ..env.policies import Policy
from ..observe.layout import Layout
from .block_policy import ActionBlock, Actions, Masks, Vectors, block_size, check_spaces
from .contract import check_contract
from .errors import ContractError, ModelFileError, UnsafeModelError
from .model_zip import (
    Arrays,
    ModelZip,
    NetworkEntry,
    NotPlainError,
    check_observations,
    checked_path,
    plain_network,
    require_extra,
)

if TYPE_CHECKING:
    from ..observe.macro.offensive_profile import ProfileOptions

ALLOW = "pass trust_models=True only if you know who made the file: it then runs whatever code is stored in it"


def load_model(
    model: str | Path, layout: Layout, kind: ActionBlock, *, profile: ProfileOptions | None = None, trust: bool = False
) -> Policy:
    """Load a saved model as a deterministic policy over its block, on the CPU.

    ``profile`` is the offensive profile of the games, used by layouts with macro blocks. With
    ``trust``, a policy that is not a plain MlpPolicy is unpickled by ``MaskablePPO.load``, which
    runs code in the file.

    Raises MissingExtraError without the extra ``train``; ModelFileError if the file is damaged, too
    large, differs from its contract or has weights that are not finite; UnsafeModelError if the
    policy is not a plain MlpPolicy and ``trust`` is False; LayoutMismatchError if the model was
    trained behind ``VecNormalize``; and as ``check_contract`` does, ModelMissingError, ContentError
    or another ContractError (docs/meta_controller.md, "Errors").
    """
    path = checked_path(model)
    network = check_contract(path, layout, kind, profile)
    require_extra()
    with ModelZip(path) as opened:
        check_observations(opened)
        try:
            found, weights = plain_network(opened, layout, kind)
        except NotPlainError as reason:
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
    """A ``Policy`` that predicts with the policy network of a model."""

    def __init__(self, network: Any) -> None:
        """Take a MaskableActorCriticPolicy, or a model with the same ``predict``."""
        self._network = network

    def __call__(self, observations: Vectors, masks: Masks) -> Actions:
        """Return the most probable legal action for each observation, (k,)."""
        chosen, _ = self._network.predict(observations, deterministic=True, action_masks=masks != 0)
        return np.asarray(chosen, dtype=np.int64)


def _built(layout: Layout, kind: ActionBlock, network: NetworkEntry, weights: Arrays) -> Any:
    """Build a network and set the weights of a file."""
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


def _unpickled(model: Path, layout: Layout, kind: ActionBlock) -> Any:
    """Unpickle the whole model. Raises ModelFileError if that fails."""
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
    """Raise ModelFileError if a weight of a stable-baselines3 model is not finite."""
    import torch

    for tensor, values in model.policy.state_dict().items():
        if not torch.isfinite(values).all():
            raise ModelFileError(f"{name}: expected finite weights, got NaN or infinity in {tensor}")
