"""The games that a report lists one by one, in memory that is
allocated before the first of them.
"""

from __future__ import annotations

import numpy as np

from ....rules.state import WIN_METHODS
from ..runners.episode import Episode, Numbered

UNKNOWN = -1
_ROW = np.dtype(
    [
        ("kept", np.bool_),
        ("scenario", np.int32),  # of the names met so far
        ("steps", np.int64),
        ("agent_steps", np.int64),
        ("macro_choices", np.int64),
        ("winner", np.int8),  # UNKNOWN: the game did not end
        ("method", np.int8),
        ("victory_points", np.int64, 2),
        ("value_lost", np.int64, 2),  # UNKNOWN twice: not known
        ("damage", np.float64, 2),  # UNKNOWN twice: not known
        ("capped", np.bool_),
        ("interrupted", np.bool_),
        ("turn", np.int32),  # UNKNOWN: not known
        ("turn_player", np.int8),
    ]
)


class KeptGames:
    """Games 1 to ``most``, in order. All memory is resident from the start, so that it does not
    count as growth.
    """

    def __init__(self, most: int) -> None:
        """Allocate the memory of ``most`` games."""
        self._rows = np.empty(most, dtype=_ROW)
        self._rows.view(np.uint8).fill(0)
        self._scenarios: list[str] = []

    def add(self, number: int, episode: Episode) -> None:
        """Store a game by its number, from 1; numbers above ``most`` are ignored."""
        if number > len(self._rows):
            return
        if episode.scenario not in self._scenarios:
            self._scenarios.append(episode.scenario)
        self._rows[number - 1] = (
            True,
            self._scenarios.index(episode.scenario),
            episode.steps,
            episode.agent_steps,
            episode.macro_choices,
            UNKNOWN if episode.winner is None else episode.winner,
            WIN_METHODS.index(episode.method),
            episode.victory_points,
            (UNKNOWN, UNKNOWN) if episode.value_lost is None else episode.value_lost,
            (UNKNOWN, UNKNOWN) if episode.damage is None else episode.damage,
            episode.capped,
            episode.interrupted,
            UNKNOWN if episode.turn is None else episode.turn,
            UNKNOWN if episode.turn_player is None else episode.turn_player,
        )

    def episodes(self) -> list[Numbered]:
        """Return the stored games, by number."""
        return [(int(index) + 1, self._episode(index)) for index in np.flatnonzero(self._rows["kept"])]

    def _episode(self, index: np.intp) -> Episode:
        row = {name: self._rows[name][index].tolist() for name in _ROW.names or ()}
        lost, damage = row["value_lost"], row["damage"]
        return Episode(
            scenario=self._scenarios[row["scenario"]],
            steps=row["steps"],
            agent_steps=row["agent_steps"],
            macro_choices=row["macro_choices"],
            winner=_known(row["winner"]),
            method=WIN_METHODS[row["method"]],
            victory_points=(row["victory_points"][0], row["victory_points"][1]),
            value_lost=None if lost[0] == UNKNOWN else (lost[0], lost[1]),
            damage=None if damage[0] == UNKNOWN else (damage[0], damage[1]),
            capped=row["capped"],
            interrupted=row["interrupted"],
            turn=_known(row["turn"]),
            turn_player=_known(row["turn_player"]),
        )


def _known(number: int) -> int | None:
    return None if number == UNKNOWN else number
