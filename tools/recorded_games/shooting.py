"""Level B in the shooting phase: target lists, advances, and automatic choices of an activation."""

from __future__ import annotations

from w40k_marl.rules.actions import ADVANCE, FIRST_TARGET, TARGET_SLOTS
from w40k_marl.rules.state import MELEE, RANGED
from w40k_marl.testing import forcing

from . import engine_queries
from .comparison import Comparison, Row
from .game import ReplayedGame
from .reference_quirks import fired_by_others, seen_before_the_move, selected_as_recorded, threatened_by_the_dead
from .states import attack_dice_of, number_of_attacks_die
from .trace import Json

ONLY_ACTIVATED, REFUSED, SHOT, SKIPPED = "only activated", "refused", "shot", "skipped"


def compare_shooting(at: Comparison) -> bool:
    """Compare one step; return True if the unit was shown fewer targets because of D1."""
    row = _compare_targets(at)
    _compare_mask(at, row)
    if not at.step.get("masked_out"):
        kind = at.step["decision"]["kind"]
        if kind == "wait":
            _compare_wait(at)
        elif kind == "advance":
            _compare_advance(at)
        elif kind == "shoot" and _compare_start(at):
            _Shots(at, row).compare()
    return row == "D1"


def _compare_targets(at: Comparison) -> str | None:
    """Compare the target list; return the row that explains a difference."""
    memory, index, unit = at.memory, at.index, at.number

    def stale() -> object:
        side = at.step["at"]["player"] - 1
        return engine_queries.targets(seen_before_the_move(at.ours, memory, index, side), unit)

    def short() -> object:
        if at.unit in memory.begun and at.unit not in memory.advanced:
            return memory.begun[at.unit]
        return engine_queries.targets(fired_by_others(at.ours, memory, index, at.unit), unit)

    def reordered(row: str) -> Row:
        return row, lambda: engine_queries.targets(selected_as_recorded(at.ours, memory, index, (row,)), unit)

    stages: list[Row] = (
        [("D3", stale)] if memory.opens_phase(index) else [reordered("D5"), reordered("D3"), ("D1", short)]
    )
    return at.compare("targets", at.step["legal"]["targets"], engine_queries.targets(at.ours, unit), *stages)


def _compare_mask(at: Comparison, row: str | None) -> None:
    """Compare the mask; a row that explains the target list also explains its slots."""
    ours = engine_queries.mask(at.ours, at.number)

    def with_recorded_slots() -> object:
        shown = min(TARGET_SLOTS, len(at.step["legal"]["targets"] or ()))
        slots = [int(slot < shown) for slot in range(TARGET_SLOTS)]
        return [*ours[:FIRST_TARGET], *slots, *ours[FIRST_TARGET + TARGET_SLOTS :]]

    at.compare("mask", at.step["mask"], ours, *([(row, with_recorded_slots)] if row else []))


def _compare_wait(at: Comparison) -> None:
    """Compare a wait: it is a shot only in the reference, if a weapon code has been used up."""
    codes = {weapon.code for weapon in at.ours.weapons(at.unit, RANGED)}
    recorded = at.step["outcome"].get("action") == "shoot"
    at.compare("wait.is_shot", recorded, False, ("D1", lambda: bool(codes & at.memory.emptied)))


def _list_at_start(at: Comparison) -> list[str]:
    """Return the list at the start of the reference's activation: new in a phase's first step, else
    as shown.
    """
    if at.unit in at.memory.begun or not at.memory.opens_phase(at.index):
        return list(at.step["legal"]["targets"] or ())
    twin = at.ours.copy()
    twin.game.combi_blocked[at.number] = 0
    return engine_queries.may_be_shot(twin, at.number)


def _compare_advance(at: Comparison) -> None:
    """Compare an advance: number of steps, die, legal hexes, chosen hex."""
    begun = at.unit in at.memory.begun
    at_once = at.step["outcome"].get("action") != "activated_no_target"
    at.compare("advance.at_once", at_once, True, ("D5", lambda: begun or bool(_list_at_start(at))))
    if not at_once:
        return
    advance = at.step["advance"][0]
    roll, unit, memory = advance["roll"], at.number, at.memory
    faces = [draw["v"] for draw in at.step["draws"] if draw["for"] == "advance"]
    kept = memory.kept_advance.get(at.unit)
    at.compare("advance.die", faces, [roll], ("D6", lambda: [] if kept == roll else None))

    def frozen() -> ReplayedGame:
        return threatened_by_the_dead(at.recording, memory)

    at.ask(
        "advance.dests",
        advance["dests"],
        lambda game: engine_queries.advance_hexes(game, unit, roll),
        ("D7", lambda: engine_queries.advance_hexes(frozen(), unit, roll)),
    )
    die = [{"for": "advance", "v": roll}]
    row = next(row for row in at.step["after"]["units"] if row[0] == at.unit)
    at.ask(
        "advance.dest",
        [row[1], row[2]],
        lambda game: engine_queries.hex_after(game, unit, ADVANCE, die),
        ("D7", lambda: engine_queries.hex_after(frozen(), unit, ADVANCE, die)),
    )


def _compare_start(at: Comparison) -> bool:
    """Compare the start of a shot at a listed target; return True if it took place."""
    outcome, target = at.step["outcome"], at.step["decision"]["target"]
    recorded = SHOT if at.step.get("attacks") else SKIPPED
    if outcome.get("success") is False:
        recorded = REFUSED
    elif outcome.get("action") == "activated_no_target":
        recorded = ONLY_ACTIVATED

    def rebuilt() -> object:
        listed = _list_at_start(at)
        if not listed:
            return ONLY_ACTIVATED if at.step["mask"][ADVANCE] else SKIPPED
        return SHOT if target in listed else REFUSED

    at.compare("shot", recorded, SHOT, ("D3", rebuilt))
    return recorded == SHOT


class _Shots:
    """The shots of one activation, played on the comparison's copy."""

    def __init__(self, at: Comparison, row: str | None) -> None:
        self.at, self.game = at, at.active
        name = "D1" if row == "D1" else "D3"
        self.rows: list[Row] = [] if row == "" else [(name, self._remaining)]
        self.listed = _list_at_start(at)
        self.in_contact = engine_queries.touches_an_enemy(self.game, at.number)
        self.attacks: list[Json] = at.step["attacks"]
        picks = at.step.get("target_picks", ())
        self.options: list[list[str]] = [pick["options"] for pick in picks]

    def compare(self) -> None:
        """Compare the first weapon; then after each shot the remaining targets, the next target and
        its weapon.
        """
        self._compare_first_weapon()
        self._force_weapon(self.attacks[0])
        for number, attack in enumerate(self.attacks):
            following = self.attacks[number + 1] if number + 1 < len(self.attacks) else None
            restored = self._fire(attack)
            goes_on = self._prepare(attack, following)
            self._rebuild_list(attack, restored)
            ours = self.game.listed_targets() if goes_on else []
            recorded = self.options[number] if number < len(self.options) else []
            self.at.compare("targets.left", recorded, ours, *self.rows)
            if following:
                self._compare_following(following, recorded, goes_on)

    def _compare_following(self, following: Json, options: list[str], goes_on: bool) -> None:
        """Compare target and weapon of the next shot; the replay continues with the recorded ones."""
        self.at.compare("target", following["target"], next(iter(options), None))
        slot = int(self.game.game.selected_weapon[self.at.number])
        if goes_on:
            self.at.compare("weapon", following["weapon_idx"], slot)
        if slot != following["weapon_idx"] or self.game.game.attacks_left == 0:
            self._force_weapon(following)

    def _compare_first_weapon(self) -> None:
        """Compare usable weapons, their scores and the choice."""
        at, game = self.at, self.game
        pick = next(iter(at.step.get("weapon_picks", ())), None)
        forcing.begin_activation(*game.arguments)
        if pick is None:
            at.compare("weapon.options", None, engine_queries.usable_weapons(game))
            return
        target = game.number(pick["target"])
        weapons, slots = game.weapons(at.unit, RANGED), engine_queries.usable_weapons(game)
        at.compare("weapon.options", pick["options"], [weapons[slot].code for slot in slots])
        fresh = engine_queries.weapon_scores(game, at.number, RANGED, target)
        row = compare_scores(at, game, pick, [fresh[slot] for slot in slots])
        chosen = [slots[best_position(pick["scores"])]] if row and len(slots) == len(pick["scores"]) else []
        best = engine_queries.best_weapon(game, RANGED, target)
        at.compare("weapon", self.attacks[0]["weapon_idx"], best, *[("D4", lambda s=slot: s) for slot in chosen])

    def _force_weapon(self, attack: Json) -> None:
        self.game.hand_out(number_of_attacks_die(self.game, self.at.step, attack))
        forcing.force_weapon(*self.game.arguments, attack["weapon_idx"])

    def _fire(self, attack: Json) -> ReplayedGame:
        """Fire one recorded shot; return the game after it, but before its bookkeeping."""
        before = self.game.copy().game
        self.game.hand_out(attack_dice_of(self.at.step, attack))
        forcing.force_shot(self.game.setting.worlds, self.game.games, 0, self.game.number(attack["target"]))
        restored = self.game.copy()
        restored.game.pistol_lock, restored.game.fired = before.pistol_lock, before.fired
        restored.game.combi_blocked[:] = before.combi_blocked
        return restored

    def _prepare(self, attack: Json, following: Json | None) -> bool:
        """Continue by our rules; return True while the activation is open."""
        die: list[Json] = []
        if following and following["weapon_idx"] != attack["weapon_idx"]:
            die = number_of_attacks_die(self.game, self.at.step, following)
        self.game.hand_out(die)
        return bool(forcing.prepare_next_shot(*self.game.arguments))

    def _remaining(self) -> object:
        """D1, D3: return the first list of the activation minus the dead, while a weapon has
        attacks left.
        """
        if self.game.game.attacks_left == 0:
            return []
        return [unit for unit in self.listed if int(self.game.game.hit_points[self.game.number(unit)]) > 0]

    def _rebuild_list(self, attack: Json, restored: ReplayedGame) -> None:
        """D3 (R-46, R-48): once the last adjacent enemy has died the reference builds another list."""
        if not self.in_contact or engine_queries.touches_an_enemy(self.game, self.at.number):
            return
        self.in_contact = False
        if self.at.step["at"]["player"] == 1:
            self.listed = engine_queries.may_be_shot(restored, self.at.number)
        elif int(self.game.game.fired) >> attack["weapon_idx"] & 1:
            self.listed = engine_queries.may_be_shot(self.game, self.at.number)


def compare_scores(at: Comparison, game: ReplayedGame, pick: Json, fresh: list[float]) -> str | None:
    """Compare the scores of a weapon choice; return "D4" if the reference cached those of other
    weapons.
    """
    unit, target = game.number(pick["by"]), game.number(pick["target"])
    others = [score for kind in (RANGED, MELEE) for score in engine_queries.weapon_scores(game, unit, kind, target)]

    def remembered() -> object:
        if len(fresh) != len(pick["scores"]):
            return None
        return [
            min([own, *others], key=lambda score: abs(score - recorded))
            for own, recorded in zip(fresh, pick["scores"], strict=True)
        ]

    return at.compare("weapon.scores", pick["scores"], fresh, ("D4", remembered))


def best_position(scores: list[float]) -> int:
    """Return the index of the greatest score, the first one on ties."""
    return scores.index(max(scores))
