"""The refusals of this package: one small family, so that a caller can catch all of them by ``W40KError``.

Every message says what was expected and what came; see ``ContentError`` for the form.
"""

from __future__ import annotations

from collections.abc import Iterable


class W40KError(ValueError):
    """Base of every error that this package raises on purpose."""

    def __str__(self) -> str:
        """The message on one line, with every character that a terminal would obey escaped."""
        return printable(super().__str__())


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
        return printable(f"{text} ({self.hint})" if self.hint else text)


def _cut(text: str, most: int = 400) -> str:
    """What a file says, cut short where it says very much."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


class DefaultModelMissingError(ContentError):
    """A mapping of unit types to models that is not strict and names no ``default_model``."""


def printable(text: str) -> str:
    """Return the text with what cannot be printed, control characters above all, escaped as in Python."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``did you mean "..."?`` for the known word nearest to ``word``; empty where none is near."""
    import difflib  # here, because a program that makes no mistake need not load it

    lowered = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), lowered, n=1)
    return f'did you mean "{lowered[near[0]]}"?' if near else ""


class ActionError(W40KError):
    """Base of the refusals of ``step``; the game is unchanged."""


class NotAnActionError(ActionError):
    """The action is no whole number of the action space."""


class IllegalActionError(ActionError):
    """The action is in the space, but the mask of this moment does not allow it."""


class DeploymentError(W40KError):
    """A random deployment found no free hex in a zone."""
