"""A game as a file: its settings, its players, and every decision so far; to resume, the decisions
are played again.

The file holds decisions and not the game's record: the engine checks each decision, so that no file
can bring the compiled rules, which do not check bounds, into an invalid state.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal, Self

import msgspec
from msgspec import Meta, Struct

from ...content.reading import read_model
from ...env.aec import RawEnv
from ...errors import ContentError, W40KError
from ...files import FileError, FileTakenError, file_to_write, full_path, write_file, write_free
from ...observe.layout import Layout
from ...observe.macro.offensive_profile import ProfileOptions

RULES_VERSION = str(RawEnv.metadata["name"])

Count = Annotated[int, Meta(ge=0)]


class PlayError(W40KError):
    """Raised if ``w40k-marl play`` cannot run: options contradict
    each other, or a file exists already.
    """


class GameSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """The settings of a game, constant from its start."""

    scenario: str
    seed: Count
    decisions: Literal["agent", "reference"] = "agent"
    intents: bool = False
    weapon_rules: Literal["reference", "full"] = "reference"
    max_turns: int | None = None
    layout: Layout | None = None  # None: the default one, with room for the scenario
    profile: ProfileOptions | None = None  # None: without evolutions


class Seats(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The players; a resumed game may have others."""

    meta: str | None = None  # None: the shipped mapping
    super_agent: str | None = None
    opponent: str | None = None  # of the meta-controller, or of the person; None: the two play each other
    human: Literal[1, 2] | None = None


class SavedGame(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """The content of the file."""

    format: Literal["w40k_marl saved game 1"]
    rules_version: str
    game: GameSettings
    seats: Seats
    fingerprint: str  # of scenario and rules, as the rules read them
    actions: tuple[Count, ...]  # of the flat space, both players'
    state: str  # hash of the game that they lead to
    resigned: Literal[1, 2] | None = None  # the player who has given the game up after these actions

    @classmethod
    def of(
        cls,
        game: GameSettings,
        seats: Seats,
        fingerprint: str,
        actions: tuple[int, ...],
        state: str,
        resigned: Literal[1, 2] | None,
    ) -> Self:
        """Return a game of the current version."""
        return cls(
            format="w40k_marl saved game 1",
            rules_version=RULES_VERSION,
            game=game,
            seats=seats,
            fingerprint=fingerprint,
            actions=actions,
            state=state,
            resigned=resigned,
        )


def read_saved(path: Path) -> SavedGame:
    """Read a saved game. Raises ContentError for a file of another format, or of other rules."""
    saved = read_model(path, SavedGame)
    if saved.rules_version != RULES_VERSION:
        raise ContentError(str(path), "rules_version", f'"{RULES_VERSION}"', f'"{saved.rules_version}"')
    return saved


class SaveFile:
    """The file for the game of this run; never replaces a file of another run unless allowed."""

    def __init__(self, name: str | None, *, overwrite: bool = False) -> None:
        """Take a file name; None: a free name from scenario and seed. Raises PlayError if the file
        exists and may not be replaced.
        """
        self._path: Path | None = None
        self._own: set[Path] = set()  # written in this run, or ours to replace
        if name is not None:
            with _as_play_error():
                self._path = file_to_write(name, replace=overwrite)
            if overwrite:
                self._own.add(self._path)

    def save(self, game: SavedGame, name: str | None = None) -> Path:
        """Write the game atomically and return the file. Raises
        PlayError if it cannot be written.
        """
        with _as_play_error():
            path = self._path if name is None else full_path(name)
            if path is None:
                path = self._path = write_free(_stem(game.game), as_text(game))
            else:
                write_file(path, as_text(game), replace=path in self._own)
        self._own.add(path)
        return path

    def save_somewhere(self, game: SavedGame) -> Path:
        """Save the game; under a free name if the file cannot be written. Raises PlayError if
        neither is possible.
        """
        try:
            return self.save(game)
        except PlayError:
            self._path = None
            return self.save(game)


def as_text(game: SavedGame) -> bytes:
    """Return the content of the file."""
    return msgspec.json.format(msgspec.json.encode(game), indent=0) + b"\n"


def _stem(settings: GameSettings) -> str:
    """Return the beginning of the name of a game's file."""
    return f"{Path(settings.scenario).stem}-seed{settings.seed}"


@contextmanager
def _as_play_error() -> Iterator[None]:
    """Raise a FileError as a PlayError, which explains how to handle an existing file."""
    try:
        yield
    except FileTakenError as error:
        raise PlayError(f"{error}, and is not written over; choose another name") from None
    except FileError as error:
        raise PlayError(str(error)) from None
