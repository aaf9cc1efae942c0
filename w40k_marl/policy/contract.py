"""Contracts of saved models: ``<model>.contract.json`` names the game that a model was trained for.

Call ``write_contract`` after saving a model; ``check_contract`` runs before one is loaded.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec
from msgspec import Struct

from .. import __version__
from ..content.bounds import Name, PositiveCount
from ..content.reading import read_model
from ..env.aec import RawEnv
from ..errors import ContentError, brief
from ..files import FileError, write_file
from ..observe.layout import Layout
from .block_policy import ActionBlock, block_actions, block_size, check_kind, check_layout
from .errors import (
    ActionSpaceMismatchError,
    ContractError,
    ContractMissingError,
    LayoutMismatchError,
    ModelChangedError,
    ModelFileError,
    ModelMissingError,
    RulesMismatchError,
)
from .model_zip import LARGEST_FILE, NetworkEntry, checked_path, network_of, open_regular

if TYPE_CHECKING:
    from ..observe.macro.offensive_profile import ProfileOptions

RULES_VERSION = str(RawEnv.metadata["name"])
"""``w40k_v0``: its number grows with every change that can alter learning results."""

LARGEST_CONTRACT = 2**20  # bytes; a contract has a few thousand

LIBRARIES = ("numpy", "torch", "stable_baselines3", "sb3_contrib")

Fields: TypeAlias = dict[str, int | bool | str]

logger = logging.getLogger("w40k_marl.meta")


class ContractFile(Struct, forbid_unknown_fields=True, kw_only=True):
    """``<model>.contract.json``: the spaces that a saved model was made for."""

    kind: Literal["micro", "macro"]
    layout: dict[str, int | bool | str]
    profile: dict[str, int | bool | str] = {}  # of a layout with macro blocks; an option left out is at its default
    observation_size: PositiveCount
    observation_hash: Name
    action_count: PositiveCount
    action_hash: Name
    rules_version: Name
    libraries: dict[str, Name]
    model_sha256: Name
    network: NetworkEntry | None


def contract_path(model: str | Path) -> Path:
    """Return the path of a model's contract: ``model.contract.json`` beside ``model.zip``.

    Raises ContentError if ``model`` is not the path of a file.
    """
    return checked_path(model).with_suffix(".contract.json")


def write_contract(
    path: str | Path, layout: Layout, kind: ActionBlock = "micro", profile: ProfileOptions | None = None
) -> Path:
    """Write the contract of the MaskablePPO zip at ``path`` and return the path of the contract.

    ``layout``, ``kind`` ("micro" or "macro") and ``profile`` are those of the training; ``profile``
    is written only if the layout has macro blocks. The shape of the network is read from the
    weights, without running code that is stored in the zip.

    Raises ContentError if an argument has another type, ModelMissingError if there is no such file,
    ModelFileError if it cannot be read or the contract cannot be written, UnsafeModelError if other
    objects are stored as weights, MissingExtraError without the extra ``train``, and
    ActionSpaceMismatchError or LayoutMismatchError if the model has other spaces than the layout.
    """
    check_game(layout, kind, profile)
    model = checked_path(path)
    _check_model_exists(model)
    network = network_of(model, layout, kind)
    made_with = {"libraries": _libraries(), "model_sha256": _sha256(model), "network": msgspec.to_builtins(network)}
    target = contract_path(model)
    text = json.dumps(made_for(layout, kind, profile) | made_with, indent=2) + "\n"
    try:
        return write_file(target, text, replace=True)
    except FileError as error:
        raise ModelFileError(f"{target}: expected a file that can be written, got {error}") from None


def check_contract(
    model: Path, layout: Layout, kind: ActionBlock, profile: ProfileOptions | None = None
) -> NetworkEntry | None:
    """Return the network of a model that was trained for this game; None if the contract has none.

    Logs a warning if the model was saved with other versions of libraries.

    Raises ModelMissingError if there is no such file, ModelFileError if it or its contract cannot
    be read, ContractMissingError without a contract, ContentError if the contract is broken, and
    for the first difference to the game ActionSpaceMismatchError, LayoutMismatchError,
    RulesMismatchError or, if the zip has changed since, ModelChangedError.
    """
    check_game(layout, kind, profile)
    model = checked_path(model)
    _check_model_exists(model)
    path = contract_path(model)
    if not _is_file(path):
        raise ContractMissingError(
            f"{model}: expected its contract in {path.name}, got no such file "
            f'(write_contract("{model.name}", layout, kind="{kind}") writes it after training)'
        )
    if (size := path.stat().st_size) > LARGEST_CONTRACT:
        raise ModelFileError(f"{path}: expected at most {LARGEST_CONTRACT} bytes, got {size}")
    contract = read_model(path, ContractFile)
    for error in _differences(contract, layout, kind, profile, path):
        raise error
    if contract.model_sha256 != _sha256(model):
        raise ModelChangedError(f"{model}: expected the file that {path.name} was written for, got another (sha256)")
    _warn_of_libraries(contract, path)
    return contract.network


def check_game(layout: object, kind: object, profile: object) -> None:
    """Raise ContentError if ``layout``, ``kind`` or ``profile`` has another type."""
    from ..observe.macro.offensive_profile import (
        ProfileOptions,  # here, because a layout without macro blocks need not load it
    )

    check_kind(kind)
    check_layout(layout)
    if profile is not None and not isinstance(profile, ProfileOptions):
        raise ContentError("argument", "profile", "ProfileOptions, or None", brief(profile))


def _check_model_exists(model: Path) -> None:
    if _is_file(model):
        return
    if not os.access(model, os.F_OK):
        raise ModelMissingError(f"{model}: expected the zip of a saved model, got no such file")
    raise ModelFileError(f"{model}: expected the zip of a saved model, got a directory, a device or a pipe")


def _is_file(path: Path) -> bool:
    """Return True if there is a regular file; False too if access is denied."""
    try:
        return path.is_file()
    except OSError:
        return False


def made_for(layout: Layout, kind: ActionBlock, profile: ProfileOptions | None = None) -> dict[str, object]:
    """Return the fields of a contract that follow from the game.

    Raises ContentError if an argument has another type.
    """
    check_game(layout, kind, profile)
    names = [layout.describe_action(action) for action in block_actions(layout, kind).tolist()]
    meaning = {"profile": _profile_fields(profile)} if layout.macro else {}
    return {
        "kind": kind,
        "layout": _layout_fields(layout),
        **meaning,
        "observation_size": layout.observation_size,
        "observation_hash": _hash(layout.field_names()),
        "action_count": block_size(layout, kind),
        "action_hash": _hash(names),
        "rules_version": RULES_VERSION,
    }


def _differences(
    contract: ContractFile, layout: Layout, kind: ActionBlock, profile: ProfileOptions | None, path: Path
) -> Iterator[ContractError]:
    """Yield an error for each difference between a contract and the game, the plainest first."""
    game = made_for(layout, kind, profile)

    def differs(name: str) -> str | None:
        got, wanted = getattr(contract, name), game[name]
        return None if got == wanted else f"{path}: {name}: expected {wanted} of the game, got {got}"

    for name in ("kind", "action_count"):
        if text := differs(name):
            yield ActionSpaceMismatchError(text)
    for name, wanted, got in _unlike("layout", _layout_fields(Layout()) | contract.layout, _layout_fields(layout)):
        yield LayoutMismatchError(f"{path}: {name}: expected {wanted} of the game, got {got}")
    if layout.macro:
        for name, wanted, got in _unlike("profile", _profile_fields() | contract.profile, _profile_fields(profile)):
            yield LayoutMismatchError(f"{path}: {name}: expected {wanted} of the game, got {got}")
    for name, error in (
        ("observation_size", LayoutMismatchError),
        ("observation_hash", LayoutMismatchError),
        ("action_hash", ActionSpaceMismatchError),
        ("rules_version", RulesMismatchError),
    ):
        if text := differs(name):
            yield error(text)


def _unlike(key: str, saved: Fields, game: Fields) -> Iterator[tuple[str, object, object]]:
    """Yield name, wanted and saved value of each field that differs."""
    for name in dict.fromkeys((*game, *saved)):
        if game.get(name) != saved.get(name):
            yield f"{key}.{name}", game.get(name), saved.get(name)


def _layout_fields(layout: Layout) -> Fields:
    return {field.name: getattr(layout, field.name) for field in fields(layout)}


def _profile_fields(profile: ProfileOptions | None = None) -> Fields:
    from ..observe.macro.offensive_profile import BASE  # here, because a layout without macro blocks need not load it

    return asdict(profile or BASE)


def _libraries() -> dict[str, str]:
    """Return the versions of the libraries that a model depends on and that are installed."""
    found = {"w40k_marl": __version__, "python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _warn_of_libraries(contract: ContractFile, path: Path) -> None:
    """Log the first library of another version than the model was saved with."""
    here = _libraries()
    for name, saved_with in contract.libraries.items():
        if here.get(name) != saved_with:
            logger.warning("[META] %s: saved with %s %s, here is %s", path, name, saved_with, here.get(name, "none"))
            return


def _hash(names: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


def _sha256(model: Path) -> str:
    """Return the hash of a file. Raises ModelFileError if it cannot be read or is too large."""
    try:
        with open_regular(model, LARGEST_FILE) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ModelFileError) as error:
        got = getattr(error, "strerror", None) or error
        raise ModelFileError(f"{model}: expected the zip of a saved model, got {got}") from None
