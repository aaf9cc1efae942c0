"""Reads whole files as bytes. Every failure is a ``ContentError``, and every wait has a limit.

Pipes are read too, so that a shell may generate a file (``<(command)``). A pipe can be read only
once; its content is cached for later reads of the same pipe.
"""

from __future__ import annotations

import os
import select
import stat
import time
from pathlib import Path

from ..errors import ContentError

TOP = "(top level)"
"""The key in errors that concern the whole file."""

LARGEST = 64 * 2**20
"""Largest size of a file, in bytes."""

WAIT_FOR_WRITER = 1.0
"""Seconds within which a writer must open a pipe."""

WAIT_AGAIN = 0.05
"""Seconds within which a writer must open a pipe that has been read before."""

WAIT_FOR_DATA = 10.0
"""Seconds for which the writer of a pipe may be silent."""

_PIECE = 2**16
_NOT_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
_pipes: dict[tuple[int, int, int], bytes] = {}


def read_file(path: Path) -> bytes:
    """Return the bytes of a regular file, or of a pipe up to its end.

    Raises ContentError if the path is of another kind or cannot be read, if it has more than
    ``LARGEST`` bytes, or if a pipe has no writer or a silent one.
    """
    file = str(path)
    try:
        kind = path.stat().st_mode
        if stat.S_ISREG(kind) or stat.S_ISFIFO(kind):  # opening a device may have side effects
            descriptor = os.open(path, os.O_RDONLY | _NOT_WAITING)
            try:
                return _read(descriptor, file)
            finally:
                os.close(descriptor)
    except (OSError, ValueError) as error:
        if isinstance(error, ContentError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise ContentError(file, TOP, "a file that can be read", reason) from None
    got = "a folder" if stat.S_ISDIR(kind) else "a device" if not stat.S_ISSOCK(kind) else "a socket"
    raise ContentError(file, TOP, "a file that can be read", got)


def is_file(path: Path | str) -> bool:
    """Return True if the path is a regular file or a pipe; never raises an error."""
    try:
        kind = Path(path).stat().st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(kind) or stat.S_ISFIFO(kind)


def is_folder(path: Path | str) -> bool:
    """Return True if the path is a folder; never raises an error."""
    try:
        return stat.S_ISDIR(Path(path).stat().st_mode)
    except (OSError, ValueError):
        return False


def entries(folder: Path) -> list[Path]:
    """Return the entries of a folder, in no order. Raises ContentError if it cannot be read."""
    try:
        return list(folder.iterdir())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ContentError(str(folder), TOP, "a folder that can be read", reason) from None


def _read(descriptor: int, file: str) -> bytes:
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return _all_of(descriptor, file)
    kept = _pipes.get(_identity(descriptor))
    content = _from_pipe(descriptor, file, WAIT_FOR_WRITER if kept is None else WAIT_AGAIN)
    if content is not None:
        _pipes[_identity(descriptor)] = content
        return content
    if kept is None:
        raise ContentError(file, TOP, "a file that can be read", "a pipe that nobody writes to")
    return kept


def _identity(descriptor: int) -> tuple[int, int, int]:
    """Return the identity of a pipe and the time when it was last written to."""
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino, status.st_mtime_ns


def _all_of(descriptor: int, file: str) -> bytes:
    pieces, size = [], 0
    while piece := os.read(descriptor, _PIECE):
        pieces.append(piece)
        size += len(piece)
        _check_size(size, file)
    return b"".join(pieces)


def _from_pipe(descriptor: int, file: str, patience: float) -> bytes | None:
    """Return the content of a pipe up to its end, or None if it has no writer for ``patience``
    seconds.

    Raises ContentError if the writer is silent for ``WAIT_FOR_DATA`` seconds.
    """
    content, written, since = bytearray(), False, time.monotonic()
    while True:
        try:
            piece = os.read(descriptor, _PIECE)
        except BlockingIOError:  # there is a writer
            written = True
            select.select([descriptor], [], [], 0.1)
        else:
            content += piece
            _check_size(len(content), file)
            if piece:
                written, since = True, time.monotonic()
            elif written:
                return bytes(content)
            else:
                time.sleep(0.01)
        silent = time.monotonic() - since
        if written and silent > WAIT_FOR_DATA:
            raise ContentError(file, TOP, "a file that can be read", f"a pipe without data for {silent:.0f} s")
        if not written and silent > patience:
            return None


def _check_size(size: int, file: str) -> None:
    if size > LARGEST:
        raise ContentError(file, TOP, f"a file of at most {LARGEST // 2**20} MiB", "a larger one")
