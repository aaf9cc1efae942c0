"""A game as a file: what it is a game of, who plays, and every decision so far, which are played again on resuming.

Decisions and not the row of the game: the engine checks each of them, so that no file can bring the compiled rules,
which check no bounds, into a state that no game may be in.
"""

from __future__ import annotations

import os
import tempfile
from itertools import count
from pathlib import Path
from typing import Annotated, Literal, Self

import msgspec
from msgspec import Meta, Struct

from ..content.models import LayoutEntry, ProfileEntry
from ..content.reading import read_model
from ..env.aec import RawEnv
from ..errors import ContentError, W40KError

RULES_VERSION = str(RawEnv.metadata["name"])

Count = Annotated[int, Meta(ge=0)]


class PlayError(W40KError):
    """Something that ``w40k-marl play`` cannot do: options that contradict each other, a file that is in the way."""


class GameSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What is played; fixed for the whole of a game."""

    scenario: str
    seed: Count
    decisions: Literal["agent", "reference"] = "agent"
    intents: bool = False
    weapon_rules: Literal["reference", "full"] = "reference"
    max_turns: int | None = None
    layout: LayoutEntry | None = None  # None: the default one, with room for the scenario
    profile: ProfileEntry | None = None  # None: without evolutions


class Seats(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who plays; a resumed game may go on with others."""

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
        """A game of this version."""
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
    """Read a saved game. Raises ContentError for a file of another kind, or of other rules."""
    saved = read_model(path, SavedGame)
    if saved.rules_version != RULES_VERSION:
        raise ContentError(str(path), "rules_version", f'"{RULES_VERSION}"', f'"{saved.rules_version}"')
    return saved


class SavePlace:
    """Where the game of this run is saved: a file of one's own, and never over one that is not."""

    def __init__(self, name: str | None, *, overwrite: bool = False) -> None:
        """``name``: the file, None for a free name that tells scenario and seed. Raises PlayError where it is taken."""
        self._path = None if name is None else _absolute(name)
        self._own: set[Path] = set()  # written in this run, or ours to replace
        if self._path is not None:
            if overwrite:
                self._own.add(self._path)
            _check_free(self._path, self._own)
            if not self._path.parent.is_dir():
                raise PlayError(f"{self._path} cannot be written: no such folder")

    def save(self, game: SavedGame, name: str | None = None) -> Path:
        """Write the game, whole or not at all, and return the file. Raises PlayError where it cannot be written."""
        path = self._path if name is None else _absolute(name)
        text = msgspec.json.format(msgspec.json.encode(game), indent=0) + b"\n"
        if path is None:
            path = self._path = self._write_free(_stem(game.game), text)
        else:
            _check_free(path, self._own)
            try:
                _write(path, text, replace=path in self._own)
            except FileExistsError:
                raise _taken(path) from None
        self._own.add(path)
        return path

    def save_somewhere(self, game: SavedGame) -> Path:
        """``save``, and where that place has been taken meanwhile, a free name."""
        try:
            return self.save(game)
        except PlayError:
            self._path = None
            return self.save(game)

    def _write_free(self, stem: str, text: bytes) -> Path:
        """Write under the first free name, here or, where that cannot be, in the folder for temporary files."""
        try:
            return self._write_in(Path.cwd(), stem, text)
        except PlayError:
            return self._write_in(Path(tempfile.gettempdir()), stem, text)

    def _write_in(self, folder: Path, stem: str, text: bytes) -> Path:
        for number in count(1):
            path = folder / f"{stem}{'' if number == 1 else f'-{number}'}.json"
            if not path.exists():
                try:
                    _write(path, text, replace=False)
                    return path
                except FileExistsError:  # somebody was faster
                    continue
        raise AssertionError("count() does not end")


def _stem(settings: GameSettings) -> str:
    """Beginning of a name for the file of a game."""
    return f"{Path(settings.scenario).stem}-seed{settings.seed}"


def _absolute(name: str) -> Path:
    if not name.strip():
        raise PlayError("expected a file to write, got an empty name")
    return Path(name).expanduser().resolve()  # a link is followed, not replaced


def _check_free(path: Path, own: set[Path]) -> None:
    if path.exists() and not path.is_file():
        raise PlayError(f"expected a file to write, got {path}, which is a {'folder' if path.is_dir() else 'device'}")
    if path.exists() and path not in own:
        raise _taken(path)


def _taken(path: Path) -> PlayError:
    return PlayError(f"{path} is there already, and is not written over; choose another name")


def _write(path: Path, text: bytes, *, replace: bool) -> None:
    """Write a file so that nobody ever sees half of it. Raises FileExistsError, unless it may be replaced."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with draft.open("wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            draft.replace(path)
        else:
            _put_new(draft, path)
    except FileExistsError:
        raise
    except OSError as error:
        raise PlayError(f"{path} cannot be written: {error.strerror}") from None
    finally:
        draft.unlink(missing_ok=True)


def _put_new(draft: Path, path: Path) -> None:
    """Give a draft its name; unlike a rename, refuse one that is taken. Raises FileExistsError."""
    try:
        os.link(draft, path)
    except FileExistsError:
        raise
    except OSError:  # a disk without links: take the name first, then fill it
        path.open("x").close()
        draft.replace(path)
