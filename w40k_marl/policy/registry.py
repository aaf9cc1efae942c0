"""Loads the models that a game needs, each once before it begins; none is loaded during a game."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, cast

import numpy as np

from ..content.reading import shown
from ..env.policies import Policy, PolicyError, check_fit, find_policy
from ..errors import ContentError, brief, did_you_mean
from ..observe.layout import Layout
from .block_policy import ActionBlock, BlockPolicy, PredictingModel, check_layout, check_spaces
from .bots import make_bot
from .config import MetaConfig, PolicyConfig, check_agent_key, meta_config, policy_config
from .contract import check_game
from .errors import MetaError, UnknownModelError, UnsafeModelError
from .saved import check_finite, load_model

if TYPE_CHECKING:
    from ..observe.macro.offensive_profile import ProfileOptions

logger = logging.getLogger("w40k_marl.meta")

ALLOW = "pass trust_models=True, or --trust-models, only if you know who wrote it"


MODELS = "a ModelsRegistry, or a mapping of agent keys to models"


class LoadOptions(TypedDict):
    """Options of loading models, see ``load_registry``."""

    profile: ProfileOptions | None
    seed: int
    trust_models: bool


class ModelsRegistry(Mapping[str, BlockPolicy]):
    """Micro policies by agent key, with the ``MetaConfig`` that chooses among them.

    ``registry[key]`` raises UnknownModelError for a key that was not loaded.
    """

    def __init__(self, meta: MetaConfig, layout: Layout, policies: Mapping[str, object]) -> None:
        """Take loaded micro policies, or models that ``block_policy`` accepts.

        Raises ContentError if an argument has another type or a model does not fit,
        ActionSpaceMismatchError or LayoutMismatchError if a model has other spaces, ModelFileError
        if weights are not finite.
        """
        check_meta(meta)
        check_layout(layout)
        check_models(policies)
        self.meta = meta
        self.layout = layout
        seat = meta.controlled_player
        self._policies = {key: block_policy(key, model, "micro", layout, seat) for key, model in policies.items()}

    def __getitem__(self, key: str) -> BlockPolicy:
        """Return the policy of an agent key. Raises UnknownModelError if it was not loaded."""
        try:
            return self._policies[key]
        except (KeyError, TypeError):  # or a key that no mapping can have
            known, hint = ", ".join(self._policies) or "none", did_you_mean(str(key), self._policies)
            raise UnknownModelError(
                f"model: expected one of those loaded at start, {known}, got {shown(key)}"
                + (f" ({hint})" if hint else "")
            ) from None

    def __contains__(self, key: object) -> bool:
        """Return True if a key was loaded."""
        return key in self._policies

    def __iter__(self) -> Iterator[str]:
        """Iterate over the keys, in the order in which they were loaded."""
        return iter(self._policies)

    def __len__(self) -> int:
        """Return the number of models."""
        return len(self._policies)


def check_registry(registry: object) -> None:
    """Raise ContentError if ``registry`` is not a ModelsRegistry."""
    if not isinstance(registry, ModelsRegistry):
        got = type(registry).__name__
        raise ContentError("argument", "models_registry", "a ModelsRegistry, such as load_registry returns", got)


def check_models(models: object) -> None:
    """Raise ContentError if ``models`` is not a mapping."""
    if not isinstance(models, Mapping):
        raise ContentError("argument", "models_registry", MODELS, type(models).__name__)


def check_meta(meta: object) -> None:
    """Raise ContentError if ``meta`` is not a MetaConfig."""
    if not isinstance(meta, MetaConfig):
        raise ContentError("argument", "meta", "a MetaConfig, such as meta_config() returns", brief(meta))


def registry_of(models: Mapping[str, object], layout: Layout, meta: MetaConfig | None = None) -> ModelsRegistry:
    """Return a ModelsRegistry unchanged, and a plain mapping of agent keys to models as one.

    The registry of a plain mapping has the models that ``meta`` requires, by default the shipped
    mapping. Raises ContentError for another type, an empty mapping or a model that does not fit,
    ActionSpaceMismatchError or LayoutMismatchError if a model has other spaces, ModelFileError if
    weights are not finite.
    """
    check_models(models)
    if isinstance(models, ModelsRegistry) and (meta is None or meta is models.meta):
        return models
    if not models:
        raise ContentError("argument", "models_registry", MODELS, f"{type(models).__name__} that is empty")
    meta = meta_config() if meta is None else meta
    check_meta(meta)
    return ModelsRegistry(meta, layout, {key: models[key] for key in meta.required_models if key in models})


def block_policy(key: str, model: object, kind: ActionBlock, layout: Layout, seat: int) -> BlockPolicy:
    """Return a model as a policy over a block: a BlockPolicy, an
    object with ``predict``, a ``Policy``.

    ``predict(observation, action_masks=...)`` returns an action, or an action and a state. Raises
    ContentError for another object and for one whose ``kind``, ``layout`` or ``seat`` differs from
    the arguments, ActionSpaceMismatchError or LayoutMismatchError if its spaces differ, and
    ModelFileError for a model of stable-baselines3 whose weights are not finite.
    """
    check_agent_key(key, "models_registry")
    name = f"models_registry[{key!r}]"
    predict = getattr(model, "predict", None)
    if isinstance(model, type) or not (callable(predict) or callable(model)):
        expected = "a model with predict(observation, action_masks=...), or a function of observations and masks"
        raise ContentError("argument", name, expected, brief(model))
    check_fit(name, model, kind, seat - 1, layout)
    if isinstance(model, BlockPolicy):
        return model
    if not callable(predict):
        policy: Policy = cast(Policy, model)
        return BlockPolicy(
            key, f"the function {getattr(model, '__name__', type(model).__name__)}", kind, layout, policy
        )
    predicting = PredictingModel(name, model)
    check_spaces(name, model, layout, kind)
    if predicting.batched:
        check_finite(name, model)
    return BlockPolicy(key, f"a {type(model).__name__} that was given", kind, layout, predicting)


def load_registry(
    meta: MetaConfig,
    layout: Layout,
    *,
    profile: ProfileOptions | None = None,
    seed: int = 0,
    trust_models: bool = False,
) -> ModelsRegistry:
    """Load every model that ``meta`` requires: the mapped ones, and
    the default of a mapping that has one.

    ``profile`` is the offensive profile of the games, for layouts with macro blocks; ``seed`` is
    for random bots. ``trust_models`` allows unpickling files and importing functions that a
    ``policy.json`` names, which runs their code. Raises ContentError if an argument has another
    type, an agent key is unknown or its ``policy.json`` is broken; UnsafeModelError if code would
    run without ``trust_models``; and for saved models the MetaErrors of files
    (docs/meta_controller.md, "Errors").
    """
    check_meta(meta)
    check_layout(layout)
    policies = {
        key: load_policy(
            key, "micro", layout, folder=meta.folder, profile=profile, seed=seed, trust_models=trust_models
        )
        for key in meta.required_models
    }
    return ModelsRegistry(meta, layout, policies)


def load_policy(
    key: str,
    kind: ActionBlock,
    layout: Layout,
    *,
    folder: Path | None = None,
    profile: ProfileOptions | None = None,
    seed: int = 0,
    trust_models: bool = False,
) -> BlockPolicy:
    """Load the policy of one agent key for the "micro" or the "macro" block; logged at INFO.

    The key is looked up in ``folder``, then among the agents that ship; the other options are those
    of ``load_registry``. Raises ContentError for an unknown key, a broken ``policy.json`` or an
    argument of another type; UnsafeModelError if code would run without ``trust_models``;
    MissingExtraError, ModelMissingError, ModelFileError or a ContractError for a saved model that
    cannot be loaded for this layout (docs/meta_controller.md, "Errors").
    """
    check_game(layout, kind, profile)
    check_agent_key(key, "key")
    check_options(seed, trust_models)
    config = policy_config(key, folder)
    try:
        policy, about = _load(config, kind, layout, profile, seed, trust_models)
    except MetaError as error:
        raise type(error)(f"{key}: {error}") from None
    logger.info("[META] model=%s is %s", key, about)
    return BlockPolicy(key, about, kind, layout, policy)


def check_options(seed: object, trust_models: object) -> None:
    """Raise ContentError if an option has another type, or ``seed`` is negative."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ContentError("argument", "seed", "a whole number from 0 up", brief(seed))
    if not isinstance(trust_models, bool):
        raise ContentError("argument", "trust_models", "True or False", brief(trust_models))


def _load(
    config: PolicyConfig, kind: ActionBlock, layout: Layout, profile: ProfileOptions | None, seed: int, trust: bool
) -> tuple[Policy, str]:
    """Return the policy of an agent and its description."""
    if config.source == "bot":
        own_seed = zlib.crc32(config.key.encode()) ^ int(seed)  # each key has a stream of its own
        return make_bot(config.what, kind, layout, own_seed), f"the bot {config.what}, not a trained model"
    if config.source == "callable":
        if not trust:
            named = f"{shown(config.what)}, which runs its code"
            raise UnsafeModelError(
                f"{config.file}: callable: expected permission to import {named}, got none ({ALLOW})"
            )
        return _callable(config), f"the function {config.what}"
    policy = load_model(Path(config.what), layout, kind, profile=profile, trust=trust)
    return policy, f"the MaskablePPO model {config.what}"


def _callable(config: PolicyConfig) -> Policy:
    """Import the function that a ``policy.json`` names, from its folder or an installed package."""
    try:
        return find_policy(config.what, config.file.parent)
    except PolicyError as error:
        expected = "module:function of something that can be imported and called"
        raise ContentError(str(config.file), "callable", expected, shown(config.what), str(error)) from None
