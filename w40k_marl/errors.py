"""The refusals of this package: one small family, so that a caller can catch all of them by ``W40KError``.

Every message says what was expected and what came; see ``ContentError`` for the form.
"""

from __future__ import annotations

from collections.abc import Iterable


def printable(text: str) -> str:
    r"""The text with every character escaped, as ``\x1b``, that would act on a terminal instead of being shown.

    Line breaks stay. Names and values in messages come from files that others have written.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char == "\n" else ascii(char)[1:-1] for char in text)


class W40KError(ValueError):
    """Base of every error that this package raises on purpose; its message is safe to print."""

    def __str__(self) -> str:
        """The message, control characters escaped."""
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
        text = f"{self.file}: {self.key}: expected {self.expected}, got {self.got}"
        return printable(f"{text} ({self.hint})" if self.hint else text)


class DefaultModelMissingError(ContentError):
    """A mapping of unit types to models that is not strict and names no ``default_model``."""


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
