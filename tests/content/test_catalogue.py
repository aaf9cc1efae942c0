"""Figures of the shipped tables, spot-checked, and that nobody can change them in passing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from w40k_marl.content.catalogue import (
    load_board,
    load_catalogue,
    load_scoring,
    load_unit_types,
    load_weapons,
    load_zones,
)
from w40k_marl.content.types import Scoring, ScoringCondition, Weapon, Zone
from w40k_marl.errors import ContentError

UNUSED = {
    "intercessor_sergeant_power_weapon",
    "intercessor_sergeant_chainsword",
    "SM_RNG_killer",
    "Termagant_RNG_killer",
    "SM_CC_killer",
    "Termagant_CC_killer",
}


def test_sizes_of_the_tables() -> None:
    assert len(load_weapons()) == 28
    assert len(load_unit_types()) == 12
    assert list(load_scoring()) == ["objectives_control"]


def test_grenade_launcher_profiles() -> None:
    frag = load_weapons()["astartes_grenade_launcher_frag"]
    assert frag == Weapon(
        code="astartes_grenade_launcher_frag",
        name="Astartes Grenade Launcher (Frag)",
        range=24,
        attacks="D3",
        hit=3,
        strength=4,
        ap=0,
        damage=1,
        combi="astartes_grenade_launcher",
    )
    krak = load_weapons()["astartes_grenade_launcher_krak"]
    assert (krak.attacks, krak.strength, krak.ap, krak.damage, krak.combi) == (1, 9, -2, "D3", frag.combi)


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("Intercessor", (6, 4, 3, 7, 2, 6, 2, 18)),
        ("CaptainGravis", (5, 6, 3, 4, 6, 6, 1, 80)),
        ("Genestealer", (8, 4, 5, 5, 2, 7, 1, 19)),
        ("TyranidWarriorRanged", (6, 5, 4, 7, 3, 7, 2, 24)),
        ("Carnifex", (8, 9, 2, 7, 8, 8, 3, 125)),
    ],
)
def test_characteristics(name: str, figures: tuple[int, ...]) -> None:
    kind = load_unit_types()[name]
    assert figures == (
        kind.move,
        kind.toughness,
        kind.armor_save,
        kind.invulnerable_save,
        kind.hit_points,
        kind.leadership,
        kind.objective_control,
        kind.value,
    )


def test_weapons_are_in_slot_order() -> None:
    launcher = load_unit_types()["IntercessorGrenadeLauncher"]
    assert [weapon.code for weapon in launcher.ranged] == [
        "astartes_grenade_launcher_frag",
        "astartes_grenade_launcher_krak",
        "bolt_pistol",
    ]
    assert [weapon.code for weapon in launcher.melee] == ["close_combat_weapon"]


def test_only_hormagaunts_charge_after_an_advance() -> None:
    assert [kind.name for kind in load_unit_types().values() if kind.rules] == ["Hormagaunt"]


def test_weapons_nobody_carries() -> None:
    carried = {weapon.code for kind in load_unit_types().values() for weapon in kind.ranged + kind.melee}
    assert set(load_weapons()) - carried == UNUSED


def test_range_tells_ranged_from_melee_weapons() -> None:
    for kind in load_unit_types().values():
        assert all(weapon.range for weapon in kind.ranged)
        assert all(weapon.range is None for weapon in kind.melee)


def test_agent_keys() -> None:
    types = load_unit_types()
    assert types["CaptainGravis"].agent_key == "SpaceMarine_Infantry_LeaderElite_MeleeElite"
    assert len({kind.agent_key for kind in types.values()}) == 9


def test_scoring_of_objectives_control() -> None:
    assert load_scoring()["objectives_control"] == Scoring(
        id="objectives_control",
        start_turn=2,
        max_points_per_turn=15,
        conditions=tuple(
            ScoringCondition(5, condition)
            for condition in (
                "control_at_least_one",
                "control_at_least_two",
                "control_more_than_opponent",
            )
        ),
        default_phase="command",
        last_turn_second_player_phase="fight",
        control_method="sticky",
    )


def test_default_board_and_zones() -> None:
    board = load_board()
    assert (board.cols, board.rows, len(set(board.wall_hexes))) == (25, 21, 72)
    assert load_zones()["hammer"][1] == Zone(0, 24, 13, 20)


def test_tables_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        load_weapons()["bolt_rifle"] = load_weapons()["bolt_pistol"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("table", "content", "key"),
    [
        ("weapons", {"gun": {}}, "gun.display_name"),
        ("unit_types", {"Grot": {"faction": "Ork"}}, "Grot.role"),
        ("scoring", {}, "(top level)"),
    ],
)
def test_broken_table_names_file_and_key(table: str, content: object, key: str, tmp_path: Path) -> None:
    path = tmp_path / f"{table}.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ContentError) as caught:
        load_catalogue(tmp_path)
    assert (caught.value.file, caught.value.key) == (str(path), key)
