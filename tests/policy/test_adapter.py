"""Blocks of the flat action space, and what is refused of masks and predictions."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

from w40k_marl.env.aec import RawEnv
from w40k_marl.observe.layout import Layout
from w40k_marl.policy.block_policy import (
    ActionBlock,
    BlockPolicy,
    FlatPolicy,
    block_actions,
    block_masks,
    block_size,
    to_flat,
)
from w40k_marl.policy.errors import EmptyMaskError, LayoutMismatchError, MaskNotGivenError, PredictionError

SMALL = Layout(units_per_side=4, objectives=2)


class _Wider:
    """A layout with six more actions behind the micro block, as later macro decisions have them."""

    units_per_side = select_size = micro_start = 4
    action_count = 4 + 13 + 6


LAYOUTS = pytest.mark.parametrize("layout", [SMALL, cast(Layout, _Wider())], ids=["select", "select and more"])


@LAYOUTS
def test_two_kinds_share_the_space(layout: Layout) -> None:
    micro, macro = block_actions(layout, "micro"), block_actions(layout, "macro")
    assert micro.tolist() == list(range(4, 17))
    assert sorted([*micro, *macro]) == list(range(layout.action_count))
    assert (block_size(layout, "micro"), block_size(layout, "macro")) == (13, layout.action_count - 13)


@LAYOUTS
@pytest.mark.parametrize("kind", ["micro", "macro"])
def test_masks_and_actions_are_shifted_alike(layout: Layout, kind: ActionBlock) -> None:
    flat = block_actions(layout, kind)
    assert to_flat(layout, kind, np.arange(len(flat))).tolist() == flat.tolist()
    masks = np.random.default_rng(1).integers(2, size=(5, layout.action_count), dtype=np.int8)
    assert block_masks(layout, kind, masks).tolist() == masks[:, flat].tolist()


def first(observations: Any, masks: Any) -> Any:
    return np.argmax(masks, axis=1)


@pytest.fixture
def policy() -> BlockPolicy:
    return BlockPolicy("Scout", "test", "micro", SMALL, first)


@pytest.fixture
def seen() -> Any:
    return np.zeros((2, SMALL.observation_size), dtype=np.float32)


def test_mask_must_be_given(policy: BlockPolicy, seen: Any) -> None:
    with pytest.raises(MaskNotGivenError, match="Scout: expected masks of the legal actions, got none"):
        policy.predict(seen)
    with pytest.raises(MaskNotGivenError):
        policy(seen, None)


def test_mask_must_allow_something(policy: BlockPolicy, seen: Any) -> None:
    masks = np.ones((2, 13), dtype=np.int8)
    masks[1] = 0
    with pytest.raises(EmptyMaskError, match="none in row 1"):
        policy(seen, masks)


def test_shapes_are_checked(policy: BlockPolicy, seen: Any) -> None:
    masks = np.ones((2, 13), dtype=np.int8)
    with pytest.raises(LayoutMismatchError, match=rf"\(k, {SMALL.observation_size}\), got \(2, 5\)"):
        policy(seen[:, :5], masks)
    with pytest.raises(PredictionError, match=r"masks of shape \(2, 13\), got \(2, 12\)"):
        policy(seen, masks[:, :12])


def test_predict_takes_one_or_many(policy: BlockPolicy, seen: Any) -> None:
    mask = np.array([0, 0, 1] + [1] * 10, dtype=np.bool_)
    assert policy.predict(seen[0], action_masks=mask) == (2, None)
    actions, state = policy.predict(seen, action_masks=np.stack([mask, ~mask]))
    assert (actions.tolist(), state) == ([2, 0], None)


def test_two_policies_make_a_player() -> None:
    env = RawEnv("small_board")
    env.reset(seed=1)
    player = FlatPolicy(env.layout, first, first)
    for _ in range(40):
        observation, mask = env.session.view(env.session.acting_side)
        action = player(observation[None], mask[None])[0]
        assert action == np.argmax(mask)
        env.step(action)
