"""Caches machine code between processes, in a folder that only this user can write.

The name of each file depends on everything that determines its code: the functions
(``fingerprint``), the signature, versions, settings of numba and the processor. The file begins
with a checksum. If a file or the folder cannot be used, the code is compiled after one warning; an
error of the cache never stops a game.
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
"""The first problem in this process, which caused a warning; empty if there was none."""

_announce: Callable[[str], object] = LOGGER.warning


def folder() -> Path | None:
    """Return the cache folder: below ``NUMBA_CACHE_DIR``, else below the user's cache folder, else
    None.
    """
    try:
        base = Path(config.CACHE_DIR) if config.CACHE_DIR else _user_cache()
        return None if base is None else (base / "w40k_marl" / "code").resolve()
    except (OSError, RuntimeError, ValueError):  # no working directory, a loop of links, no home, NUL in a name
        return None


def _user_cache() -> Path | None:
    """Return the cache folder of the platform; ignore relative paths, as the XDG specification
    requires.
    """
    name = "LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME"
    for path in (Path(os.environ.get(name, "")), Path.home() / ".cache"):
        if path.is_absolute():
            return path
    return None


def read(name: str) -> bytes | None:
    """Return the content of a cached file, or None if it cannot be used; warn if it is damaged or
    unsafe.
    """
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
    """Write a file to the cache; warn if this is impossible."""
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
        temporary.replace(path)  # other processes may write the same file
    except OSError as error:
        _warn(f"{path} cannot be written ({error.strerror})")
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()  # it exists only after an error


def _start(name: str, content: bytes) -> bytes:
    """Return the first bytes of a file: mark and checksum."""
    return _MARK + hashlib.sha256(name.encode() + b"\0" + content).digest()


def _open_for_me(path: str, flags: int) -> int:
    return os.open(path, flags, 0o644)


def _make(directory: Path) -> None:
    for part in (*reversed(directory.parents), directory):
        if not part.exists():
            part.mkdir(mode=0o755, exist_ok=True)


# --- trust: machine code and pickles are executed
# -----------------------------------------------------------


def distrust(directory: Path) -> str:
    """Return the reason why other users could write to a directory; empty if only this user and
    root can.

    A parent directory may be writable by others if it is sticky, as ``/tmp`` is, or by a group
    whose only member is this user.
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
    """Return the reason why a path is not a file or other users could write it; empty if it can be
    used.
    """
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
    """Return True if a group is the user's private group: it has the user's name and no other
    member.
    """
    import grp
    import pwd

    try:
        name, found = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(group)
    except KeyError:
        return False
    return found.gr_name == name and set(found.gr_mem) <= {name}


def _warn(found: str) -> None:
    """Issue a warning for the first problem of a process."""
    global problem
    if not problem:
        problem = found
        warnings.warn(
            f"compile cache: {found}. The rules are compiled instead, which takes about a minute. "
            f"Repair or delete {folder() or 'it'}, or set NUMBA_CACHE_DIR to a folder that only you can write.",
            RuntimeWarning,
            stacklevel=2,
        )


# --- the interface for numba
# -------------------------------------------------------------------------------


@contextlib.contextmanager
def announcing(tell: Callable[[str], object] | None) -> Iterator[None]:
    """Announce long compilations by ``tell`` instead of the log, inside a ``with`` block; None: by
    the log.
    """
    global _announce
    before, _announce = _announce, tell or _announce
    try:
        yield
    finally:
        _announce = before


class CodeCache:
    """The cache of one function, with numba's method names; announces long compilations."""

    cache_path: str | None = None

    def __init__(self, function: Callable[..., object], what: str, seconds: int) -> None:
        """Store the arguments. ``what`` and ``seconds`` are part of the announcement; none if
        ``what`` is empty.
        """
        self.function, self._what, self._seconds = function, what, seconds
        self._names: dict[Any, str] = {}

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the cached code for a signature, or None; then numba compiles."""
        try:
            found = self._load(sig, target_context)
        except Exception as error:  # a file of another origin or version may raise any exception
            _warn(f"code of {self.function.__qualname__} cannot be used ({type(error).__name__}: {error})")
            found = None
        if found is None and self._what:
            _announce(
                f"w40k_marl: compiling {self._what} to machine code, about {self._seconds} s and only once "
                "(`w40k-marl warmup` does it beforehand)"
            )
        return found

    def save_overload(self, sig: Any, result: Any) -> None:
        """Store the compiled code of a signature."""
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
        """Do nothing; numba calls it before it compiles again and overwrites the code."""


def _written(sig: Any) -> str:
    """A signature as text, with the fields of named tuples, which numba's own text leaves out."""
    return repr((sig, [getattr(kind, "fields", ()) for kind in sig]))


class ContentCache(CodeCache):
    """The project's own cache; it does not depend on the folder of the installed package."""

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
    """numba's own cache, for plain numba, with a folder for each function named after its content.

    numba checks only the file of the decorated function: after an edit in ``combat.py`` it would
    still use the old ``engine.step``.
    """

    def __init__(self, function: Callable[..., object], what: str, seconds: int, dispatcher: Any) -> None:
        """Store the dispatcher. numba's cache is created at the first load, when all called
        functions exist.
        """
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
            self._numbas_own.flush()  # else the damaged index would also break saving
            raise

    def _save(self, sig: Any, result: Any) -> None:
        if self._numbas_own is not None:
            self._numbas_own.save_overload(sig, result)
