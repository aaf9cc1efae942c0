"""The PettingZoo agent-cycle environment: ``RawEnv`` raises on illegal input, ``Env`` ends the game instead."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Sequence
from math import fsum
from typing import Any, TypeAlias, TypedDict, Unpack

import gymnasium
import numpy as np
from gymnasium.utils import seeding
from numpy.typing import NDArray
from pettingzoo.utils.env import AECEnv
from pettingzoo.utils.env_logger import EnvLogger

from ..errors import ActionError, ContentError, IllegalActionError, NotAnActionError, W40KError, brief
from ..observe.layout import Layout
from ..reward.terms import Amounts
from ..reward.weights import INFO_KEYS
from ..rules.state import (
    DETAIL_DUE,
    SUMMARY_OVER,
    SUMMARY_PHASE,
    SUMMARY_POINTS,
    SUMMARY_SIDE,
    SUMMARY_TURN,
    SUMMARY_WINNER,
)
from ..view.text import draw
from .arguments import game_seed_of, seed_or_none, whole_number
from .events import Event, detail_id
from .interrupted import Interruptible
from .loading import ScenarioName
from .options import GameKeywords
from .session import Session, Snapshot, View

PLAYERS = ("player_1", "player_2")
RENDER_MODES = ("ansi", "human")
_SIDES = {player: side for side, player in enumerate(PLAYERS)}

Info: TypeAlias = dict[str, float]


class Observation(TypedDict):
    """The observation of one agent."""

    observation: NDArray[np.float32]  # (layout.observation_size,)
    action_mask: NDArray[np.int8]  # (layout.action_count,), 1 for legal


class RawEnv(Interruptible, AECEnv[str, Any, Any]):
    """A two-player hex wargame; a turn consists of *select a unit*, then *micro actions* of this
    unit.

    The agents are ``player_1`` and ``player_2``. The owner of the unit acts, also in the other's
    fight phase. The action space is one flat ``Discrete(layout.action_count)``: one slot per unit
    of the player's side in roster order, then the 13 micro actions. Observation:
    ``{"observation": float32 (layout.observation_size,), "action_mask": int8 (action_count,)}``.
    Reward: at the end of the last round +1 for the winner, -1 for the loser, 0 in a draw; 0 before.
    With ``rewards``, each step pays the weighted terms instead (docs/rewards.md), and ``infos``
    contain each term.

    Illegal input raises an ``errors.ActionError`` (a ValueError) and changes nothing; reading the
    game before ``reset`` raises AssertionError. Actions are whole numbers of any type; ``True`` is
    1, as everywhere in Python. After Ctrl-C or another exception during a reset or step, all
    methods except ``reset``, ``restore`` and ``close`` raise InterruptedStepError, and the
    attributes have no meaning.
    """

    metadata: dict[str, Any] = {
        "name": "w40k_v0",
        "render_modes": list(RENDER_MODES),
        "render_fps": 4,
        "is_parallelizable": False,
    }
    _unfinished = True  # until the first reset

    def __init__(
        self,
        scenario: ScenarioName | Sequence[ScenarioName] = "macro_default",
        *,
        render_mode: str | None = None,
        **options: Unpack[GameKeywords],
    ) -> None:
        """Load the scenarios; if there are several, each reset draws one.

        ``options`` are those of ``GameOptions``. Raises ContentError if a file or an argument is
        invalid.
        """
        super().__init__()  # type: ignore[no-untyped-call]
        if render_mode is not None and not (isinstance(render_mode, str) and render_mode in RENDER_MODES):
            modes = " or ".join(map(repr, RENDER_MODES))
            raise ContentError("argument", "render_mode", f"None, {modes}", brief(render_mode))
        self.session = Session(scenario, **options)
        self.layout = self.session.layout
        self._action_count = self.layout.action_count
        self.render_mode = render_mode
        self.possible_agents = list(PLAYERS)
        self._observation_space = self._make_observation_space()
        self._action_space: gymnasium.spaces.Discrete = gymnasium.spaces.Discrete(self.layout.action_count)
        self.state_space = self._make_state_space()
        self._random, _ = seeding.np_random(None)
        self._next_view: tuple[str, View] | None = None  # next agent, its view

    def _make_observation_space(self) -> gymnasium.spaces.Dict:
        mask = gymnasium.spaces.Box(0, 1, (self.layout.action_count,), np.int8)
        return gymnasium.spaces.Dict({"observation": observation_box(self.layout), "action_mask": mask})

    def _make_state_space(self) -> gymnasium.spaces.Box:
        low, high = self.layout.observation_bounds
        flags = np.ones(2, dtype=np.float32)
        return gymnasium.spaces.Box(np.append(low, -flags), np.append(high, flags), dtype=np.float32)

    def _refuse(self, before_reset: Callable[[], object]) -> None:
        """Raise the error for a game that has not begun or that an exception has left unfinished."""
        if "agents" not in self.__dict__:
            before_reset()
        self._check_finished()

    def _check_finished(self) -> None:
        """Raise InterruptedStepError if an exception has left a reset or step unfinished."""
        if "_unfinished" in self.__dict__:
            super()._check_finished()

    def __getattr__(self, name: str) -> Any:
        """Raise an AttributeError that explains which attributes exist only after ``reset``."""
        if name in (
            "agents",
            "rewards",
            "terminations",
            "truncations",
            "infos",
            "agent_selection",
            "num_agents",
        ):
            raise AttributeError(f"{name} cannot be accessed before reset")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def observation_space(self, agent: str) -> gymnasium.spaces.Dict:
        """The same space for both players, always the same object."""
        return self._observation_space

    def action_space(self, agent: str) -> gymnasium.spaces.Discrete:
        """The same space for both players, always the same object."""
        return self._action_space

    # --- play ----------------------------------------------------------------------------------------------

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Begin a game. A seed starts a new random stream; without a seed the last stream
        continues.

        ``options={"game_seed": n}`` begins the game of exactly that seed, 0 to 2**63 - 1; other
        options are ignored. Raises ContentError, without any change, if a seed is not a whole
        number in its range.
        """
        seed, game_seed = seed_or_none(seed), game_seed_of(options)
        if seed is not None:
            self._random, _ = seeding.np_random(seed)
        self._change(self.session, self.session.reset, self._random, game_seed)
        self._begin_bookkeeping()
        self._unfinished = False
        self._show()

    def _begin_bookkeeping(self) -> None:
        """Set agents, rewards, flags and infos for the current state; no reward is paid yet."""
        self._ended_illegally = False
        self.agents = list(PLAYERS)
        self.agent_selection = PLAYERS[0]
        self._earned: Amounts | None = None
        self.rewards = dict.fromkeys(PLAYERS, 0.0)
        self._cumulative_rewards = dict.fromkeys(PLAYERS, 0.0)
        self.terminations = dict.fromkeys(PLAYERS, False)
        self.truncations = dict.fromkeys(PLAYERS, False)
        self.infos = {player: {} for player in PLAYERS}
        self._skip_agent_selection = None  # type: ignore[assignment]
        self._told: tuple[int, ...] = ()
        self._after_step(None)

    def step(self, action: Any) -> None:
        """Apply an action of ``agent_selection``; the action is None for an agent whose game is
        over.

        Raises NotAnActionError if it is not a whole number of the space (or not None after the
        end), IllegalActionError if the mask forbids it or all agents have left. Both leave the game
        unchanged.
        """
        agent = self.agent_selection
        if self._unfinished:
            self._check_finished()
        if not self.agents:
            raise IllegalActionError(f"action: expected none, the game is over, got {brief(action)}")
        if self.terminations[agent] or self.truncations[agent]:
            self._leave(action)
            return
        try:
            number = operator.index(action)
        except TypeError:
            most = self._action_count - 1
            raise NotAnActionError(f"action: expected a whole number from 0 to {most}, got {brief(action)}") from None
        self._unfinished = True
        try:
            view = self.session.step_and_view(number)
        except ActionError:
            self._unfinished = False
            raise
        self._cumulative_rewards[agent] = 0.0
        self._after_step(view)
        self._unfinished = False
        self._show()

    def _leave(self, action: Any) -> None:
        """Make PettingZoo's step of an agent whose game is over: remove it from ``agents``."""
        if action is not None:
            raise NotAnActionError(f"action: when an agent is dead, the only valid action is None, got {brief(action)}")
        self._unfinished = True
        self._was_dead_step(None)
        self._unfinished = False

    def _after_step(self, view: View | None) -> None:
        """Update agent, infos and, at the end, rewards and flags; keep the view for the next
        ``observe``.
        """
        summary = self.session.summary()
        if self.session.earnings is not None:
            self._told = ()
            self._earn(self.session.earnings.paid)
        self.agent_selection = PLAYERS[summary[SUMMARY_SIDE]]
        self._next_view = None if view is None else (self.agent_selection, view)
        told = summary[SUMMARY_TURN], summary[SUMMARY_PHASE], summary[SUMMARY_POINTS], summary[SUMMARY_POINTS + 1]
        if told != self._told:
            self._told = told
            self._tell(*told)
        if summary[SUMMARY_OVER]:
            self._finish(summary[SUMMARY_WINNER])

    def _tell(self, turn: int, phase: int, points: int, enemy_points: int) -> None:
        """Write the infos: only numbers, always with the same keys."""
        for player, mine, theirs in ((PLAYERS[0], points, enemy_points), (PLAYERS[1], enemy_points, points)):
            self.infos[player] = {
                "turn": turn,
                "phase": phase,
                "victory_points": mine,
                "victory_point_margin": mine - theirs,
            }
        if self._earned is not None:
            self._tell_terms(self._earned)

    def _earn(self, paid: Amounts) -> None:
        """Pay both players the terms of the step of ``agent_selection``, and add them to the infos'
        sums.
        """
        if self._earned is None:
            self._earned = np.zeros_like(paid)
        self._earned[_SIDES[self.agent_selection]] = 0
        self._earned += paid
        first, second = paid.tolist()
        self.rewards = {PLAYERS[0]: fsum(first), PLAYERS[1]: fsum(second)}
        self._accumulate_rewards()

    def _tell_terms(self, earned: Amounts) -> None:
        """Add to the infos the amount of each term since the player's last action."""
        for player, amounts in zip(PLAYERS, earned.tolist(), strict=True):
            self.infos[player].update(zip(INFO_KEYS, amounts, strict=True))

    def _finish(self, winner: int) -> None:
        """Terminate both agents and pay the result, unless reward terms are used."""
        self.terminations = dict.fromkeys(PLAYERS, True)
        if self._earned is not None:
            return
        if winner:
            self.rewards = {player: 1.0 if index == winner - 1 else -1.0 for index, player in enumerate(PLAYERS)}
        self._accumulate_rewards()

    # --- looking at the game -------------------------------------------------------------------------------

    def observe(self, agent: str) -> Observation:
        """Return a new observation of either agent; the mask is all 0 unless the agent is to act.

        Raises W40KError if ``agent`` is not a player's name.
        """
        if self._unfinished:
            self._refuse(EnvLogger.error_observe_before_reset)
        side = _SIDES.get(agent) if isinstance(agent, str) else None
        if side is None:
            raise W40KError(f"agent: expected one of {list(PLAYERS)}, got {brief(agent)}")
        if self._next_view is not None and self._next_view[0] == agent:
            observation, mask = self._next_view[1]
            self._next_view = None  # each call returns its own arrays
        else:
            observation, mask = self.session.view(side)
        if self._ended_illegally:
            mask[:] = 0  # no agent is to act any more
        return {"observation": observation, "action_mask": mask}

    def last(self, observe: bool = True) -> tuple[Observation | None, float, bool, bool, dict[str, Any]]:
        """Return observation, reward since its last action, flags and info of ``agent_selection``."""
        agent = self.agent_selection
        if not observe:
            self._check_finished()
        return (
            self.observe(agent) if observe else None,
            self._cumulative_rewards[agent],
            self.terminations[agent],
            self.truncations[agent],
            self.infos[agent],
        )

    def state(self) -> NDArray[np.float32]:
        """Return player 1's observation, then a one-hot of the player to act;
        ``(layout.state_size,)``.
        """
        if self._unfinished:
            self._refuse(EnvLogger.error_state_before_reset)
        observation, _ = self.session.view(0)
        acting = np.zeros(2, dtype=np.float32)
        acting[self.session.acting_side] = not self.session.over
        return np.concatenate([observation, acting])

    def agent_iter(self, max_iter: int = 2**63) -> Any:
        """Yield ``agent_selection`` until the game is over."""
        if self._unfinished:
            self._refuse(EnvLogger.error_agent_iter_before_reset)
        return super().agent_iter(max_iter)

    def pool(self) -> list[str]:
        """Return the ids of the units that may be selected now, in roster order.

        The list is empty while an activation is open.
        """
        self._check_finished()
        return self.session.pool()

    def select_by_pool_index(self, index: int) -> int:
        """Return the action that selects element ``index`` of ``pool()``.

        Raises IndexError if there is no such element, ContentError if ``index`` is not a whole
        number.
        """
        pool, index = self.pool(), whole_number("index", index)
        if not 0 <= index < len(pool):
            raise IndexError(f"pool index: expected 0 to {len(pool) - 1}, got {brief(index)} ({self.session.where()})")
        return self.session.slot_of(pool[index])

    def describe_action(self, action: int) -> str:
        """Return the name of an action in the current state.

        A selection contains the unit; a detail contains the objective or unit that it stands for.
        Raises IndexError if the number is outside the space, W40KError if it is not a whole number.
        """
        self._check_finished()
        name = self.layout.describe_action(action)
        if 0 <= action < self.layout.select_size:
            unit = self.session.setting.units[self.session.acting_side * self.layout.units_per_side + action]
            return f"select {unit.id} ({unit.type.name})" if unit else f"select empty slot {action}"
        game = self.session.games[0]
        if action >= self.layout.detail_start and game.intent_stage == DETAIL_DUE:
            unit_number, intent = int(game.active), int(game.intent[self.session.acting_side])
            return f"{name} ({detail_id(self.session.setting, unit_number, intent, action - self.layout.detail_start)})"
        return name

    def events(self) -> list[Event]:
        """Return the events of the last step, in order; ``rules.events.FIELDS`` names kinds and
        fields.
        """
        self._check_finished()
        return self.session.events()

    def _show(self) -> None:
        """Print the board if ``render_mode`` is ``human``, after ``reset`` and after each action."""
        if self.render_mode == "human":
            self.render()

    def render(self) -> str | None:
        """Return the board as text (``ansi``), or print it and return None (``human``); warn
        without a mode.

        With ``human`` you need not call it: ``reset`` and every ``step`` with an action print the
        board.
        """
        if self._unfinished:
            self._refuse(EnvLogger.error_render_before_reset)
        if self.render_mode is None:
            gymnasium.logger.warn("render() needs a render_mode: make the environment with render_mode='ansi'")
            return None
        text = draw(self.session.setting, self.session.games[0])
        if self.render_mode == "ansi":
            return text
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
        return None

    def close(self) -> None:
        """Do nothing; the environment holds no resources."""

    # --- copies --------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """Return the current game as bytes; ``restore`` computes rewards and agents from it.

        The random stream of the next ``reset`` belongs to the environment and is not included.
        """
        if "agents" not in self.__dict__:
            raise AssertionError("reset() needs to be called before snapshot.")
        self._check_finished()
        return self.session.snapshot()

    def restore(self, snapshot: Snapshot) -> None:
        """Return to a snapshot of the same scenarios and layout; works on a new environment too.

        Raises ContentError, without any change, if the snapshot is not a state of such a game.
        """
        self._change(self.session, self.session.restore, snapshot)
        self._begin_bookkeeping()
        self._unfinished = False


class Env(RawEnv):
    """The same environment, with the checks of PettingZoo's three usual wrappers built in.

    An illegal action ends the game: both flags True, reward -1 for the player who acted, 0 for the
    other, one warning per process. An action outside the space, None for a live agent, and use
    before ``reset`` raise AssertionError. A step after the end warns. The original wrappers cost
    several times as much as a step of the game.
    """

    _warned_of_illegal = False

    def step(self, action: Any) -> None:
        """Apply an action of ``agent_selection``."""
        if self._unfinished:
            self._refuse(EnvLogger.error_step_before_reset)
        if not self.agents:
            EnvLogger.warn_step_after_terminated_truncated()
            return
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            if action is not None and not self._action_space.contains(action):
                raise AssertionError("action is not in action space")
            self._leave(action)
            return
        try:
            number = operator.index(action)
        except TypeError:
            raise AssertionError("action is not in action space") from None
        if not 0 <= number < self._action_count:
            raise AssertionError("action is not in action space")
        self._unfinished = True
        view = self.session.try_step_and_view(number)
        if view is not None:
            self._cumulative_rewards[agent] = 0.0
            self._after_step(view)
        else:
            self._end_by_illegal_action(agent)
        self._unfinished = False
        self._show()

    def _end_by_illegal_action(self, culprit: str) -> None:
        if not Env._warned_of_illegal:
            Env._warned_of_illegal = True
            EnvLogger.warn_on_illegal_move()
        self._ended_illegally = True
        self._cumulative_rewards[culprit] = 0.0
        self.terminations = dict.fromkeys(PLAYERS, True)
        self.truncations = dict.fromkeys(PLAYERS, True)
        self.rewards = {player: -1.0 if player == culprit else 0.0 for player in PLAYERS}
        self._accumulate_rewards()
        if self._earned is not None:
            self._earned[_SIDES[culprit]] = 0
            self._tell(*self._told)
        self._deads_step_first()


def observation_box(layout: Layout) -> gymnasium.spaces.Box:
    """Return the space of observation vectors, (layout.observation_size,)."""
    low, high = layout.observation_bounds
    return gymnasium.spaces.Box(low, high, dtype=np.float32)
