"""One game for one learner, as Gymnasium environments.

All rewards of the learner until its next decision, the final reward included, are credited to its
last action. A game that ends before the learner's first decision is not credited: another one
begins.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence
from typing import Any, Unpack

import gymnasium
import numpy as np
from numpy.typing import NDArray

from ...errors import NotAnActionError, W40KError, brief
from ...reward.terms import TERM_COUNT
from ...reward.weights import INFO_KEYS, Weights, contributions
from ..aec import observation_box
from ..arguments import game_seed_of, seed_or_none
from ..loading import ScenarioName
from ..options import GameKeywords
from ..policies import Policy
from ..session import Session
from .learner import BY_UNIT_TYPE, Learner, check_side, split_rewards
from .partners import Partners, Seat, partner


class SeatEnv(Seat, gymnasium.Env[NDArray[np.float32], np.int64]):
    """A Gymnasium environment for one seat of the game;
    ``action_masks()`` returns the legal actions.

    Observation: float32 (layout.observation_size,). Action: ``Discrete(layout.action_count)``:
    selecting a unit, then acting with it. Reward: +1, -1 or 0 at the end; with ``rewards`` the
    weighted terms since the last action, each of them also in ``infos``. An action that the mask
    does not allow loses the game at once, as in ``w40k_v0.env()``. If an exception, such as that of
    Ctrl-C or of a policy, interrupts a reset or step, ``step`` and ``action_masks`` raise
    InterruptedStepError until ``reset``.
    """

    metadata: dict[str, Any] = {"render_modes": []}

    def __init__(
        self,
        scenario: ScenarioName | Sequence[ScenarioName] = "macro_default",
        *,
        seat: int = 1,
        opponent: Policy | None = None,
        **options: Unpack[GameKeywords],
    ) -> None:
        """Take ``seat`` (1 or 2) against a policy, by default a random one seeded by ``reset``.

        Raises ContentError for an invalid scenario or option, or if ``seat`` is not 1 or 2, or
        ``opponent`` is not a policy or is for another seat, block or layout.
        """
        self.session = Session(scenario, **options)
        self.layout = self.session.layout
        self.learner = Learner(self.layout, check_side(seat), self.kind)
        self.partners = Partners(self.layout, self.side, self.kind)
        self.opponent = opponent
        self.observation_space = observation_box(self.layout)  # type: ignore[assignment]  # Box is of many dtypes
        self._own_actions = self.learner.flat_actions()
        self.action_space = gymnasium.spaces.Discrete(len(self._own_actions))
        self._playing = False
        self._forfeited = False
        self._earned = np.zeros(TERM_COUNT)  # by the learner since its last action
        self._weights: Weights | None = None  # that pay its last action; None: those of the game

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Begin a game and play it up to the learner's first decision.

        ``options={"game_seed": n}`` begins the game of that seed, as in ``raw_env``. Raises
        ContentError, without changing anything, if a seed is not a whole number in its range.
        """
        game_seed = game_seed_of(options)
        super().reset(seed=seed_or_none(seed))
        for game in itertools.count(1):
            self.learner.check_games(game)
            self._change(self.session, self.session.reset, self.np_random, game_seed)
            self._playing, self._forfeited = True, False
            game_seed = None
            self.partners.seed(self.np_random)
            self._play_the_others()
            if not self.session.over:
                break
        self._earned[:] = 0  # rewards before the first decision are not credited
        first = self._observation(), self._info()
        self._unfinished = False
        return first

    def step(self, action: Any) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Apply the learner's action, then play on to the learner's next decision or the end.

        Raises W40KError if no game is being played, NotAnActionError if ``action`` is not a whole
        number, and passes on exceptions of policies.
        """
        self._check_finished()
        if not self._playing:
            raise W40KError("step: expected reset() before the first step and after the end of a game, got none")
        number = self._number(action)
        self._unfinished = True
        self._earned[:] = 0
        if len(self.learner.weights) > 0:
            self._weights = self.learner.weights[self.learner.type_names.index(self.session.active_type or "")]
        if 0 <= number < len(self._own_actions) and self.session.try_step(int(self._own_actions[number])):
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
        """Add the learner's payment for the last step."""
        earnings = self.session.earnings
        if earnings is not None:
            paid = earnings.paid if self._weights is None else contributions(self._weights, earnings.amounts)
            self._earned += paid[self.side]

    def _info(self) -> dict[str, Any]:
        """Return the payment of each term since the last action; empty if terms are not paid."""
        if self.session.earnings is None:
            return {}
        return dict(zip(INFO_KEYS, self._earned.tolist(), strict=True))

    def _number(self, action: Any) -> int:
        """Return the learner's action as an int. Raises
        NotAnActionError if it is not a whole number.
        """
        try:
            return operator.index(action)
        except TypeError:
            expected = f"a whole number from 0 to {len(self._own_actions) - 1}"
            raise NotAnActionError(f"action: expected {expected}, got {brief(action)}") from None

    def action_masks(self) -> NDArray[np.bool_]:
        """Return True for each legal action, bool (actions,); all False if the game is over."""
        self._check_finished()
        mask: NDArray[np.bool_] = self.session.mask()[self._own_actions].astype(np.bool_)
        return np.zeros_like(mask) if self._forfeited else mask

    def _play_the_others(self) -> None:
        """Play on until the learner is to decide or the game ends."""
        session, learner = self.session, self.learner
        while not session.over and not learner.decides(session):
            session.step(self.partners.choose(session))
            self._collect()

    def _observation(self) -> NDArray[np.float32]:
        observation, _ = self.session.view(self.side)
        return observation

    def _reward(self) -> float:
        if self.session.earnings is not None:
            return float(self._earned.sum())
        winner = self.session.summary()[2] if self.session.over else 0
        return 0.0 if winner == 0 else 1.0 if winner == self.side + 1 else -1.0


class MacroEnv(SeatEnv):
    """``SeatEnv`` for a learner that selects units and, in layouts
    with intents, chooses intents and details.

    Action: ``Discrete``, all blocks of the layout except micro, without a gap:
    ``observe.action_blocks.block_size(layout, "macro")``. Rewards for actions of the frozen micro
    policy and of the opponent are credited to the last macro action. All else is as in ``SeatEnv``.
    """

    kind = "macro"
    micro = partner("micro", "The policy that acts with the learner's units")

    def __init__(
        self,
        scenario: ScenarioName | Sequence[ScenarioName] = "macro_default",
        *,
        seat: int = 1,
        opponent: Policy | None = None,
        micro: Policy | None = None,
        **options: Unpack[GameKeywords],
    ) -> None:
        """Take ``seat`` (1 or 2); ``micro`` plays the micro actions
        of its units, by default at random.

        ``micro`` maps observations (k, observation_size) and masks (k, 13) to actions (k,) of 13.
        Raises ContentError if ``micro`` is for another block, seat or layout, and under the
        conditions of ``SeatEnv``.
        """
        super().__init__(scenario, seat=seat, opponent=opponent, **options)
        self.micro = micro


class MicroEnv(SeatEnv):
    """``SeatEnv`` for a learner that acts with the units of ``unit_types``, once they are selected.

    Action: ``Discrete(13)``, the micro actions. All rewards until the next decision of such a unit
    are credited to the last one; by default they are weighed by the ``rewards.json`` of the agent
    of the unit that decided.
    """

    kind = "micro"
    micro = partner("micro", "The policy that acts with the side's other units")
    macro = partner("macro", "The policy that selects the side's units and chooses intents")

    def __init__(
        self,
        scenario: ScenarioName | Sequence[ScenarioName] = "macro_default",
        *,
        unit_types: str | Sequence[str],
        seat: int = 1,
        opponent: Policy | None = None,
        macro: Policy | None = None,
        micro: Policy | None = None,
        **options: Unpack[GameKeywords],
    ) -> None:
        """Take ``seat`` for the units of some types, by name, or of all types of an agent key.

        ``macro`` selects the units (and chooses intents), ``micro`` acts with those of the other
        types; both play at random by default. ``rewards`` is "unit_types" by default; "result" or
        None pays the result alone, all else is as in ``SeatEnv``. Raises ContentError for types
        that the player does not have, for policies of another block or seat, and under the
        conditions of ``SeatEnv``.
        """
        weighed, options["rewards"] = split_rewards(options.get("rewards", BY_UNIT_TYPE))
        super().__init__(scenario, seat=seat, opponent=opponent, **options)
        self.micro, self.macro = micro, macro
        self.learner = self.learner.of_unit_types(unit_types, self.session.settings, weighed=weighed)
