"""The checks of every prediction: policies over one block of the flat action space, and two of them as one player.

The indices of the blocks are those of ``observe/action_blocks.py``.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..env.policies import Policy
from ..errors import ContentError, brief
from ..observe.action_blocks import Actions, Kind, Masks, block_actions, block_masks, block_size, to_flat
from ..observe.layout import Layout
from .errors import (
    ActionSpaceMismatchError,
    EmptyMaskError,
    IllegalPredictionError,
    LayoutMismatchError,
    MaskNotGivenError,
    PredictionError,
)

__all__ = [
    "Actions",
    "BlockPolicy",
    "FlatPolicy",
    "Kind",
    "Masks",
    "Vectors",
    "block_actions",
    "block_masks",
    "block_size",
    "check_kind",
    "check_layout",
    "check_shapes",
    "check_spaces",
    "to_flat",
]

Vectors: TypeAlias = NDArray[np.float32]


UNNORMALISED = (
    "expected a model that was trained on the observations of the game, got one that was trained behind VecNormalize"
)


def check_kind(kind: object) -> None:
    """Refuse what is no block. Raises ContentError."""
    if not isinstance(kind, str) or kind not in ("micro", "macro"):
        raise ContentError("argument", "kind", '"micro" or "macro"', brief(kind))


def check_layout(layout: object) -> None:
    """Refuse what is no layout. Raises ContentError."""
    if not isinstance(layout, Layout):
        raise ContentError("argument", "layout", "a Layout", brief(layout))


def check_shapes(name: str, layout: Layout, kind: Kind | None, observations: Vectors, masks: Masks) -> None:
    """Refuse what is not of a layout: observations, LayoutMismatchError, or masks of a block, PredictionError.

    ``kind`` None is the whole action space; ``name`` is the policy's, for the message.
    """
    for given, error, expected in (
        (observations, LayoutMismatchError, "observations"),
        (masks, PredictionError, "masks"),
    ):
        if not isinstance(given, np.ndarray) or given.ndim != 2 or given.dtype.kind not in "biuf":
            raise error(f"{name}: expected {expected}, an array of numbers of shape (k, n), got {brief(given)}")
    rows, size = len(observations), layout.action_count if kind is None else block_size(layout, kind)
    if observations.shape != (rows, layout.observation_size):
        expected = f"observations of shape (k, {layout.observation_size})"
        raise LayoutMismatchError(f"{name}: expected {expected}, got {observations.shape}")
    if masks.shape != (rows, size):
        raise PredictionError(f"{name}: expected masks of shape ({rows}, {size}), got {masks.shape}")


def check_spaces(name: str, model: object, layout: Layout, kind: Kind) -> None:
    """Refuse a model whose own spaces, if it has any, are not those of a block.

    Raises ActionSpaceMismatchError or LayoutMismatchError, the latter also for a model of stable-baselines3 that was
    trained behind ``VecNormalize``: the game's observations are not normalised.
    """
    if getattr(model, "_last_original_obs", None) is not None:
        raise LayoutMismatchError(f"{name}: {UNNORMALISED}")
    seen, actions = getattr(model, "observation_space", None), getattr(model, "action_space", None)
    size, shape = block_size(layout, kind), (layout.observation_size,)
    if actions is not None and (got := getattr(actions, "n", actions)) != size:
        raise ActionSpaceMismatchError(f"{name}: expected {size} actions, got {got}")
    if seen is not None and (found := getattr(seen, "shape", seen)) != shape:
        raise LayoutMismatchError(f"{name}: expected observations of shape {shape}, got {found}")


def as_array(name: str, answer: object) -> NDArray[Any]:
    """The answer of a policy as an array. Raises PredictionError for a ragged list."""
    try:
        return np.asarray(answer)
    except (ValueError, OverflowError):
        raise PredictionError(f"{name}: expected whole numbers, got {brief(answer)}") from None


class PredictingModel:
    """A model with ``predict(observation, action_masks=...)`` as a ``Policy``; deterministic if it can be.

    Models of stable-baselines3 are asked for all rows in one call, others for each row.
    """

    def __init__(self, name: str, model: Any) -> None:
        """Take a model. Raises ContentError if its ``predict`` takes no ``action_masks``."""
        self.name = name
        self.model = model
        taken = _parameters(model.predict)
        if taken is not None and "action_masks" not in taken:
            expected = "a model with predict(observation, action_masks=...), such as MaskablePPO"
            raise ContentError("argument", name, expected, f"predict({', '.join(taken)})")
        self._settings = {"deterministic": True} if taken is not None and "deterministic" in taken else {}
        self.batched = any(
            kind.__module__.startswith(("stable_baselines3", "sb3_contrib")) for kind in type(model).__mro__
        )

    def __call__(self, observations: Vectors, masks: Masks) -> NDArray[Any]:
        """Actions (k,), as the model answers. Raises PredictionError unless there is one number for each row."""
        if self.batched:
            return self._ask(observations, masks != 0)
        rows = [self._ask(*row) for row in zip(observations, masks != 0, strict=True)]
        if any(row.size != 1 for row in rows):
            raise PredictionError(f"{self.name}: expected one action for each observation, got another number of them")
        return np.array([row.reshape(-1)[0] for row in rows])

    def _ask(self, observations: Vectors, masks: NDArray[np.bool_]) -> NDArray[Any]:
        answer = self.model.predict(observations, action_masks=masks, **self._settings)
        return as_array(self.name, answer[0] if isinstance(answer, tuple) and answer else answer)


def _parameters(function: Any) -> list[str] | None:
    """Names of the arguments that a function takes; None if it takes any, or if that is not known."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return None
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    return None if takes_any else list(parameters)


@dataclass(frozen=True, slots=True)
class BlockPolicy:
    """A policy over one block, by name, that refuses instead of repairing; what a registry holds.

    It is called as every ``Policy``: observations (k, observation_size) and masks (k, block_size) to actions (k,).
    """

    name: str  # agent key
    about: str  # what stands behind it, for logs: "bot greedy", "maskable_ppo model.zip"
    kind: Kind
    layout: Layout
    policy: Policy

    def __call__(self, observations: Vectors, masks: Masks | None) -> Actions:
        """Choose an action for each row; raises the errors of predictions, and LayoutMismatchError."""
        if masks is None:
            raise MaskNotGivenError(f"{self.name}: expected masks of the legal actions, got none")
        check_shapes(self.name, self.layout, self.kind, observations, masks)
        empty = np.flatnonzero(~masks.any(axis=1))
        if len(empty):
            raise EmptyMaskError(f"{self.name}: expected a legal action in each mask, got none in row {empty[0]}")
        return self._checked(as_array(self.name, self.policy(observations, masks)), masks)

    def predict(self, observation: Any, *, action_masks: Any = None) -> tuple[Any, None]:
        """As a model of stable-baselines3 predicts: one observation and mask, or many; always deterministic.

        The state that is returned is None: there are no recurrent policies.
        """
        try:
            vectors = np.asarray(observation, dtype=np.float32)
            masks = None if action_masks is None else (np.asarray(action_masks) != 0).astype(np.int8)
        except (TypeError, ValueError, OverflowError):
            raise PredictionError(f"{self.name}: expected arrays of numbers, got {brief(observation)}") from None
        if vectors.ndim == 1:
            return self(vectors[None], None if masks is None else masks.reshape(1, -1))[0], None
        return self(vectors, masks), None

    def _checked(self, answer: NDArray[Any], masks: Masks) -> Actions:
        """The answer of a policy, which must be a legal action for each row."""
        rows, size = masks.shape
        if answer.shape != (rows,) or answer.dtype.kind not in "iu":
            expected = f"whole numbers of shape ({rows},)"
            raise PredictionError(f"{self.name}: expected {expected}, got {answer.dtype} of shape {answer.shape}")
        actions = answer.astype(np.int64)
        inside = (actions >= 0) & (actions < size)
        legal = inside & (masks[np.arange(rows), np.where(inside, actions, 0)] != 0)
        if not legal.all():
            row = int(np.argmin(legal))
            allowed = ", ".join(self._named(action) for action in np.flatnonzero(masks[row]).tolist())
            raise IllegalPredictionError(
                f"{self.name} ({self.about}): expected one of [{allowed}], got {self._named(int(actions[row]))}"
            )
        return actions

    def _named(self, action: int) -> str:
        """An action of the block by number and name."""
        if not 0 <= action < block_size(self.layout, self.kind):
            return str(action)
        flat = int(to_flat(self.layout, self.kind, np.array([action]))[0])
        return f"{action} {self.layout.describe_action(flat)}"


@dataclass(frozen=True, slots=True)
class FlatPolicy:
    """A macro and a micro policy as one ``Policy`` over the flat action space, for opponents and players.

    It has no ``kind``, for it is of no block.
    """

    layout: Layout
    macro: Policy
    micro: Policy

    def __call__(self, observations: Vectors, masks: Masks) -> Actions:
        """Actions (k,) of the flat space for observations (k, observation_size) and masks (k, action_count).

        Raises LayoutMismatchError or PredictionError for those of another layout.
        """
        check_shapes("a player of two policies", self.layout, None, observations, masks)
        actions = np.zeros(len(masks), dtype=np.int64)
        micro_masks = block_masks(self.layout, "micro", masks)
        acting = micro_masks.any(axis=1)
        if acting.any():
            chosen = np.asarray(self.micro(observations[acting], micro_masks[acting]))
            actions[acting] = to_flat(self.layout, "micro", chosen)
        if not acting.all():
            macro_masks = block_masks(self.layout, "macro", masks[~acting])
            chosen = np.asarray(self.macro(observations[~acting], macro_masks))
            actions[~acting] = to_flat(self.layout, "macro", chosen)
        return actions
