"""The super-agent's view: selections and intents are the learner's, micro actions are played by a frozen policy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from ..observe.action_blocks import ActionBlock
from .delegation import DelegatingSeat, DelegatingSeats
from .loading import ScenarioName
from .options import GameKeywords
from .policies import Policy


class MacroEnv(DelegatingSeat):
    """``SeatEnv`` for a learner that selects units and, where they are played, chooses intents and details.

    Action: ``Discrete``, all blocks of the layout but micro, closed up:
    ``observe.action_blocks.block_size(layout, "macro")``.
    What the frozen micro policy does with the selected unit, and what the opponent does, is credited to the last
    macro action. All else is as in ``SeatEnv``.
    """

    kind: ActionBlock | None = "macro"

    def __init__(
        self,
        scenario: ScenarioName | Sequence[ScenarioName] = "macro_default",
        *,
        seat: int = 1,
        opponent: Policy | None = None,
        micro: Policy | None = None,
        **options: Unpack[GameKeywords],
    ) -> None:
        """Sit down at ``seat`` (1 or 2); ``micro`` plays the micro actions of its units, by default at random.

        ``micro`` takes observations (k, observation_size) and masks (k, 13) to actions (k,) of 13. Raises ContentError
        for one that is for another block, seat or layout, and the errors of ``SeatEnv``.
        """
        super().__init__(scenario, seat=seat, opponent=opponent, micro=micro, **options)


class MacroVectorEnv(DelegatingSeats):
    """``SeatVectorEnv`` for learners as that of ``MacroEnv``: policies are asked for many games at once."""

    kind: ActionBlock | None = "macro"

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
        """Sit down at ``seat`` of every game; arguments are those of ``SeatVectorEnv`` and ``MacroEnv``."""
        super().__init__(
            scenario, num_envs, seat=seat, opponent=opponent, micro=micro, num_threads=num_threads, **options
        )
