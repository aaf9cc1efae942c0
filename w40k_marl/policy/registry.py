"""All models that a game may ask for, loaded once before it begins; nothing is loaded later."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..content.policies import MetaConfig, PolicyConfig, check_agent_key, policy_config
from ..env.policies import Policy, PolicyError, find_policy
from ..errors import ContentError, did_you_mean
from ..observe.layout import Layout
from .adapter import BlockPolicy, Kind, check_kind, check_layout
from .bots import make_bot
from .errors import UnknownModelError

if TYPE_CHECKING:
    from ..observe.profiles import ProfileOptions

logger = logging.getLogger("w40k_marl.meta")


class ModelsRegistry(Mapping[str, BlockPolicy]):
    """Agent key to micro policy, with the mapping, the default and the strictness that choose among them.

    ``registry[key]`` raises UnknownModelError for a key that was not loaded.
    """

    def __init__(self, meta: MetaConfig, layout: Layout, policies: Mapping[str, BlockPolicy]) -> None:
        """Take policies that are loaded; ``load_registry`` makes them."""
        self.meta = meta
        self.layout = layout
        self._policies = dict(policies)

    def __getitem__(self, key: str) -> BlockPolicy:
        """The policy of an agent key."""
        try:
            return self._policies[key]
        except KeyError:
            known, hint = ", ".join(self._policies), did_you_mean(key, self._policies)
            raise UnknownModelError(
                f'model: expected one of those loaded at start, {known}, got "{key}"' + (f" ({hint})" if hint else "")
            ) from None

    def __contains__(self, key: object) -> bool:
        """Whether a key was loaded."""
        return key in self._policies

    def __iter__(self) -> Iterator[str]:
        """The keys, in the order in which they were loaded."""
        return iter(self._policies)

    def __len__(self) -> int:
        """How many models were loaded."""
        return len(self._policies)


def check_registry(registry: object) -> None:
    """Refuse what holds no loaded models. Raises ContentError."""
    if not isinstance(registry, ModelsRegistry):
        got = type(registry).__name__
        raise ContentError("argument", "models_registry", "a ModelsRegistry, such as load_registry returns", got)


def load_registry(
    meta: MetaConfig,
    layout: Layout,
    *,
    profile: ProfileOptions | None = None,
    seed: int = 0,
    trust_models: bool = False,
) -> ModelsRegistry:
    """Load every model that ``meta`` requires: all mapped ones, and the default where the mapping is not strict.

    ``profile`` is that of the games, for layouts with macro blocks; ``seed`` that of random bots; ``trust_models``
    allows to unpickle files, which runs the code in them. Raises the errors of ``load_policy``, and ContentError for
    what is no ``MetaConfig``.
    """
    if not isinstance(meta, MetaConfig):
        raise ContentError("argument", "meta", "a MetaConfig, such as meta_config() returns", repr(meta))
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
    kind: Kind,
    layout: Layout,
    *,
    folder: Path | None = None,
    profile: ProfileOptions | None = None,
    seed: int = 0,
    trust_models: bool = False,
) -> BlockPolicy:
    """What stands behind an agent key, ready to act; said once in the log.

    Raises ContentError for an unknown key or a broken ``policy.json``, and for models the errors of ``load_model``.
    """
    check_kind(kind)
    check_layout(layout)
    check_agent_key(key, "key")
    config = policy_config(key, folder)
    policy, about = _load(config, kind, layout, profile, seed, trust_models)
    logger.info("[META] model=%s is %s", key, about)
    return BlockPolicy(key, about, kind, layout, policy)


def _load(
    config: PolicyConfig, kind: Kind, layout: Layout, profile: ProfileOptions | None, seed: int, trust: bool
) -> tuple[Policy, str]:
    """The policy, and what it is in words."""
    if config.kind == "bot":
        own_seed = zlib.crc32(config.key.encode()) ^ seed  # each key has a stream of its own
        return make_bot(config.what, kind, layout, own_seed), f"the bot {config.what}, not a trained model"
    if config.kind == "callable":
        return _callable(config), f"the function {config.what}"
    from .saved import load_model

    policy = load_model(Path(config.what), layout, kind, profile=profile, trust=trust)
    return policy, f"the MaskablePPO model {config.what}"


def _callable(config: PolicyConfig) -> Policy:
    """The function that a ``policy.json`` names, from its folder or from what is installed."""
    try:
        return find_policy(config.what, config.file.parent)
    except PolicyError as error:
        expected = "module:function of something that can be imported and called"
        raise ContentError(str(config.file), "callable", expected, f'"{config.what}"', str(error)) from None
