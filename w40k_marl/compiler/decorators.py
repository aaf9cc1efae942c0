"""The two decorators that compile the rules, and the compile cache that belongs to them.

numba keys its cache by the file of the decorated function alone: an edit in ``combat.py`` would leave an old
``engine.step`` in use. Our cache directory is therefore named after everything the machine code depends on.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numba
import numpy as np
from numba import config, njit, types
from numba.core.codegen import CPUCodeLibrary
from numba.core.registry import CPUDispatcher

from .machine_code import MachineCode

Function = TypeVar("Function", bound=Callable[..., object])


COMPILED_ROOMS = ("rules", "observe", "reward")
"""The packages whose functions are compiled into one another."""


def cache_key(package: Path) -> str:
    """Hash of every source of the compiled rooms of ``package``, of numba's and numpy's versions and of the flags."""
    digest = hashlib.sha256()
    for path in sorted(path for room in COMPILED_ROOMS for path in (package / room).glob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    flags = (numba.__version__, np.__version__, sys.version_info[:2], config.BOUNDSCHECK, config.OPT)
    digest.update(repr(flags).encode())
    return digest.hexdigest()[:16]


def _cache_base() -> Path:
    """Where compiled code may be kept: ``NUMBA_CACHE_DIR``, else the user's cache folder."""
    if os.environ.get("NUMBA_CACHE_DIR"):
        return Path(os.environ["NUMBA_CACHE_DIR"])
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "w40k_marl" / "cache"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "w40k_marl"


def _writable_cache() -> str | None:
    """The cache directory, made if need be; None, with one warning, where it cannot be written."""
    directory = _cache_base() / cache_key(Path(__file__).parent.parent)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        warnings.warn(
            f"compile cache {directory} is not writable ({error.strerror}): the rules are compiled in memory at "
            "every start; set NUMBA_CACHE_DIR to a writable folder to keep them",
            RuntimeWarning,
            stacklevel=2,
        )
        return None
    return str(directory)


CACHE_DIRECTORY: str | None = None if config.DISABLE_JIT else _writable_cache()


def _widest(argument: types.Type) -> types.Type:
    """Signed integers of every size, and literal ones, as ``int64``; anything else as it is."""
    plain = types.unliteral(argument)
    return types.int64 if isinstance(plain, types.Integer) and plain.signed else plain


class _Part(CPUDispatcher):  # type: ignore[misc]
    """A function compiled to become part of others: no wrapper to call it from Python, and optimised lightly.

    Its callers optimise it again, thoroughly, once it is part of them.
    """

    def compile(self, sig: object) -> object:
        """Compile for a signature, while numba's last and longest round of optimisation is left out."""
        thorough = CPUCodeLibrary._optimize_final_module
        CPUCodeLibrary._optimize_final_module = _optimise_lightly
        try:
            return super().compile(sig)
        finally:
            CPUCodeLibrary._optimize_final_module = thorough


def _optimise_lightly(library: CPUCodeLibrary) -> None:
    codegen = library._codegen
    passes, builder = codegen._module_pass_manager(
        cost="cheap", opt=codegen._opt_level, loop_vectorize=codegen._loopvect, slp_vectorize=False
    )
    passes.run(library._final_module, builder)


class _OneVersion(CPUDispatcher):  # type: ignore[misc]
    """A compiled function that has one version for all sizes of integers.

    numba would otherwise compile a function anew for each mix of small, large and literal integers it is called
    with: half as many versions again, and half the wait again. Python calls another version than compiled code does.
    """

    def __init__(self, function: Callable[..., object]) -> None:
        """Compile nothing yet."""
        options = {"nopython": True, "nogil": True}
        super().__init__(function, targetoptions=options)
        self._part = _Part(function, targetoptions={**options, "no_cpython_wrapper": True, "no_cfunc_wrapper": True})

    def get_call_template(self, args: tuple[types.Type, ...], kws: dict[str, types.Type]) -> object:
        """Choose the version for a call from compiled code."""
        return self._part.get_call_template(tuple(map(_widest, args)), kws)

    def get_overload(self, sig: object) -> object:
        """The version that a call from compiled code has chosen."""
        return self._part.get_overload(sig)


def compiled(function: Function) -> Function:
    """Compile a function that other compiled functions call."""
    if config.DISABLE_JIT:
        return function
    return _OneVersion(function)


def entry_point(function: Function) -> Function:
    """Compile a function that Python calls, and keep the machine code between processes."""
    if CACHE_DIRECTORY is None:
        return njit(nogil=True)(function)
    dispatcher = njit(nogil=True)(function)
    # a cache reads the directory when it is made; set it for that moment only, other users of numba keep theirs
    before, config.CACHE_DIR = config.CACHE_DIR, CACHE_DIRECTORY
    try:
        dispatcher._cache = MachineCode(function)
    finally:
        config.CACHE_DIR = before
    return dispatcher
