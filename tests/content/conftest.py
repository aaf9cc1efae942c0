from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Write = Callable[[object], Path]


@pytest.fixture
def minimal() -> dict[str, Any]:
    """The smallest scenario: one unit a side, fixed positions, no walls, one objective."""
    return {
        "units": [
            {"id": 1, "unit_type": "Intercessor", "player": 1, "col": 12, "row": 15},
            {"id": 2, "unit_type": "Hormagaunt", "player": 2, "col": 12, "row": 5},
        ],
        "wall_hexes": [],
        "objectives": [{"id": 1, "name": "Center", "hexes": [[12, 10], [12, 11]]}],
        "primary_objectives": ["objectives_control"],
    }


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a value as ``case.json`` and returns the path."""

    def to_file(value: object) -> Path:
        path = tmp_path / "case.json"
        path.write_text(json.dumps(value), encoding="utf-8")
        return path

    return to_file
