"""Every number of the observation has the meaning that its name says: all are worked out again, the plain way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from w40k_marl.content.scenario import list_scenarios
from w40k_marl.content.types import Dice, Unit, Weapon
from w40k_marl.env.kernels import step_and_view
from w40k_marl.env.session import Session
from w40k_marl.observe.layout import Layout
from w40k_marl.rules.bits import has
from w40k_marl.rules.engine import LOOK
from w40k_marl.rules.state import CHARGE, FIGHT, FIGHT_STAGES, MOVE, NOBODY, PHASES, SHOOT
from w40k_marl.rules.turn import acting_side, eligible

Play = Callable[[Session, int], Iterator[int]]
Numbers = dict[str, float]
Cell = tuple[int, int]


def distance(a: Cell, b: Cell) -> int:
    """Steps between hexes of an odd-q board, by cube coordinates."""
    (ax, az), (bx, bz) = ((col, row - (col - (col & 1)) // 2) for col, row in (a, b))
    return max(abs(ax - bx), abs(az - bz), abs(ax + az - bx - bz))


def mean(value: Dice) -> float:
    return {"D3": 2.0, "D6": 3.5}[value] if isinstance(value, str) else float(value)


def chance(number: float) -> float:
    return min(1.0, max(0.0, number))


def kill_score(weapon: Weapon, target: Unit, left: int) -> float:
    """Share of the hit points that are left that a weapon is estimated to take (spec 06 H-3)."""
    strength, toughness = weapon.strength, target.type.toughness
    wounds = 5 if strength >= 2 * toughness else 4 if strength > toughness else 3 if strength == toughness else 2
    fails = chance((min(target.type.armor_save - weapon.ap, target.type.invulnerable_save) - 1) / 6)
    damage = mean(weapon.attacks) * chance((7 - weapon.hit) / 6) * (wounds / 6) * fails * mean(weapon.damage)
    return min(1.0, damage / left)


class Plain:
    """A game in plain Python, from the side of one player."""

    def __init__(self, session: Session, side: int) -> None:
        self.session, self.side, self.game = session, side, session.games[0]
        self.slots = session.layout.units_per_side
        self.units = session.setting.units
        self.scenario = session.setting.scenario
        self.acting = acting_side(self.game)

    def place(self, number: int) -> Cell:
        return int(self.game.hexes[number]) >> 6, int(self.game.hexes[number]) & 63

    def living(self, side: int) -> list[tuple[int, Unit]]:
        numbers = range(side * self.slots, (side + 1) * self.slots)
        return [(n, unit) for n in numbers if (unit := self.units[n]) and self.game.hit_points[n] > 0]

    def objectives_at(self, number: int) -> list[int]:
        return [index for index, each in enumerate(self.scenario.objectives) if self.place(number) in each.hexes]

    def observation(self) -> Numbers:
        numbers = dict.fromkeys(self.session.layout.field_names(), 0.0)
        numbers |= self.whole()
        if self.game.active != NOBODY:
            numbers |= self.active() | self.targets()
        numbers |= self.objectives()
        for block, side in (("my_units", self.side), ("enemy_units", 1 - self.side)):
            for number, unit in self.living(side):
                row = f"{block}[{number % self.slots}]."
                numbers |= {row + name: value for name, value in self.row(number, unit).items()}
        return numbers

    def whole(self) -> Numbers:
        game, me, enemy = self.game, self.side, 1 - self.side
        value = [
            sum(unit.type.value for _, unit in self.living(side))
            / max(1, sum(unit.type.value for unit in self.scenario.units if unit.player == side + 1))
            for side in (0, 1)
        ]
        stage = FIGHT_STAGES[int(game.fight_stage)]
        holders = game.control[: len(self.scenario.objectives)].tolist()
        named = {
            "turn": int(game.turn) / int(self.session.setting.world.max_turns),
            "my_turn": game.side == me,
            **{f"phase_{PHASES[phase]}": game.phase == phase for phase in (MOVE, SHOOT, CHARGE, FIGHT)},
            "stage_chargers": stage == "chargers",
            "stage_alternating": stage.startswith("alternating"),
            "stage_cleanup": stage.startswith("cleanup"),
            "acting": self.acting == me and not game.over,
            "sub_step_micro": game.active != NOBODY,
            "my_victory_points": min(1, int(game.victory_points[me]) / 100),
            "enemy_victory_points": min(1, int(game.victory_points[enemy]) / 100),
            "my_objectives": holders.count(me + 1) / max(1, len(holders)),
            "enemy_objectives": holders.count(enemy + 1) / max(1, len(holders)),
            "my_value": value[me],
            "enemy_value": value[enemy],
            "attacks_left": min(1, int(game.attacks_left) / 12),
        }
        return {f"global.{name}": float(number) for name, number in named.items()}

    def active(self) -> Numbers:
        number = int(self.game.active)
        side, slot = divmod(number, self.slots)
        away = [distance(self.place(number), self.place(enemy)) for enemy, _ in self.living(1 - side)]
        named = {
            "present": 1,
            "slot": slot / self.slots,
            "nearest_enemy": min([40, *away]) / 40,
            "has_attacked": self.game.has_attacked,
            "may_advance": self.game.phase == SHOOT and has(self.game.may_advance, slot),
        }
        return {f"active_unit.{name}": float(number) for name, number in named.items()}

    def targets(self) -> Numbers:
        number, numbers = int(self.game.active), {}
        kind = self.units[number].type  # type: ignore[union-attr]
        weapons = kind.ranged if self.game.phase == SHOOT else kind.melee
        for index, target in enumerate(self.game.targets[: min(5, int(self.game.target_count))].tolist()):
            unit, left = self.units[target], int(self.game.hit_points[target])
            assert unit is not None
            named = {
                "present": 1,
                "slot": target % self.slots / self.slots,
                "distance": min(1, distance(self.place(number), self.place(target)) / 40),
                "hit_points": left / unit.type.hit_points,
                "value": min(1, unit.type.value / 200),
                "kill_score": max([0.0, *(kill_score(weapon, unit, left) for weapon in weapons)]),
                "on_objective": bool(self.objectives_at(target)),
            }
            numbers |= {f"targets[{index}].{name}": float(value) for name, value in named.items()}
        return numbers

    def objectives(self) -> Numbers:
        numbers = {}
        for index in range(len(self.scenario.objectives)):
            strength = [
                sum(unit.type.objective_control for n, unit in self.living(side) if index in self.objectives_at(n))
                for side in (self.side, 1 - self.side)
            ]
            holder = int(self.game.control[index])
            row = f"objectives[{index}]."
            numbers[row + "present"] = 1.0
            numbers[row + "control"] = 0.0 if holder == 0 else 1.0 if holder == self.side + 1 else -1.0
            numbers[row + "my_strength"] = min(1.0, strength[0] / 10)
            numbers[row + "enemy_strength"] = min(1.0, strength[1] / 10)
        return numbers

    def row(self, number: int, unit: Unit) -> Numbers:
        game, (side, slot), kind = self.game, divmod(number, self.slots), unit.type
        column, row = self.place(number)
        selected = int(game.selected_weapon[number])
        ranged = kind.ranged[selected] if selected >= 0 else None
        melee = kind.melee[0] if kind.melee else None
        invulnerable = kind.invulnerable_save
        pool = eligible(game) if side == self.acting and not game.over else np.uint64(0)
        named = {
            "alive": 1,
            "mine": 1 if side == self.side else -1,
            "column": column / max(1, self.scenario.cols - 1),
            "row": row / max(1, self.scenario.rows - 1),
            "hit_points": int(game.hit_points[number]) / kind.hit_points,
            "full_hit_points": kind.hit_points / 10,
            "move": kind.move / 12,
            "toughness": kind.toughness / 12,
            "armor_save": kind.armor_save / 7,
            "invulnerable_save": invulnerable / 7 if invulnerable else 1,
            "objective_control": kind.objective_control / 5,
            "value": kind.value / 200,
            "range": max([0, *(weapon.range or 0 for weapon in kind.ranged)]) / 36,
            "ranged_damage": mean(ranged.attacks) * mean(ranged.damage) / 12 if ranged else 0,
            "ranged_strength": ranged.strength / 12 if ranged else 0,
            "melee_damage": mean(melee.attacks) * mean(melee.damage) / 12 if melee else 0,
            "melee_strength": melee.strength / 12 if melee else 0,
            "in_contact": any(distance((column, row), self.place(n)) <= 1 for n, _ in self.living(1 - side)),
            "on_objective": bool(self.objectives_at(number)),
            "eligible": has(pool, slot),
            "active": game.active == number,
            **{name: has(getattr(game, name)[side], slot) for name in ("moved", "fled", "advanced", "charged")},
            "attacked": has(game.shot[side] | game.fought[side], slot),
        }
        return {name: min(1.0, float(value)) for name, value in named.items()}


def differences(session: Session, side: int) -> dict[str, tuple[float, float]]:
    """Fields whose number is not the one worked out here."""
    written = session.layout.describe_observation(session.view(side)[0])
    expected = Plain(session, side).observation()
    assert list(written) == list(expected)
    return {name: (written[name], expected[name]) for name in written if abs(written[name] - expected[name]) > 1e-6}


@pytest.mark.parametrize("decisions", ["agent", "reference"])
@pytest.mark.parametrize("scenario", list_scenarios())
def test_every_number_is_what_its_name_says(play: Play, scenario: str, decisions: str) -> None:
    session = Session(scenario, decisions=decisions)
    for step, _ in enumerate(play(session, 5)):
        if step % 13 == 0:
            assert [differences(session, side) for side in (0, 1)] == [{}, {}]
    assert [differences(session, side) for side in (0, 1)] == [{}, {}]


def test_every_field_is_something_else_than_0_sometimes(play: Play) -> None:
    """No field is left unwritten; fields of all rows of a block are taken together."""
    seen: set[str] = set()
    for scenario in list_scenarios():
        session = Session(scenario)
        for _ in play(session, 2):
            numbers = session.layout.describe_observation(session.view(0)[0])
            named = (name for name, value in numbers.items() if value)
            seen.update(re.sub(r"\[\d+\]", "", name) for name in named)
    every = {f"{block.name}.{field}" for block in Layout().blocks for field, _ in block.fields}
    assert every - seen == set()


def test_my_rows_are_the_enemy_rows_of_the_other(play: Play) -> None:
    session = Session("macro_default")
    *_, mine, enemies = session.layout.blocks
    for _ in play(session, 1):
        one, two = session.view(0)[0], session.view(1)[0]
        for a, b in ((one, two), (two, one)):
            own, other = (
                vector[block.start : block.stop].reshape(block.rows, -1) for vector, block in ((a, mine), (b, enemies))
            )
            assert (own[:, 1] == -other[:, 1]).all()
            assert (np.delete(own, 1, axis=1) == np.delete(other, 1, axis=1)).all()


@pytest.mark.parametrize("decisions", ["agent", "reference"])
@pytest.mark.parametrize("scenario", ["macro_default", "tyranid_meleeswarm_bot_1", "small_board"])
def test_target_row_is_the_target_of_the_action(play: Play, scenario: str, decisions: str) -> None:
    session = Session(scenario, decisions=decisions)
    layout, tried = session.layout, 0
    for _ in play(session, 3):
        numbers = layout.describe_observation(session.view(session.acting_side)[0])
        legal, snapshot = session.legal_actions(), session.snapshot()
        for row in range(5):
            action = layout.micro_start + 4 + row
            if action not in legal:
                continue
            assert numbers[f"targets[{row}].present"]
            session.step(action)
            hit = next(event["target"] for event in session.events() if "target" in event)
            assert session.slot_of(str(hit)) == round(numbers[f"targets[{row}].slot"] * layout.units_per_side)
            session.restore(snapshot)
            tried += 1
    assert tried > 5


def test_view_writes_over_an_earlier_view_of_the_scenario_whatever_it_held() -> None:
    session = Session("small_board")
    session.reset(np.random.default_rng(1))
    observation, mask = session.view(0)
    again, other = session.view(1)
    unused = session.layout.units_per_side - max(int(count) for count in session.setting.world.unit_count)
    for block in session.layout.blocks:
        end = block.stop - unused * len(block.fields) if block.name.endswith("_units") else block.stop
        again[block.start : end] = np.nan
    other[:] = 9
    setting = session.setting
    step_and_view(setting.worlds, setting.board, session.games, 0, LOOK, NOBODY, 0, again, other)
    assert again.tolist() == observation.tolist()
    assert other.tolist() == mask.tolist()
