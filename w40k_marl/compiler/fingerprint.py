"""The fingerprint of a function: a hash of exactly the parts that determine its machine code.

It uses the functions in memory, which numba compiles, not source files. So it does not depend on
the folder of the package, needs no sources and detects every edit. Comments, docstrings and line
numbers are not included.
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
"""Settings of numba that may differ between users and machines without changing the code."""


def fingerprint(function: Any, *context: Any) -> str:
    """Return the hash of a function, of everything that it uses from its own and this package, and
    of the context.

    Raises TypeError if the function refers to a value of an unsupported type.
    """
    taken = _Fingerprint({_package_of(function), _package_of(_Fingerprint)})
    for value in (function, *context):
        taken.add(value)
    return hashlib.sha256("\n".join(taken.parts).encode()).hexdigest()[:32]


def versions() -> tuple[object, ...]:
    """Return the versions and the settings of numba that influence machine code."""
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
    """Follows references from value to value; each function and class is included once."""

    def __init__(self, packages: set[str]) -> None:
        self._packages = packages
        self.parts: list[str] = []
        self._seen: dict[int, int] = {}

    def _put(self, *part: object) -> None:
        self.parts.append(repr(part))  # on one line: repr escapes line breaks

    def add(self, value: Any) -> None:
        """Add a value and everything that it refers to."""
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
            self._put("module", value.__name__)  # the names in the code determine the parts used
        elif isinstance(value, (np.ndarray, np.generic)) and not value.dtype.hasobject:
            self._put(kind.__name__, str(value.dtype), value.shape, value.tobytes())
        elif isinstance(value, (np.dtype, np.ufunc)):
            self._put(kind.__name__, str(value))
        else:
            self._add_definition(value)

    def _add_definition(self, value: Any) -> None:
        """Add a named object: a function, a class, an object of another package."""
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
    """Return the names that a function and its inner functions look up: globals and attributes."""
    found = dict.fromkeys(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found.update(dict.fromkeys(_names(constant)))
    return list(found)
