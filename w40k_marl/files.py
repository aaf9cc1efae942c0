"""Writes files atomically, and never replaces a file that another program has written meanwhile.

``file_to_write`` checks a name before the work; ``write_file`` writes the file after it.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from contextlib import suppress
from itertools import count
from pathlib import Path

from .errors import W40KError

STDOUT = "-"


class FileError(W40KError):
    """A file cannot be written."""


class FileTakenError(FileError):
    """A file exists and must not be replaced."""


def file_to_write(name: str | Path, *, replace: bool) -> Path:
    """Return the absolute path of a file that can be written now; links are followed.

    Raises FileError if the name is empty, ``-``, a folder, a device or a pipe, if it cannot be a
    path (too long, a loop of links, an unknown home folder), or if its folder is missing or not
    writable. Raises FileTakenError if the file exists and ``replace`` is False.
    """
    path = full_path(name)
    _check_kind(path, replace)
    if not path.parent.is_dir():
        raise FileError(f"{path} cannot be written: no such folder")
    draft = _draft_beside(path)
    try:
        draft.open("xb").close()
        draft.unlink()
    except OSError as error:
        raise _cannot_be_written(path, error) from None
    return path


def write_file(path: Path, content: str | bytes, *, replace: bool) -> Path:
    """Write a file atomically, text as UTF-8, and return its path.

    A replaced file keeps its permissions. Raises FileTakenError if the file exists and ``replace``
    is False, FileError if it cannot be written; an existing file is then unchanged.
    """
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    draft = _draft_beside(path)
    try:
        _check_kind(path, replace)
        with draft.open("xb") as file:
            if replace and path.exists():
                shutil.copymode(path, draft)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            draft.replace(path)
        else:
            _put_new(draft, path)
    except OSError as error:
        raise _cannot_be_written(path, error) from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    return path


def write_free(stem: str, content: str | bytes, suffix: str = ".json") -> Path:
    """Write under the first unused name, ``stem`` or ``stem-2`` and so on, and return the path.

    The file goes to the current folder, or to the folder for temporary files if the current one is
    not writable. Raises FileError if neither is writable.
    """
    for number in count(1):
        name = f"{stem}{'' if number == 1 else f'-{number}'}{suffix}"
        try:
            try:
                return write_file(full_path(name), content, replace=False)
            except FileTakenError:
                raise
            except FileError:
                return write_file(Path(tempfile.gettempdir()) / name, content, replace=False)
        except FileTakenError:
            continue
        except OSError as error:  # there is no folder for temporary files
            raise FileError(f"{name} cannot be written: {error.strerror}") from None
    raise AssertionError("count() does not end")


def full_path(name: str | Path) -> Path:
    """Return the absolute path of an output file; links are followed.

    Raises FileError if the name is empty, ``-``, a folder, a device or a pipe, or cannot be a path.
    """
    text = str(name)
    if not text.strip():
        raise FileError("expected a file to write, got an empty name")
    if text == STDOUT:
        raise FileError("expected a file to write, got -, which stands for stdout (./- is a file of that name)")
    try:
        path = Path(text).expanduser()
        _refuse_what_is_no_file(path)  # before links are followed: /dev/fd/3 links to a name that is not a path
        return path.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        if isinstance(error, W40KError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        shown = text if len(text) <= 200 else f"{text[:200]}... ({len(text)} characters)"
        raise FileError(f"{shown} cannot be written: {reason}") from None


def _check_kind(path: Path, replace: bool) -> None:
    """Raise FileError if the path is not a regular file, FileTakenError if it must not be replaced."""
    try:
        if _refuse_what_is_no_file(path) and not replace:
            raise FileTakenError(f"{path} is there already")
    except OSError as error:
        raise _cannot_be_written(path, error) from None


def _refuse_what_is_no_file(path: Path) -> bool:
    """Return True if the file exists. Raises FileError for a folder, a device or a pipe; OSError."""
    if not path.exists():
        return False
    if not path.is_file():
        kind = "folder" if path.is_dir() else "pipe" if path.is_fifo() else "device"
        raise FileError(f"expected a file to write, got {path}, which is a {kind}")
    return True


def _cannot_be_written(path: Path, error: OSError) -> FileError:
    if isinstance(error, FileExistsError):
        return FileTakenError(f"{path} is there already")
    return FileError(f"{path} cannot be written: {error.strerror or error}")


def _draft_beside(path: Path) -> Path:
    """Return a new short name in the same folder: a rename is atomic only within one file system."""
    return path.with_name(f".{secrets.token_hex(8)}.part")


def _put_new(draft: Path, path: Path) -> None:
    """Rename a draft to its final name. Unlike a rename, raises FileExistsError if the name is
    taken.

    Raises OSError if it cannot be renamed.
    """
    try:
        os.link(draft, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links: create the name first, then replace it
        path.open("xb").close()
        try:
            draft.replace(path)
        except OSError:
            path.unlink()
            raise
