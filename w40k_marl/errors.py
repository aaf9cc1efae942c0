"""The errors of this package; ``except W40KError`` catches all of them.

Every message contains the expected and the actual value; ``ContentError`` defines the form.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def printable(text: str) -> str:
    r"""Return the text with every character escaped (as ``\x1b``) that a terminal would not
    display.

    Line breaks stay. Names and values in messages may come from files of other people.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char == "\n" else ascii(char)[1:-1] for char in text)


class W40KError(ValueError):
    """Base of every error that this package raises itself; its message is one line and safe to
    print.
    """

    def __str__(self) -> str:
        """Return the message with control characters and line breaks escaped."""
        return printable(super().__str__()).replace("\n", "\\n")


class ContentError(W40KError):
    """A value in a file or an argument is invalid: file, key, expected value, actual value."""

    def __init__(self, file: str, key: str, expected: str, got: str, hint: str = "") -> None:
        """Store the parts; they are also ``args``, so that the error can be pickled between
        processes.
        """
        super().__init__(file, key, expected, got, hint)
        self.file = file
        self.key = key
        self.expected = expected
        self.got = got
        self.hint = hint

    def __str__(self) -> str:
        """Return ``{file}: {key}: expected {expected}, got {got}``, and the hint if there is one."""
        text = f"{_cut(self.file)}: {_cut(self.key)}: expected {self.expected}, got {_cut(self.got)}"
        return printable(f"{text} ({self.hint})" if self.hint else text).replace("\n", "\\n")


def _cut(text: str, most: int = 400) -> str:
    """Return the text, shortened to ``most`` characters."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


class DefaultModelMissingError(ContentError):
    """A mapping of unit types to models is not strict and has no ``default_model``."""


_LONGEST = 80  # characters of a value in a message


def brief(value: object) -> str:
    """Return a value for an error message: its ``repr`` on one line, shortened, or else its type."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # e.g. a whole number of thousands of digits
        return f"a value of type {type(value).__name__}"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``did you mean "..."?`` with the most similar known word, or ``""`` if none is
    similar.
    """
    import difflib  # here, because it is only needed for errors

    lowered = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), lowered, n=1)
    return f'did you mean "{lowered[near[0]]}"?' if near else ""


def how_to_install(extra: str) -> str:
    """Return the command that installs an extra, and its folder: the package is not on PyPI."""
    checkout = Path(__file__).resolve().parents[1]
    where = str(checkout) if (checkout / "setup.cfg").is_file() else "the folder of the checkout"
    return f'run `python -m pip install -e ".[{extra}]"` in {where}'


class ActionError(W40KError):
    """Base of the errors of ``step``; the game is unchanged."""


class NotAnActionError(ActionError):
    """The action is not a whole number of the action space."""


class IllegalActionError(ActionError):
    """The action is in the space, but the current mask forbids it."""


class InterruptedStepError(W40KError):
    """An exception has interrupted a reset or a step; call ``reset`` before using the game again."""


class DeploymentError(W40KError):
    """A random deployment found no free hex in a zone."""
