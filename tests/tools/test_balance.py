"""`tools/balance.py`: intervals, exchanged armies, and a page that holds every scenario that ships."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from w40k_marl.content.scenario import list_scenarios, load_scenario

ROOT = Path(__file__).resolve().parents[2]
OWN = ("asymmetric", "dense_walls", "mirror_match", "open_field", "small_board", "weapon_rules_lab")


@pytest.fixture(scope="module")
def balance() -> ModuleType:
    spec = importlib.util.spec_from_file_location("balance_tool", ROOT / "tools" / "balance.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["balance_tool"] = module
    spec.loader.exec_module(module)
    return module


def test_interval_is_that_of_wilson(balance: ModuleType) -> None:
    """74 of 80: the published formula gives 0.846 to 0.965."""
    assert balance.wilson(74, 80) == pytest.approx((0.8459, 0.9652), abs=1e-4)


@pytest.mark.parametrize("name", ["pve", "open_field"])
def test_exchanged_armies_keep_their_units(name: str, balance: ModuleType, tmp_path: Path) -> None:
    units = load_scenario(name).units
    other = load_scenario(balance.exchanged(name, tmp_path)).units
    assert [(unit.id, 3 - unit.player, unit.type, unit.position) for unit in units] == [
        (unit.id, unit.player, unit.type, unit.position) for unit in other
    ]


def test_page_shows_every_scenario_and_no_seat_of_ours_above_60_percent() -> None:
    text = (ROOT / "docs" / "balance.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")][2:]
    assert sorted({row[0] for row in rows}) == list_scenarios()
    for name, players, first, _, second, *_ in rows:
        assert players in ("greedy", "random")
        if name in OWN:
            assert max(float(first.split()[0]), float(second.split()[0])) <= 60


def test_games_between_equal_players_are_all_counted(balance: ModuleType, tmp_path: Path) -> None:
    count = balance.play("small_board", "random", 20, 1)
    assert count.first + count.second + count.draws == 20
    assert count == balance.play("small_board", "random", 20, 1)
