"""The fingerprint of a function: a hash of all that its machine code is made of, and of nothing else.

It is taken from the functions in memory, which are what numba compiles, and not from source files: it is the same in
every folder that the package is installed in, it needs no sources, and it cannot miss an edit. Comments, docstrings
and line numbers are not part of it.
"""

from __future__ import annotations

import builtins
import hashlib
import re
import sys
from collections.abc import Callable
from enum import Enum
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

import llvmlite
import numba
import numpy as np

_CONSTANTS = (type(None), bool, int, float, complex, str, bytes, type(Ellipsis))

_NO_PART_OF_THE_CODE = re.compile(r"CACHE_|CUDA|COLOR_SCHEME|THREADING_LAYER|GDB_BINARY|.*NUM_THREADS$")
"""Settings of numba that differ between users and machines without a difference in the code."""


def fingerprint(function: Any, *context: Any) -> str:
    """Hash of a function with everything that it refers to in its own package and in this one, and of the context.

    Raises TypeError if the function refers to a value whose content is not known here.
    """
    taken = _Fingerprint({_package_of(function), _package_of(_Fingerprint)})
    for value in (function, *context):
        taken.add(value)
    return hashlib.sha256("\n".join(taken.parts).encode()).hexdigest()[:32]


def versions() -> tuple[object, ...]:
    """What else decides about machine code: versions, and the settings of numba, from wherever they come."""
    settings = sorted(
        (name, repr(value))
        for name, value in vars(numba.config).items()
        if name.isupper() and isinstance(value, _CONSTANTS) and not _NO_PART_OF_THE_CODE.match(name)
    )
    python = sys.implementation.cache_tag, getattr(sys, "abiflags", "")
    return numba.__version__, llvmlite.__version__, np.__version__, *python, tuple(settings)


def _package_of(value: Any) -> str:
    module: str = getattr(value, "__module__", None) or type(value).__module__
    return module.partition(".")[0]


class _Fingerprint:
    """Follows references from value to value; each function and class is taken once."""

    def __init__(self, packages: set[str]) -> None:
        self._packages = packages
        self.parts: list[str] = []
        self._seen: dict[int, int] = {}

    def _put(self, *part: object) -> None:
        self.parts.append(repr(part))  # on one line: repr escapes line breaks

    def add(self, value: Any) -> None:
        """Add a value and all that it refers to."""
        kind = type(value)
        if kind in _CONSTANTS:
            self._put(kind.__name__, value)
        elif isinstance(value, Enum):
            self._put(kind.__qualname__, value.name, value.value)
        elif isinstance(value, (tuple, list)):
            self._put(kind.__qualname__, len(value), *getattr(value, "_fields", ()))
            for item in value:
                self.add(item)
        elif isinstance(value, (frozenset, set)):
            self._put(kind.__name__, sorted(map(repr, value)))
        elif isinstance(value, ModuleType):
            self._put("module", value.__name__)  # what is used of it follows from the names in the code
        elif isinstance(value, (np.ndarray, np.generic)) and not value.dtype.hasobject:
            self._put(kind.__name__, str(value.dtype), value.shape, value.tobytes())
        elif isinstance(value, (np.dtype, np.ufunc)):
            self._put(kind.__name__, str(value))
        else:
            self._add_definition(value)

    def _add_definition(self, value: Any) -> None:
        """Add what has a name: a function, a class, something of another package."""
        known = self._seen.get(id(value))
        if known is not None:
            self._put("seen", known)
            return
        self._seen[id(value)] = len(self._seen)
        home = getattr(value, "__module__", None) or type(value).__module__
        ours = _package_of(value) in self._packages
        if hasattr(value, "py_func"):  # a compiled function
            self._put(sorted(value.targetoptions.items()))
            self._add_function(value.py_func)
        elif isinstance(value, FunctionType) and ours:
            self._add_function(value)
        elif hasattr(value, "__wrapped__") and ours:  # an intrinsic
            self._add_function(value.__wrapped__)
        elif isinstance(value, type):
            self._put(home, value.__qualname__)
            if ours:
                self._add_class(value)
        elif isinstance(value, (FunctionType, BuiltinFunctionType)):
            self._put(home, value.__qualname__)
        elif _package_of(value) in ("numba", "typing"):
            name = repr(value)
            self._put(home, type(value).__qualname__ if " at 0x" in name else name)
        else:
            raise TypeError(f"expected functions, classes and constants in compiled code, got {value!r}")

    def _add_class(self, value: type) -> None:
        for name, member in sorted(vars(value).items()):
            if isinstance(member, (*_CONSTANTS, FunctionType)) and not name.startswith("__doc"):
                self._put(name)
                self.add(member)

    def _add_function(self, function: Callable[..., Any]) -> None:
        code: CodeType = function.__code__
        self._put(function.__module__, function.__qualname__)
        self._add_code(code, function.__doc__)
        self.add(function.__defaults__)
        for cell in function.__closure__ or ():
            self.add(cell.cell_contents)
        names = _names(code)
        for name in names:
            if name in function.__globals__:
                self._put(name)
                self._add_global(function.__globals__[name], names)
            elif hasattr(builtins, name):
                self._put(name)

    def _add_global(self, value: Any, names: list[str]) -> None:
        self.add(value)
        if isinstance(value, ModuleType) and value.__name__.partition(".")[0] in self._packages:
            for name in names:
                if hasattr(value, name):
                    self._put(name)
                    self.add(getattr(value, name))

    def _add_code(self, code: CodeType, docstring: str | None) -> None:
        self._put(code.co_code.hex(), code.co_exceptiontable.hex(), code.co_flags)
        self._put(code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount)
        self._put(code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
        for index, constant in enumerate(code.co_consts):
            if isinstance(constant, CodeType):
                self._add_code(constant, None)
            elif index > 0 or constant != docstring:
                self.add(constant)


def _names(code: CodeType) -> list[str]:
    """The names that a function looks up, those of its inner functions too: globals and attributes alike."""
    found = dict.fromkeys(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found.update(dict.fromkeys(_names(constant)))
    return list(found)
