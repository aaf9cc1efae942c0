"""Finds scenarios and agents: in an installed package, else in the repository."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from ..errors import ContentError, did_you_mean
from .files import entries, is_folder

Kind = Literal["scenarios", "agents"]

DEFAULT_AGENT = "MacroController"
"""The agent whose settings hold where none is named."""

CONTENT = Path(__file__).parent
"""Folder of this package's own rules and tables."""

_PACKAGE = CONTENT.parent


def data_folder(kind: Kind) -> Path:
    """Return the folder of this kind of data. Raises ContentError if neither location has one."""
    places = (_PACKAGE / "_data" / kind, _PACKAGE.parent / kind)
    for place in places:
        if is_folder(place):
            return place
    raise ContentError(str(places[-1]), kind, "a folder, installed or in the repository", "no such folder")


def list_data(kind: Kind) -> list[str]:
    """Return the names that ``find_data`` knows, sorted. Raises ContentError if the folder is
    unreadable.
    """
    folder = data_folder(kind)
    if kind == "scenarios":
        return sorted(path.stem for path in entries(folder) if path.suffix == ".json")
    return sorted(path.name for path in entries(folder) if is_folder(path) and not path.name.startswith((".", "_")))


def find_data(kind: Kind, name: str) -> Path:
    """Return the file of a scenario or the folder of an agent.

    Raises ContentError if the name is unknown; the message lists the known names and the most
    similar.
    """
    known = list_data(kind)
    if name not in known:
        folder = data_folder(kind)
        hint = did_you_mean(name, known)
        raise ContentError(str(folder), kind.removesuffix("s"), f"one of {', '.join(known)}", f'"{name}"', hint)
    return data_folder(kind) / (f"{name}.json" if kind == "scenarios" else name)
