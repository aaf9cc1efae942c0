"""Hit, wound, save, damage: the tables, the chain of dice, the estimates, and the generator behind the dice."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from w40k_marl.content.catalogue import load_unit_types, load_weapons
from w40k_marl.rules.combat import expected_damage, kind_by_hit_points, save_target, success, wound_target
from w40k_marl.rules.dice import DEPLOYMENT_STREAM, DICE_STREAM, philox, uniform
from w40k_marl.rules.state import ELITE, LEADER, MELEE, RANGED, SWARM, TROOP
from w40k_marl.testing import forcing

U = np.uint64


# --- tables ---------------------------------------------------------------------------------------------------


def test_wound_table_is_complete() -> None:
    for strength, toughness in itertools.product(range(1, 25), repeat=2):
        ratio = Fraction(strength, toughness)
        needed = 2 if ratio >= 2 else 3 if ratio > 1 else 4 if ratio == 1 else 6 if ratio <= Fraction(1, 2) else 5
        assert wound_target(strength, toughness) == needed


def test_save_table_is_complete() -> None:
    """K2: never better than 2, never worse than 6; an invulnerable save of 0 or 7 is none."""
    for armor, penetration, invulnerable in itertools.product(range(2, 8), range(0, -9, -1), range(8)):
        best = min(armor - penetration, invulnerable or 7)
        assert save_target(armor, penetration, invulnerable) == min(6, max(2, best))


@pytest.mark.parametrize(
    ("weapon", "target", "wound", "save"),
    [
        ("bolt_rifle", "Hormagaunt", 3, 6),
        ("bolt_rifle", "TyranidWarriorRanged", 5, 5),
        ("bolt_rifle", "Carnifex", 6, 3),
        ("astartes_grenade_launcher_krak", "TyranidWarriorRanged", 3, 6),
        ("astartes_grenade_launcher_krak", "Carnifex", 4, 4),
        ("plasma_pistol_supercharge", "CaptainGravis", 3, 4),
        ("deathspitter", "Intercessor", 3, 4),
        ("venom_cannon", "Intercessor", 3, 5),
        ("venom_cannon", "CaptainGravis", 3, 4),
    ],
)
def test_shipped_weapons_against_shipped_units(play: Any, weapon: str, target: str, wound: int, save: int) -> None:
    """The faces just below and at each target number, rolled by a real shot."""
    types = {"Gunner": {"based_on": "Carnifex", "ranged": [weapon]}}
    outcomes = []
    for dice in (
        f"hit 6, wound {wound - 1}",
        f"hit 6, wound {wound}, save {save}",
        f"hit 6, wound {wound}, save {save - 1}" + (", damage 1" if "krak" in weapon else ""),
    ):
        table = play("^1 Gunner 2,2", f"v2 {target} 8,2", types=types)
        table.skip_to("shoot")
        table.select("1")
        assert forcing.force_weapon(*table.arguments, 0) == forcing.DONE
        full = table.hp("2")
        table.shot("1", "2", dice)
        outcomes.append(table.hp("2") < full)
    assert outcomes == [False, False, True]


# --- the expectation ------------------------------------------------------------------------------------------


def chain(hits: Iterable[int], wounds: Iterable[int], saves: Iterable[int], needed: tuple[int, int]) -> Iterator[str]:
    """The dice of an attack for all faces; each only after a success."""
    for hit in hits:
        if hit < needed[0]:
            yield f"hit {hit}"
            continue
        for wound in wounds:
            if wound < needed[1]:
                yield f"hit {hit}, wound {wound}"
            else:
                yield from (f"hit {hit}, wound {wound}, save {save}" for save in saves)


@pytest.mark.parametrize(
    ("weapon", "target", "hit", "wound"),
    [("deathspitter", "Intercessor", 4, 3), ("bolt_rifle", "Carnifex", 3, 6), ("venom_cannon", "CaptainGravis", 4, 3)],
)
def test_expectation_is_the_mean_of_rolled_attacks(play: Any, weapon: str, target: str, hit: int, wound: int) -> None:
    table = play("^1 Gunner 2,2", f"v2 {target} 8,2", types={"Gunner": {"based_on": "Carnifex", "ranged": [weapon]}})
    table.skip_to("shoot")
    table.select("1")
    assert forcing.force_weapon(*table.arguments, 0) == forcing.DONE
    before, full, faces, mean = table.games.copy(), table.hp("2"), range(1, 7), 0.0
    for dice in chain(faces, faces, faces, (hit, wound)):
        table.games[:] = before
        table.shot("1", "2", dice)
        mean += (full - table.hp("2")) / 6 ** (1 + dice.count(","))
    gun, kind = load_weapons()[weapon], load_unit_types()[target]
    attacked = (kind.toughness, kind.armor_save, kind.invulnerable_save)
    assert isinstance(gun.attacks, int)
    expected = expected_damage(gun.attacks, 0, gun.hit, gun.strength, gun.ap, 1, 0, *attacked)
    assert expected == pytest.approx(gun.attacks * mean)


# --- the chain of dice ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("damage", "amounts"), [("D3", [1, 1, 2, 2, 3, 3]), ("D6", [1, 2, 3, 4, 5, 6])])
def test_dice_valued_damage(play: Any, weapon: Any, damage: str, amounts: list[int]) -> None:
    found = []
    for face in range(1, 7):
        table = play(
            "^1 Gunner 2,2", "v2 Carnifex 8,2", weapons={"gun": weapon(range=24, strength=9, damage=damage)},
            types={"Gunner": {"based_on": "Carnifex", "ranged": ["gun"]}},
        )  # fmt: skip
        table.skip_to("shoot")
        table.play("1", 4, f"hit 3, wound 4, save 1, damage {face}")
        found.append(8 - table.hp("2"))
    assert found == amounts


@pytest.mark.parametrize(("attacks", "amounts"), [("D3", [1, 1, 2, 2, 3, 3]), ("D6", [1, 2, 3, 4, 5, 6])])
def test_dice_valued_attacks_are_rolled_once_when_the_weapon_is_chosen(
    play: Any, weapon: Any, attacks: str, amounts: list[int]
) -> None:
    """D2: one die for the number of attacks of an activation, not one at every turn of it."""
    for face, amount in enumerate(amounts, start=1):
        table = play(
            "^1 Gunner 2,2", "v2 Carnifex 8,2", weapons={"gun": weapon(attacks=attacks, range=24)},
            types={"Gunner": {"based_on": "Carnifex", "ranged": ["gun"]}},
        )  # fmt: skip
        table.skip_to("shoot")
        events = table.play("1", 4, f"num_attacks {face}" + ", hit 1" * amount)
        assert [event["event"] for event in events].count("attacked") == amount


def test_damage_beyond_the_last_hit_point_is_lost(play: Any) -> None:
    table = play("^1 CaptainGravis 10,8", "v2 Termagant 10,7", "v3 Termagant 11,8")
    table.skip_to("fight")
    table.skip_one()  # a Termagant strikes first
    table.strike("1", "2", "hit 2, wound 2, save 5")
    assert (table.hp("2"), table.hp("3")) == (0, 1)
    assert table.living() == ["1", "3"]


def rolled_chance(hit: int, wound: int, save: int) -> Fraction:
    """Share of all 216 rolls of three dice that end in damage."""
    faces = range(1, 7)
    wins = sum(h >= hit and w >= wound and s < save for h, w, s in itertools.product(faces, repeat=3))
    return Fraction(wins, 216)


def test_chance_of_an_unsaved_wound_is_the_product_of_its_parts() -> None:
    for hit, wound, save in itertools.product(range(2, 7), repeat=3):
        product = success(hit) * success(wound) * (1 - success(save))
        assert product == pytest.approx(float(rolled_chance(hit, wound, save)), abs=1e-12)


def test_rolled_damage_has_the_frequency_of_the_formula(play: Any) -> None:
    """Every face of hit, wound and save of one attack, played out: 216 games, as many wounds as the formula says."""
    table = play("^1 TyranidWarriorRanged 2,2", "v2 Intercessor 8,2")  # hits on 4, wounds on 3, saves on 4
    table.skip_to("shoot")
    table.select("1")
    assert forcing.force_weapon(*table.arguments, 0) == forcing.DONE
    before, wins = table.games.copy(), 0
    for hit, wound, save in itertools.product(range(1, 7), repeat=3):
        table.games[:] = before
        dice = [f"hit {hit}", f"wound {wound}", f"save {save}"]
        table.shot("1", "2", ", ".join(dice[: 1 if hit < 4 else 2 if wound < 3 else 3]))
        wins += table.hp("2") == 1
    assert Fraction(wins, 216) == rolled_chance(4, 3, 4) == Fraction(1, 6)


# --- estimates ------------------------------------------------------------------------------------------------


def scores(table: Any, unit: str, kind: int, target: str) -> list[float]:
    found = forcing.weapon_scores(table.setting.worlds, table.games, 0, table.number(unit), kind, table.number(target))
    return [float(score) for score in found]


def test_kill_scores_by_hand(play: Any) -> None:
    table = play(
        "^1 Intercessor 4,10", "^2 IntercessorGrenadeLauncher 4,12", "^3 CaptainGravis 4,14",
        "v4 TyranidWarriorRanged 16,10", "v5 Hormagaunt 14,12", "v6 Carnifex 18,12",
    )  # fmt: skip
    # against a Hormagaunt: 4 x 4/6 x 4/6 x 5/6 is more than its one hit point; the pistol 4/6 x 4/6 x 4/6
    assert scores(table, "1", RANGED, "5") == pytest.approx([1.0, 8 / 27])
    # against a Warrior: D3 counts 2; strength 4 against 5 is 2/6, strength 9 is 4/6; AP -2 turns its 4+ into 6+
    frag, krak = 2 * (4 / 6 * 2 / 6 * 3 / 6) / 3, 1 * (4 / 6 * 4 / 6 * 5 / 6) * 2 / 3
    assert scores(table, "2", RANGED, "4") == pytest.approx([frag, krak, frag / 2])
    # no 6+ to wound in the estimate: strength 4 against 9 counts 2/6, the dice say 1/6
    assert scores(table, "1", RANGED, "6")[0] == pytest.approx(4 * (4 / 6 * 2 / 6 * 2 / 6) / 8)
    # the captain's fist: hits on 2, 8 against 9 counts 2/6, AP -2
    assert scores(table, "3", MELEE, "6") == pytest.approx([5 * (5 / 6 * 2 / 6 * 3 / 6) * 2 / 8])
    # his invulnerable save of 4 is better than 3 + 2
    assert scores(table, "6", RANGED, "3") == pytest.approx([6 * (3 / 6 * 4 / 6 * 3 / 6) / 6])


def test_kill_score_knows_no_save_on_a_six_at_all_costs_but_the_dice_do(play: Any, weapon: Any) -> None:
    weapons = {"lance": weapon(range=24, strength=8, ap=-6)}
    table = play("^1 Gunner 2,2", "v2 Intercessor 8,2", weapons=weapons,
                 types={"Gunner": {"based_on": "Carnifex", "ranged": ["lance"]}})  # fmt: skip
    assert scores(table, "1", RANGED, "2") == pytest.approx([1 * (4 / 6 * 5 / 6 * 1.0) / 2])
    table.skip_to("shoot")
    table.play("1", 4, "hit 6, wound 6, save 6")
    assert table.hp("2") == 2


def test_invulnerable_save_of_zero_spoils_the_estimate_only(play: Any, weapon: Any) -> None:
    """05 rule 26: every melee weapon then scores 0 and the first one is taken; the dice treat 0 as none."""
    table = play(
        "^1 Fighter 10,8", "v2 Odd 10,7", weapons={"weak": weapon(strength=1), "strong": weapon(strength=9)},
        types={
            "Fighter": {"based_on": "Carnifex", "melee": ["weak", "strong"]},
            "Odd": {"based_on": "Intercessor", "stats": {"INVUL_SAVE": 0}},
        },
    )  # fmt: skip
    assert [abs(score) for score in scores(table, "1", MELEE, "2")] == [0.0, 0.0]
    assert save_target(3, 0, 0) == 3


def test_kinds_by_hit_points() -> None:
    kinds = [kind_by_hit_points(points) for points in range(1, 9)]
    assert kinds == [SWARM, TROOP, TROOP, ELITE, ELITE, ELITE, LEADER, LEADER]


# --- the generator --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ((0, 0), 0, (0xFF1DAE59, 0x6CD10DF2)),
        ((0xFFFFFFFF, 0xFFFFFFFF), 0xFFFFFFFF, (0x2C3F628B, 0xAB4FD7AD)),
        ((0x243F6A88, 0x85A308D3), 0x13198A2E, (0xDD7CE038, 0xF62A4C12)),
    ],
)
def test_philox_known_answers(counter: tuple[int, int], key: int, words: tuple[int, int]) -> None:
    """Known-answer vectors of Random123, philox2x32-10."""
    assert tuple(int(word) for word in philox(U(counter[0]), U(counter[1]), U(key))) == words


def draws(seed: int, stream: int, count: int, options: int = 6) -> np.ndarray:
    return np.array([uniform(U(seed), stream, U(counter), options) for counter in range(count)])


@pytest.mark.parametrize("options", [2, 6, 7, 171])
def test_draws_are_uniform(options: int) -> None:
    """Chi-square of 20,000 draws stays within five deviations of its mean."""
    counts = np.bincount(draws(2026, DICE_STREAM, 20_000, options), minlength=options)
    expected = 20_000 / options
    square = float(((counts - expected) ** 2 / expected).sum())
    freedom = options - 1
    assert len(counts) == options
    assert abs(square - freedom) < 5 * (2 * freedom) ** 0.5


def test_successive_draws_seeds_and_streams_are_independent() -> None:
    """Pairs of faces fill the 36 cells evenly: a draw and the next, a seed and the next, a stream and the other."""
    dice = draws(5, DICE_STREAM, 20_000)
    others = {
        "next": np.roll(dice, 1),
        "seed": draws(6, DICE_STREAM, 20_000),
        "upper half of the seed": draws(5 + 2**32, DICE_STREAM, 20_000),
        "stream": draws(5, DEPLOYMENT_STREAM, 20_000),
    }
    for name, other in others.items():
        cells = np.bincount(dice * 6 + other, minlength=36)
        square = float(((cells - 20_000 / 36) ** 2 / (20_000 / 36)).sum())
        assert abs(square - 35) < 5 * 70**0.5, name


def test_draws_depend_on_nothing_but_seed_stream_and_counter() -> None:
    assert [uniform(U(7), 0, U(counter), 6) for counter in (11, 3)] == draws(7, 0, 12)[[11, 3]].tolist()


def test_games_of_one_seed_roll_the_same_and_of_another_do_not(play: Any) -> None:
    def faces(seed: int) -> list[Any]:
        table = play("^1 Carnifex 2,2", "v2 Carnifex 12,2", seed=seed)
        table.skip_to("shoot")
        return table.play("1", 4)

    assert faces(1) == faces(1)
    assert faces(1) != faces(2)
