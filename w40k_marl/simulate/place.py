"""Where a report goes: checked before the run, written in one piece after it."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import W40KError


class PlaceError(W40KError):
    """A file that cannot be written, or that is there already."""


def check_place(name: str, overwrite: bool) -> Path:
    """Return the file to write, once it is sure that it can be written. Raises PlaceError."""
    path = Path(name).resolve()  # a link is followed, not replaced
    if not name or path.is_dir():
        raise PlaceError(f"expected a file to write, got {f'the folder {name}' if name else 'an empty name'}")
    if path.exists() and not path.is_file():
        raise PlaceError(f"expected a file to write, got {name}, which is a device")
    if path.exists() and not overwrite:
        raise PlaceError(f"{name} is there already; --overwrite replaces it")
    draft = _draft_of(path)
    try:
        draft.open("w").close()
        draft.unlink()
    except OSError as error:
        raise PlaceError(f"{name} cannot be written: {error.strerror}") from None
    return path


def write_whole(path: Path, text: str) -> None:
    """Write a file so that nobody ever sees half of it. Raises PlaceError."""
    draft = _draft_of(path)
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise PlaceError(f"{path} cannot be written: {error.strerror}") from None


def _draft_of(path: Path) -> Path:
    """A file beside ``path`` that is ours alone; beside it, because a rename is whole on one disk only."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")
