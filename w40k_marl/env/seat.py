"""One player learns, the other is played inside ``step``: single-agent views of the game, one or many at a time.

All that the learner earns until its next decision is credited to its action, the last reward included, win or
lose. Both sub-steps are the learner's: selecting a unit, then acting with it; ``macro_seat`` and ``micro_seat`` have
views in which only some of these decisions are. A game that ends before the learner has had a decision is nobody's:
another is begun, and nothing is credited.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, Unpack

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from ..errors import ContentError, NotAnActionError, W40KError, brief
from ..observe.action_blocks import ActionBlock, block_actions
from ..observe.layout import Layout
from ..reward.terms import TERM_COUNT
from ..reward.weights import INFO_KEYS, contributions
from .aec import observation_box
from .arguments import as_array, game_seed_of, kind_of, seed_or_none, whole_number
from .batch import BatchEnv
from .interrupted import Interruptible
from .kernels import MOST_GAMES_WITHOUT_A_DECISION
from .loading import ScenarioName
from .options import GameKeywords
from .policies import Policy, RandomPolicy, ask, check_policy
from .session import Session
from .snapshots import unpickling

__all__ = ["Policy", "RandomPolicy", "SeatEnv", "SeatVectorEnv"]


def _check_seat(seat: int) -> int:
    if isinstance(seat, bool) or not isinstance(seat, int | np.integer) or seat not in (1, 2):
        raise ContentError("argument", "seat", "1 or 2", brief(seat))
    return int(seat) - 1


def _own_actions(layout: Layout, kind: ActionBlock | None) -> NDArray[np.int64]:
    """The flat action of each of the learner's actions."""
    return np.arange(layout.action_count) if kind is None else block_actions(layout, kind)


class SeatEnv(Interruptible, gymnasium.Env[NDArray[np.float32], np.int64]):
    """A Gymnasium environment for one seat of the game; ``action_masks()`` tells what is legal.

    Observation: float32 (layout.observation_size,). Action: ``Discrete(layout.action_count)``. Reward: +1, -1 or 0
    at the end; with ``rewards`` the weighted terms since the last action, each of them in ``infos`` too. An action
    that the mask does not allow loses the game at once, as in ``w40k_v0.env()``. After an exception in the middle of
    a reset or step, Ctrl-C or one that a policy raises, ``step`` and ``action_masks`` raise InterruptedStepError until
    ``reset``.
    """

    metadata: dict[str, Any] = {"render_modes": []}
    kind: ActionBlock | None = None
    """Block of the decisions that are the learner's; None: all of them."""
    unit_types: tuple[str, ...] = ()
    """Unit types whose decisions alone are the learner's; empty: all."""

    def __init__(
        self,
        scenario: ScenarioName | Sequence[ScenarioName] = "macro_default",
        *,
        seat: int = 1,
        opponent: Policy | None = None,
        **options: Unpack[GameKeywords],
    ) -> None:
        """Sit down at ``seat`` (1 or 2) against a policy, by default a random one seeded by ``reset``.

        Raises ContentError for an opponent that is none, or is for another seat, block or layout.
        """
        self.session = Session(scenario, **options)
        self.layout = self.session.layout
        self.side = _check_seat(seat)
        self.opponent = opponent
        self._random_opponent = RandomPolicy(0)
        self.observation_space = observation_box(self.layout)  # type: ignore[assignment]  # Box is of many dtypes
        self._own_actions = _own_actions(self.layout, self.kind)
        self.action_space = gymnasium.spaces.Discrete(len(self._own_actions))
        self._playing = False
        self._forfeited = False
        self._earned = np.zeros(TERM_COUNT)  # by the learner since its last action

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the state of a pickle. Raises ContentError for a seat that does not exist."""
        with unpickling():
            vars(self).update(state)
            _check_seat(self.side + 1)

    @property
    def opponent(self) -> Policy | None:
        """Who plays the other seat from now on; None is a random player. May be set at any time."""
        return self._opponent

    @opponent.setter
    def opponent(self, policy: Policy | None) -> None:
        check_policy("opponent", policy, None, 1 - self.side, self.layout)
        self._opponent = policy

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Begin a game and play it up to the learner's first decision.

        ``options={"game_seed": n}`` begins the very game of that seed, as in ``raw_env``. Raises ContentError, and
        changes nothing, for a seed that is no whole number in its range.
        """
        game_seed = game_seed_of(options)
        super().reset(seed=seed_or_none(seed))
        for _ in range(MOST_GAMES_WITHOUT_A_DECISION):
            self._change(self.session, self.session.reset, self.np_random, game_seed)
            self._playing, self._forfeited = True, False
            game_seed = None
            self._seed_random_players()
            self._play_the_others()
            self._earned[:] = 0  # nothing that comes before the first decision is credited
            if not self.session.over:
                first = self._observation(), self._info()
                self._unfinished = False
                return first
        raise _never_acts(self.side, self.unit_types)

    def _seed_random_players(self) -> None:
        self._random_opponent.random = np.random.default_rng(int(self.np_random.integers(2**63)))

    def step(self, action: Any) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Apply the learner's action, then play on to the learner's next decision or the end.

        Raises W40KError unless a game is being played, NotAnActionError where ``action`` is no whole number, and what
        a policy raises.
        """
        self._check_finished()
        if not self._playing:
            raise W40KError("step: expected reset() before the first step and after the end of a game, got none")
        number = self._number(action)
        self._unfinished = True
        self._earned[:] = 0
        if self._try(number):
            self._collect()
            self._play_the_others()
            over, reward = self.session.over, self._reward()
        else:
            self._forfeited, over, reward = True, True, -1.0
        self._playing = not over
        answer = self._observation(), reward, over, False, self._info()
        self._unfinished = False
        return answer

    def _collect(self) -> None:
        """Add what the last step has paid the learner."""
        if self.session.earnings is not None:
            self._earned += self.session.earnings.paid[self.side]

    def _info(self) -> dict[str, Any]:
        """What each term has paid since the last action, if terms are paid."""
        if self.session.earnings is None:
            return {}
        return dict(zip(INFO_KEYS, self._earned.tolist(), strict=True))

    def _number(self, action: Any) -> int:
        """The learner's action as a plain int. Raises NotAnActionError."""
        try:
            return operator.index(action)
        except TypeError:
            expected = f"a whole number from 0 to {len(self._own_actions) - 1}"
            raise NotAnActionError(f"action: expected {expected}, got {brief(action)}") from None

    def _try(self, number: int) -> bool:
        """Apply the learner's action if it is legal."""
        return 0 <= number < len(self._own_actions) and self.session.try_step(int(self._own_actions[number]))

    def action_masks(self) -> NDArray[np.bool_]:
        """True for each legal action, (actions,); all False when the game is over."""
        self._check_finished()
        mask: NDArray[np.bool_] = self.session.mask()[self._own_actions].astype(np.bool_)
        return np.zeros_like(mask) if self._forfeited else mask

    def _play_the_others(self) -> None:
        """Play on until the learner is to decide, or to the end."""
        session = self.session
        while not session.over and not self._decides():
            session.step(self._choose())
            self._collect()

    def _decides(self) -> bool:
        """Whether the next decision is the learner's."""
        return self.session.acting_side == self.side

    def _choose(self) -> int:
        """The flat action of a decision that is not the learner's."""
        session = self.session
        observation, mask = session.view(1 - self.side)
        opponent = self.opponent or self._random_opponent
        return int(ask(opponent, observation[None], mask[None], self._active_type)[0])

    def _active_type(self) -> NDArray[np.str_]:
        """Type of the active unit, (1,)."""
        return np.array([self.session.active_type or ""])

    def _observation(self) -> NDArray[np.float32]:
        observation, _ = self.session.view(self.side)
        return observation

    def _reward(self) -> float:
        if self.session.earnings is not None:
            return float(self._earned.sum())
        winner = self.session.summary()[2] if self.session.over else 0
        return 0.0 if winner == 0 else 1.0 if winner == self.side + 1 else -1.0


def _never_acts(side: int, unit_types: Sequence[str]) -> W40KError:
    whose = f" of {', '.join(unit_types)}" if unit_types else ""
    return W40KError(
        f"seat {side + 1}: expected a decision{whose} within {MOST_GAMES_WITHOUT_A_DECISION} games, got none: "
        "this player has no unit that could act in the scenario"
    )


class SeatVectorEnv(Interruptible, VectorEnv[NDArray[np.float32], NDArray[np.int64], NDArray[Any]]):
    """``num_envs`` seats at ``num_envs`` games, played in batches; same-step autoreset.

    Observations float32 (n, layout.observation_size), actions (n,), rewards float32 (n,). ``action_masks()`` is
    bool (n, actions). ``infos`` follow Gymnasium: beside each key there is a mask ``_key``, bool (n,), True in the rows
    that have it. After a step that ended games they hold ``final_obs``, float32 (n, layout.observation_size),
    ``winner``, int32 (n,), 0 in a draw, ``victory_points``, int32 (n, 2), and ``final_info``, a dictionary with the
    infos of the games that have ended; else they are empty. With ``rewards`` they also hold, after every step, what
    each term has paid: ``reward/<term>``, float64 (n,). An action that a mask does not allow loses that game, 0 to 0.

    After an exception in the middle of a reset or step, Ctrl-C or one that a policy raises, ``step`` and
    ``action_masks`` raise InterruptedStepError until ``reset``.
    """

    metadata: dict[str, Any] = {"render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}
    kind: ActionBlock | None = None
    """Block of the decisions that are the learner's; None: all of them."""
    unit_types: tuple[str, ...] = ()
    """Unit types whose decisions alone are the learner's; empty: all."""

    def __init__(
        self,
        scenario: ScenarioName | Sequence[ScenarioName] = "macro_default",
        num_envs: int = 64,
        *,
        seat: int = 1,
        opponent: Policy | None = None,
        num_threads: int = 1,
        **options: Unpack[GameKeywords],
    ) -> None:
        """Sit down at ``seat`` (1 or 2) of every game against a policy, by default a random one."""
        self.side = _check_seat(seat)
        whole_number("num_envs", num_envs, 1)
        self.batch = BatchEnv(scenario, num_envs, num_threads=num_threads, **options)
        self.layout = self.batch.layout
        self.num_envs = num_envs = self.batch.num_games
        self.opponent = opponent
        self._final_obs = np.zeros_like(self.batch.observations)  # of the games that the last steps ended
        self._results = np.zeros_like(self.batch.results)
        self._earned = np.zeros((len(self.batch.reward_terms), TERM_COUNT))  # empty where no terms are paid
        self._playing = False
        self._actions = np.zeros(num_envs, dtype=np.int64)
        self._all_rows = np.arange(num_envs)
        self._own_actions = _own_actions(self.layout, self.kind)
        self.single_observation_space = observation_box(self.layout)
        self.single_action_space = gymnasium.spaces.Discrete(len(self._own_actions))
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the state of a pickle. Raises ContentError for a seat that does not exist."""
        with unpickling():
            vars(self).update(state)
            _check_seat(self.side + 1)

    @property
    def opponent(self) -> Policy | None:
        """Who plays the other seats from now on; None is a random player. May be set at any time."""
        return self._opponent

    @opponent.setter
    def opponent(self, policy: Policy | None) -> None:
        check_policy("opponent", policy, None, 1 - self.side, self.layout)
        self._opponent = policy
        sides = np.full(self.num_envs, self.side, dtype=np.int8)
        self._finals = self.batch.watch(sides, others_play=policy is None)

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Begin a game at every seat and play up to the learner's first decisions.

        Raises ContentError, and changes nothing, for a seed that is no whole number from 0, and for a ``game_seed`` in
        ``options``, which is of one game.
        """
        if isinstance(seed, list):
            raise ContentError("argument", "seed", "one seed for all games", brief(seed))
        game_seed = game_seed_of(options)
        if game_seed is not None:
            raise ContentError("argument", 'options["game_seed"]', "none, for many games", str(game_seed))
        self._change(self.batch, self.batch.reset, seed)
        self._playing = True
        everywhere = np.ones(self.num_envs, dtype=np.bool_)
        self._play_the_others(np.zeros(self.num_envs, dtype=np.float32), everywhere)
        self._earned[:] = 0
        first = self.batch.observations.copy(), self._terms()
        self._unfinished = False
        return first

    def step(
        self, actions: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[Any], NDArray[Any], NDArray[Any], dict[str, Any]]:
        """Apply the learners' actions and play on to their next decisions."""
        self._check_finished()
        chosen, legal = self._flat(self._checked(actions))
        self._unfinished = True
        if legal.all():
            self._advance(chosen)
        else:
            self._advance(chosen, np.flatnonzero(legal))
            self._forfeit(np.flatnonzero(~legal))
        rewards = self.batch.rewards[:, self.side].copy()
        ended = self.batch.ended > 0
        if len(self._earned) > 0:
            self._earned[:] = self._paid(self._all_rows)
        self._note(np.flatnonzero(ended))
        self._play_the_others(rewards, ended)
        answer = self.batch.observations.copy(), rewards, ended, np.zeros_like(ended), self._infos(ended)
        self._unfinished = False
        return answer

    def _checked(self, actions: NDArray[np.int64]) -> NDArray[np.int64]:
        if not self._playing:
            raise W40KError("step: expected reset() before the first step, got none")
        given = as_array(actions)
        if given.shape != (self.num_envs,) or given.dtype.kind not in "iu":
            expected = f"whole numbers of shape ({self.num_envs},)"
            raise NotAnActionError(f"actions: expected {expected}, got {kind_of(given)}")
        return given.astype(np.int64)

    def _flat(self, actions: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The flat actions of the learners' actions, and which of them are legal, (n,)."""
        inside = (actions >= 0) & (actions < len(self._own_actions))
        flat = self._own_actions[np.where(inside, actions, 0)]
        legal: NDArray[np.bool_] = inside & (self.batch.action_masks[self._all_rows, flat] != 0)
        return flat, legal

    def _advance(self, actions: NDArray[np.int64], only: NDArray[np.int64] | None = None) -> None:
        """Step all games, or some, by flat actions."""
        self.batch.step(actions, only)

    def _forfeit(self, losers: NDArray[np.int64]) -> None:
        """End the games of some rows as lost, and begin new ones."""
        batch = self.batch
        seen = batch.observations[losers]
        batch.restart(losers)
        self._finals[losers] = seen
        batch.rewards[losers] = 0
        if len(batch.reward_terms) > 0:
            batch.reward_terms[losers] = 0
        batch.rewards[losers, self.side] = -1
        batch.ended[losers] = 1
        batch.results[losers] = (2 - self.side, 0, 0)

    def action_masks(self) -> NDArray[np.bool_]:
        """True for each legal action of each seat, (n, actions)."""
        self._check_finished()
        masks = self.batch.action_masks
        return (masks if self.kind is None else masks[:, self._own_actions]).astype(np.bool_)

    def close_extras(self, **kwargs: Any) -> None:
        """End the threads of the batch."""
        self.batch.close()

    def _note(self, rows: NDArray[np.intp]) -> None:
        """Keep the end of the learner's game: the batch writes over it if the next one ends without a decision."""
        self._final_obs[rows] = self._finals[rows]
        self._results[rows] = self.batch.results[rows]

    def _play_the_others(self, rewards: NDArray[np.float32], ended: NDArray[np.bool_]) -> None:
        """Play on wherever no learner is to decide; what the learner earns and what ends is added in place.

        Where ``ended`` the learner has not been in the game that is played, and neither is added.
        """
        batch = self.batch
        games = np.where(ended, batch.ended, 0)
        waiting = self._not_the_learners(self._all_rows)
        while len(waiting):
            if games.max() > MOST_GAMES_WITHOUT_A_DECISION:
                raise _never_acts(self.side, self.unit_types)
            self._choose(waiting)
            self._advance(self._actions, waiting)
            games[waiting] += batch.ended[waiting]
            playing = waiting[~ended[waiting]]
            rewards[playing] += batch.rewards[playing, self.side]
            if len(self._earned) > 0:
                self._earned[playing] += self._paid(playing)
            over = playing[batch.ended[playing] > 0]
            ended[over] = True
            self._note(over)
            waiting = self._not_the_learners(waiting)

    def _not_the_learners(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """Those of the rows in which the next decision is not the learner's."""
        waiting: NDArray[np.intp] = rows[self.batch.acting_sides[rows] != self.side]
        return waiting

    def _choose(self, rows: NDArray[np.intp]) -> None:
        """Write flat actions for rows in which the learner does not decide, (k,), into ``_actions``."""
        if self.opponent is None:
            self.batch.random_actions(self._actions, rows)
            return
        batch = self.batch
        self._actions[rows] = ask(
            self.opponent, batch.observations[rows], batch.action_masks[rows], lambda: batch.type_names(rows)
        )

    def _paid(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """What each term of the last step has paid the learners of some rows, (k, terms)."""
        batch = self.batch
        paid: NDArray[np.float64] = contributions(batch.reward_weights, batch.reward_terms[rows])[:, self.side]
        return paid

    def _terms(self) -> dict[str, Any]:
        """What each term has paid since the last actions; nothing where no terms are paid."""
        if len(self._earned) == 0:
            return {}
        paid = zip(INFO_KEYS, self._earned.T.copy(), strict=True)
        return _masked(dict(paid), np.ones(self.num_envs, dtype=np.bool_))

    def _infos(self, ended: NDArray[np.bool_]) -> dict[str, Any]:
        """Infos after a step, each key with its mask ``_key``, as Gymnasium's vectors have them."""
        terms = self._terms()
        if not ended.any():
            return terms
        results = np.where(ended[:, None], self._results, 0)
        outcome = {"winner": results[:, 0], "victory_points": results[:, 1:]}
        paid = {key: np.where(ended, terms[key], 0.0) for key in INFO_KEYS if key in terms}
        final = {"final_obs": self._final_obs.copy(), "final_info": _masked({**outcome, **paid}, ended)}
        return {**terms, **_masked({**outcome, **final}, ended)}


def _masked(values: dict[str, Any], rows: NDArray[np.bool_]) -> dict[str, Any]:
    """The values, each followed by a mask of the rows that have it: ``winner``, ``_winner``, ..."""
    return {name: part for key, value in values.items() for name, part in ((key, value), (f"_{key}", rows.copy()))}
