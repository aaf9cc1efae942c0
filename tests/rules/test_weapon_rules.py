"""Weapon rules that act: every sequence of dice of an attack is played and compared with a closed formula."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from w40k_marl.rules.dice import PURPOSES
from w40k_marl.testing import forcing

WAIT, FIGHT = 11, 10
Distribution = dict[int, Fraction]
ONE = Fraction(1)
GUN = {"range": 12, "hit": 4, "strength": 4, "ap": 0, "damage": 2}  # wounds on 4, saved on 5
TARGET = {"based_on": "Carnifex", "stats": {"T": 4, "ARMOR_SAVE": 5, "INVUL_SAVE": 0, "HP_MAX": 1000}}
NEAR, FAR = "8,2", "9,2"  # six and seven hexes from 2,2: half of the range, and more
RULES = ("HEAVY", "TORRENT", "TWIN LINKED", "LETHAL HITS", "SUSTAINED HITS:1", "DEVASTATING WOUNDS")
SETS = [*(subset for size in (0, 1, 2) for subset in itertools.combinations(RULES, size)), RULES]


def duel(play: Any, weapon: Any, rules: tuple[str, ...], place: str = NEAR, full: bool = True, **changes: Any) -> Any:
    """A unit of one gun that has moved nowhere, selected to shoot at a target that survives everything."""
    table = play(
        "^1 Gunner 2,2", f"v2 Target {place}", types={"Gunner": {"based_on": "Carnifex", "ranged": ["gun"]},
        "Target": TARGET}, weapons={"gun": weapon(**GUN | changes, rules=rules)},
        weapon_rules="full" if full else "reference",
    )  # fmt: skip
    table.skip_to("shoot")
    return table


def every_roll(table: Any, act: Callable[[], object], seen: Callable[[], int]) -> Distribution:
    """What ``seen`` shows after every sequence of dice that ``act`` may roll, each with its chance.

    A sequence grows by six faces wherever the rules ask for a die that it does not hold.
    """
    before = table.games.copy()
    open_ends: list[tuple[tuple[str, ...], Fraction]] = [((), ONE)]
    chances: dict[int, Fraction] = {}
    while open_ends:
        dice, chance = open_ends.pop()
        table.games[:] = before
        table.script(", ".join(dice))
        act()
        if table.game.dice_refused:
            purpose = PURPOSES[int(table.game.dice_refused)]
            open_ends += [((*dice, f"{purpose} {face}"), chance / 6) for face in range(1, 7)]
            continue
        table.all_dice_used()
        chances[seen()] = chances.get(seen(), Fraction(0)) + chance
    assert sum(chances.values()) == 1
    return chances


def damage_of_a_shot(table: Any) -> Distribution:
    """Damage of one shot at the target, over all dice; opens the activation if it is not open."""
    assert forcing.force_activation(*table.arguments, table.number("1")) == forcing.DONE
    assert forcing.force_weapon(*table.arguments, 0) == forcing.DONE
    world, target = table.setting.worlds, table.number("2")
    return every_roll(
        table, lambda: forcing.force_shot(world, table.games, 0, target), lambda: int(1000 - table.hp("2"))
    )


# --- the closed formula ---------------------------------------------------------------------------------------


def at_least(needed: int) -> Fraction:
    return Fraction(7 - needed, 6)


def sum_of(*parts: Distribution) -> Distribution:
    """The distribution of a sum of independent amounts."""
    total: Distribution = {0: ONE}
    for part in parts:
        grown: Distribution = {}
        for (a, p), (b, q) in itertools.product(total.items(), part.items()):
            grown[a + b] = grown.get(a + b, Fraction(0)) + p * q
        total = grown
    return total


def formula(rules: tuple[str, ...], damage: int, stood: bool = True, hit: int = 4) -> Distribution:
    """Damage of an attack that wounds on 4 and is saved on 5, worked out from the chances of its stages."""
    critical = Fraction(0) if "TORRENT" in rules else Fraction(1, 6)
    hits = ONE if "TORRENT" in rules else at_least(max(2, hit - ("HEAVY" in rules and stood)))
    wounds, sixes, fails = at_least(4), Fraction(1, 6), 1 - at_least(5)
    if "TWIN LINKED" in rules:
        sixes += (1 - wounds) / 6
        wounds += (1 - wounds) * wounds
    unsaved = sixes + (wounds - sixes) * fails if "DEVASTATING WOUNDS" in rules else wounds * fails
    ordinary = {0: 1 - unsaved, damage: unsaved}
    best = {0: 1 - fails, damage: fails} if "LETHAL HITS" in rules else ordinary
    further = sum(int(rule.partition(":")[2]) for rule in rules if rule.startswith("SUSTAINED"))
    total = {0: 1 - hits}
    for share, amounts in ((hits - critical, ordinary), (critical, sum_of(best, *[ordinary] * further))):
        for amount, chance in amounts.items():
            total[amount] = total.get(amount, Fraction(0)) + share * chance
    return {amount: chance for amount, chance in total.items() if chance}


# --- one attack -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rules", SETS, ids=lambda rules: " + ".join(rules) or "none")
def test_attack_has_the_distribution_of_the_formula(play: Any, weapon: Any, rules: tuple[str, ...]) -> None:
    assert damage_of_a_shot(duel(play, weapon, rules)) == formula(rules, 2)


def test_two_further_hits(play: Any, weapon: Any) -> None:
    rules = ("SUSTAINED HITS:2",)
    found = damage_of_a_shot(duel(play, weapon, rules))
    assert found == formula(rules, 2)
    assert found[6] == Fraction(1, 6) * Fraction(1, 3) ** 3


def test_all_rules_are_labels_in_the_reference_setting(play: Any, weapon: Any) -> None:
    rules = (*RULES, "RAPID_FIRE:2", "MELTA:3", "HAZARDOUS", "ANTI:4", "IGNORES COVER", "EXTRA ATTACKS")
    table = duel(play, weapon, rules, full=False)
    assert damage_of_a_shot(table) == formula((), 2)
    table = duel(play, weapon, rules, full=False)
    table.play("1", 4, "hit 6, wound 6, save 6")
    assert table.phase == "charge"


def test_melee_attacks_obey_the_same_rules(play: Any, weapon: Any) -> None:
    rules = ("TWIN LINKED", "LETHAL HITS", "SUSTAINED HITS:1", "DEVASTATING WOUNDS")
    table = play(
        "^1 Fighter 10,8", "v2 Target 10,7", weapons={"fist": weapon(hit=4, strength=4, damage=2, rules=rules)},
        types={"Fighter": {"based_on": "Carnifex", "melee": ["fist"]}, "Target": {**TARGET, "melee": []}},
        weapon_rules="full",
    )  # fmt: skip
    table.skip_to("fight")
    table.play("2", FIGHT)
    table.select("1")
    world, target = table.setting.worlds, table.number("2")
    found = every_roll(
        table, lambda: forcing.force_strike(world, table.games, 0, 0, target), lambda: int(1000 - table.hp("2"))
    )
    assert found == formula(rules, 2)


@pytest.mark.parametrize(("hit", "needed"), [(2, 2), (3, 2), (6, 5)])
def test_heavy_makes_no_one_a_hit(play: Any, weapon: Any, hit: int, needed: int) -> None:
    found = damage_of_a_shot(duel(play, weapon, ("HEAVY",), hit=hit))
    assert found == formula((), 2, hit=needed)


def test_heavy_is_lost_by_moving_and_by_advancing(play: Any, weapon: Any) -> None:
    rules = ("HEAVY", "ASSAULT")
    table = duel(play, weapon, rules)
    assert damage_of_a_shot(table) == formula(rules, 2, stood=True)
    moved = duel(play, weapon, rules, place="12,2")
    moved.skip_to("move", player=1, turn=2)
    moved.play("1", 2)
    assert moved.marked("moved") == ["1"]
    moved.skip_to("shoot", player=1, turn=2)
    assert damage_of_a_shot(moved) == formula(rules, 2, stood=False)
    advanced = duel(play, weapon, rules, place="12,2")
    advanced.play("1", 12, "advance 1")
    assert advanced.marked("advanced") == ["1"]
    assert damage_of_a_shot(advanced) == formula(rules, 2, stood=False)


# --- half range -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("place", "extra"), [("3,2", 3), (NEAR, 3), (FAR, 0), ("14,2", 0)])
def test_melta_adds_damage_within_half_range(play: Any, weapon: Any, place: str, extra: int) -> None:
    rules = ("MELTA:3", "PISTOL")
    assert damage_of_a_shot(duel(play, weapon, rules, place)) == formula(rules, 2 + extra)


def test_half_of_an_odd_range_is_not_rounded(play: Any, weapon: Any) -> None:
    near, far = (duel(play, weapon, ("MELTA:3",), place, range=13) for place in (NEAR, FAR))
    assert (damage_of_a_shot(near), damage_of_a_shot(far)) == (formula((), 5), formula((), 2))


@pytest.mark.parametrize(("dice", "amounts"), [("D3", [1, 1, 2, 2, 3, 3]), ("D6", [1, 2, 3, 4, 5, 6])])
def test_melta_adds_to_dice(play: Any, weapon: Any, dice: str, amounts: list[int]) -> None:
    found = damage_of_a_shot(duel(play, weapon, ("MELTA:3",), damage=dice))
    chance = formula((), 1)[1]
    expected: Distribution = {0: 1 - chance}
    for amount in amounts:
        expected[amount + 3] = expected.get(amount + 3, Fraction(0)) + chance / 6
    assert found == expected


@pytest.mark.parametrize(("place", "extra"), [("4,2", 2), (NEAR, 2), (FAR, 0), ("14,2", 0)])
def test_rapid_fire_adds_attacks_within_half_range(play: Any, weapon: Any, place: str, extra: int) -> None:
    """NB of D3, all faces: attacks = D3 + X near, D3 far."""
    table = duel(play, weapon, ("RAPID_FIRE:2",), place, attacks="D3")
    table.select("1")
    before = table.games.copy()
    for face, amount in enumerate([1, 1, 2, 2, 3, 3], start=1):
        table.games[:] = before
        events = table.act(4, f"num_attacks {face}" + ", hit 1" * (amount + extra))
        assert [event["event"] for event in events].count("attacked") == amount + extra


def test_rapid_fire_is_decided_by_the_first_target(play: Any, weapon: Any) -> None:
    """It is far and falls: the two attacks stay what they were, although the next target is near."""
    table = play(
        "^1 Gunner 2,2", "v2 Termagant 9,2", "v3 Target 6,5", decisions="agent", weapon_rules="full",
        types={"Gunner": {"based_on": "Carnifex", "ranged": ["gun"]}, "Target": TARGET},
        weapons={"gun": weapon(range=12, attacks=2, strength=9, ap=-4, rules=("RAPID_FIRE:3",))},
    )  # fmt: skip
    table.skip_to("shoot")
    table.select("1")
    table.act(4 + table.targets().index("2"), "hit 3, wound 2, save 1")
    assert table.game.attacks_left == 1
    table.act(4, "hit 1")
    assert table.phase == "charge"


@pytest.mark.parametrize("decisions", ["agent", "reference"])
def test_further_weapon_has_its_own_first_target(play: Any, weapon: Any, decisions: str) -> None:
    """The gun in slot 0 kills the far target; the carbine's attacks are counted at the near one, at half of 18."""
    table = play(
        "^1 Gunner 2,2", "v2 Termagant 12,2", "v3 Target 8,6", decisions=decisions, weapon_rules="full",
        types={"Gunner": {"based_on": "Carnifex", "ranged": ["gun", "carbine"]}, "Target": TARGET},
        weapons={
            "gun": weapon(range=12, strength=9, ap=-4, damage=6),
            "carbine": weapon(range=18, rules=("RAPID_FIRE:2",)),
        },
    )  # fmt: skip
    table.skip_to("shoot")
    table.select("1")
    slot = 4 + table.targets().index("2")
    dice = "hit 3, wound 2, save 1"
    if decisions == "reference":
        table.act(slot, dice + ", hit 1, hit 1, hit 1")
    else:
        table.act(slot, dice)
        table.act(4, "hit 1, hit 1, hit 1")
    assert table.phase == "charge"


# --- criticals and what they meet -----------------------------------------------------------------------------


def events_of(play: Any, weapon: Any, rules: tuple[str, ...], dice: str, **changes: Any) -> list[dict[str, Any]]:
    table = duel(play, weapon, rules, **changes)
    return [event for event in table.play("1", 4, dice) if event["event"] in ("attacked", "rerolled")]


def rolls(event: dict[str, Any]) -> tuple[int, ...]:
    return tuple(event[name] for name in ("hit_roll", "wound_roll", "save_roll", "damage"))


@pytest.mark.parametrize(
    ("rules", "dice", "expected"),
    [
        (("LETHAL HITS",), "hit 6, save 1", [(6, 0, 1, 2)]),
        (("LETHAL HITS",), "hit 5, wound 1", [(5, 1, 0, 0)]),
        (("DEVASTATING WOUNDS",), "hit 4, wound 6", [(4, 6, 0, 2)]),
        (("DEVASTATING WOUNDS",), "hit 4, wound 5, save 6", [(4, 5, 6, 0)]),
        (("TORRENT",), "wound 4, save 1", [(0, 4, 1, 2)]),
        (("LETHAL HITS", "TORRENT"), "wound 1", [(0, 1, 0, 0)]),
        (("SUSTAINED HITS:2", "TORRENT"), "wound 1", [(0, 1, 0, 0)]),
        (("SUSTAINED HITS:1",), "hit 6, wound 1, wound 6, save 1", [(6, 1, 0, 0), (0, 6, 1, 2)]),
        (("SUSTAINED HITS:1", "LETHAL HITS"), "hit 6, save 6, wound 1", [(6, 0, 6, 0), (0, 1, 0, 0)]),
        (("LETHAL HITS", "DEVASTATING WOUNDS"), "hit 6, save 5", [(6, 0, 5, 0)]),
        (("LETHAL HITS", "TWIN LINKED"), "hit 6, save 5", [(6, 0, 5, 0)]),
    ],
)
def test_rolls_that_are_made_and_told(
    play: Any, weapon: Any, rules: tuple[str, ...], dice: str, expected: list[tuple[int, ...]]
) -> None:
    assert [rolls(event) for event in events_of(play, weapon, rules, dice)] == expected


def test_a_failed_wound_is_rolled_once_more_and_the_second_stands(play: Any, weapon: Any) -> None:
    again, attacked = events_of(play, weapon, ("TWIN LINKED",), "hit 4, wound 3, wound_reroll 2")
    assert again == {"event": "rerolled", "unit": "1", "target": "2", "weapon": "gun", "wound_roll": 3}
    assert rolls(attacked) == (4, 2, 0, 0)
    (attacked,) = events_of(play, weapon, ("TWIN LINKED",), "hit 4, wound 4, save 6")
    assert rolls(attacked) == (4, 4, 6, 0)


def test_a_rerolled_six_is_devastating(play: Any, weapon: Any) -> None:
    _, attacked = events_of(play, weapon, ("TWIN LINKED", "DEVASTATING WOUNDS"), "hit 4, wound 1, wound_reroll 6")
    assert rolls(attacked) == (4, 6, 0, 2)


def test_heavy_does_not_make_a_five_critical(play: Any, weapon: Any) -> None:
    assert len(events_of(play, weapon, ("HEAVY", "SUSTAINED HITS:2"), "hit 5, wound 1")) == 1


def test_further_hits_end_with_the_target(play: Any, weapon: Any) -> None:
    table = play(
        "^1 Gunner 2,2", "v2 Termagant 8,2", "v3 Termagant 8,4", weapon_rules="full",
        types={"Gunner": {"based_on": "Carnifex", "ranged": ["gun"]}},
        weapons={"gun": weapon(**GUN, rules=("SUSTAINED HITS:2",))},
    )  # fmt: skip
    table.skip_to("shoot")
    table.select("1")
    first = table.targets()[0]
    table.act(4, "hit 6, wound 6, save 1")
    assert (table.hp(first), len(table.living())) == (0, 2)
