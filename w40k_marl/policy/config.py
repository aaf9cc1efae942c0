"""Reads the mapping of unit types to models, and the ``policy.json`` of an agent key.

An agent key is the name of a folder with a ``policy.json``, beside the file of the mapping or among
the agents that ship.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from msgspec import UNSET, Struct

from ..content.bounds import Name, Optional, Player
from ..content.catalogue import load_unit_types
from ..content.files import TOP, entries, is_folder
from ..content.paths import data_folder, find_data
from ..content.reading import read_model, shown
from ..errors import ContentError, DefaultModelMissingError, brief, did_you_mean

META_FILE = "pve_meta_controller.json"
POLICY_FILE = "policy.json"
LARGEST_FILE = 2**20  # bytes; a mapping of all unit types has a few thousand
_DEFAULT = "an agent key, or a strict mapping (strict_mapping: true)"
DEFAULT_MODEL_FILE = "model.zip"


class MetaFile(Struct, forbid_unknown_fields=True, kw_only=True):
    """``agents/pve_meta_controller.json``: which model plays which
    unit type (meta-controller document).
    """

    controlled_player: Player
    model_by_unit_type: dict[Name, Name]
    default_model: Optional[Name] = UNSET
    strict_mapping: Optional[bool] = UNSET
    no_default: Optional[bool] = UNSET  # another name of strict_mapping


class PolicyFile(Struct, forbid_unknown_fields=True, kw_only=True):
    """``agents/<key>/policy.json``: the policy of an agent key; one
    of the last three keys goes with a kind.
    """

    kind: Literal["maskable_ppo", "bot", "callable"]
    model: Optional[Name] = UNSET
    bot: Optional[Literal["random", "greedy", "first"]] = UNSET
    callable: Optional[Name] = UNSET


@dataclass(frozen=True, slots=True)
class MetaConfig:
    """Which model plays which unit type of one player (meta-controller document,
    "Configuration").
    """

    controlled_player: int  # 1 or 2
    model_by_unit_type: Mapping[str, str] = field(hash=False)
    default_model: str | None = None  # never one in strict mode
    strict: bool = False
    folder: Path | None = None  # where agent keys are looked up before those that ship

    def __post_init__(self) -> None:
        """Check the values as those of a file; ``default_model`` is dropped in strict mode.

        Unit types are checked where the roster is known, agent keys when
        they are loaded. Raises ContentError.
        """
        if type(self.controlled_player) is not int or self.controlled_player not in (1, 2):
            raise ContentError("argument", "controlled_player", "1 or 2", brief(self.controlled_player))
        if not isinstance(self.strict, bool):
            raise ContentError("argument", "strict", "True or False", brief(self.strict))
        if self.folder is not None and not isinstance(self.folder, Path):
            raise ContentError("argument", "folder", "a Path, or None", brief(self.folder))
        check_mapping(self.model_by_unit_type)
        for unit_type, key in self.model_by_unit_type.items():
            if not isinstance(unit_type, str) or not unit_type:
                raise ContentError("argument", "model_by_unit_type", "names of unit types", brief(unit_type))
            check_agent_key(key, f"model_by_unit_type.{unit_type}")
        if self.default_model is not None:
            check_agent_key(self.default_model, "default_model")
        if self.strict:
            object.__setattr__(self, "default_model", None)
        elif self.default_model is None:
            raise DefaultModelMissingError("argument", "default_model", _DEFAULT, "None")

    @property
    def required_models(self) -> tuple[str, ...]:
        """Every agent key that a game may need, each once: the
        mapped ones in order, then the default.
        """
        default = () if self.default_model is None else (self.default_model,)
        return tuple(dict.fromkeys((*self.model_by_unit_type.values(), *default)))


@dataclass(frozen=True, slots=True)
class PolicyConfig:
    """The policy of an agent key, as its ``policy.json`` describes it."""

    key: str
    file: Path  # the policy.json
    source: str  # "maskable_ppo", "bot" or "callable": `kind` of the file
    what: str  # path of the zip, name of the bot, or module:function


def meta_config(path: str | Path | None = None, *, unit_types: Iterable[str] = ()) -> MetaConfig:
    """Read a mapping of unit types to models, by default the shipped
    ``agents/pve_meta_controller.json``.

    ``unit_types`` are known names beside those of the catalogue, such as custom types of a
    scenario. Raises ContentError for a broken file, an unknown unit type or agent;
    DefaultModelMissingError, a ContentError too, if there is no ``default_model`` and the mapping
    is not strict.
    """
    if path is not None and (not isinstance(path, str | Path) or "\0" in str(path)):
        expected = "a path, or None for the mapping that ships"
        raise ContentError("argument", "path", expected, brief(path))
    file = data_folder("agents") / META_FILE if path is None else Path(path)
    _check_size(file)
    entry = read_model(file, MetaFile)
    strict = _strictness(entry, file)
    default = None if entry.default_model is UNSET or strict else entry.default_model
    if default is None and not strict:
        raise DefaultModelMissingError(str(file), "default_model", _DEFAULT, "nothing: the key is missing")
    check_unit_types(entry.model_by_unit_type, unit_types, str(file))
    for unit_type, key in entry.model_by_unit_type.items():
        _check_key(key, file, f"model_by_unit_type.{unit_type}")
    if default is not None:
        _check_key(default, file, "default_model")
    return MetaConfig(entry.controlled_player, entry.model_by_unit_type, default, strict, file.parent)


def check_mapping(mapping: object) -> None:
    """Raise ContentError if ``mapping`` is not a mapping."""
    if not isinstance(mapping, Mapping):
        raise ContentError("argument", "model_by_unit_type", "a mapping of unit types to agent keys", brief(mapping))


def check_agent_key(key: object, place: str) -> None:
    """Raise ContentError if ``key`` is not a non-empty string; the agent is not looked up."""
    if not isinstance(key, str) or not key:
        raise ContentError("argument", place, "an agent key", brief(key))


def check_unit_types(mapped: Iterable[str], others: Iterable[str], where: str) -> None:
    """Raise ContentError for a mapped unit type that is neither in
    the catalogue nor among ``others``.
    """
    try:
        known = sorted({*load_unit_types(), *(name for name in others if isinstance(name, str))})
    except TypeError:
        raise ContentError("argument", "unit_types", "names of unit types", brief(others)) from None
    for unit_type in mapped:
        if not isinstance(unit_type, str):
            raise ContentError(where, "model_by_unit_type", "names of unit types", brief(unit_type))
        if unit_type not in known:
            place, hint = f"model_by_unit_type.{unit_type}", did_you_mean(unit_type, known)
            raise ContentError(where, place, f"a unit type: {', '.join(known)}", "an unknown name", hint)


def policy_config(key: str, folder: Path | None = None) -> PolicyConfig:
    """Read ``folder/<key>/policy.json``, or else that of the agent that ships.

    Raises ContentError for an unknown key, a broken file or an argument of another type.
    """
    if not isinstance(key, str) or not key.isprintable():
        raise ContentError("argument", "key", "an agent key", brief(key))
    if folder is not None and not isinstance(folder, Path):
        raise ContentError("argument", "folder", "a Path, or None", brief(folder))
    agent = folder / key if folder is not None and _has_folder(folder, key) else find_data("agents", key)
    return read_policy(agent / POLICY_FILE, key)


def read_policy(file: Path, key: str) -> PolicyConfig:
    """Read a ``policy.json`` of the agent ``key``. Raises ContentError for a broken file."""
    _check_size(file)
    entry = read_model(file, PolicyFile)
    given = {"model": entry.model, "bot": entry.bot, "callable": entry.callable}
    wanted = "model" if entry.kind == "maskable_ppo" else entry.kind
    for name, value in given.items():
        if value is not UNSET and name != wanted:
            raise ContentError(str(file), name, f'no such key with kind "{entry.kind}"', shown(value))
    what = given[wanted]
    if wanted == "model":
        return PolicyConfig(key, file, entry.kind, str(file.parent / (DEFAULT_MODEL_FILE if what is UNSET else what)))
    if what is UNSET:
        raise ContentError(str(file), wanted, f'{_WANTED[wanted]} with kind "{wanted}"', "nothing: the key is missing")
    return PolicyConfig(key, file, entry.kind, str(what))


_WANTED = {"bot": '"random", "greedy" or "first"', "callable": "module:function"}


def _strictness(entry: MetaFile, file: Path) -> bool:
    """Return ``strict_mapping`` or its alias. Raises ContentError if the two disagree."""
    flags = [flag for flag in (entry.strict_mapping, entry.no_default) if flag is not UNSET]
    if len(set(flags)) > 1:
        expected = f"what strict_mapping says, {shown(entry.strict_mapping)}"
        raise ContentError(str(file), "no_default", expected, shown(entry.no_default))
    return any(flags)


def _check_size(file: Path) -> None:
    """Raise ContentError for a file that is larger than any mapping."""
    try:
        size = file.stat().st_size
    except (OSError, ValueError):
        return  # reading it raises the error
    if size > LARGEST_FILE:
        raise ContentError(str(file), TOP, f"at most {LARGEST_FILE} bytes", str(size))


def _has_folder(folder: Path, key: str) -> bool:
    """Return True if ``folder`` has a folder of this exact name; a key is never a path."""
    return is_folder(folder) and any(path.name == key and is_folder(path) for path in entries(folder))


def _check_key(key: str, file: Path, place: str) -> None:
    """Raise ContentError, with the place of the key, if there is no folder of this agent."""
    if _has_folder(file.parent, key):
        return
    try:
        find_data("agents", key)
    except ContentError as error:
        raise ContentError(str(file), place, error.expected, error.got, error.hint) from None
