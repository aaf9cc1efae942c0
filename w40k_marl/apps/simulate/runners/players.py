"""The players of a load simulation, by name: a bot, the policy of an agent, or
``module:callable``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ....content.reading import read_model
from ....env.policies import Policy, PolicyError, ask, check_policy, find_policy
from ....errors import W40KError
from ....observe.action_blocks import ActionBlock, block_masks, to_flat
from ....observe.layout import Layout
from ....policy.config import PolicyConfig, policy_config
from ....policy.contract import ContractFile

if TYPE_CHECKING:
    from ....observe.macro.offensive_profile import ProfileOptions

RANDOM, FIRST, GREEDY = "random", "first", "greedy"
BUILT_IN = (RANDOM, FIRST)
"""Bots that are compiled with the step of a batch, or that
cost next to nothing in the agent cycle.
"""


@dataclass(frozen=True, slots=True)
class Player:
    """A policy, and the block of the decisions that it makes."""

    policy: Policy
    kind: ActionBlock | None  # None: all decisions; else those of one block, and the others are random
    layout: Layout

    def answer(
        self,
        observations: NDArray[np.float32],
        masks: NDArray[np.int8],
        unit_types: Callable[[], NDArray[np.str_]],
    ) -> NDArray[np.integer]:
        """Return flat actions (k,) for flat masks (k, actions) of its own decisions.

        Raises PolicyError under the conditions of ``ask``, and for any exception of the policy that
        is not a W40KError.
        """
        own_masks = masks if self.kind is None else block_masks(self.layout, self.kind, masks)
        try:
            own = ask(self.policy, observations, own_masks, unit_types)
        except W40KError:
            raise
        except Exception as error:  # the policy may raise anything
            place = extract_tb(error.__traceback__)[-1]
            where = f"line {place.lineno} of {place.filename}"
            raise PolicyError(f"--policy: {type(error).__name__}: {error} ({where})") from error
        return own if self.kind is None else to_flat(self.layout, self.kind, own)


def check_name(name: str) -> None:
    """Raise W40KError if a name is not that of a policy, without loading a model."""
    if ":" in name and not _is_agent(name):
        find_policy(name)
    elif name not in (*BUILT_IN, GREEDY):
        _agent(name)


def find_player(
    name: str,
    layout: Layout,
    *,
    profile: ProfileOptions | None = None,
    seed: int = 0,
    trust_models: bool = False,
) -> tuple[str, Player | None]:
    """Return the name and its player; for a built-in bot its name and None.

    ``random``, ``first`` and ``greedy`` are bots; ``module:callable`` makes all decisions, or with
    an attribute ``kind`` those of that block; an agent key, or the path of an agent's folder, names
    the agent's policy, which makes the decisions of its model's block. ``profile`` is that of the
    games; ``seed`` and ``trust_models`` are those of ``load_policy``. Raises W40KError if the name
    is unknown or its policy does not fit.
    """
    if name in BUILT_IN:
        return name, None
    if name == GREEDY:
        from ....policy.bots import greedy_player

        return name, Player(greedy_player(layout), None, layout)
    if ":" in name and not _is_agent(name):
        policy = find_policy(name)
        kind: ActionBlock | None = getattr(policy, "kind", None)
        for side in (0, 1):
            check_policy("--policy", policy, kind, side, layout)
        return name, Player(policy, kind, layout)
    config = _agent(name)
    if config.source == "bot":
        return find_player(config.what, layout)
    from ....policy.registry import load_policy

    kind = _kind_of(config)
    key, folder = config.key, config.file.parent.parent
    policy = load_policy(key, kind, layout, folder=folder, profile=profile, seed=seed, trust_models=trust_models)
    return name, Player(policy, kind, layout)


def _is_agent(name: str) -> bool:
    """Return True if a name is the path of a folder, which may contain a colon, as on Windows."""
    return len(Path(name).parts) > 1


def _agent(name: str) -> PolicyConfig:
    """Return the config of an agent key or of an agent's folder.
    Raises PolicyError if there is none.
    """
    path = Path(name)
    try:
        return policy_config(path.name, path.parent) if _is_agent(name) else policy_config(name)
    except W40KError as error:
        known = f"{', '.join((*BUILT_IN, GREEDY))}, module:callable or an agent"
        raise PolicyError(f"expected {known}; {error}") from None


def _kind_of(config: PolicyConfig) -> ActionBlock:
    """Return the block of an agent's policy: that of its model's contract, otherwise "micro"."""
    contract = Path(config.what).with_suffix(".contract.json")
    if config.source == "maskable_ppo" and contract.is_file():
        return read_model(contract, ContractFile).kind
    return "micro"
