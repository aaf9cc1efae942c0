"""The macro blocks of the observation vector: the dictionary's numbers, in every environment, at the end of it."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import docs_tables
import numpy as np
import pytest

from w40k_marl import w40k_v0
from w40k_marl.env.aec import PLAYERS
from w40k_marl.env.batch import BatchEnv
from w40k_marl.env.policies import RandomPolicy
from w40k_marl.env.seats import SeatEnv, SeatVectorEnv
from w40k_marl.env.session import Session
from w40k_marl.errors import ContentError
from w40k_marl.observe.layout import Layout
from w40k_marl.observe.macro.fields import MACRO_PRIORITY_FIELDS, MACRO_THREAT_FIELDS
from w40k_marl.observe.macro.observation import macro_vector
from w40k_marl.observe.macro.offensive_profile import ProfileOptions
from w40k_marl.train.config import TrainingConfig

Play = Callable[[Session, int], Iterator[int]]

MACRO = Layout(macro=True)
EXTRAS = Layout(macro=True, macro_extras=True)
OPTIONS = [
    None,
    ProfileOptions(dynamic_weights=True, best_weapons=2),
    ProfileOptions(real_range=True, weapon_rules=True),
    ProfileOptions(selectable_only=True, dynamic_weights=True, best_weapons=3),
]


def blocks(layout: Layout) -> dict[str, slice]:
    return {block.name: slice(block.start, block.stop) for block in layout.blocks}


def macro_part(layout: Layout) -> slice:
    return slice(blocks(layout)["macro_global"].start, blocks(layout)["macro_objectives"].stop)


# --- the layout -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", [Layout(), Layout(3, 2), Layout(64, 64)])
def test_blocks_come_behind_all_others(layout: Layout) -> None:
    macro = Layout(layout.units_per_side, layout.objectives, macro=True)
    extras = Layout(layout.units_per_side, layout.objectives, macro=True, macro_extras=True)
    units, objectives = 2 * layout.units_per_side, layout.objectives
    assert macro.blocks[:-3] == layout.blocks
    assert extras.blocks[:-2] == macro.blocks
    assert [(block.name, block.rows) for block in extras.blocks[-5:]] == [
        ("macro_global", 1),
        ("macro_units", units),
        ("macro_objectives", objectives),
        ("macro_threats", units),
        ("macro_priorities", objectives),
    ]
    assert macro.action_count == layout.action_count
    assert len(extras.field_names()) == len(set(extras.field_names())) == extras.observation_size


def test_layout_with_macro_blocks_is_another_layout() -> None:
    assert len({Layout(), MACRO, EXTRAS}) == 3
    assert pickle.loads(pickle.dumps(EXTRAS)) == EXTRAS == copy.deepcopy(EXTRAS)


@pytest.mark.parametrize("flags", [{"macro": 1}, {"macro": True, "macro_extras": 0}, {"macro_extras": True}])
def test_flags_that_are_none_are_refused(flags: dict[str, Any]) -> None:
    with pytest.raises(ContentError, match=f"layout: {list(flags)[-1]}: expected"):
        Layout(**flags)


def test_counts_and_points_have_bounds_of_their_own() -> None:
    names = EXTRAS.field_names()
    low, high = (dict(zip(names, bound.tolist(), strict=True)) for bound in EXTRAS.observation_bounds)
    assert (low["macro_global.army_value_diff"], high["macro_global.army_value_diff"]) == (-640_000, 640_000)
    assert (low["macro_global.objectives_player_2"], high["macro_global.objectives_player_2"]) == (0, 64)
    others = [name for name in names if (low[name], high[name]) != (-1, 1)]
    assert {name.rpartition(".")[2] for name in others} == {
        "army_value_diff", "objectives_player_1", "objectives_player_2", "value_norm",
    }  # fmt: skip
    assert (Layout().observation_bounds[0] == -1).all()
    assert (Layout().observation_bounds[1] == 1).all()


def test_tables_of_documentation_know_the_blocks() -> None:
    text = docs_tables.observation_tables(EXTRAS)
    for block in EXTRAS.blocks[-5:]:
        assert f"**`{block.name}`**" in text
        assert all(f"`{field}` | {meaning} |" in text for field, meaning in block.fields)


# --- the numbers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("scenario", ["small_board", "open_field"])
def test_blocks_hold_the_numbers_of_the_dictionary(play: Play, scenario: str, options: ProfileOptions | None) -> None:
    """For both players alike, at every third decision of a game and at its end."""
    session = Session(scenario, layout=EXTRAS, profile=options, max_turns=2)
    for index, _ in enumerate(play(session, 5)):
        if index % 3 == 0:
            _same_numbers(session)
    assert session.over
    _same_numbers(session)


def _same_numbers(session: Session) -> None:
    part, where = macro_part(EXTRAS), blocks(EXTRAS)
    low, high = EXTRAS.observation_bounds
    seen = session.macro_observation(extras=True)
    first, second = (session.view(side)[0] for side in (0, 1))
    assert first[part.start :].tobytes() == second[part.start :].tobytes()
    assert first[part] == pytest.approx(macro_vector(seen, units=32, objectives=8, max_turns=2), abs=1e-6)
    _same_rows(first[where["macro_threats"]], seen["threats"], len(MACRO_THREAT_FIELDS))
    _same_rows(first[where["macro_priorities"]], seen["priorities"], len(MACRO_PRIORITY_FIELDS))
    assert ((first >= low) & (first <= high)).all()


def _same_rows(numbers: Any, rows: list[dict[str, float]], width: int) -> None:
    assert numbers[: len(rows) * width].tolist() == [value for row in rows for value in row.values()]
    assert not numbers[len(rows) * width :].any()


def test_other_blocks_and_actions_stay_what_they_were(play: Play) -> None:
    plain, macro = Session("small_board"), Session("small_board", layout=MACRO)
    macro.reset(np.random.default_rng(2))
    for action in play(plain, 2):
        for side in (0, 1):
            one, two = plain.view(side), macro.view(side)
            assert one[0].tobytes() == two[0][: plain.layout.observation_size].tobytes()
            assert one[1].tobytes() == two[1].tobytes()
        macro.step(action)
    assert macro.over


def test_looking_is_pure() -> None:
    session = Session("small_board", layout=EXTRAS, profile=OPTIONS[3])
    random = np.random.default_rng(0)
    session.reset(random)
    for _ in range(80):
        before = session.games.tobytes()
        assert session.view(0)[0].tobytes() == session.view(0)[0].tobytes()
        session.macro_observation(extras=True)
        assert session.games.tobytes() == before
        session.step(int(random.choice(session.legal_actions())))


# --- the environments -----------------------------------------------------------------------------------------


def test_environment_has_the_blocks_within_its_spaces() -> None:
    env = w40k_v0.raw_env(scenario="small_board", layout=EXTRAS)
    env.reset(seed=1)
    random = np.random.default_rng(1)
    for _ in range(120):
        for player in PLAYERS:
            assert env.observation_space(player).contains(env.observe(player))
        assert env.state_space.contains(env.state())
        named = EXTRAS.describe_observation(env.observe("player_2")["observation"])
        assert named["macro_global.army_value_diff"] == env.session.macro_observation()["global"]["army_value_diff"]
        mask = env.observe(env.agent_selection)["action_mask"]
        env.step(int(random.choice(np.flatnonzero(mask))))


def test_copies_and_pickles_keep_the_options() -> None:
    session = Session("small_board", layout=MACRO, profile=OPTIONS[3])
    session.reset(np.random.default_rng(3))
    for twin in (copy.deepcopy(session), pickle.loads(pickle.dumps(session))):
        assert twin.options.profile == OPTIONS[3]
        assert twin.view(0)[0].tobytes() == session.view(0)[0].tobytes()
        assert twin.macro_observation() == session.macro_observation()


@pytest.mark.parametrize("options", [None, OPTIONS[3]], ids=str)
def test_rows_of_a_batch_show_what_a_session_shows(options: ProfileOptions | None) -> None:
    """In every row after every step, and after a snapshot is put back."""
    batch = BatchEnv(["small_board", "open_field"], 4, layout=EXTRAS, profile=options, max_turns=1)
    sessions = [Session(name, layout=EXTRAS, profile=options, max_turns=1) for name in ("small_board", "open_field")]
    batch.reset(seed=9)
    for _ in range(60):
        for row in range(4):
            session = sessions[row // 2]
            session.restore(batch.snapshot(row))
            assert batch.observations[row].tobytes() == session.view(session.acting_side)[0].tobytes()
        batch.step(batch.random_actions())
    assert batch.episodes.max() > 1
    batch.observations[2] = 0
    batch.restore(2, batch.snapshot(2))
    sessions[1].restore(batch.snapshot(2))
    assert batch.observations[2].tobytes() == sessions[1].view(sessions[1].acting_side)[0].tobytes()


@pytest.mark.parametrize("opponent", [None, "policy"])
def test_seats_see_the_blocks_at_the_end_of_a_game_too(opponent: str | None) -> None:
    """The last observation is of the game that ended, not of the one begun in its place."""
    settings: dict[str, Any] = {"opponent": _first_legal if opponent else None, "layout": EXTRAS, "max_turns": 1}
    seats = SeatVectorEnv("small_board", 3, **settings)
    assert seats.single_observation_space == SeatEnv("small_board", **settings).observation_space
    seats.reset(seed=2)
    random, ends = RandomPolicy(1), 0
    part = blocks(EXTRAS)["macro_global"]
    for _ in range(60):
        masks = seats.action_masks().astype(np.int8)
        seen, _, ended, _, infos = seats.step(random(np.zeros((3, 1), dtype=np.float32), masks))
        assert all(seats.single_observation_space.contains(row) for row in seen)
        for row in np.flatnonzero(ended):
            last = infos["final_obs"][row]
            assert last[part][[0, 4, 6]].tolist() == [1, 1, 1], "last turn, fight phase, player 2"
            named = EXTRAS.describe_observation(last)
            value = [named[f"{side}_units[{slot}].alive"] for side in ("my", "enemy") for slot in range(16)]
            alive = sum(named[f"macro_units[{index}].hp_ratio"] > 0 for index in range(32))
            assert alive == sum(value)
            ends += 1
    assert ends > 3


def _first_legal(_: Any, masks: Any) -> Any:
    return np.argmax(masks, axis=1)


# --- the size that a training entry expects -------------------------------------------------------------------


def test_size_of_a_training_entry_is_checked() -> None:
    def entry(size: int | None, **flags: bool) -> TrainingConfig:
        return TrainingConfig("small_board", "agent", None, Layout(16, 8, **flags), obs_size=size)

    assert entry(922).checked_layout() == entry(None).checked_layout() == Layout()
    assert entry(EXTRAS.observation_size, macro=True, macro_extras=True).checked_layout() == EXTRAS
    with pytest.raises(ContentError, match=r"training\.json: obs_size: expected 922, the .*, got 323"):
        entry(323).checked_layout()
    with pytest.raises(ContentError, match=f"expected {MACRO.observation_size}, .* got 922"):
        entry(922, macro=True).checked_layout()
