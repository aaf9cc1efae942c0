"""The environments that agents learn in, as data: the entries of an agent's ``training.json``.

An agent is a folder; the file is optional. An entry is known by its name, and the entry ``default``
also as ``<agent>_training_config``, the name that the command line takes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta

from ..content.bounds import Name, Turns
from ..content.files import is_file
from ..content.paths import DEFAULT_AGENT, find_data
from ..content.reading import as_model, read_json
from ..content.scenario import list_scenarios
from ..errors import ContentError, did_you_mean
from ..observe.layout import Layout
from ..observe.macro.offensive_profile import ProfileOptions

DEFAULT_ENTRY = "default"
TRAINING_SUFFIX = "_training_config"


@dataclass(frozen=True, slots=True)
class TrainingEntry:
    """One entry of a ``training.json``, key by key."""

    scenario: Name = "macro_default"  # name or path
    decisions: Literal["agent", "reference"] = "agent"
    max_turns: Turns | None = None  # None: that of the game rules
    layout: Layout = field(default_factory=Layout)
    weapon_rules: Literal["reference", "full"] = "reference"
    obs_size: Annotated[int, Meta(ge=1)] | None = None  # length of the observation; None: that of the layout
    profile: ProfileOptions = field(default_factory=ProfileOptions)


@dataclass(frozen=True, slots=True)
class TrainingConfig(TrainingEntry):
    """An entry, and its source."""

    layout_given: bool = field(default=False, compare=False)  # the entry has the key ``layout``
    where: str = field(default="training.json", compare=False)  # file and entry, for errors

    def checked_layout(self) -> Layout:
        """Return the layout. Raises ContentError if its observation
        has another size than ``obs_size``.
        """
        size = self.layout.observation_size
        if self.obs_size not in (None, size):
            raise ContentError(self.where, "obs_size", f"{size}, the observation of this layout", str(self.obs_size))
        return self.layout


def training_config(name: str = DEFAULT_ENTRY, agent: str = DEFAULT_AGENT) -> TrainingConfig:
    """Return an entry of an agent's ``training.json``.

    ``name`` is an entry of ``agent``, or ``<agent>_training_config`` for the default entry of that
    agent. An agent without the file has only the entry ``default``, in which every setting has the
    default of docs/configuration.md. Raises ContentError for unknown names, listing the known ones,
    and for an invalid file.
    """
    if name.endswith(TRAINING_SUFFIX):
        agent, name = name.removesuffix(TRAINING_SUFFIX), DEFAULT_ENTRY
    path = find_data("agents", agent) / "training.json"
    known = f"{agent}{TRAINING_SUFFIX}"
    if not is_file(path):
        if name != DEFAULT_ENTRY:
            raise _unknown(name, [DEFAULT_ENTRY, known], path.parent, f": {agent} has no training.json")
        return _config({}, TrainingEntry(), path, name, f"default settings, as {agent} has no training.json")
    data, entries = _read(path)
    if name not in entries:
        raise _unknown(name, [*entries, known], path)
    return _config(data[name], entries[name], path, name)


def read_training(path: Path) -> dict[str, TrainingConfig]:
    """Return every entry of a ``training.json`` by name. Raises
    ContentError for an invalid file or entry.
    """
    data, entries = _read(path)
    return {name: _config(data[name], entry, path, name) for name, entry in entries.items()}


def _read(path: Path) -> tuple[Any, dict[str, TrainingEntry]]:
    """Return the entries of a file, as written there and as checked."""
    data = read_json(path)
    return data, as_model(data, dict[str, TrainingEntry], str(path))


def _config(data: dict[str, object], entry: TrainingEntry, path: Path, name: str, where: str = "") -> TrainingConfig:
    """Return the config of an entry; ``data`` is the entry as written in the file."""
    _check_scenario(entry.scenario, path, name)
    values = {each.name: getattr(entry, each.name) for each in fields(entry)}
    return TrainingConfig(**values, layout_given="layout" in data, where=where or f"{path}: {name}")


def _unknown(name: str, known: list[str], path: Path, reason: str = "") -> ContentError:
    got = f"an unknown name{reason}"
    return ContentError(str(path), name, f"one of {', '.join(known)}", got, did_you_mean(name, known))


def _check_scenario(scenario: str, path: Path, name: str) -> None:
    known = list_scenarios()
    if scenario not in known and not is_file(scenario):
        expected = f"a scenario: a path, or one of {', '.join(known)}"
        raise ContentError(str(path), f"{name}.scenario", expected, f'"{scenario}"', did_you_mean(scenario, known))
