"""Keeps machine code between processes, in a folder that only this user can write.

Each file is named after everything that its code depends on: the functions (``fingerprint``), the signature, versions,
settings of numba and the processor. It begins with a checksum. Whatever is wrong with a file or the folder, the code is
compiled instead, after one warning: no error of the cache reaches a game.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import secrets
import stat
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from numba import config

from . import numba_private
from .fingerprint import fingerprint, versions

LOGGER = logging.getLogger(__name__)

_MARK = b"w40k_marl machine code 1\n"

_NOWHERE = "there is no folder for it, because the user has no home folder"

problem = ""
"""The first problem of this process, of which it has warned."""

_announce: Callable[[str], object] = LOGGER.warning


def folder() -> Path | None:
    """Where machine code is kept: below ``NUMBA_CACHE_DIR``, else in the user's cache folder; None without either."""
    try:
        base = Path(config.CACHE_DIR) if config.CACHE_DIR else _user_cache()
        return None if base is None else (base / "w40k_marl" / "code").resolve()
    except (OSError, RuntimeError, ValueError):  # no working directory, a loop of links, no home, NUL in a name
        return None


def _user_cache() -> Path | None:
    """The cache folder of the platform. What is not absolute is ignored, as the XDG specification asks."""
    name = "LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME"
    for path in (Path(os.environ.get(name, "")), Path.home() / ".cache"):
        if path.is_absolute():
            return path
    return None


def read(name: str) -> bytes | None:
    """The content of a kept file; None, with a warning where something is wrong, if it cannot be used."""
    directory = folder()
    if directory is None or not os.path.lexists(directory / name):
        return None
    path = directory / name
    doubt = distrust(directory) or distrust_file(path)
    if doubt:
        _warn(doubt)
        return None
    try:
        data = path.read_bytes()
    except OSError as error:
        _warn(f"{path} cannot be read ({error.strerror})")
        return None
    start = _start(name, data[len(_MARK) + hashlib.sha256().digest_size :])
    if not data.startswith(start):
        _warn(f"{path} is damaged; it is compiled again")
        return None
    return data[len(start) :]


def write(name: str, content: bytes) -> None:
    """Keep a file; where that is impossible, warn."""
    directory = folder()
    if directory is None:
        _warn(_NOWHERE)
        return
    path = directory / name
    temporary = directory / f"{name}.{secrets.token_hex(4)}"
    try:
        doubt = distrust(directory)
        if doubt:
            _warn(doubt)
            return
        _make(directory)
        with open(temporary, "xb", opener=_open_for_me) as file:
            file.write(_start(name, content) + content)
        temporary.replace(path)  # other processes may be doing the same
    except OSError as error:
        _warn(f"{path} cannot be written ({error.strerror})")
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()  # it is there only if something went wrong


def _start(name: str, content: bytes) -> bytes:
    """What a file begins with."""
    return _MARK + hashlib.sha256(name.encode() + b"\0" + content).digest()


def _open_for_me(path: str, flags: int) -> int:
    return os.open(path, flags, 0o644)


def _make(directory: Path) -> None:
    for part in (*reversed(directory.parents), directory):
        if not part.exists():
            part.mkdir(mode=0o755, exist_ok=True)


# --- whom to trust: machine code and pickles are executed ---------------------------------------------------


def distrust(directory: Path) -> str:
    """Why others could have put files into a directory; empty if only this user and root can.

    A directory above it may be open to others if it is sticky, as ``/tmp`` is, or to a group of this user alone.
    """
    if not hasattr(os, "geteuid"):  # Windows: the cache folder is the user's own
        return ""
    for part in (directory, *directory.parents):
        try:
            status = part.stat()
        except FileNotFoundError:
            continue
        except OSError as error:
            return f"{part} cannot be read ({error.strerror})"
        doubt = _distrust_status(part, status, lenient=part != directory)
        if doubt:
            return doubt
    return ""


def distrust_file(path: Path) -> str:
    """Why others could have written a file, or why it is none; empty if it can be used."""
    try:
        status = path.stat()
    except OSError as error:
        return f"{path} cannot be read ({error.strerror})"
    if not stat.S_ISREG(status.st_mode):
        return f"{path} is not a file"
    return _distrust_status(path, status) if hasattr(os, "geteuid") else ""


def _distrust_status(path: Path, status: os.stat_result, *, lenient: bool = False) -> str:
    if status.st_uid not in (0, os.geteuid()):
        return f"{path} belongs to another user"
    open_to = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    if lenient and (status.st_mode & stat.S_ISVTX or (open_to == stat.S_IWGRP and _is_of_me_alone(status.st_gid))):
        open_to = 0
    return f"{path} can be written by other users" if open_to else ""


def _is_of_me_alone(group: int) -> bool:
    """Whether a group is the private one that many systems give to each user, under the user's name."""
    import grp
    import pwd

    try:
        name, found = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(group)
    except KeyError:
        return False
    return found.gr_name == name and set(found.gr_mem) <= {name}


def _warn(found: str) -> None:
    """Warn of the first problem of a process."""
    global problem
    if not problem:
        problem = found
        warnings.warn(
            f"compile cache: {found}. The rules are compiled instead, which takes about a minute. "
            f"Repair or delete {folder() or 'it'}, or set NUMBA_CACHE_DIR to a folder that only you can write.",
            RuntimeWarning,
            stacklevel=2,
        )


# --- what numba asks ---------------------------------------------------------------------------------------


@contextlib.contextmanager
def announcing(tell: Callable[[str], object] | None) -> Iterator[None]:
    """Tell of long compilations by ``tell`` instead of the log; None changes nothing."""
    global _announce
    before, _announce = _announce, tell or _announce
    try:
        yield
    finally:
        _announce = before


class CodeCache:
    """The cache of one function, with the methods that numba calls; announces what takes long to compile."""

    cache_path: str | None = None

    def __init__(self, function: Callable[..., object], what: str, seconds: int) -> None:
        """Load nothing yet. ``what`` and ``seconds`` are announced; an empty ``what`` is not."""
        self.function, self._what, self._seconds = function, what, seconds
        self._names: dict[Any, str] = {}

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The kept code for a signature, or None, which makes numba compile."""
        try:
            found = self._load(sig, target_context)
        except Exception as error:  # whatever a foreign or old file makes numba raise
            _warn(f"code of {self.function.__qualname__} cannot be used ({type(error).__name__}: {error})")
            found = None
        if found is None and self._what:
            _announce(
                f"w40k_marl: compiling {self._what} to machine code, about {self._seconds} s and only once "
                "(`w40k-marl warmup` does it beforehand)"
            )
        return found

    def save_overload(self, sig: Any, result: Any) -> None:
        """Keep what was compiled for a signature."""
        try:
            self._save(sig, result)
        except Exception as error:
            _warn(f"code of {self.function.__qualname__} cannot be kept ({type(error).__name__}: {error})")

    def _load(self, sig: Any, target_context: Any) -> Any:
        raise NotImplementedError

    def _save(self, sig: Any, result: Any) -> None:
        raise NotImplementedError

    def enable(self) -> None:
        """Do nothing; numba calls it."""

    def disable(self) -> None:
        """Do nothing; numba calls it."""

    def flush(self) -> None:
        """Do nothing; numba calls it before it compiles again, and overwrites."""


def _written(sig: Any) -> str:
    """A signature as text, with the fields of named tuples, which numba's own text leaves out."""
    return repr((sig, [getattr(kind, "fields", ()) for kind in sig]))


class ContentCache(CodeCache):
    """Our own cache: found again from every folder that the package is installed in."""

    def _load(self, sig: Any, target_context: Any) -> Any:
        environment = (*versions(), numba_private.processor(target_context))
        if not numba_private.memory_manager_runs():
            self._start_memory_manager(environment, target_context)
        content = fingerprint(self.function, numba_private.OneVersion, _written(sig), repr(environment))
        self._names[sig] = f"{self.function.__name__}-{content}"
        kept = read(self._names[sig])
        return None if kept is None else numba_private.from_bytes(kept, target_context)

    def _start_memory_manager(self, environment: object, target_context: Any) -> None:
        name = f"memory_manager-{fingerprint(numba_private.start_memory_manager, repr(environment))}"
        made = numba_private.start_memory_manager(target_context, read(name))
        if made is not None:
            write(name, made)

    def _save(self, sig: Any, result: Any) -> None:
        content = numba_private.to_bytes(result)
        if content is not None and sig in self._names:
            write(self._names.pop(sig), content)


class PlainCache(CodeCache):
    """numba's own cache, for plain numba; of each function in a folder that is named after its content.

    numba compares the file of the decorated function alone: an edit in ``combat.py`` would leave an old
    ``engine.step`` in use.
    """

    def __init__(self, function: Callable[..., object], what: str, seconds: int, dispatcher: Any) -> None:
        """Wait with numba's cache until all that the function calls is defined."""
        super().__init__(function, what, seconds)
        self._dispatcher = dispatcher
        self._numbas_own: Any = None

    def _load(self, sig: Any, target_context: Any) -> Any:
        directory = folder()
        if directory is None:
            _warn(_NOWHERE)
            return None
        content = fingerprint(self.function, _written(sig), repr(versions()))
        kept = directory / f"plain-{self.function.__name__}-{content}"
        doubt = distrust(kept)
        if doubt:
            _warn(doubt)
            return None
        self._numbas_own = numba_private.numbas_own_cache(self._dispatcher, kept)
        try:
            return self._numbas_own.load_overload(sig, target_context)
        except Exception:
            self._numbas_own.flush()  # or numba would stumble over the same index when it saves
            raise

    def _save(self, sig: Any, result: Any) -> None:
        if self._numbas_own is not None:
            self._numbas_own.save_overload(sig, result)
