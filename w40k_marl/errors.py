"""The refusals of this package: one small family, so that a caller can catch all of them by ``W40KError``.

Every message says what was expected and what came; see ``ContentError`` for the form.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def printable(text: str) -> str:
    r"""Return the text with every character escaped, as ``\x1b``, that would act on a terminal instead of being shown.

    Line breaks stay. Names and values in messages come from files that others have written.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char == "\n" else ascii(char)[1:-1] for char in text)


class W40KError(ValueError):
    """Base of every error that this package raises on purpose; its message is one line and safe to print."""

    def __str__(self) -> str:
        """Return the message, control characters and line breaks escaped."""
        return printable(super().__str__()).replace("\n", "\\n")


class ContentError(W40KError):
    """Content that cannot be used: in which file and where in it, what was expected, what came."""

    def __init__(self, file: str, key: str, expected: str, got: str, hint: str = "") -> None:
        """Keep the parts; they are also ``args``, so that the error survives pickling between processes."""
        super().__init__(file, key, expected, got, hint)
        self.file = file
        self.key = key
        self.expected = expected
        self.got = got
        self.hint = hint

    def __str__(self) -> str:
        """``{file}: {key}: expected {expected}, got {got}``, and the hint where there is one."""
        text = f"{_cut(self.file)}: {_cut(self.key)}: expected {self.expected}, got {_cut(self.got)}"
        return printable(f"{text} ({self.hint})" if self.hint else text).replace("\n", "\\n")


def _cut(text: str, most: int = 400) -> str:
    """What a file says, cut short where it says very much."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


class DefaultModelMissingError(ContentError):
    """A mapping of unit types to models that is not strict and names no ``default_model``."""


_LONGEST = 80  # characters of a value in a message


def brief(value: object) -> str:
    """A value as errors show what came: its ``repr`` on one line, cut short; its type where it has no ``repr``."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # e.g. a whole number of thousands of digits
        return f"a value of type {type(value).__name__}"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``did you mean "..."?`` for the known word nearest to ``word``; empty where none is near."""
    import difflib  # here, because a program that makes no mistake need not load it

    lowered = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), lowered, n=1)
    return f'did you mean "{lowered[near[0]]}"?' if near else ""


def how_to_install(extra: str) -> str:
    """The command that installs an optional dependency, and the folder to run it in: the package is on no index."""
    checkout = Path(__file__).resolve().parents[1]
    where = str(checkout) if (checkout / "setup.cfg").is_file() else "the folder of the checkout"
    return f'run `python -m pip install -e ".[{extra}]"` in {where}'


class ActionError(W40KError):
    """Base of the refusals of ``step``; the game is unchanged."""


class NotAnActionError(ActionError):
    """The action is no whole number of the action space."""


class IllegalActionError(ActionError):
    """The action is in the space, but the mask of this moment does not allow it."""


class InterruptedStepError(W40KError):
    """An exception has ended a reset or a step half way; the game is not to be used before the next ``reset``."""


class DeploymentError(W40KError):
    """A random deployment found no free hex in a zone."""
