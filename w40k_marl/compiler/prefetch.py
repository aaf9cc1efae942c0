"""Prefetches memory that is needed soon, so that it loads while other work is done.

A large batch is in the outer caches; without prefetching, each game would wait for its own record.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import config, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from .decorators import compiled
from .numba_private import PLAIN

CACHE_LINE = 64  # bytes
_WRITE, _KEEP, _DATA = 1, 3, 1  # for writing, in the inner cache, no code


def _generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """Generate LLVM's prefetch of the byte at an offset of an array's data."""
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
    address = builder.gep(builder.bitcast(array.data, byte), [arguments[1]])
    kind = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
    function = builder.module.declare_intrinsic("llvm.prefetch", (byte,), kind)
    builder.call(function, [address, *(ir.Constant(word, value) for value in (_WRITE, _KEEP, _DATA))])
    return context.get_dummy_value()


if config.DISABLE_JIT or PLAIN:

    @compiled
    def prefetch(array: NDArray[Any], first: int, size: int) -> None:
        """Do nothing: only numba's private parts can generate this instruction."""

else:

    @intrinsic  # type: ignore[untyped-decorator, unused-ignore]
    def _prefetch(typing_context: Any, array: Any, offset: Any) -> Any:
        """Prefetch the cache line of a byte of an array."""
        return types.void(array, types.int64), _generate

    @compiled
    def prefetch(array: NDArray[Any], first: int, size: int) -> None:
        """Prefetch ``size`` bytes of a contiguous array, starting at byte ``first``."""
        for offset in range(first, first + size, CACHE_LINE):
            _prefetch(array, offset)
