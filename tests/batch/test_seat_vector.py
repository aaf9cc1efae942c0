"""Many seats at once: the games of ``SeatEnv``, in Gymnasium's form of a vector."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.wrappers.vector import DictInfoToList, RecordEpisodeStatistics

from w40k_marl.env.batch import BatchEnv
from w40k_marl.env.policies import RandomPolicy
from w40k_marl.env.seats import SeatEnv, SeatVectorEnv
from w40k_marl.errors import ContentError, NotAnActionError, W40KError

SEATS = pytest.mark.parametrize("seat", [1, 2])
OPPONENTS = pytest.mark.parametrize("opponent", [None, "first legal"])
Policy = Callable[..., Any]


@pytest.fixture
def policy(first_legal: Policy) -> Callable[[str | None], Policy | None]:
    return lambda name: first_legal if name else None


def choose(env: SeatVectorEnv, random: RandomPolicy) -> Any:
    return random(np.zeros((env.num_envs, 1), dtype=np.float32), env.action_masks().astype(np.int8))


@SEATS
def test_games_are_those_of_single_seats(first_legal: Policy, seat: int) -> None:
    """Against a policy without dice: observation, mask, reward, end and last observation of every step."""
    settings: dict[str, Any] = {"seat": seat, "opponent": first_legal, "max_turns": 2}
    env = SeatVectorEnv("small_board", 5, **settings)
    singles = [SeatEnv("small_board", **settings) for _ in range(5)]

    def begin(row: int) -> Any:
        return singles[row].reset(options={"game_seed": env.batch.game_seed(row, int(env.batch.episodes[row]) - 1)})[0]

    observations, _ = env.reset(seed=3)
    random, ended = RandomPolicy(1), np.zeros(5)
    assert [begin(row).tobytes() for row in range(5)] == [seen.tobytes() for seen in observations]
    for _ in range(150):
        actions = choose(env, random)
        observations, rewards, terminations, truncations, infos = env.step(actions)
        assert not truncations.any()
        for row, single in enumerate(singles):
            seen, reward, over, _, _ = single.step(actions[row])
            assert (rewards[row], terminations[row]) == (reward, over)
            if over:
                assert infos["_final_obs"][row]
                assert infos["final_obs"][row].tobytes() == seen.tobytes()
                _, _, winner, *_, points, enemy_points = single.session.summary()
                assert [infos["winner"][row], *infos["victory_points"][row]] == [winner, points, enemy_points]
                seen = begin(row)
            assert observations[row].tobytes() == seen.tobytes()
            assert env.action_masks()[row].tolist() == single.action_masks().tolist()
        ended += terminations
    assert ended.min() >= 2


@SEATS
def test_games_are_those_of_a_loop_over_a_batch(first_legal: Policy, seat: int) -> None:
    env, batch = SeatVectorEnv("pve", 40, seat=seat, opponent=first_legal), BatchEnv("pve", 40)
    observations, _ = env.reset(seed=1)
    batch.reset(seed=1)
    random, side, everywhere = RandomPolicy(2), seat - 1, np.arange(40)
    paid = np.zeros(40)

    def others() -> None:
        while (batch.acting_sides != side).any():
            rows = everywhere[batch.acting_sides != side]
            batch.step(first_legal(None, batch.action_masks), rows)
            paid[rows] += batch.rewards[rows, side]

    others()
    for _ in range(100):
        assert observations.tobytes() == batch.observations.tobytes()
        assert env.action_masks().tolist() == batch.action_masks.astype(bool).tolist()
        actions = choose(env, random)
        observations, rewards, *_ = env.step(actions)
        batch.step(actions)
        paid[:] = batch.rewards[:, side]
        others()
        assert rewards.tolist() == paid.tolist()


@OPPONENTS
@SEATS
def test_rewards_of_games_are_wins_less_losses(policy: Callable[..., Any], seat: int, opponent: str | None) -> None:
    env = SeatVectorEnv("small_board", 64, seat=seat, opponent=policy(opponent), max_turns=3)
    env.reset(seed=5)
    random, total, balance = RandomPolicy(3), 0.0, np.zeros(3)
    for _ in range(150):
        _, rewards, ended, _, infos = env.step(choose(env, random))
        assert not rewards[~ended].any()
        assert bool(infos) == bool(ended.any())
        total += float(rewards.sum())
        if infos:
            assert infos["_final_obs"].tolist() == ended.tolist()
            np.add.at(balance, infos["winner"][ended], 1)
            margin = infos["victory_points"][ended, 0] - infos["victory_points"][ended, 1]
            decided = margin != 0
            assert ((infos["winner"][ended] == 1) == (margin > 0))[decided].all()
    assert total == balance[seat] - balance[3 - seat]
    assert balance[1] > 0
    assert balance[2] > 0


@OPPONENTS
def test_games_without_a_decision_are_nobodys(
    policy: Callable[..., Any], opponent: str | None, scenario_of: Callable[..., Path]
) -> None:
    """Nothing of them is paid, and the game before them is told as it ended."""
    squad = [(1, "Intercessor", column, 6) for column in (4, 6)]
    shooting = RandomPolicy(6) if opponent else None
    env = SeatVectorEnv(scenario_of(*squad, (2, "Termagant", 5, 3)), 32, seat=2, opponent=shooting, max_turns=1)
    env.reset(seed=1)
    begun, games, random = int(env.batch.episodes.sum()), 0, RandomPolicy(4)
    for _ in range(60):
        _, rewards, ended, _, infos = env.step(choose(env, random))
        games += int(ended.sum())
        assert not rewards[~ended].any()
        if infos:
            paid = np.array([0.0, -1.0, 1.0])[infos["winner"]]
            assert rewards[ended].tolist() == paid[ended].tolist()
            assert (infos["final_obs"][ended, 0] == 1).all(), "the end of the last turn, not a first decision"
    assert games > 100
    assert env.batch.episodes.sum() - begun > 1.1 * games


@SEATS
def test_form_is_gymnasiums(seat: int) -> None:
    env = SeatVectorEnv(["small_board", "macro_default"], 6, seat=seat)
    assert isinstance(env, VectorEnv)
    assert env.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    assert env.num_envs == 6
    observations, infos = env.reset(seed=1)
    assert env.observation_space.contains(observations)
    assert env.observation_space.shape == (6, *env.single_observation_space.shape)
    assert infos == {}
    for _ in range(20):
        actions = choose(env, RandomPolicy(1))
        assert env.action_space.contains(actions)
        observations, rewards, terminations, truncations, infos = env.step(actions)
        assert env.observation_space.contains(observations)
        assert (rewards.shape, terminations.shape, truncations.shape) == ((6,),) * 3
        assert (rewards.dtype, terminations.dtype, truncations.dtype) == (np.float32, np.bool_, np.bool_)
        assert (env.batch.acting_sides == seat - 1).all()
        assert env.action_masks().dtype == np.bool_
        assert env.action_masks().shape == (6, env.layout.action_count)
    assert SeatEnv("small_board").observation_space == env.single_observation_space
    assert SeatEnv("small_board").action_space == env.single_action_space
    env.close()


@pytest.mark.parametrize("rewards", [None, "MacroController"])
def test_infos_follow_gymnasium(rewards: str | None) -> None:
    """Each key has a mask of its rows, also inside ``final_info``; Gymnasium's wrappers make lists of them."""
    env = SeatVectorEnv("small_board", 5, max_turns=1, rewards=rewards)
    wrapped, random, endings = DictInfoToList(RecordEpisodeStatistics(env)), RandomPolicy(1), 0
    wrapped.reset(seed=2)
    inner = env.step
    told: list[dict[str, Any]] = []

    def step(actions: Any) -> Any:
        answer = inner(actions)
        told.append(dict(answer[-1]))
        return answer

    env.step = step  # type: ignore[method-assign]
    for _ in range(60):
        *_, ended, _, infos = wrapped.step(choose(env, random))
        check_masks(told[-1], 5)
        for row, info in enumerate(infos):
            assert {"winner", "victory_points", "final_obs", "final_info"} & set(info) == (
                {"winner", "victory_points", "final_obs", "final_info"} if ended[row] else set()
            )
            if ended[row]:
                endings += 1
                assert info["final_info"]["winner"] == info["winner"] in (0, 1, 2)
                assert info["final_info"]["victory_points"].tolist() == info["victory_points"].tolist()
                assert rewards is None or sum(
                    value for key, value in info["final_info"].items() if key.startswith("reward/")
                ) == pytest.approx(sum(value for key, value in info.items() if key.startswith("reward/")))
    assert endings > 5
    assert any("final_info" in infos and not infos["_winner"].all() for infos in told)


def check_masks(infos: dict[str, Any], rows: int) -> None:
    """Every key and its mask, and zeros where the mask is False."""
    for key in [key for key in infos if not key.startswith("_")]:
        mask = infos[f"_{key}"]
        assert (mask.shape, mask.dtype) == ((rows,), np.bool_)
        if isinstance(infos[key], dict):
            check_masks(infos[key], rows)
        elif key != "final_obs":
            assert not infos[key][~mask].any()


def test_what_a_step_returned_is_not_written_over() -> None:
    env = SeatVectorEnv("small_board", 8, max_turns=1)
    kept = [(env.reset(seed=1)[0],)]
    copies = [tuple(array.copy() for array in kept[0])]
    for _ in range(40):
        *arrays, infos = env.step(choose(env, RandomPolicy(1)))
        kept.append((*arrays, *infos.values()))
        copies.append(tuple(array.copy() for array in kept[-1]))
    for arrays, before in zip(kept, copies, strict=True):
        assert all(np.array_equal(one, other) for one, other in zip(arrays, before, strict=True))


def test_gymnasiums_wrapper_counts_the_episodes() -> None:
    env = SeatVectorEnv("small_board", 8, max_turns=1)
    recorded = RecordEpisodeStatistics(env)
    recorded.reset(seed=1)
    returns, lengths, random = np.zeros(8), np.zeros(8, dtype=int), RandomPolicy(1)
    finished = 0
    for _ in range(60):
        _, rewards, terminations, _, infos = recorded.step(choose(env, random))
        returns += rewards
        lengths += 1
        for row in np.flatnonzero(terminations):
            assert infos["episode"]["r"][row] == returns[row]
            assert infos["episode"]["l"][row] == lengths[row]
            returns[row] = lengths[row] = 0
            finished += 1
    assert finished > 8


@OPPONENTS
@SEATS
def test_illegal_action_loses_that_game_and_no_other(
    policy: Callable[..., Any], seat: int, opponent: str | None
) -> None:
    env, other = (SeatVectorEnv("small_board", 6, seat=seat, opponent=policy(opponent)) for _ in range(2))
    before, _ = env.reset(seed=2)
    other.reset(seed=2)
    legal = choose(env, RandomPolicy(1))
    illegal = legal.copy()
    illegal[[1, 4]] = [28, -1]
    observations, rewards, ended, truncated, infos = env.step(illegal)
    rest = [0, 2, 3, 5]
    assert rewards.tolist() == [0, -1, 0, 0, -1, 0]
    assert ended.tolist() == [False, True, False, False, True, False]
    assert not truncated.any()
    assert infos["final_obs"][[1, 4]].tobytes() == before[[1, 4]].tobytes()
    assert infos["winner"][[1, 4]].tolist() == [3 - seat] * 2
    assert observations[rest].tobytes() == other.step(legal)[0][rest].tobytes()
    assert env.batch.episodes.tolist() == [1, 2, 1, 1, 2, 1]
    assert env.action_masks().any(axis=1).all()
    env.step(choose(env, RandomPolicy(1)))


def test_all_may_lose_by_illegal_actions() -> None:
    env = SeatVectorEnv("small_board", 3)
    env.reset(seed=1)
    _, rewards, ended, _, _ = env.step(np.array([28, 28, 28]))
    assert rewards.tolist() == [-1, -1, -1]
    assert ended.all()


@pytest.mark.parametrize("actions", [np.zeros(3), np.zeros(2, dtype=int), np.zeros((3, 1), dtype=int), [None] * 3])
def test_actions_of_another_kind_are_refused(actions: Any) -> None:
    env = SeatVectorEnv("small_board", 3)
    env.reset(seed=1)
    with pytest.raises(NotAnActionError, match=r"expected whole numbers of shape \(3,\), got "):
        env.step(actions)


def test_step_before_reset_is_refused() -> None:
    with pytest.raises(W40KError, match=r"expected reset\(\) before the first step"):
        SeatVectorEnv("small_board", 3).step(np.zeros(3, dtype=np.int64))


@OPPONENTS
def test_seed_decides_all_games_after_it(policy: Callable[..., Any], opponent: str | None) -> None:
    env = SeatVectorEnv("small_board", 8, seat=2, opponent=policy(opponent), max_turns=1)

    def course(seed: int) -> list[bytes]:
        seen, random = [env.reset(seed=seed)[0].tobytes()], RandomPolicy(3)
        for _ in range(40):
            seen += [array.tobytes() for array in env.step(choose(env, random))[:3]]
        return seen

    first = course(1)
    assert course(1) == first
    assert course(2) != first


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_change_nothing(threads: int) -> None:
    env = SeatVectorEnv("small_board", 300, num_threads=threads, max_turns=1)
    seen, random = [env.reset(seed=1)[0].tobytes()], RandomPolicy(3)
    alone = SeatVectorEnv("small_board", 300, max_turns=1)
    assert seen[0] == alone.reset(seed=1)[0].tobytes()
    for _ in range(30):
        actions = choose(env, random)
        for one, other in zip(env.step(actions)[:3], alone.step(actions)[:3], strict=True):
            assert one.tobytes() == other.tobytes()
    env.close()


def test_one_seed_for_all_games() -> None:
    with pytest.raises(ContentError, match="seed: expected one seed for all games"):
        SeatVectorEnv("small_board", 2).reset(seed=[1, 2])


@OPPONENTS
def test_seat_without_units_is_named(
    policy: Callable[..., Any], opponent: str | None, scenario_of: Callable[..., Path]
) -> None:
    scenario = scenario_of((1, "Intercessor", 4, 10))
    env = SeatVectorEnv(scenario, 4, seat=2, opponent=policy(opponent), max_turns=1)
    with pytest.raises(W40KError, match="seat 2: expected a decision within 100 games, got none"):
        env.reset(seed=1)
