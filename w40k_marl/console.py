"""What every command line of this package shares: refusals of one line, and what the exit status means.

Exit status 0: done. 2: bad input, one line on stderr. 130: stopped by Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn

from .errors import W40KError, did_you_mean

DONE, BAD_INPUT, STOPPED, NOBODY_READS = 0, 2, 130, 141
LONGEST_NUMBER = 20  # digits of a setting
LONGEST_SHOWN = 60  # characters


class OneLineParser(argparse.ArgumentParser):
    """A parser that keeps line breaks in its help and refuses in one line, without the usage in front of it."""

    def __init__(self, *args: object, **settings: object) -> None:
        settings.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        settings.setdefault("allow_abbrev", False)
        super().__init__(*args, **settings)  # type: ignore[arg-type]
        self._tasks: dict[str, OneLineParser] = {}

    def add_task(self, name: str, **settings: object) -> OneLineParser:
        """A parser of its own for what follows ``name`` where that comes first; other words stay options."""
        self._tasks[name] = OneLineParser(prog=f"{self.prog} {name}", **settings)
        return self._tasks[name]

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """Parse as the task does that comes first, else as this parser."""
        given = sys.argv[1:] if args is None else list(args)
        if given and given[0] in self._tasks:
            return self._tasks[given[0]].parse_known_args(given[1:], namespace)
        return super().parse_known_args(given, namespace)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where help is; exit with status 2."""
        self.exit(BAD_INPUT, one_line(f"{self.prog}: {message} (--help shows every option)"))


def read_settings(texts: Iterable[str], known: Mapping[str, int | bool]) -> dict[str, int | bool]:
    """Read ``name=value`` settings, several in one text with commas between them; a bare name is ``name=true``.

    ``known`` holds each name with a value of its type: truth values are ``true`` or ``false``, others whole numbers.
    Raises W40KError for an unknown name, a value of another type, and two values for one name.
    """
    found: dict[str, int | bool] = {}
    for text in (part.strip() for whole in texts for part in whole.split(",")):
        name, equals, value = (part.strip() for part in text.partition("="))
        if name not in known:
            hint = did_you_mean(name, known)
            raise W40KError(
                f"expected one of {', '.join(known)}, got {shortened(name)}" + (f" ({hint})" if hint else "")
            )
        is_flag = isinstance(known[name], bool)
        if is_flag and value in ("", "true", "false") and bool(equals) == bool(value):
            setting: int | bool = value != "false"
        elif not is_flag and value.isascii() and value.isdigit() and len(value) < LONGEST_NUMBER:
            setting = int(value)
        else:
            kind = f"true or {name}=false" if is_flag else "N, a whole number"
            raise W40KError(f"expected {name}={kind}, got {shortened(text)}")
        if found.setdefault(name, setting) != setting:
            raise W40KError(f"expected one value of {name}, got two")
    return found


def shortened(text: str) -> str:
    """A text that somebody has typed, quoted for a message; of a very long one the beginning."""
    return repr(text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}...")


def one_line(text: str) -> str:
    """The text on a line of its own, whatever file names it quotes."""
    return " ".join(text.split()) + "\n"


def say(text: str = "") -> None:
    """Write a line of the program's output."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """Write a line that is no output: progress, refusals."""
    sys.stderr.write(one_line(text))
    sys.stderr.flush()


def guarded(program: str, work: Callable[[], int]) -> int:
    """Do the work and return its exit status; an error of this package or Ctrl-C becomes one line on stderr."""
    try:
        return work()
    except W40KError as error:
        note(f"{program}: {error}")
        return BAD_INPUT
    except KeyboardInterrupt:
        note(f"{program}: stopped")
        return STOPPED
    except BrokenPipeError:  # `w40k-marl list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOBODY_READS
