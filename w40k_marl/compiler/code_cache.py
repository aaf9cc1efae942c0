"""Kept machine code, loaded without waking numba's compiler: 27 MB and a quarter of a second less at every start.

Whenever numba loads a function from its cache it prepares to compile: it imports every typing rule that it has and
compiles its memory manager anew. Machine code needs only the memory manager, and that can be kept like other code.
"""

from __future__ import annotations

import hashlib
import pickle
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from numba.core.caching import FunctionCache
from numba.core.runtime import nrtdynmod, rtsys


class MachineCode(FunctionCache):  # type: ignore[misc]
    """The compile cache of one function; the compiler is prepared only where something is to be compiled."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The kept code for a signature, or None."""
        _start_memory_manager(target_context, Path(self.cache_path).parent)
        with self._guard_against_spurious_io_errors():
            found = self._load_overload(sig, target_context)
        return found if found is not None else super().load_overload(sig, target_context)


def _start_memory_manager(target_context: Any, directory: Path) -> None:
    """Do what numba does before it compiles for the first time, with the memory manager of ``directory``."""
    if rtsys._init:
        return
    numbas_own = nrtdynmod.compile_nrt_functions
    nrtdynmod.compile_nrt_functions = partial(_memory_manager, directory)
    try:
        rtsys.initialize(target_context)
    finally:
        nrtdynmod.compile_nrt_functions = numbas_own


def _memory_manager(directory: Path, target_context: Any) -> Any:
    """The library of the memory manager: kept, or compiled and kept, for this kind of processor."""
    codegen = target_context.codegen()
    processor = hashlib.sha256(repr(codegen.magic_tuple()).encode()).hexdigest()[:16]
    kept = directory / f"memory_manager-{processor}.pickle"
    if kept.exists():
        return codegen.unserialize_library(pickle.loads(kept.read_bytes()))
    module, library = nrtdynmod.create_nrt_module(target_context)
    library.enable_object_caching()
    library.add_ir_module(module)
    library.finalize()
    with tempfile.NamedTemporaryFile(dir=directory, delete=False) as file:
        file.write(pickle.dumps(library.serialize_using_object_code()))
    Path(file.name).replace(kept)  # another process may be doing the same
    return library
