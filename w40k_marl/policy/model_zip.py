"""The parts of a saved model's zip, read in bounded memory and without running what is stored in it.

Inside ``ModelZip`` the message of a ModelFileError is what was found; ``ModelZip`` adds the path and what was expected.
"""

from __future__ import annotations

import base64
import io
import json
import math
import os
import stat
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from .errors import ModelFileError, UnsafeModelError
from .pickle_names import LARGEST_PICKLE, PERSISTENT, Made, Reference, read_pickle

LARGEST_FILE = 2**30  # bytes
LARGEST_WEIGHTS = 2**28  # bytes: 67 million parameters
LARGEST_SETTINGS = 2**25  # bytes; the last observations of the training are among them
MOST_SETTINGS = 100_000  # values
MOST_ENTRIES = 10_000

WEIGHTS, SETTINGS, VARIABLES = "policy.pth", "data", "pytorch_variables.pth"
KNOWN_TENSORS = {WEIGHTS, VARIABLES, "policy.optimizer.pth"}

_ENTRY_SIGNATURE = b"PK\x01\x02"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
_TENSOR = Reference("torch._utils", "_rebuild_tensor_v2")
_FLOAT32 = Reference("torch", "FloatStorage")
_ORDERED = Reference("collections", "OrderedDict")

Arrays = dict[str, NDArray[np.float32]]


class ModelZip:
    """A saved model; use it as a context. Every error is a ModelFileError or an UnsafeModelError with the path."""

    def __init__(self, path: Path) -> None:
        """Open the file. Raises ModelFileError unless it is a regular file that holds a zip."""
        self.path = path
        with self._refusing(f"{WEIGHTS} in the zip of a saved model"):
            self._file = open_regular(path, LARGEST_FILE)
        try:
            with self._refusing(f"{WEIGHTS} in the zip of a saved model"):
                self._archive = open_archive(self._file)
        except ModelFileError:
            self._file.close()
            raise

    def __enter__(self) -> ModelZip:
        """Return the model itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._archive.close()
        self._file.close()

    @cached_property
    def settings(self) -> dict[str, Any]:
        """What the algorithm has stored of itself; pickled values as they are, in base64."""
        with self._refusing(f"the settings of a model in {SETTINGS}"):
            content = read_entry(self._archive, SETTINGS, LARGEST_SETTINGS)
            values = sum(content.count(mark) for mark in (b"[", b"{", b","))
            if values > MOST_SETTINGS:
                raise ModelFileError(f"more than {MOST_SETTINGS} values")
            found = json.loads(content)
            if not isinstance(found, dict):
                raise ModelFileError(f"a {type(found).__name__}")
        return found

    def unknown_tensors(self) -> list[str]:
        """Names of entries with tensors that a MaskablePPO does not have."""
        return [name for name in self._archive.namelist() if name.endswith(".pth") and name not in KNOWN_TENSORS]

    def weights(self, name: str = WEIGHTS) -> Arrays:
        """The tensors of an entry by name, float32. Raises UnsafeModelError for other objects than tensors."""
        with self._refusing(f"float32 weights in {name}"):
            return _tensors(read_entry(self._archive, name, LARGEST_WEIGHTS), self.path, name)

    def has(self, name: str) -> bool:
        """Whether there is an entry of this name."""
        return name in self._archive.namelist()

    @contextmanager
    def _refusing(self, expected: str) -> Iterator[None]:
        """Say in an error which file it is about; the readers of zip and JSON raise many kinds."""
        try:
            yield
        except UnsafeModelError:
            raise
        except ModelFileError as error:
            raise ModelFileError(f"{self.path}: expected {expected}, got {error}") from None
        except Exception as error:
            got = str(error).encode("unicode_escape").decode()[:200]
            raise ModelFileError(f"{self.path}: expected {expected}, got {type(error).__name__}: {got}") from None


def open_regular(path: Path, largest: int) -> io.BufferedReader:
    """Open a regular file for reading; never waits for a pipe. Raises ModelFileError, OSError, ValueError."""
    _check_regular(path.stat(), largest)
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    file = os.fdopen(os.open(path, flags), "rb")
    try:
        _check_regular(os.fstat(file.fileno()), largest)  # it may have been replaced in between
    except ModelFileError:
        file.close()
        raise
    return file


def _check_regular(found: os.stat_result, largest: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise ModelFileError("a directory, a device or a pipe")
    if found.st_size > largest:
        raise ModelFileError(f"{found.st_size} bytes, more than {largest}")


def open_archive(file: BinaryIO) -> zipfile.ZipFile:
    """A zip of few entries, each of another name."""
    entries, tail = 0, b""
    while chunk := file.read(2**20):
        entries += (tail + chunk).count(_ENTRY_SIGNATURE)
        tail = chunk[-3:]
    if entries > MOST_ENTRIES:
        raise ModelFileError(f"more than {MOST_ENTRIES} entries")
    archive = zipfile.ZipFile(file)
    names = archive.namelist()
    if len(set(names)) < len(names):
        raise ModelFileError("entries of the same name")
    return archive


def read_entry(archive: zipfile.ZipFile, name: str, largest: int) -> bytes:
    """The bytes of an entry, of which at most ``largest`` are unpacked."""
    entry = archive.getinfo(name)
    if entry.flag_bits & _ENCRYPTED:
        raise ModelFileError(f"an encrypted {name}")
    if entry.compress_type not in _METHODS:
        raise ModelFileError(f"compression method {entry.compress_type} of {name}")
    if entry.file_size > largest:
        raise ModelFileError(f"{entry.file_size} bytes in {name}, more than {largest}")
    with archive.open(entry) as stream:
        content = stream.read(largest + 1)
    if len(content) != entry.file_size:
        raise ModelFileError(f"{len(content)} bytes in {name} instead of {entry.file_size}")
    return content


def pickled_setting(value: object) -> Any:
    """A value of the settings: as JSON has it, or what its pickle would make. Raises ModelFileError."""
    if not isinstance(value, Mapping) or ":serialized:" not in value:
        return value
    text = value[":serialized:"]
    if not isinstance(text, str) or len(text) > 2 * LARGEST_PICKLE:
        raise ModelFileError("a pickle of another form or size")
    try:
        return read_pickle(base64.b64decode(text))
    except ValueError:  # also of base64
        raise ModelFileError("a damaged pickle") from None


def _tensors(content: bytes, path: Path, name: str) -> Arrays:
    """The tensors of an archive as ``torch.save`` writes it: a pickle that lists them, and their storages."""
    archive = open_archive(io.BytesIO(content))
    listings = [name for name in archive.namelist() if name.endswith("/data.pkl")]
    if len(listings) != 1:
        raise ModelFileError(f"{len(listings)} lists of tensors")
    root = listings[0].removesuffix("data.pkl")
    if f"{root}byteorder" in archive.namelist() and read_entry(archive, f"{root}byteorder", 16) != b"little":
        raise ModelFileError("another byte order than little endian")
    found = read_pickle(read_entry(archive, listings[0], LARGEST_PICKLE))
    items: Any = found.items if isinstance(found, Made) and found.call == _ORDERED else found
    if not isinstance(items, dict) or not all(
        isinstance(value, Made) and value.call == _TENSOR for value in items.values()
    ):
        got = "objects that run code when they are loaded"
        raise UnsafeModelError(f"{path}: expected weights alone in {name}, got {got}")
    if not all(isinstance(tensor, str) for tensor in items):
        raise ModelFileError("a tensor without a name")
    read = _storages(archive, root)
    return {tensor: _tensor(value, read) for tensor, value in items.items()}


def _storages(archive: zipfile.ZipFile, root: str) -> Callable[[str], NDArray[np.float32]]:
    """Reads the numbers of a storage by its key, each storage once."""
    known: Arrays = {}
    left = LARGEST_WEIGHTS

    def read(key: str) -> NDArray[np.float32]:
        nonlocal left
        if key not in known:
            content = read_entry(archive, f"{root}data/{key}", left)
            left -= len(content)
            known[key] = np.frombuffer(content, dtype="<f4")
        return known[key]

    return read


def _tensor(made: Made, read: Callable[[str], NDArray[np.float32]]) -> NDArray[np.float32]:
    """One tensor: a view of its storage by offset, shape and strides."""
    arguments: Any = made.arguments
    storage, offset, shape, strides = arguments[:4]
    if not isinstance(storage, Made) or storage.call is not PERSISTENT:
        raise ModelFileError("a tensor without a storage")
    place: Any = storage.arguments[0]
    tag, numbers, key = place[:3]
    if tag != "storage" or numbers != _FLOAT32:
        raise ModelFileError(f"a tensor of {numbers if isinstance(numbers, Reference) else 'unknown numbers'}")
    sizes = (offset, *shape, *strides)
    if not all(type(size) is int and 0 <= size < 2**31 for size in sizes) or len(shape) != len(strides):
        raise ModelFileError("a tensor of an odd shape")
    flat = read(str(key))
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    if not 0 < math.prod(shape) <= len(flat) or last >= len(flat):
        raise ModelFileError("a tensor that is empty or larger than its storage")
    steps = [stride * flat.itemsize for stride in strides]
    return np.lib.stride_tricks.as_strided(flat[offset:], shape, steps, writeable=False)
