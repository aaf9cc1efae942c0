"""The manifest of a report, with which its run can be repeated:
versions, machine, seed, options, hashes.
"""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .... import __version__
from ....content.files import read_file
from ....content.paths import CONTENT
from ....train.config import DEFAULT_ENTRY
from ..plan import Plan

SCHEMA_VERSION = 3
LIBRARIES = ("numpy", "numba", "pettingzoo")
PACKAGE = CONTENT.parent


def manifest(plan: Plan, began: datetime) -> dict[str, Any]:
    """Return everything that the games and their speed depend on."""
    return {
        "schema_version": SCHEMA_VERSION,
        "began": began.isoformat(timespec="seconds"),
        "versions": {
            "w40k_marl": __version__,
            "python": platform.python_version(),
            **{library: version(library) for library in LIBRARIES},
        },
        "host": {
            "name": platform.node(),
            "platform": platform.platform(),
            "machine": platform.machine(),
            "cores": os.cpu_count(),
            "usable_cores": _usable_cores(),
        },
        "seed": plan.seed,
        "options": {
            **asdict(plan.options),
            "scenario_file": list(plan.scenarios),
            "rewards_config": plan.rewards_name,
            "max_steps_per_turn": plan.max_steps_per_turn,
            "seed": plan.seed,
            "episodes": plan.episodes,
            "training_config": plan.options.training_config or DEFAULT_ENTRY,
            "decisions": plan.training.decisions,
            "weapon_rules": plan.training.weapon_rules,
            "max_turns": plan.training.max_turns or plan.game_rules.max_turns,
            "layout": asdict(plan.training.layout),
            "profile": asdict(plan.training.profile),
            "sweep_workers": list(plan.options.sweep_workers),
            "sweep_repeats": plan.sweep_repeats,
        },
        "training": asdict(plan.training),
        "scenarios": [{"name": path.stem, "file": str(path), "sha256": sha256([path])} for path in plan.scenario_files],
        "game_rules": asdict(plan.game_rules) | {"sha256": sha256([_rules_file(plan)])},
        "rules_sha256": sha256([*(PACKAGE / "rules").glob("*.py"), *CONTENT.rglob("*.json")]),
    }


def sha256(files: Iterable[Path]) -> str:
    """Return the hash of the bytes of files, in the order of their paths. Raises ContentError if
    one cannot be read.
    """
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(read_file(path))
    return digest.hexdigest()


def _rules_file(plan: Plan) -> Path:
    named = plan.options.game_rules
    return CONTENT / "game_rules.json" if named is None else Path(named)


def _usable_cores() -> int | None:
    """Return the number of cores that this process may use, possibly fewer than the machine has."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count()
