"""The kinds of files, recognised by name or keys, and the check of each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ...content.catalogue import TABLES, add_tables, shipped_catalogue
from ...content.files import TOP, is_file, read_file
from ...content.game_rules import load_game_rules
from ...content.reading import read_json, read_model
from ...content.scenario import load_scenario
from ...content.schemas import BoardEntry
from ...content.world import check_capacities
from ...errors import ContentError
from ...policy.config import meta_config, read_policy
from ...policy.contract import ContractFile
from ...reward.config import rewards_config
from ...train.config import read_training

Types = set[str]


def check_file(file: Path, kind: str, types: Types) -> str:
    """Check a file of this kind, a key of ``CHECKS``, and return the kind.

    ``types``: unit types of files checked before, which a mapping may name; those of this file are
    added. Raises ContentError, or another W40KError, for an invalid file.
    """
    CHECKS[kind](file, types)
    return kind


def kind_of(file: Path) -> str:
    """Return the kind of a file, a key of ``CHECKS``. Raises ContentError if it is not JSON or of
    no known kind.
    """
    if file.name in _NAMES:
        return _NAMES[file.name]
    if file.name.endswith(".contract.json"):
        return "contract"
    data = read_json(file)
    keys = set(data) if isinstance(data, dict) else set()
    if isinstance(data, list):
        return "scoring" if any(isinstance(entry, dict) and "scoring" in entry for entry in data) else "scenario"
    for kind, known in _KEYS.items():
        if keys & known:
            return kind
    entries = [entry for entry in data.values() if isinstance(entry, dict)] if isinstance(data, dict) else []
    for kind, known in _KEYS_OF_ENTRIES.items():
        if any(set(entry) & known for entry in entries):
            return kind
    expected = f"a file of a kind that is known ({', '.join(CHECKS)}), or --kind"
    raise ContentError(str(file), TOP, expected, f"the keys {', '.join(sorted(keys))}" if keys else "no known key")


def _scenario(file: Path, types: Types) -> None:
    scenario = load_scenario(file)
    check_capacities(scenario)
    types.update(unit.type.name for unit in scenario.units)


def _table(name: str) -> Callable[[Path, Types], None]:
    """Return the check of a table, together with the weapons in the same folder."""

    def check(file: Path, types: Types) -> None:
        if file.stem != name:
            raise ContentError(str(file), TOP, f"the file name {name}.json, by which a catalogue finds it", file.name)
        weapons = file.with_name("weapons.json")
        beside = [weapons] if name == "unit_types" and is_file(weapons) else []
        found = add_tables(shipped_catalogue(), [(path, read_file(path)) for path in (*beside, file)])
        if name == "unit_types":
            types.update(found.unit_types)

    return check


def _training(file: Path, types: Types) -> None:
    for config in read_training(file).values():
        config.checked_layout()


def _saved_game(file: Path, types: Types) -> None:
    from ..play.saved_game import read_saved

    read_saved(file)


def _report(file: Path, types: Types) -> None:
    from ..simulate.report.diff import read_report

    read_report(str(file))


CHECKS: Mapping[str, Callable[[Path, Types], Any]] = {
    "scenario": _scenario,
    **{name: _table(name) for name in TABLES},
    "boards": lambda file, types: read_model(file, dict[str, BoardEntry]),
    "game_rules": lambda file, types: load_game_rules(file),
    "training": _training,
    "rewards": lambda file, types: rewards_config(file),
    "policy": lambda file, types: read_policy(file, file.absolute().parent.name),
    "mapping": lambda file, types: meta_config(file, unit_types=types),
    "contract": lambda file, types: read_model(file, ContractFile),
    "saved_game": _saved_game,
    "report": _report,
}
"""The check of each kind: takes the file and the unit types known
so far, and adds its own. Raises W40KError.
"""

_NAMES = {f"{kind}.json": kind for kind in CHECKS if kind not in ("scenario", "mapping", "report", "saved_game")}

_KEYS: Mapping[str, set[str]] = {
    "scenario": {"units", "deployment_zone", "wall_hexes", "objectives", "primary_objectives"},
    "saved_game": {"format", "fingerprint"},
    "report": {"manifest"},
    "mapping": {"model_by_unit_type", "controlled_player", "default_model"},
    "contract": {"observation_hash", "model_sha256"},
    "rewards": {"terms", "zero_sum"},
    "game_rules": {"max_steps_per_turn", "macro_target_weights"},
    "policy": {"kind"},
}
"""Keys by which a file is recognised, in this order."""

_KEYS_OF_ENTRIES: Mapping[str, set[str]] = {
    "unit_types": {"tanking_level", "stats"},
    "weapons": {"ATK", "NB", "display_name"},
    "deployment_zones": {"1", "2"},
    "boards": {"cols", "rows"},
    "training": {"scenario", "layout", "decisions", "obs_size"},
}
"""The same of files that hold entries by name: keys of an entry."""
