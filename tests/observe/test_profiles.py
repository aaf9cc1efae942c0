"""The offensive profile: the formula by enumeration, the tables of the specification, ties, weights, refusals."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from w40k_marl.content.catalogue import load_unit_types, load_weapons
from w40k_marl.content.game_rules import load_game_rules
from w40k_marl.content.types import Dice, TargetWeights, UnitType, Weapon
from w40k_marl.errors import ContentError
from w40k_marl.observe.macro.offensive_profile import (
    BASE,
    REFERENCE_TARGETS,
    ProfileOptions,
    Target,
    UnitStatus,
    dynamic_weights,
    near_bonus,
    offensive_profile,
    weapon_damage,
    weapon_scores,
    weapon_table_of,
)

WEIGHTS = load_game_rules().macro_target_weights
UNWEIGHTED = TargetWeights(1.0, 1.0, 1.0)

# spec 07 A.2: best ranged score and target, best melee score and target, ratio
TABLE = {
    "AssaultIntercessor": (0.370370, "swarm", 1.481481, "swarm", 0.800000),
    "CaptainGravis": (1.388889, "swarm", 6.944444, "troop", 0.833333),
    "Carnifex": (2.083333, "swarm", 7.500000, "troop", 0.782609),
    "Genestealer": (0, None, 1.851852, "swarm", 1.0),
    "GenestealerPrime": (0, None, 5.787037, "swarm", 1.0),
    "Hormagaunt": (0, None, 0.625000, "swarm", 1.0),
    "Intercessor": (1.481481, "swarm", 1.111111, "swarm", 0.428571),
    "IntercessorGrenadeLauncher": (1.111111, "troop", 1.111111, "swarm", 0.500000),
    "IntercessorSergeant": (1.388889, "troop", 3.333333, "troop", 0.705882),
    "Termagant": (0.277778, "swarm", 0.208333, "swarm", 0.428571),
    "Terminator": (0.740741, "swarm", 3.333333, "troop", 0.818182),
    "TyranidWarriorRanged": (0.833333, "swarm", 1.851852, "swarm", 0.689655),
}

# the same: weighted scores against swarm, troop, elite
WEAPONS = {
    "bolt_rifle": (1.481481, 1.0, 0.592593),
    "bolt_pistol": (0.370370, 0.166667, 0.074074),
    "close_combat_weapon": (1.111111, 0.5, 0.222222),
    "deathspitter": (0.833333, 0.75, 0.5),
    "rending_claws_warrior": (1.851852, 1.666667, 1.111111),
    "scything_talons": (0.625, 0.375, 0.333333),
    "astartes_grenade_launcher_krak": (0.925926, 1.111111, 0.888889),
    "astartes_grenade_launcher_frag": (0.740741, 0.333333, 0.148148),
    "venom_cannon": (2.083333, 2.0, 2.0),
    "power_fist": (5.787037, 6.944444, 5.555556),
}


def gun(**changes: Any) -> Weapon:
    plain = Weapon("gun", "Gun", 24, attacks=2, hit=3, strength=4, ap=-1, damage=1)
    return replace(plain, **changes)


def armed(ranged: tuple[Weapon, ...] = (), melee: tuple[Weapon, ...] = ()) -> UnitType:
    return replace(load_unit_types()["Intercessor"], name="Gunner", ranged=ranged, melee=melee)


# --- the formula ----------------------------------------------------------------------------------------------


def mean_amount(value: Dice) -> Fraction:
    if not isinstance(value, str):
        return Fraction(value)
    faces = [(face + 1) // 2 if value == "D3" else face for face in range(1, 7)]
    return Fraction(sum(faces), 6)


def by_enumeration(weapon: Weapon, target: Target) -> Fraction:
    """Mean over all faces of hit, wound and save dice, needed rolls from the tables of the rules in words."""
    ratio = Fraction(weapon.strength, target.toughness)
    wound = 2 if ratio >= 2 else 3 if ratio > 1 else 4 if ratio == 1 else 6 if ratio <= Fraction(1, 2) else 5
    save = min(6, max(2, min(target.armor_save - weapon.ap, target.invulnerable_save or 7)))
    through = sum(
        hit >= weapon.hit and wounds >= wound and saves < save
        for hit, wounds, saves in itertools.product(range(1, 7), repeat=3)
    )
    return mean_amount(weapon.attacks) * Fraction(through, 216) * mean_amount(weapon.damage)


@pytest.mark.parametrize("attacks", [1, 4, "D3", "D6"])
@pytest.mark.parametrize("damage", [1, 3, "D3", "D6"])
def test_expected_damage_is_the_mean_over_all_dice(attacks: Dice, damage: Dice) -> None:
    targets = [*REFERENCE_TARGETS, Target(8, 2, 0), Target(3, 7, 7), Target(6, 3, 5)]
    for hit, strength, ap, target in itertools.product(range(2, 7), (2, 4, 6, 12), (0, -2, -5), targets):
        weapon = gun(attacks=attacks, damage=damage, hit=hit, strength=strength, ap=ap)
        assert weapon_damage(weapon, target) == pytest.approx(float(by_enumeration(weapon, target)), rel=1e-12)


def test_worked_example_of_the_document() -> None:
    assert weapon_damage(gun(), Target(4, 3, 0)) == pytest.approx(1 / 3, rel=1e-15)


def test_products_are_taken_in_the_order_of_the_specification() -> None:
    """Doubles are compared for equality, so the order decides ties."""
    wound_rolls = {"bolt_rifle": (3, 4, 5), "power_fist": (2, 2, 3), "astartes_grenade_launcher_krak": (2, 2, 3)}
    save_rolls = {"bolt_rifle": (6, 4, 3), "power_fist": (6, 5, 4), "astartes_grenade_launcher_krak": (6, 5, 4)}
    for code, wounds in wound_rolls.items():
        weapon = load_weapons()[code]
        number, damage = float(mean_amount(weapon.attacks)), float(mean_amount(weapon.damage))
        chains = [
            number * ((7 - weapon.hit) / 6) * ((7 - wound) / 6) * ((save - 1) / 6) * damage * weight
            for wound, save, weight in zip(wounds, save_rolls[code], (1.0, 1.5, 2.0), strict=True)
        ]
        assert list(weapon_scores(weapon, WEIGHTS)) == chains


@pytest.mark.parametrize("code", WEAPONS)
def test_scores_of_weapons(code: str) -> None:
    assert weapon_scores(load_weapons()[code], WEIGHTS) == pytest.approx(WEAPONS[code], abs=5e-7)


# --- the profile ----------------------------------------------------------------------------------------------


def test_table_has_every_unit_type() -> None:
    assert set(TABLE) == set(load_unit_types())


@pytest.mark.parametrize("name", TABLE)
def test_profile_of_unit_types(name: str) -> None:
    profile = offensive_profile(load_unit_types()[name], WEIGHTS)
    ranged, ranged_target, melee, melee_target, ratio = TABLE[name]
    assert profile.best_ranged_score == pytest.approx(ranged, abs=5e-7)
    assert profile.best_melee_score == pytest.approx(melee, abs=5e-7)
    assert (profile.best_ranged_target, profile.best_melee_target) == (ranged_target, melee_target)
    assert profile.attack_mode_ratio == pytest.approx(ratio, abs=5e-7)


def test_each_weapon_type_and_army_is_worked_out_once() -> None:
    """The cache of the document, by unit type, weapon and kinds of target; nothing is shared by two armies."""
    kind, gun = load_unit_types()["Intercessor"], load_weapons()["bolt_rifle"]
    armies = WEIGHTS, TargetWeights(2.0, 1.0, 1.0)
    profiles = [offensive_profile(kind, army) for army in armies]
    scores = [weapon_scores(gun, army) for army in armies]
    damage = weapon_damage.cache_info()
    for number, army in enumerate(armies):
        assert offensive_profile(kind, replace(army)) is profiles[number], "equal weights are the same army's"
        assert weapon_scores(gun, replace(army)) is scores[number]
        assert weapon_table_of(kind, army) is weapon_table_of(kind, replace(army))
    assert weapon_damage.cache_info() == damage, "not even asked for"
    assert weapon_damage(gun, REFERENCE_TARGETS[0]) == scores[1][0] / 2
    assert weapon_damage.cache_info().hits == damage.hits + 1
    assert profiles[0] != profiles[1]
    assert scores[0] != scores[1]
    assert weapon_table_of(kind, armies[0]) is not weapon_table_of(kind, armies[1])


def test_page_holds_the_table() -> None:
    page = (Path(__file__).parents[2] / "docs" / "macro_observation.md").read_text(encoding="utf-8")
    for name, (ranged, ranged_target, melee, melee_target, ratio) in TABLE.items():
        best = f"{ranged:.6f} ({ranged_target})" if ranged_target else "0"
        assert f"| {name} | {best} | {melee:.6f} ({melee_target}) | {ratio:.6f} |" in page


def test_intercessor_shoots_better_than_it_fights() -> None:
    """The document's first minimal test."""
    profile = offensive_profile(load_unit_types()["Intercessor"], WEIGHTS)
    assert profile.best_ranged_score > profile.best_melee_score


def test_hormagaunt_fights_better_than_it_shoots() -> None:
    """The document's second minimal test."""
    profile = offensive_profile(load_unit_types()["Hormagaunt"], WEIGHTS)
    assert profile.best_melee_score > profile.best_ranged_score


def test_tyranid_warrior_contradicts_the_expectation_of_the_document() -> None:
    """Its third minimal test wants ranged above melee; its formula gives 0.833 and 1.852 of its own weapon data."""
    kind = load_unit_types()["TyranidWarriorRanged"]
    assert (kind.role, kind.agent_key) == ("Ranged", "Tyranid_Infantry_Troop_RangedTroop")
    profile = offensive_profile(kind, WEIGHTS)
    assert profile.best_ranged_score == pytest.approx(3 * (3 / 6) * (4 / 6) * (5 / 6))
    assert profile.best_melee_score == pytest.approx(5 * (4 / 6) * (4 / 6) * (5 / 6))
    assert profile.best_ranged_score < profile.best_melee_score


def test_one_hots() -> None:
    profile = offensive_profile(load_unit_types()["IntercessorGrenadeLauncher"], WEIGHTS)
    assert profile.best_ranged_target_onehot == (0.0, 1.0, 0.0)
    assert profile.best_melee_target_onehot == (1.0, 0.0, 0.0)
    assert offensive_profile(load_unit_types()["Hormagaunt"], WEIGHTS).best_ranged_target_onehot == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("weights", "equal", "target"),
    [
        ((1.0, 1.0, 0.25), ("swarm", "troop"), "swarm"),
        ((0.25, 0.6, 1.0), ("troop", "elite"), "troop"),
        ((0.6, 0.25, 1.0), ("swarm", "elite"), "swarm"),
        ((0.6, 0.6, 1.0), ("swarm", "troop", "elite"), "swarm"),
    ],
)
def test_of_equal_scores_the_first_kind_counts(
    weights: tuple[float, float, float], equal: tuple[str, ...], target: str
) -> None:
    weapon = gun(attacks=1, hit=4, strength=12, ap=-6)  # wounds all on 2; saves are 6, 6 and the Elite's 4
    scores = dict(zip(("swarm", "troop", "elite"), weapon_scores(weapon, TargetWeights(*weights)), strict=True))
    assert tuple(name for name, score in scores.items() if score == max(scores.values())) == equal
    for kind in (armed(ranged=(weapon,)), armed(melee=(weapon,)), armed(ranged=(gun(attacks=1, hit=6), weapon))):
        profile = offensive_profile(kind, TargetWeights(*weights))
        assert (profile.best_ranged_target or profile.best_melee_target) == target


def test_of_equal_weapons_it_does_not_matter_which() -> None:
    profile = offensive_profile(armed(ranged=(gun(), gun(code="other"))), WEIGHTS)
    assert profile == offensive_profile(armed(ranged=(gun(),)), WEIGHTS)


def test_range_rules_and_combi_groups_do_not_count() -> None:
    plain = offensive_profile(armed(ranged=(gun(),)), WEIGHTS)
    for weapon in (gun(range=1), gun(rules=("RAPID_FIRE:2", "MELTA:2", "HEAVY")), gun(combi="pair")):
        assert offensive_profile(armed(ranged=(weapon,)), WEIGHTS) == plain


# --- refusals -------------------------------------------------------------------------------------------------


def test_unit_without_any_score_is_refused_by_name() -> None:
    nothing = TargetWeights(0.0, 0.0, 0.0)
    for kind, weights in ((armed(), WEIGHTS), (load_unit_types()["Carnifex"], nothing)):
        with pytest.raises(ContentError, match="best ranged and best melee score 0 and 0") as caught:
            offensive_profile(kind, weights)
        assert (caught.value.file, caught.value.key) == (kind.name, "attack_mode_ratio")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, None, "1"])
@pytest.mark.parametrize("name", ["swarm", "troop", "elite"])
def test_weight_that_is_none_is_refused(name: str, value: Any) -> None:
    weights = replace(UNWEIGHTED, **{name: value})
    for ask in (lambda: weapon_scores(gun(), weights), lambda: offensive_profile(armed(ranged=(gun(),)), weights)):
        with pytest.raises(ContentError, match=f"macro_target_weights.{name}: expected a number from 0"):
            ask()


def test_more_weapons_than_the_rules_hold_are_refused() -> None:
    with pytest.raises(ContentError, match="weapons of one kind: expected at most 8, got 9"):
        offensive_profile(armed(ranged=(gun(),) * 9), WEIGHTS)


@pytest.mark.parametrize(
    "options",
    [{"best_weapons": 0}, {"best_weapons": 9}, {"best_weapons": True}, {"best_weapons": 1.5}, {"real_range": 1}],
)
def test_options_of_the_wrong_kind_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ContentError, match=f"profile: {next(iter(options))}: expected"):
        ProfileOptions(**options)


# --- evolutions that need no state ----------------------------------------------------------------------------


def test_options_are_off_by_default() -> None:
    assert ProfileOptions() == BASE
    assert not BASE.evolved
    assert not BASE.needs_status


def test_with_an_option_a_unit_without_score_is_even_and_aims_at_nobody() -> None:
    for options in (ProfileOptions(best_weapons=2), ProfileOptions(dynamic_weights=True)):
        profile = offensive_profile(armed(), WEIGHTS, options)
        assert profile.attack_mode_ratio == 0.5
        assert profile.best_ranged_target_onehot == profile.best_melee_target_onehot == (0.0, 0.0, 0.0)


def test_best_weapons_takes_the_mean_of_so_many() -> None:
    weapons = tuple(gun(code=str(attacks), attacks=attacks) for attacks in (1, 6, 4))
    for count, mean in ((1, 6), (2, 5), (3, 11 / 3), (4, 11 / 3)):
        profile = offensive_profile(armed(ranged=weapons), WEIGHTS, ProfileOptions(best_weapons=count))
        single = offensive_profile(armed(ranged=(gun(attacks=1),)), WEIGHTS)
        assert profile.best_ranged_score == pytest.approx(single.best_ranged_score * mean)


def test_best_weapons_are_those_against_each_kind() -> None:
    """Two weapons that are each best against another kind: the mean is taken kind by kind."""
    small, large = gun(attacks=6, strength=3, ap=0), gun(attacks=1, strength=10, ap=-4, damage=3)
    pairs = zip(weapon_scores(small, WEIGHTS), weapon_scores(large, WEIGHTS), strict=True)
    means = [sum(pair) / 2 for pair in pairs]
    profile = offensive_profile(armed(melee=(small, large)), WEIGHTS, ProfileOptions(best_weapons=2))
    assert profile.best_melee_score == pytest.approx(max(means))
    assert profile.best_melee_target == ("swarm", "troop", "elite")[means.index(max(means))]


def test_dynamic_weights_are_mean_values_of_kinds_by_the_mean_of_the_army() -> None:
    types = load_unit_types()
    army = [types["Termagant"], types["Hormagaunt"], types["Genestealer"], types["CaptainGravis"]]  # 6, 7, 19, 80
    weights = dynamic_weights(army)
    mean = (6 + 7 + 19 + 80) / 4
    assert (weights.swarm, weights.troop, weights.elite) == pytest.approx((6.5 / mean, 19 / mean, 80 / mean))


def test_dynamic_weights_of_what_is_not_there_are_nothing() -> None:
    types = load_unit_types()
    assert dynamic_weights([types["Intercessor"]]) == TargetWeights(0.0, 1.0, 0.0)
    assert dynamic_weights([]) == TargetWeights(0.0, 0.0, 0.0)
    assert dynamic_weights([replace(types["Intercessor"], value=0)]) == TargetWeights(0.0, 0.0, 0.0)


def test_bonus_of_half_range_is_that_of_a_stronger_weapon() -> None:
    """RAPID_FIRE:X is X attacks more, MELTA:X damage more by X; expectations add up."""
    strong = gun(attacks=5, damage=3)
    for rules, other in (
        (("RAPID_FIRE:3",), replace(strong, damage=1)),
        (("MELTA:2",), replace(strong, attacks=2)),
        (("RAPID_FIRE:3", "MELTA:2"), strong),
    ):
        weapon = gun(rules=rules)
        for bonus, plain, expected in zip(
            near_bonus(weapon, WEIGHTS), weapon_scores(weapon, WEIGHTS), weapon_scores(other, WEIGHTS), strict=True
        ):
            assert plain + bonus == pytest.approx(expected)
    assert near_bonus(gun(rules=("HEAVY", "ASSAULT")), WEIGHTS) == (0.0, 0.0, 0.0)


# --- evolutions that ask about a state ------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["real_range", "weapon_rules", "selectable_only"])
def test_state_is_asked_for_where_an_option_needs_it(option: str) -> None:
    with pytest.raises(ContentError, match="argument: status: expected the status of the unit"):
        offensive_profile(armed(ranged=(gun(),)), WEIGHTS, ProfileOptions(**{option: True}))


@pytest.mark.parametrize(
    ("options", "status", "shoots", "fights"),
    [
        ({"real_range": True}, UnitStatus(None, 24), True, False),
        ({"real_range": True}, UnitStatus(None, 25), False, False),
        ({"real_range": True}, UnitStatus(), False, False),
        ({"real_range": True}, UnitStatus(can_charge=True), False, True),
        ({"selectable_only": True}, UnitStatus(5, 5, can_charge=True), False, False),
        ({"selectable_only": True}, UnitStatus(selectable_ranged=1), True, False),
        ({"selectable_only": True}, UnitStatus(selectable_ranged=2, can_strike=True), False, True),
        ({"weapon_rules": True}, UnitStatus(), True, True),
        ({"weapon_rules": True}, UnitStatus(has_advanced=True), False, True),
        ({"weapon_rules": True}, UnitStatus(in_contact=True), False, True),
    ],
)
def test_weapons_that_count(options: dict[str, bool], status: UnitStatus, shoots: bool, fights: bool) -> None:
    kind = armed(ranged=(gun(),), melee=(gun(range=None),))
    profile = offensive_profile(kind, WEIGHTS, ProfileOptions(**options), status)
    assert (profile.best_ranged_score > 0, profile.best_melee_score > 0) == (shoots, fights)


@pytest.mark.parametrize(("rule", "fact"), [("ASSAULT", "has_advanced"), ("PISTOL", "in_contact")])
def test_rule_lets_a_weapon_fire_where_others_do_not(rule: str, fact: str) -> None:
    strong, ruled = gun(attacks=9), gun(code="ruled", rules=(rule,))
    kind, options = armed(ranged=(strong, ruled)), ProfileOptions(weapon_rules=True)
    alone = offensive_profile(armed(ranged=(ruled,)), WEIGHTS)
    assert offensive_profile(kind, WEIGHTS, options, UnitStatus(**{fact: True})) == alone
    assert offensive_profile(kind, WEIGHTS, options, UnitStatus()).best_ranged_score > alone.best_ranged_score


def test_half_range_counts_from_where_it_shoots() -> None:
    weapon = gun(rules=("RAPID_FIRE:2",))
    plain, near = weapon_scores(weapon, WEIGHTS)[0], weapon_scores(gun(attacks=4), WEIGHTS)[0]
    for options, here, moved, expected in (
        (ProfileOptions(weapon_rules=True), 12, 6, near),
        (ProfileOptions(weapon_rules=True), 13, 6, plain),
        (ProfileOptions(weapon_rules=True, real_range=True), 18, 12, near),
        (ProfileOptions(weapon_rules=True, real_range=True), 18, 13, plain),
        (ProfileOptions(real_range=True), 1, 1, plain),
    ):
        profile = offensive_profile(armed(ranged=(weapon,)), WEIGHTS, options, UnitStatus(here, moved))
        assert profile.best_ranged_score == pytest.approx(expected)
