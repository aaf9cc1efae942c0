"""The layout names every index of observation and action."""

from __future__ import annotations

import copy
import pickle
from itertools import pairwise

import numpy as np
import pytest

from w40k_marl.content.scenario import load_scenario
from w40k_marl.errors import W40KError
from w40k_marl.observe.layout import Layout
from w40k_marl.rules.actions import MICRO_ACTIONS

LAYOUTS = [Layout(), Layout(1, 1), Layout(units_per_side=64, objectives=64)]
each_layout = pytest.mark.parametrize("layout", LAYOUTS, ids=str)


@each_layout
def test_blocks_follow_one_another_without_gaps(layout: Layout) -> None:
    assert layout.blocks[0].start == 0
    assert all(one.stop == two.start for one, two in pairwise(layout.blocks))
    assert layout.blocks[-1].stop == layout.observation_size
    assert layout.state_size == layout.observation_size + 2


@each_layout
def test_every_index_has_a_name_of_its_own(layout: Layout) -> None:
    names = layout.field_names()
    assert len(names) == len(set(names)) == layout.observation_size


def test_shipped_layout_is_what_models_were_made_for() -> None:
    """A change of these numbers is a new version of the environment."""
    layout = Layout()
    assert (layout.observation_size, layout.state_size, layout.action_count) == (922, 924, 29)
    assert [(block.name, block.start, block.rows) for block in layout.blocks] == [
        ("global", 0, 1),
        ("active_unit", 18, 1),
        ("targets", 23, 5),
        ("objectives", 58, 8),
        ("my_units", 90, 16),
        ("enemy_units", 506, 16),
    ]


def test_observation_is_described_by_name_in_order() -> None:
    layout = Layout()
    numbers = layout.describe_observation(np.linspace(-1, 1, layout.observation_size, dtype=np.float32))
    assert list(numbers) == layout.field_names()
    assert numbers["global.turn"] == -1
    assert numbers["enemy_units[15].attacked"] == 1
    assert all(type(value) is float for value in numbers.values())


@pytest.mark.parametrize("shape", [(921,), (923,), (1, 922), ()])
def test_observation_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(W40KError, match=r"observation: expected shape \(922,\), got"):
        Layout().describe_observation(np.zeros(shape, dtype=np.float32))


@each_layout
def test_actions_have_names(layout: Layout) -> None:
    names = [layout.describe_action(action) for action in range(layout.action_count)]
    assert names[: layout.select_size] == [f"select_{slot}" for slot in range(layout.units_per_side)]
    assert names[layout.micro_start :] == list(MICRO_ACTIONS)
    for beyond in (-1, layout.action_count):
        with pytest.raises(IndexError, match="action: expected 0 to"):
            layout.describe_action(beyond)


@each_layout
def test_layouts_of_one_size_are_one_layout(layout: Layout) -> None:
    same = Layout(layout.units_per_side, layout.objectives)
    assert layout.blocks
    assert same == layout == copy.deepcopy(layout) == pickle.loads(pickle.dumps(layout))
    assert hash(same) == hash(layout)


def test_room_for_a_scenario_is_never_less_than_asked_for() -> None:
    scenarios = [load_scenario("macro_default"), load_scenario("small_board")]
    assert Layout().with_room_for(scenarios) == Layout()
    sides = [sum(unit.player == player for unit in one.units) for one in scenarios for player in (1, 2)]
    objectives = max(len(one.objectives) for one in scenarios)
    assert Layout(1, 1, intents=True).with_room_for(scenarios) == Layout(max(sides), objectives, intents=True)
