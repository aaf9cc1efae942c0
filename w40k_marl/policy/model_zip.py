"""Reads the zip of a saved model in bounded memory, without running code that is stored in it.

``ModelZip`` reads settings and weights; ``plain_network`` derives the shape of the network from
them. Inside ``ModelZip`` the message of a ModelFileError says only what was found; ``ModelZip``
adds the path and what was expected.
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
from msgspec import Struct
from numpy.typing import NDArray

from ..content.bounds import Name, PositiveCount
from ..errors import ContentError, brief, how_to_install
from ..observe.layout import Layout
from .block_policy import UNNORMALISED, ActionBlock, block_size, check_kind, check_layout
from .errors import (
    ActionSpaceMismatchError,
    LayoutMismatchError,
    MissingExtraError,
    ModelFileError,
    UnsafeModelError,
)
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

ACTIVATIONS = ("Tanh", "ReLU", "ELU", "LeakyReLU", "GELU", "SiLU", "Mish", "Sigmoid", "Softsign", "Identity")
"""The activation functions, of ``torch.nn``, that a network may be built with."""

_POLICY, _VALUE = "mlp_extractor.policy_net", "mlp_extractor.value_net"
_SPACES = {
    "observation_space": Reference("gymnasium.spaces.box", "Box"),
    "action_space": Reference("gymnasium.spaces.discrete", "Discrete"),
}
_FLATTEN = Reference("stable_baselines3.common.torch_layers", "FlattenExtractor")
_AS_BUILT: Mapping[str, tuple[object, ...]] = {
    "features_extractor_class": (_FLATTEN,),
    "features_extractor_kwargs": (None, {}),
    "share_features_extractor": (True,),
    "normalize_images": (True,),
    "squash_output": (False,),
    "use_sde": (False,),
}
"""Arguments that change predictions, and their values in a plain MlpPolicy."""
_WITHOUT_EFFECT = {"net_arch", "ortho_init", "optimizer_class", "optimizer_kwargs", "log_std_init", "full_std"}
"""Arguments that only training reads, or that the shapes of the weights replace."""

Arrays = dict[str, NDArray[np.float32]]


class NetworkEntry(Struct, forbid_unknown_fields=True):
    """Shape of a network: units of each hidden layer, and the function between them."""

    policy_layers: tuple[PositiveCount, ...]
    value_layers: tuple[PositiveCount, ...]
    activation: Name


class NotPlainError(Exception):
    """Raised if a policy is not a plain MlpPolicy; the message names the difference."""


def checked_path(model: object) -> Path:
    """Return the path of a model's file. Raises ContentError if
    ``model`` is not the path of a file.
    """
    if not isinstance(model, str | Path) or not Path(model).name or "\0" in str(model):
        raise ContentError("argument", "path", "the path of a saved model", brief(model))
    return Path(model)


class ModelZip:
    """An open zip of a saved model, used in a ``with`` block.

    Every error is a ModelFileError or an UnsafeModelError that names the path.
    """

    def __init__(self, path: Path) -> None:
        """Open the file. Raises ModelFileError if it is not a regular file that holds a zip."""
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
        """The settings that the algorithm stored; pickled values stay encoded in base64."""
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
        """Return the float32 tensors of an entry by name.

        Raises UnsafeModelError if the entry holds other objects.
        """
        with self._refusing(f"float32 weights in {name}"):
            return _tensors(read_entry(self._archive, name, LARGEST_WEIGHTS), self.path, name)

    def has(self, name: str) -> bool:
        """Return True if there is an entry of this name."""
        return name in self._archive.namelist()

    @contextmanager
    def _refusing(self, expected: str) -> Iterator[None]:
        """Turn every error of the zip and JSON readers into a
        ModelFileError that names the file.
        """
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
    """Open a regular file for reading, without waiting for a pipe.

    Raises ModelFileError if it is not a regular file or larger than ``largest`` bytes, OSError if
    it cannot be opened, ValueError if the path holds a null character.
    """
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
    """Open a zip. Raises ModelFileError if it has more than
    ``MOST_ENTRIES`` entries or two of the same name.
    """
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
    """Return the bytes of an entry. Raises ModelFileError if it cannot be read or has more than
    ``largest`` bytes.
    """
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
    """Return a value of the settings: as in the JSON, or read from its pickle. Raises
    ModelFileError if that is damaged.
    """
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
    """Return the tensors of an archive of ``torch.save``, which holds a pickle that lists them, and
    their storages.

    Raises UnsafeModelError if the pickle holds other objects,
    ModelFileError if the archive is damaged.
    """
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
    """Return a function that reads the numbers of a storage by its key, each storage once."""
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
    """Return a tensor: a view of its storage by offset, shape and strides. Raises ModelFileError if
    it does not fit.
    """
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


# --- the network in a zip ------------------------------------------------------------------------------------


def network_of(model: str | Path, layout: Layout, kind: ActionBlock) -> NetworkEntry | None:
    """Return the network of a saved plain MlpPolicy, from the names and weights in its zip.

    Returns None for any other policy. Raises ContentError if an argument has another type,
    MissingExtraError without the extra ``train``, ModelFileError if the file is damaged or has
    weights that are not finite, UnsafeModelError if other objects are stored as weights, and
    ActionSpaceMismatchError or LayoutMismatchError if the spaces are not those of the game or the
    model was trained behind ``VecNormalize``.
    """
    check_kind(kind)
    check_layout(layout)
    path = checked_path(model)
    require_extra()
    with ModelZip(path) as opened:
        check_observations(opened)
        try:
            return plain_network(opened, layout, kind)[0]
        except NotPlainError:
            return None


def plain_network(model: ModelZip, layout: Layout, kind: ActionBlock) -> tuple[NetworkEntry, Arrays]:
    """Return the network of a model and its weights.

    Raises NotPlainError if the policy is not a plain MlpPolicy; ModelFileError, UnsafeModelError,
    ActionSpaceMismatchError and LayoutMismatchError under the conditions of ``network_of``.
    """
    activation = _activation(model.settings)
    if unknown := model.unknown_tensors():
        raise NotPlainError(f"tensors in {unknown[0]!a}")
    if model.has(VARIABLES) and model.weights(VARIABLES):
        raise NotPlainError(f"tensors in {VARIABLES}")
    weights = model.weights()
    shapes = {name: value.shape for name, value in weights.items()}
    policy, value = _layers(shapes, _POLICY), _layers(shapes, _VALUE)
    network = NetworkEntry(policy_layers=policy, value_layers=value, activation=activation)
    _check_sizes(model.path, shapes, layout, kind)
    wanted = _shapes_of(network, layout, kind)
    for name in sorted({*shapes, *wanted}):
        if shapes.get(name) != wanted.get(name):
            raise NotPlainError(f"weights {ascii(name)[:80]} of shape {shapes.get(name, 'nothing')}")
    for name, array in weights.items():
        if not np.isfinite(array).all():
            raise ModelFileError(f"{model.path}: expected finite weights, got NaN or infinity in {name}")
    return network, weights


def check_observations(model: ModelZip) -> None:
    """Raise LayoutMismatchError if the model was trained on normalised observations.

    Their mean and variance are not in the file.
    """
    if model.settings.get("_last_original_obs") is not None:
        raise LayoutMismatchError(f"{model.path}: {UNNORMALISED}")


def _activation(settings: Mapping[str, Any]) -> str:
    """Return the name of the activation function.

    Raises NotPlainError if any other setting differs from a plain MlpPolicy.
    """
    from sb3_contrib import MaskablePPO
    from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy as Plain

    for name in settings:
        if hasattr(MaskablePPO, name):
            raise NotPlainError(f"a {name} of its own")
    policy_class = _setting(settings, "policy_class")
    if policy_class != Reference(Plain.__module__, Plain.__qualname__):
        raise NotPlainError(f"policy_class {_named(policy_class)}")
    for name, wanted in _SPACES.items():
        space = _setting(settings, name)
        if getattr(space, "call", None) != wanted:
            raise NotPlainError(f"{name} {_named(space)}")
    arguments = _setting(settings, "policy_kwargs")
    if not isinstance(arguments, dict) or not all(isinstance(name, str) for name in arguments):
        raise NotPlainError(f"policy_kwargs {_named(arguments)}")
    for name, value in arguments.items():
        if name != "activation_fn" and name not in _WITHOUT_EFFECT and value not in _AS_BUILT.get(name, ()):
            raise NotPlainError(f"{ascii(name)[:80]} {_named(value)}")
    activation = arguments.get("activation_fn", Reference("torch.nn.modules.activation", "Tanh"))
    for name in ACTIVATIONS:
        if activation == _reference_of(name):
            return name
    raise NotPlainError(f"activation_fn {_named(activation)}")


def _reference_of(activation: str) -> Reference:
    """Return the name under which a class of ``torch.nn`` is pickled."""
    import torch

    return Reference(getattr(torch.nn, activation).__module__, activation)


def _setting(settings: Mapping[str, Any], name: str) -> Any:
    """Return a setting, read from its pickle if it has one.
    Raises NotPlainError if it is damaged.
    """
    try:
        return pickled_setting(settings.get(name))
    except ModelFileError as error:
        raise NotPlainError(f"{name}: {error}") from None


def _named(value: object) -> str:
    """Describe a value of a pickle, without control characters."""
    if isinstance(value, Reference | Made):
        return str(value)
    return ascii(value)[:80] if value is None or isinstance(value, bool | int | float | str) else type(value).__name__


def _layers(shapes: Mapping[str, tuple[int, ...]], prefix: str) -> tuple[int, ...]:
    """Return the units of each hidden layer; layers of a
    ``torch.nn.Sequential`` have even numbers.
    """
    layers: list[int] = []
    while shape := shapes.get(f"{prefix}.{2 * len(layers)}.weight"):
        layers.append(shape[0])
    return tuple(layers)


def _shapes_of(network: NetworkEntry, layout: Layout, kind: ActionBlock) -> dict[str, tuple[int, ...]]:
    """Return the name and shape of each tensor of a network."""
    shapes: dict[str, tuple[int, ...]] = {}

    def linear(name: str, inputs: int, outputs: int) -> int:
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (outputs, inputs), (outputs,)
        return outputs

    heads = ((_POLICY, network.policy_layers, "action_net", block_size(layout, kind)),)
    for prefix, layers, head, outputs in (*heads, (_VALUE, network.value_layers, "value_net", 1)):
        size = layout.observation_size
        for number, units in enumerate(layers):
            size = linear(f"{prefix}.{2 * number}", size, units)
        linear(head, size, outputs)
    return shapes


def _check_sizes(model: Path, shapes: Mapping[str, tuple[int, ...]], layout: Layout, kind: ActionBlock) -> None:
    """Raise a ContractError if the weights do not have the sizes of the game's spaces."""
    head = shapes.get("action_net.weight", ())
    if len(head) != 2:
        raise NotPlainError("weights without an action_net")
    if head[0] != block_size(layout, kind):
        raise ActionSpaceMismatchError(f"{model}: expected {block_size(layout, kind)} actions, got {head[0]}")
    first = shapes.get(f"{_POLICY}.0.weight", head)[-1]
    if first != layout.observation_size:
        raise LayoutMismatchError(f"{model}: expected observations of {layout.observation_size} numbers, got {first}")


def require_extra() -> None:
    """Raise MissingExtraError, which names the command to install, without torch or sb3-contrib."""
    try:
        import sb3_contrib  # noqa: F401
        import torch  # noqa: F401
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("torch", "sb3_contrib", "stable_baselines3"):
            raise
        raise MissingExtraError(f"a saved model needs PyTorch and sb3-contrib: {how_to_install('train')}") from None
