"""All uses of numba's private parts, and the test that they exist; no other module imports
``numba.core``.

They save half of the first compile and a fifth of every start (docs/performance.md). If a part is
missing, or if numba is newer than the newest tested version, ``plain_reason`` returns the reason,
and the decorators use only numba's public interface.
"""

from __future__ import annotations

import importlib
import inspect
import os
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numba
from numba import config, njit, types

NEWEST_TESTED = (0, 68)
"""The newest minor version of numba with which all tests have passed."""

SWITCH = "W40K_MARL_PLAIN_NUMBA"
"""Environment variable: any value except empty and 0 selects plain numba."""


class Use(NamedTuple):
    """A private part of numba."""

    name: str  # module:attribute.attribute
    parameters: str | None  # of a function, as this package calls or overrides it
    why: str
    since: str  # the first version of numba with this form


USES = (
    Use("numba.core.registry:CPUDispatcher", None, "base of dispatchers with one version for all integers", "0.49"),
    Use("numba.core.registry:CPUDispatcher.compile", "self sig", "parts are optimised lightly", "0.49"),
    Use("numba.core.registry:CPUDispatcher.get_call_template", "self args kws", "integers are made int64", "0.49"),
    Use("numba.core.registry:CPUDispatcher.get_overload", "self sig", "the version that was chosen", "0.49"),
    Use("numba.core.compiler_lock:global_compiler_lock", None, "no other thread compiles meanwhile", "0.49"),
    Use("numba.core.codegen:CPUCodeLibrary._optimize_final_module", "self", "replaced for parts", "0.49"),
    Use("numba.core.codegen:CPUCodegen._module_pass_manager", "self kwargs", "the light optimisation", "0.62"),
    Use("numba.core.codegen:JITCPUCodegen.magic_tuple", "self", "the processor, for the name of kept code", "0.49"),
    Use("numba.core.compiler:CompileResult._reduce", "self", "machine code as bytes", "0.49"),
    Use("numba.core.compiler:CompileResult._rebuild", None, "bytes as machine code", "0.49"),
    Use("numba.core.serialize:dumps", "obj", "pickles numba's types", "0.49"),
    Use("numba.core.runtime:rtsys._init", None, "whether the memory manager runs", "0.49"),
    Use("numba.core.runtime:rtsys.initialize", "ctx", "starts it without the compiler", "0.49"),
    Use("numba.core.runtime:nrtdynmod.compile_nrt_functions", "ctx", "replaced by kept code", "0.49"),
    Use("numba.core.runtime:nrtdynmod.create_nrt_module", "ctx", "compiles what is kept", "0.49"),
)
"""In addition: ``_cache`` of a dispatcher, which ``plain_reason`` tests with an example."""


def _missing(use: Use) -> bool:
    """Return True if a part does not exist or has other parameters."""
    module, _, path = use.name.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for attribute in path.split("."):
            found = getattr(found, attribute)
        return use.parameters is not None and list(inspect.signature(found).parameters) != use.parameters.split()
    except (ImportError, AttributeError, TypeError, ValueError):
        return True


def plain_reason() -> str:
    """Return the reason to use only numba's public interface; empty if its private parts can be
    used.
    """
    if os.environ.get(SWITCH, "0") not in ("", "0"):
        return f"{SWITCH} is set"
    version = tuple(int(number) for number in re.findall(r"\d+", numba.__version__)[:2])
    if version > NEWEST_TESTED:
        return f"numba {numba.__version__} is newer than {'.'.join(map(str, NEWEST_TESTED))}, the newest tested"
    missing = [use.name for use in USES if _missing(use)]
    if not hasattr(njit(_example), "_cache"):
        missing.append("the attribute _cache of a dispatcher")
    return f"numba {numba.__version__} lacks {', '.join(missing)}" if missing else ""


def _example() -> None:
    pass


PLAIN = plain_reason()

if not PLAIN:
    from numba.core.codegen import CPUCodeLibrary
    from numba.core.compiler import CompileResult
    from numba.core.compiler_lock import global_compiler_lock
    from numba.core.registry import CPUDispatcher
    from numba.core.runtime import nrtdynmod, rtsys
    from numba.core.serialize import dumps
else:
    CPUDispatcher = object


# --- fewer versions, optimised once ------------------------------------------------------------------------


class Part(CPUDispatcher):  # type: ignore[misc]
    """A function compiled as a part of others: lightly optimised, without a wrapper for calls from
    Python.

    The functions that include it optimise it again, thoroughly.
    """

    def compile(self, sig: object) -> object:
        """Compile for a signature without numba's last and longest optimisation.

        The method is replaced for the whole process. numba compiles under the lock held here, so no
        other thread sees the replacement.
        """
        with global_compiler_lock:
            thorough = CPUCodeLibrary._optimize_final_module

            def lightly(library: Any) -> None:
                try:
                    _optimise_lightly(library)
                except (AttributeError, TypeError):  # another interface: slower, same result
                    thorough(library)

            CPUCodeLibrary._optimize_final_module = lightly
            try:
                return super().compile(sig)
            finally:
                CPUCodeLibrary._optimize_final_module = thorough


def _optimise_lightly(library: Any) -> None:
    codegen = library._codegen
    passes, builder = codegen._module_pass_manager(
        cost="cheap", opt=codegen._opt_level, loop_vectorize=codegen._loopvect, slp_vectorize=False
    )
    passes.run(library._final_module, builder)


def _widest(argument: types.Type) -> types.Type:
    """Return ``int64`` for signed integers, also literal ones; else the type itself."""
    plain = types.unliteral(argument)
    return types.int64 if isinstance(plain, types.Integer) and plain.signed else plain


class OneVersion(CPUDispatcher):  # type: ignore[misc]
    """A compiled function with one version for all sizes of integers.

    Otherwise numba would compile a function for each mix of small, large and literal integers: half
    as many versions again, and half as much time again. Python and compiled code call different
    versions.
    """

    def __init__(self, function: Callable[..., object]) -> None:
        """Create both dispatchers; compile nothing yet."""
        options = {"nopython": True, "nogil": True}
        super().__init__(function, targetoptions=options)
        self._part = Part(function, targetoptions={**options, "no_cpython_wrapper": True, "no_cfunc_wrapper": True})

    def get_call_template(self, args: tuple[types.Type, ...], kws: dict[str, types.Type]) -> object:
        """Choose the version for a call from compiled code."""
        return self._part.get_call_template(tuple(map(_widest, args)), kws)

    def get_overload(self, sig: object) -> object:
        """Return the version that was chosen for a call from compiled code."""
        return self._part.get_overload(sig)


# --- machine code as bytes ---------------------------------------------------------------------------------


def use_cache(dispatcher: Any, cache: object) -> None:
    """Make a dispatcher use ``cache``, an object with the methods of numba's own caches."""
    dispatcher._cache = cache


def numbas_own_cache(dispatcher: Any, directory: Path) -> Any:
    """Return numba's cache for a dispatcher in a directory, independent of numba's environment
    variables.

    Raises RuntimeError if numba cannot write there.
    """
    before = dispatcher._cache, config.CACHE_DIR, config.CACHE_LOCATOR_CLASSES
    config.CACHE_DIR, config.CACHE_LOCATOR_CLASSES = str(directory), "UserProvidedCacheLocator"
    try:
        dispatcher.enable_caching()
        return dispatcher._cache
    finally:
        dispatcher._cache, config.CACHE_DIR, config.CACHE_LOCATOR_CLASSES = before


def processor(target_context: Any) -> object:
    """Return name and features of the target processor."""
    return target_context.codegen().magic_tuple()


def to_bytes(result: Any) -> bytes | None:
    """Return the compiled code, pickled; None if it contains addresses of this process."""
    if result.lifted or result.library.has_dynamic_globals:
        return None
    pickled: bytes = dumps(result._reduce())
    return pickled


def from_bytes(pickled: bytes, target_context: Any) -> Any:
    """Return compiled code from bytes. The code is executed: the bytes must come from a trusted
    source.
    """
    return CompileResult._rebuild(target_context, *pickle.loads(pickled))


def memory_manager_runs() -> bool:
    """Return True if machine code can already be loaded."""
    return bool(rtsys._init)


def start_memory_manager(target_context: Any, kept: bytes | None) -> bytes | None:
    """Start numba's memory manager without the compiler: this saves 27 MB and a fifth of the time.

    Uses the machine code in ``kept``; if that is None, compiles it and returns it as bytes.
    """
    made: list[bytes] = []

    def library_of(target_context: Any) -> Any:
        codegen = target_context.codegen()
        if kept is not None:
            return codegen.unserialize_library(pickle.loads(kept))
        module, library = nrtdynmod.create_nrt_module(target_context)
        library.enable_object_caching()
        library.add_ir_module(module)
        library.finalize()
        made.append(pickle.dumps(library.serialize_using_object_code()))
        return library

    with global_compiler_lock:
        numbas_own = nrtdynmod.compile_nrt_functions
        nrtdynmod.compile_nrt_functions = library_of
        try:
            rtsys.initialize(target_context)
        finally:
            nrtdynmod.compile_nrt_functions = numbas_own
    return made[0] if made else None
