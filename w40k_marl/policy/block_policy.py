"""Policies over one block of the flat action space, with the checks of every prediction.

``FlatPolicy`` makes one player of two of them. ``observe/action_blocks.py`` defines the blocks.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..env.policies import Policy
from ..errors import ContentError, brief
from ..observe.action_blocks import ActionBlock, Actions, Masks, block_actions, block_masks, block_size, to_flat
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
    "ActionBlock",
    "Actions",
    "BlockPolicy",
    "FlatPolicy",
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
    """Raise ContentError if ``kind`` is neither "micro" nor "macro"."""
    if not isinstance(kind, str) or kind not in ("micro", "macro"):
        raise ContentError("argument", "kind", '"micro" or "macro"', brief(kind))


def check_layout(layout: object) -> None:
    """Raise ContentError if ``layout`` is not a Layout."""
    if not isinstance(layout, Layout):
        raise ContentError("argument", "layout", "a Layout", brief(layout))


def check_shapes(name: str, layout: Layout, kind: ActionBlock | None, observations: Vectors, masks: Masks) -> None:
    """Check that observations are (k, observation_size) and masks (k, size of the block).

    ``kind`` None is the whole action space; ``name`` begins the message. Raises LayoutMismatchError
    for other observations, PredictionError for other masks.
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


def check_spaces(name: str, model: object, layout: Layout, kind: ActionBlock) -> None:
    """Check the spaces of a model, if it has any, against those of a block.

    Raises ActionSpaceMismatchError for another number of actions, LayoutMismatchError for another
    shape of observations and for a model of stable-baselines3 that was trained behind
    ``VecNormalize``: the observations of the game are not normalised.
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
    """Return the answer of a policy as an array. Raises PredictionError for a ragged list."""
    try:
        return np.asarray(answer)
    except (ValueError, OverflowError):
        raise PredictionError(f"{name}: expected whole numbers, got {brief(answer)}") from None


class PredictingModel:
    """A model with ``predict(observation, action_masks=...)`` as a ``Policy``.

    It predicts with ``deterministic=True`` if ``predict`` takes that argument. Models of
    stable-baselines3 are called once for all rows, others once for each row.
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
            base.__module__.startswith(("stable_baselines3", "sb3_contrib")) for base in type(model).__mro__
        )

    def __call__(self, observations: Vectors, masks: Masks) -> NDArray[Any]:
        """Return the answers of the model, (k,).

        Raises PredictionError unless there is one number for each observation.
        """
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
    """Return the names of the arguments of a function; None if
    it takes any or they are not known.
    """
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return None
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    return None if takes_any else list(parameters)


@dataclass(frozen=True, slots=True)
class BlockPolicy:
    """A named policy over one block whose answers are checked and never replaced.

    A ``Policy`` from observations (k, observation_size) and masks (k, block_size) to actions (k,).
    """

    name: str  # agent key
    about: str  # description for logs: "bot greedy", "maskable_ppo model.zip"
    kind: ActionBlock
    layout: Layout
    policy: Policy

    def __call__(self, observations: Vectors, masks: Masks | None) -> Actions:
        """Return a legal action for each observation, (k,).

        Raises MaskNotGivenError without masks, LayoutMismatchError for observations of another
        shape, EmptyMaskError for a mask without a legal action, PredictionError for masks or an
        answer of another shape or dtype, IllegalPredictionError for an illegal action.
        """
        if masks is None:
            raise MaskNotGivenError(f"{self.name}: expected masks of the legal actions, got none")
        check_shapes(self.name, self.layout, self.kind, observations, masks)
        empty = np.flatnonzero(~masks.any(axis=1))
        if len(empty):
            raise EmptyMaskError(f"{self.name}: expected a legal action in each mask, got none in row {empty[0]}")
        return self._checked(as_array(self.name, self.policy(observations, masks)), masks)

    def predict(self, observation: Any, *, action_masks: Any = None) -> tuple[Any, None]:
        """Predict as a model of stable-baselines3 does, for one observation and mask or for many.

        Always deterministic; the returned state is None. Raises PredictionError for what is not
        an array of numbers, and otherwise as ``__call__`` does.
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
        """Return the answer of a policy, a legal action for each row, as int64."""
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
        """Return number and name of an action of the block."""
        if not 0 <= action < block_size(self.layout, self.kind):
            return str(action)
        flat = int(to_flat(self.layout, self.kind, np.array([action]))[0])
        return f"{action} {self.layout.describe_action(flat)}"


@dataclass(frozen=True, slots=True)
class FlatPolicy:
    """A macro and a micro policy as one ``Policy`` over the flat action space.

    It has no ``kind``: it makes the decisions of both blocks.
    """

    layout: Layout
    macro: Policy
    micro: Policy
    name: str = "a player of two policies"  # for messages

    @property
    def takes_unit_types(self) -> bool:
        """True if the micro policy takes the types of the active units, such as
        ``RoutedPolicy``.
        """
        return bool(getattr(self.micro, "takes_unit_types", False))

    def __call__(self, observations: Vectors, masks: Masks, unit_types: NDArray[np.str_] | None = None) -> Actions:
        """Return flat actions (k,) for observations (k, observation_size) and masks
        (k, action_count).

        ``unit_types``, str (k,), are passed to a micro policy that takes them. Raises
        LayoutMismatchError for observations of another shape, PredictionError for masks or unit
        types of another shape or dtype, and passes on exceptions of both policies.
        """
        check_shapes(self.name, self.layout, None, observations, masks)
        actions = np.zeros(len(masks), dtype=np.int64)
        micro_masks = block_masks(self.layout, "micro", masks)
        acting: NDArray[np.bool_] = np.asarray(micro_masks.any(axis=1))
        if acting.any():
            types = (self._types(unit_types, acting),) if self.takes_unit_types else ()
            chosen = np.asarray(self.micro(observations[acting], micro_masks[acting], *types))
            actions[acting] = to_flat(self.layout, "micro", chosen)
        if not acting.all():
            macro_masks = block_masks(self.layout, "macro", masks[~acting])
            chosen = np.asarray(self.macro(observations[~acting], macro_masks))
            actions[~acting] = to_flat(self.layout, "macro", chosen)
        return actions

    def _types(self, unit_types: object, acting: NDArray[np.bool_]) -> NDArray[np.str_] | None:
        """Return the types of the units that act; None if none were given."""
        if unit_types is None:
            return None
        types = as_array(self.name, unit_types)
        if types.shape != acting.shape or types.dtype.kind != "U":
            expected = "a unit type for each row"
            raise PredictionError(f"{self.name}: expected {expected}, got shape {types.shape} of {types.dtype}")
        return types[acting]
