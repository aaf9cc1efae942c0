"""Level B in the fight phase: adjacent enemies, the number of attacks, and the weapon of each attack."""

from __future__ import annotations

from w40k_marl.rules.actions import FIGHT_ACTION
from w40k_marl.rules.state import MELEE
from w40k_marl.testing import forcing

from . import engine_queries
from .comparison import Comparison
from .reference_state import attack_dice, halved
from .shooting import best_position, compare_scores
from .states import attack_dice_of
from .trace import Json


def compare_fight(at: Comparison) -> None:
    """Compare one step of the fight phase."""
    at.ask("mask", at.step["mask"], lambda game: engine_queries.mask(game, at.number))
    recorded = at.step["legal"]["targets"]
    at.ask("targets", recorded, lambda game: engine_queries.targets(game, at.number))
    if at.step.get("masked_out") or at.step["action"] != FIGHT_ACTION:
        return
    attacks: list[Json] = at.step.get("attacks", [])
    at.compare("passes", not attacks, not engine_queries.targets(at.ours, at.number))
    if attacks:
        _compare_attacks(at, attacks)


def _compare_attacks(at: Comparison, attacks: list[Json]) -> None:
    """Compare the attacks in turn, each played on the comparison's copy, then their number."""
    game = at.active
    options = [at.step["legal"]["targets"], *(pick["options"] for pick in at.step.get("target_picks", ()))]
    first = engine_queries.best_weapon(game, MELEE, game.number(attacks[0]["target"]))
    picks = at.step["weapon_picks"]
    at.compare("choices", (len(picks), len(options)), (len(attacks), len(attacks)))
    for attack, listed, pick in zip(attacks, options, picks, strict=False):
        at.compare("targets.left", listed, game.listed_targets())
        at.compare("target", attack["target"], next(iter(game.listed_targets()), None))
        _compare_weapon(at, attack, pick)
        game.hand_out(attack_dice_of(at.step, attack))
        target = game.number(attack["target"])
        forcing.force_strike(game.setting.worlds, game.games, 0, attack["weapon_idx"], target)
        forcing.list_opponents_now(game.setting.worlds, game.games, 0)
    _compare_number(at, first, len(attacks), bool(game.listed_targets()))


def _compare_weapon(at: Comparison, attack: Json, pick: Json) -> None:
    """Compare the scores of the melee weapons against the target, and the choice."""
    game, target = at.active, at.active.number(attack["target"])
    codes = [weapon.code for weapon in game.weapons(at.unit, MELEE)]
    at.compare("weapon.options", pick["options"], codes)
    row = compare_scores(at, game, pick, engine_queries.weapon_scores(game, at.number, MELEE, target))
    mixed = [("D4", lambda: best_position(pick["scores"]))] if row else []
    at.compare("weapon", attack["weapon_idx"], engine_queries.best_weapon(game, MELEE, target), *mixed)


def _compare_number(at: Comparison, first: int, made: int, targets_left: bool) -> None:
    """Compare the number of attacks: ours from the first weapon, the reference's from the last
    (D19).
    """
    before = at.memory.last_melee.get(at.unit, 0)
    at.compare(
        "attacks",
        made,
        _attacks_made(at, first, made, targets_left),
        ("D19", lambda: _attacks_made(at, before, made, targets_left)),
    )


def _attacks_made(at: Comparison, slot: int, made: int, targets_left: bool) -> int | None:
    """Return how many of ``made`` attacks a weapon's number allows; None if its die was not rolled.

    If no enemies are left, the remaining attacks are lost, so a larger number makes no difference.
    """
    number = at.active.weapons(at.unit, MELEE)[slot].attacks
    if not isinstance(number, int):
        faces = attack_dice(at.step, len(at.step["draws"]))[:1]
        if not faces:
            return None
        number = halved(faces[0], number)
    return number if targets_left else min(number, made)
