"""Reads whole files as bytes, whatever a path leads to: every failure is a ``ContentError``, and none waits for ever.

Pipes are read too, so that a shell may write a file on the spot (``<(command)``). What comes out of a pipe comes once:
it is kept for those who read the same pipe again.
"""

from __future__ import annotations

import os
import select
import stat
import time
from pathlib import Path

from ..errors import ContentError

TOP = "(top level)"
"""The key that errors name when the whole file is meant."""

LARGEST = 64 * 2**20
"""Most bytes of a file."""

WAIT_FOR_WRITER = 1.0
"""Seconds until somebody must have opened a pipe to write."""

WAIT_AGAIN = 0.05
"""Seconds until somebody must have opened a pipe that has been read before."""

WAIT_FOR_DATA = 10.0
"""Seconds for which somebody who writes to a pipe may be silent."""

_PIECE = 2**16
_NOT_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
_pipes: dict[tuple[int, int, int], bytes] = {}


def read_file(path: Path) -> bytes:
    """Return the bytes of a regular file, or of a pipe up to its end.

    Raises ContentError for anything else, for more than ``LARGEST`` bytes, and for a pipe that stays silent.
    """
    file = str(path)
    try:
        kind = path.stat().st_mode
        if stat.S_ISREG(kind) or stat.S_ISFIFO(kind):  # to open a device may do something
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
    """Whether there is something at a path that may be read as a file: also a pipe, and never an error."""
    try:
        kind = Path(path).stat().st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(kind) or stat.S_ISFIFO(kind)


def is_folder(path: Path | str) -> bool:
    """Whether there is a folder at a path; never an error."""
    try:
        return stat.S_ISDIR(Path(path).stat().st_mode)
    except (OSError, ValueError):
        return False


def entries(folder: Path) -> list[Path]:
    """Return what a folder holds, in no order. Raises ContentError where that cannot be read."""
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
    """A pipe, and when it was last written to."""
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
    """Everything that is written until the last writer leaves; None where there is no writer for ``patience`` seconds.

    Raises ContentError for a writer that is silent for ``WAIT_FOR_DATA`` seconds.
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
