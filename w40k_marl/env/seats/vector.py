"""Many games for one learner, stepped in a batch, as Gymnasium vector environments; credited as in
``single.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from ...errors import ContentError, NotAnActionError, W40KError, brief
from ...reward.terms import TERM_COUNT
from ...reward.weights import INFO_KEYS
from ..aec import observation_box
from ..arguments import as_array, game_seed_of, kind_of, whole_number
from ..batch import BatchEnv
from ..loading import ScenarioName
from ..options import GameKeywords
from ..policies import Policy
from .learner import BY_UNIT_TYPE, Learner, check_side, split_rewards
from .partners import Partners, Seat, partner


class SeatVectorEnv(Seat, VectorEnv[NDArray[np.float32], NDArray[np.int64], NDArray[Any]]):
    """``num_envs`` seats at ``num_envs`` games, played in batches; same-step autoreset.

    Observations float32 (n, layout.observation_size), actions (n,), rewards float32 (n,).
    ``action_masks()`` is bool (n, actions). ``infos`` follow Gymnasium: each key has a mask
    ``_key``, bool (n,), True in the rows that have a value. After a step that ended games they hold
    ``final_obs``, float32 (n, layout.observation_size), ``winner``, int32 (n,), 0 in a draw,
    ``victory_points``, int32 (n, 2), and ``final_info``, a dictionary with the infos of the games
    that have ended; otherwise they are empty. With ``rewards`` they also hold, after every step,
    the payment of each term: ``reward/<term>``, float64 (n,). An action that a mask does not allow
    loses that game, 0 to 0.

    If an exception, such as that of Ctrl-C or of a policy, interrupts a reset or step, ``step`` and
    ``action_masks`` raise InterruptedStepError until ``reset``.
    """

    metadata: dict[str, Any] = {"render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}

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
        """Take ``seat`` (1 or 2) of every game against a policy, by default a random one.

        Raises ContentError for an invalid argument, as ``BatchEnv`` and ``SeatEnv`` do.
        """
        side = check_side(seat)
        whole_number("num_envs", num_envs, 1)
        self.batch = BatchEnv(scenario, num_envs, num_threads=num_threads, **options)
        self.layout = self.batch.layout
        self.num_envs = num_envs = self.batch.num_games
        self.learner = Learner(self.layout, side, self.kind)
        self.partners = Partners(self.layout, side, self.kind)
        self.opponent = opponent
        self._final_obs = np.zeros_like(self.batch.observations)  # of the games that the last steps ended
        self._results = np.zeros_like(self.batch.results)
        self._earned = np.zeros((len(self.batch.reward_terms), TERM_COUNT))  # empty where no terms are paid
        self._deciders = np.zeros(num_envs, dtype=np.int16)  # unit types of the learners' last decisions
        self._playing = False
        self._actions = np.zeros(num_envs, dtype=np.int64)
        self._all_rows = np.arange(num_envs)
        self._own_actions = self.learner.flat_actions()
        self.single_observation_space = observation_box(self.layout)
        self.single_action_space = gymnasium.spaces.Discrete(len(self._own_actions))
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    @property
    def opponent(self) -> Policy | None:
        """The policy of the other seats; None is a random player. May be set at any time."""
        return self.partners.policies["opponent"]

    @opponent.setter
    def opponent(self, policy: Policy | None) -> None:
        self.partners.put("opponent", policy)
        sides = np.full(self.num_envs, self.side, dtype=np.int8)
        self._finals = self.batch.watch(sides, others_play=policy is None)

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Begin a game at every seat and play up to the learners' first decisions.

        Raises ContentError, without changing anything, if the seed is not a whole number from 0, or
        if ``options`` hold a ``game_seed``, which applies to one game only.
        """
        if isinstance(seed, list):
            raise ContentError("argument", "seed", "one seed for all games", brief(seed))
        game_seed = game_seed_of(options)
        if game_seed is not None:
            raise ContentError("argument", 'options["game_seed"]', "none, for many games", str(game_seed))
        self._change(self.batch, self.batch.reset, seed)
        self._playing = True
        self._earned[:] = 0
        nothing, everywhere = np.zeros(self.num_envs, dtype=np.float32), np.ones(self.num_envs, dtype=np.bool_)
        self._play_the_others(nothing, everywhere)
        first = self.batch.observations.copy(), self._terms()
        self._unfinished = False
        return first

    def step(
        self, actions: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[Any], NDArray[Any], NDArray[Any], dict[str, Any]]:
        """Apply the learners' actions and play on to their next decisions.

        Raises W40KError before the first ``reset``, NotAnActionError unless ``actions`` are whole
        numbers (n,), and passes on exceptions of policies.
        """
        self._check_finished()
        chosen, legal = self._flat(self._checked(actions))
        self._unfinished = True
        rewards, ended = np.zeros(self.num_envs, dtype=np.float32), np.zeros(self.num_envs, dtype=np.bool_)
        self._earned[:] = 0
        if len(self.learner.weights) > 0:
            self._deciders[:] = self.batch.unit_types
        if legal.all():
            self.batch.step(chosen)
            self._credit(self._all_rows, rewards, ended)
        else:
            rows = np.flatnonzero(legal)
            self.batch.step(chosen, rows)
            self._credit(rows, rewards, ended)
            self._forfeit(np.flatnonzero(~legal), rewards, ended)
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
        """Return the flat actions of the learners' actions, and True for each legal one, (n,)."""
        inside = (actions >= 0) & (actions < len(self._own_actions))
        flat = self._own_actions[np.where(inside, actions, 0)]
        legal: NDArray[np.bool_] = inside & (self.batch.action_masks[self._all_rows, flat] != 0)
        return flat, legal

    def _forfeit(self, losers: NDArray[np.intp], rewards: NDArray[np.float32], ended: NDArray[np.bool_]) -> None:
        """End the games of some rows as lost, and begin new ones."""
        self._final_obs[losers] = self.batch.observations[losers]
        self.batch.restart(losers)
        rewards[losers] = -1
        ended[losers] = True
        self._results[losers] = self.batch.results[losers] = (2 - self.side, 0, 0)

    def action_masks(self) -> NDArray[np.bool_]:
        """Return True for each legal action of each seat, bool (n, actions)."""
        self._check_finished()
        masks = self.batch.action_masks
        return (masks if self.kind is None else masks[:, self._own_actions]).astype(np.bool_)

    def close_extras(self, **kwargs: Any) -> None:
        """End the threads of the batch."""
        self.batch.close()

    def _play_the_others(self, rewards: NDArray[np.float32], ended: NDArray[np.bool_]) -> None:
        """Play on in rows where the learner is not to decide; add
        rewards and ends of games in place.

        In rows where ``ended`` is True the learner has not acted in
        the current game: neither is added.
        """
        batch = self.batch
        games = np.where(ended, batch.ended, 0)
        waiting = self._all_rows[~self.learner.decides_rows(batch, self._all_rows)]
        while len(waiting):
            self.learner.check_games(games.max())
            self.partners.choose_rows(batch, waiting, self._actions)
            batch.step(self._actions, waiting)
            games[waiting] += batch.ended[waiting]
            self._credit(waiting[~ended[waiting]], rewards, ended)
            waiting = waiting[~self.learner.decides_rows(batch, waiting)]

    def _credit(self, rows: NDArray[np.intp], rewards: NDArray[np.float32], ended: NDArray[np.bool_]) -> None:
        """Add the learners' payment for the last step in some rows,
        and keep the ends of their games.

        Ends are kept because the batch overwrites them if the next game ends without a decision.
        """
        batch = self.batch
        earned = batch.rewards[:, self.side][rows]
        if len(self._earned) > 0:
            terms = self._paid(rows)
            self._earned[rows] += terms
            if len(self.learner.weights) > 0:
                earned = terms.sum(axis=1).astype(np.float32)
        rewards[rows] += earned
        over = rows[batch.ended[rows] > 0]
        if len(over) > 0:
            ended[over] = True
            self._final_obs[over] = self._finals[over]
            self._results[over] = batch.results[over]

    def _paid(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the payment of each term of the last step to the
        learners of some rows, (k, terms).
        """
        weights, side = self.batch.reward_weights, self.side
        if len(self.learner.weights) > 0:
            weights = self.learner.weights[self._deciders[rows]].swapaxes(0, 1)
        amounts = self.batch.reward_terms[rows]
        paid: NDArray[np.float64] = weights[0] * amounts[:, side] + weights[1] * amounts[:, 1 - side]
        return paid

    def _terms(self) -> dict[str, Any]:
        """Return the payment of each term since the last actions; empty if terms are not paid."""
        if len(self._earned) == 0:
            return {}
        paid = zip(INFO_KEYS, self._earned.T.copy(), strict=True)
        return _masked(dict(paid), np.ones(self.num_envs, dtype=np.bool_))

    def _infos(self, ended: NDArray[np.bool_]) -> dict[str, Any]:
        """Return the infos after a step, each key with its mask ``_key``, as Gymnasium vector
        environments do.
        """
        terms = self._terms()
        if not ended.any():
            return terms
        results = np.where(ended[:, None], self._results, 0)
        outcome = {"winner": results[:, 0], "victory_points": results[:, 1:]}
        paid = {key: np.where(ended, terms[key], 0.0) for key in INFO_KEYS if key in terms}
        final = {"final_obs": self._final_obs.copy(), "final_info": _masked({**outcome, **paid}, ended)}
        return {**terms, **_masked({**outcome, **final}, ended)}


def _masked(values: dict[str, Any], rows: NDArray[np.bool_]) -> dict[str, Any]:
    """Return the values, each followed by a mask of the rows that
    have it: ``winner``, ``_winner``, ...
    """
    return {name: part for key, value in values.items() for name, part in ((key, value), (f"_{key}", rows.copy()))}


class MacroVectorEnv(SeatVectorEnv):
    """``SeatVectorEnv`` for learners like that of ``MacroEnv``; a
    policy is called for many games at once.
    """

    kind = "macro"
    micro = partner("micro", "The policy that acts with the learners' units")

    def __init__(
        self,
        scenario: ScenarioName | Sequence[ScenarioName] = "macro_default",
        num_envs: int = 64,
        *,
        seat: int = 1,
        opponent: Policy | None = None,
        micro: Policy | None = None,
        num_threads: int = 1,
        **options: Unpack[GameKeywords],
    ) -> None:
        """Take ``seat`` of every game; arguments are those of
        ``SeatVectorEnv`` and ``MacroEnv``.
        """
        super().__init__(scenario, num_envs, seat=seat, opponent=opponent, num_threads=num_threads, **options)
        self.micro = micro


class MicroVectorEnv(SeatVectorEnv):
    """``SeatVectorEnv`` for learners like that of ``MicroEnv``; ``batch.type_names()`` has the
    acting unit types.
    """

    kind = "micro"
    micro = partner("micro", "The policy that acts with the side's other units")
    macro = partner("macro", "The policy that selects the side's units and chooses intents")

    def __init__(
        self,
        scenario: ScenarioName | Sequence[ScenarioName] = "macro_default",
        num_envs: int = 64,
        *,
        unit_types: str | Sequence[str],
        seat: int = 1,
        opponent: Policy | None = None,
        macro: Policy | None = None,
        micro: Policy | None = None,
        num_threads: int = 1,
        **options: Unpack[GameKeywords],
    ) -> None:
        """Take ``seat`` of every game; arguments are those of
        ``SeatVectorEnv`` and ``MicroEnv``.
        """
        weighed, options["rewards"] = split_rewards(options.get("rewards", BY_UNIT_TYPE))
        super().__init__(scenario, num_envs, seat=seat, opponent=opponent, num_threads=num_threads, **options)
        self.micro, self.macro = micro, macro
        names = self.batch.unit_type_names
        self.learner = self.learner.of_unit_types(unit_types, self.batch.settings, names, weighed=weighed)
