"""Events tell the truth and all of it: who knows them alone knows the game."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from w40k_marl import w40k_v0
from w40k_marl.content.scenario import list_scenarios
from w40k_marl.env.aec import RawEnv
from w40k_marl.observe.layout import Layout
from w40k_marl.rules.bits import has
from w40k_marl.rules.events import FIELDS
from w40k_marl.rules.state import NOBODY, PHASES, WIN_METHODS

Play = Callable[..., Iterator[tuple[str, int]]]
MARKS = ("moved", "fled", "advanced", "charged")


class Mirror:
    """A game kept from its events: places, hit points, marks, phase, control, points, result."""

    def __init__(self, env: RawEnv) -> None:
        session = env.session
        self.units = [unit.id for unit in session.setting.units if unit]
        self.hit_points = {unit.id: unit.type.hit_points for unit in session.setting.units if unit}
        place = session.games[0].hexes.tolist()
        self.hexes = {unit: (place[n] >> 6, place[n] & 63) for unit, n in session.setting.number_of.items()}
        self.marks: dict[str, set[str]] = {mark: set() for mark in MARKS}
        self.attackers: set[str] = set()
        self.control = {objective.id: 0 for objective in session.setting.scenario.objectives}
        self.points = {1: 0, 2: 0}
        self.turn, self.player, self.phase = 0, 0, ""
        self.selected = ""
        self.result: tuple[int, str] | None = None
        self.deaths: list[str] = []
        # what weapon rules have left to be told: hits of SUSTAINED HITS, an attack rolled again, dice of HAZARDOUS
        self.rules = _acting_rules(env)
        self.further_hits, self.aim = 0, ""
        self.again: tuple[str, ...] | None = None
        self.hazards: list[str] = []

    def take(self, events: list[dict[str, Any]]) -> None:
        for event in events:
            getattr(self, f"on_{event['event']}")(event)

    def on_selected(self, event: dict[str, Any]) -> None:
        assert not self.hazards or self.selected in self.deaths, "a hazard was not rolled"
        self.hazards = []
        self.selected = event["unit"]

    def _acts(self, event: dict[str, Any]) -> None:
        assert event["unit"] == self.selected, "only the selected unit acts"

    def _go(self, event: dict[str, Any], mark: str) -> None:
        self._acts(event)
        assert self.hexes[event["unit"]] == event["from_hex"]
        self.hexes[event["unit"]] = event["to_hex"]
        self.marks[mark].add(event["unit"])

    def on_moved(self, event: dict[str, Any]) -> None:
        self._go(event, "moved")
        if event["fled"]:
            self.marks["fled"].add(event["unit"])

    def on_advanced(self, event: dict[str, Any]) -> None:
        self._go(event, "advanced")
        assert 1 <= event["roll"] <= 6

    def on_charged(self, event: dict[str, Any]) -> None:
        self._go(event, "charged")
        assert 2 <= event["roll"] <= 12

    def on_attacked(self, event: dict[str, Any]) -> None:
        self._acts(event)
        hit, wound, save = (event["hit_roll"], event["wound_roll"], event["save_roll"])
        rules = self.rules[event["unit"], event["weapon"]]
        self._follow_hits(event, rules)
        assert all(0 <= face <= 6 for face in (hit, wound, save))
        assert wound or not save or (hit == 6 and "LETHAL HITS" in rules)
        assert save or not event["damage"] or (wound == 6 and "DEVASTATING WOUNDS" in rules)
        assert self.again in (None, (event["unit"], event["target"], event["weapon"]))
        assert wound or self.again is None
        self.again = None
        if "HAZARDOUS" in rules and event["weapon"] not in self.hazards:
            self.hazards.append(event["weapon"])
        self.hit_points[event["target"]] = max(0, self.hit_points[event["target"]] - event["damage"])
        self.attackers.add(event["unit"])

    def _follow_hits(self, event: dict[str, Any], rules: dict[str, int]) -> None:
        """A hit without a roll is TORRENT's, or one of those that a 6 has brought."""
        if event["hit_roll"] or "TORRENT" in rules:
            assert not event["hit_roll"] or "TORRENT" not in rules
            assert not self.further_hits or not self.hit_points[self.aim], "a further hit was not resolved"
            self.further_hits = rules.get("SUSTAINED HITS", 0) if event["hit_roll"] == 6 else 0
            self.aim = event["target"]
        else:
            assert self.further_hits > 0
            assert self.aim == event["target"]
            self.further_hits -= 1

    def on_rerolled(self, event: dict[str, Any]) -> None:
        self._acts(event)
        assert "TWIN LINKED" in self.rules[event["unit"], event["weapon"]]
        assert 1 <= event["wound_roll"] <= 5
        assert self.again is None
        self.again = (event["unit"], event["target"], event["weapon"])

    def on_hazard_rolled(self, event: dict[str, Any]) -> None:
        self._acts(event)
        assert event["damage"] == (3 if event["roll"] == 1 else 0)
        self.hazards.remove(event["weapon"])
        self.hit_points[event["unit"]] = max(0, self.hit_points[event["unit"]] - event["damage"])

    def on_died(self, event: dict[str, Any]) -> None:
        assert self.hit_points[event["unit"]] == 0
        assert event["by"] == self.selected
        self.deaths.append(event["unit"])

    def on_phase_began(self, event: dict[str, Any]) -> None:
        self.turn, self.player, self.phase = event["turn"], event["player"], event["phase"]
        if self.phase == "command":
            self.attackers.clear()
            for marked in self.marks.values():
                marked.clear()

    def on_control_changed(self, event: dict[str, Any]) -> None:
        assert self.control[event["objective"]] == event["before"]
        self.control[event["objective"]] = event["controller"]

    def on_scored(self, event: dict[str, Any]) -> None:
        assert (event["player"], event["turn"]) == (self.player, self.turn)
        self.points[event["player"]] += event["points"]

    def on_game_over(self, event: dict[str, Any]) -> None:
        self.result = (event["winner"], event["method"])

    on_waited = on_no_destination = on_advance_blocked = _acts
    on_charge_failed = on_passed = on_stopped_shooting = _acts

    def facts(self) -> dict[str, object]:
        return {
            "hexes": self.hexes,
            "hit_points": self.hit_points,
            "marks": self.marks,
            "attackers": self.attackers,
            "control": self.control,
            "points": self.points,
            "moment": (self.turn, self.player, self.phase),
            "result": self.result,
        }


def _acting_rules(env: RawEnv) -> dict[tuple[str, str], dict[str, int]]:
    """The rules of each weapon by unit and code, with their numbers; none where they are labels."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for unit in env.session.setting.scenario.units:
        for weapon in (*unit.type.ranged, *unit.type.melee):
            parts = [rule.partition(":") for rule in weapon.rules] if env.session.setting.world.weapon_rules else []
            found[unit.id, weapon.code] = {name: int(number or 1) for name, _, number in parts}
    return found


def seen(env: RawEnv) -> dict[str, object]:
    """The same facts, from the game."""
    session, game = env.session, env.session.games[0]
    units = session.setting.number_of
    side = session.layout.units_per_side

    def marked(sets: Any) -> set[str]:
        return {unit for unit, number in units.items() if has(sets[number // side], number % side)}

    return {
        "hexes": {unit: (int(game.hexes[n]) >> 6, int(game.hexes[n]) & 63) for unit, n in units.items()},
        "hit_points": {unit: int(game.hit_points[n]) for unit, n in units.items()},
        "marks": {mark: marked(getattr(game, mark)) for mark in MARKS},
        "attackers": marked(game.shot | game.fought),
        "control": {
            objective.id: int(game.control[i]) for i, objective in enumerate(session.setting.scenario.objectives)
        },
        "points": {1: int(game.victory_points[0]), 2: int(game.victory_points[1])},
        "moment": (int(game.turn), int(game.side) + 1, PHASES[int(game.phase)]),
        "result": (int(game.winner), WIN_METHODS[int(game.win_method)]) if game.over else None,
    }


@pytest.mark.parametrize("weapon_rules", ["reference", "full"])
@pytest.mark.parametrize("decisions", ["agent", "reference"])
@pytest.mark.parametrize("scenario", list_scenarios())
def test_events_alone_tell_the_game(play: Play, scenario: str, decisions: str, weapon_rules: str) -> None:
    env = w40k_v0.raw_env(scenario=scenario, decisions=decisions, weapon_rules=weapon_rules)
    for seed in range(12 if scenario == "weapon_rules_lab" else 3):
        env.reset(seed=seed)
        mirror = Mirror(env)
        for _ in play(env, seed):
            _compare(env, mirror)
        _compare(env, mirror)
        assert mirror.result is not None
        assert len(mirror.deaths) == len(set(mirror.deaths))
        assert set(mirror.deaths) == {unit for unit, left in mirror.hit_points.items() if left == 0}


def _compare(env: RawEnv, mirror: Mirror) -> None:
    mirror.take(env.events())
    told, found = mirror.facts(), seen(env)
    if env.session.games[0].active != NOBODY:  # the mark of an attack is set when the activation ends
        del told["attackers"], found["attackers"]
    assert told == found
    assert env.session.games[0].events_lost == 0


def test_every_kind_of_event_happens(play: Play) -> None:
    kinds = set()
    for scenario in ("tyranid_meleeswarm_bot_1", "macro_default", "small_board", "weapon_rules_lab"):
        env = w40k_v0.raw_env(scenario=scenario, weapon_rules="full", layout=Layout(intents=True))
        for seed in range(12):
            env.reset(seed=seed)
            for _ in play(env, seed):
                kinds.update(event["event"] for event in env.events())
            kinds.update(event["event"] for event in env.events())
    rare = {"no_destination", "advance_blocked"}  # a unit walled in after its pool was made
    assert {names[0] for names in FIELDS.values()} - rare <= kinds


def test_events_of_weapon_rules_need_them(play: Play) -> None:
    env = w40k_v0.raw_env(scenario="weapon_rules_lab")
    for seed in range(6):
        env.reset(seed=seed)
        for _ in play(env, seed):
            assert not {event["event"] for event in env.events()} & {"rerolled", "hazard_rolled"}


def test_events_are_in_words() -> None:
    env = w40k_v0.raw_env(scenario="small_board")
    env.reset(seed=1)
    assert env.events() == [
        {"event": "phase_began", "turn": 1, "player": 1, "phase": "command"},
        {"event": "phase_began", "turn": 1, "player": 1, "phase": "move"},
    ]
    env.step(0)
    assert env.events() == [{"event": "selected", "unit": "1"}]
    env.step(16)
    (event,) = env.events()
    assert event == {"event": "moved", "unit": "1", "from_hex": (4, 12), "to_hex": event["to_hex"], "fled": 0}


def test_refused_action_leaves_the_events_of_the_last_step() -> None:
    env = w40k_v0.raw_env(scenario="small_board")
    env.reset(seed=1)
    env.step(0)
    with pytest.raises(ValueError, match="expected one of"):
        env.step(0)
    assert env.events() == [{"event": "selected", "unit": "1"}]
