from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from w40k_marl.apps.play.build_match import make_match
from w40k_marl.apps.play.game_log import QUIET, GameLog
from w40k_marl.apps.play.human import HumanPlayer
from w40k_marl.apps.play.match import Match
from w40k_marl.apps.play.options import PlayOptions
from w40k_marl.apps.play.saved_game import SaveFile


@dataclass
class Game:
    """A match with a scripted person, what was written, and where `save` writes."""

    match: Match
    written: io.StringIO
    save_file: SaveFile

    def text(self) -> str:
        """All that the person has seen so far."""
        return self.written.getvalue()


Begin = Callable[..., Game]


def scripted(answers: Iterator[Any]) -> Callable[[str], str]:
    """Reads one answer after the other; exceptions are raised, and behind the last there is nothing more."""

    def read(prompt: str) -> str:
        answer = next(answers, EOFError())
        if isinstance(answer, BaseException):
            raise answer
        return str(answer() if callable(answer) else answer)

    return read


@pytest.fixture
def begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Begin:
    """Begins a game of `small_board` in which a person, by these answers, is player 1; saved games go to `tmp_path`."""
    monkeypatch.chdir(tmp_path)

    def start(*answers: Any, detail: int = QUIET, save: str | None = None, **options: Any) -> Game:
        given = {"scenario": "small_board", "seed": 3, "human": 1, "max_turns": 2, **options}
        if given.get("resume"):
            given = options
        written, save_file = io.StringIO(), SaveFile(save)
        log = GameLog(Console(file=written, highlight=False, width=200), detail)
        person = HumanPlayer(scripted(iter(answers)), log, save_file)
        return Game(make_match(PlayOptions(**given), log, lambda: person), written, save_file)

    return start
