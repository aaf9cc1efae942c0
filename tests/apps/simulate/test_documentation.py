"""docs/load_simulation.md names every option and every field, and nothing else."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from w40k_marl.apps.command import flag
from w40k_marl.apps.simulate.options import Options

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "load_simulation.md").read_text(encoding="utf-8")
OPEN = {"not_measured", "terms", "last_turn", "versions", "host", "options", "training", "game_rules", "scenarios"}


def fields(value: dict[str, Any], place: str = "") -> Iterator[str]:
    """Every field of a report as the page spells it."""
    for name, inner in value.items():
        if isinstance(inner, dict) and name not in OPEN and f"{place}{name}" != "workers[].metrics":
            yield from fields(inner, f"{place}{name}.")
        elif isinstance(inner, list) and inner and isinstance(inner[0], dict) and name not in OPEN:
            yield from fields(inner[0], f"{place}{name}[].")
        else:
            yield place + name


def test_page_names_every_field_of_the_json(simulate: Callable[..., dict[str, Any]], small: tuple[str, ...]) -> None:
    table = PAGE[PAGE.index("## JSON") :]
    assert re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE) == list(
        fields(simulate(*small, "--sweep-workers", "1"))
    )


def test_page_names_every_option() -> None:
    known = {flag(one.name) for one in dataclasses.fields(Options)}
    assert "`--fail-if`" in PAGE
    table = PAGE[PAGE.index("## Options") : PAGE.index("## What the figures mean")]
    assert set(re.findall(r"^\| `(--[a-z-]+)` \|", table, re.MULTILINE)) == known
