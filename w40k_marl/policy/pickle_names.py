"""Reads a pickle as a tree of names, without importing or calling anything that it names."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from typing import Any, NamedTuple

from .errors import ModelFileError

LARGEST_PICKLE = 2**18  # bytes; settings and lists of tensors have a few thousand
MOST_TUPLES = 5000  # hashing nested tuples uses the stack of the interpreter


class Reference(NamedTuple):
    """The name of a class or function that unpickling would import."""

    module: str
    name: str

    def __eq__(self, other: object) -> bool:
        """Return True for the same name; a plain tuple is never equal."""
        return type(other) is Reference and tuple.__eq__(self, other)

    def __hash__(self) -> int:
        """Return the hash of the tuple."""
        return tuple.__hash__(self)

    def __call__(self, *arguments: object, **named: object) -> Made:
        """Return the ``Made`` that stands for the result of a call."""
        return Made(self, arguments)

    def __str__(self) -> str:
        """Return ``module.name``, without control characters."""
        return f"{self.module}.{self.name}".encode("unicode_escape").decode()[:120]


class Made:
    """Stands for the result of a call, with the state and the items that the pickle sets."""

    __slots__ = ("arguments", "call", "items", "state")

    def __init__(self, call: Reference, arguments: tuple[object, ...]) -> None:
        self.call = call
        self.arguments = arguments
        self.state: object = None
        self.items: dict[object, object] = {}

    def __setstate__(self, state: object) -> None:
        """Keep the state that the opcode BUILD sets."""
        self.state = state

    def __setitem__(self, key: object, value: object) -> None:
        """Keep an item that the opcode SETITEM or SETITEMS sets."""
        self.items[key] = value

    def __str__(self) -> str:
        """Return the name of a class that is stored by value, else
        the name of the called function.
        """
        if self.call.name.startswith("_make_skeleton") and isinstance(self.arguments[1], str):
            return f"a class {ascii(self.arguments[1])[:80]} that is stored in the file"
        return f"a result of {self.call}"


PERSISTENT = Reference("pickle", "persistent_load")
"""The ``call`` of a ``Made`` for an object outside the pickle; the argument names its place."""


def read_pickle(content: bytes) -> Any:
    """Return the object of a pickle, with ``Reference`` for global
    names and ``Made`` for results of calls.

    Raises ModelFileError, whose message says what was found, if the pickle is damaged, larger than
    ``LARGEST_PICKLE`` or has more than ``MOST_TUPLES`` tuples.
    """
    if len(content) > LARGEST_PICKLE:
        raise ModelFileError(f"a pickle of {len(content)} bytes, more than {LARGEST_PICKLE}")
    try:
        return _Reader(io.BytesIO(content)).load()
    except Exception as error:  # opcodes out of place raise whatever their operands do
        raise ModelFileError(f"a damaged pickle ({type(error).__name__})") from None


class _Reader(pickle._Unpickler):
    """The unpickler of the standard library that is written in
    Python: its memory grows only with the file.
    """

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.tuples = 0

    def find_class(self, module: str, name: str) -> Any:
        """Return a ``Reference`` instead of importing the name."""
        return Reference(module, name)

    def get_extension(self, code: int) -> Any:
        """Refuse an extension code, which other code may have registered. Raises
        UnpicklingError.
        """
        raise pickle.UnpicklingError("extension code")

    def persistent_load(self, pid: Any) -> Any:
        """Return a ``Made`` for an object that is stored elsewhere."""
        return Made(PERSISTENT, (pid,))

    def _load_new_object(self) -> None:
        arguments = self.stack.pop()  # type: ignore[attr-defined]
        self.stack[-1] = self.stack[-1](*arguments)  # type: ignore[attr-defined]

    def _count_tuple(self, opcode: int) -> None:
        self.tuples += 1
        if self.tuples > MOST_TUPLES:
            raise pickle.UnpicklingError("tuples")
        pickle._Unpickler.dispatch[opcode](self)  # type: ignore[arg-type]


def _counted(opcode: int) -> Callable[[_Reader], None]:
    return lambda reader: reader._count_tuple(opcode)


_TUPLES = {opcode[0]: _counted(opcode[0]) for opcode in (pickle.TUPLE, pickle.TUPLE1, pickle.TUPLE2, pickle.TUPLE3)}
_Reader.dispatch = {**pickle._Unpickler.dispatch, **_TUPLES, pickle.NEWOBJ[0]: _Reader._load_new_object}  # type: ignore[dict-item]
