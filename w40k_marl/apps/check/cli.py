"""The command ``w40k-marl check``: checks files of any kind without playing."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from ...content.files import TOP, is_folder
from ...errors import ContentError, W40KError, printable
from ..command import Command, argument, option
from ..console import BAD_INPUT, DONE, note, say

DESCRIPTION = """Check files without playing: say of each what it is, or where it is wrong and what was expected.

A folder stands for every .json file in it. What a file is follows from its name (training.json, rewards.json,
policy.json, game_rules.json, weapons.json, unit_types.json, scoring.json, deployment_zones.json, boards.json,
*.contract.json), else from its keys. The unit types of all files are known to all mappings."""
EXAMPLES = """examples:
  %(prog)s mine/duel.json
  %(prog)s mine/                          scenarios, catalogues and agents together
  %(prog)s --kind rewards weights.json

exit status: 0 every file can be used, 2 one of them cannot
"""

Kind = Literal[
    "scenario",
    "weapons",
    "unit_types",
    "scoring",
    "deployment_zones",
    "boards",
    "game_rules",
    "training",
    "rewards",
    "policy",
    "mapping",
    "contract",
    "saved_game",
    "report",
]
KINDS = get_args(Kind)
"""The kinds of files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions:
    """The files to check, and optionally their kind."""

    file: tuple[str, ...] = argument("a file, or a folder of files", "FILE")
    kind: Kind | None = option(f"what it is: {', '.join(KINDS)}", metavar="KIND")  # noqa: RUF009  # of a Literal


def check(options: CheckOptions) -> int:
    """Check the files, mappings after all others; print a line for each, in the given order."""
    files, types = list(_files(options.file)), set[str]()
    kinds = {file: options.kind or _kind(file) for file in files}
    results = {
        file: _checked(file, kinds[file], types) for file in sorted(files, key=lambda one: kinds[one] == "mapping")
    }
    for file in files:
        result = results[file]
        if isinstance(result, W40KError):
            note(str(result))
        else:
            say(printable(f"{file}: {result}, ok"))
    return BAD_INPUT if any(isinstance(result, W40KError) for result in results.values()) else DONE


CHECK = Command("check", CheckOptions, check, DESCRIPTION, EXAMPLES)


def _files(names: Iterable[str]) -> Iterator[Path]:
    """Yield the files of the arguments, each once. Raises
    ContentError for a folder without .json files.
    """
    seen = set()
    for name in names:
        path = Path(name)
        found = [path]
        if is_folder(path):
            found = sorted(Path(at, file) for at, _, files in os.walk(path) for file in files if file.endswith(".json"))
            if not found:
                raise ContentError(name, TOP, "a folder with .json files", "none")
        yield from (file for file in found if file not in seen)
        seen.update(found)


def _checked(file: Path, kind: str | W40KError, types: set[str]) -> str | W40KError:
    """Return the kind of a valid file, or the error; ``kind`` may be the error of ``_kind``."""
    from .kinds import check_file  # here, because it loads the rules

    if isinstance(kind, W40KError):
        return kind
    try:
        return check_file(file, kind, types)
    except W40KError as error:
        return error


def _kind(file: Path) -> str | W40KError:
    from .kinds import kind_of

    try:
        return kind_of(file)
    except W40KError as error:
        return error
