"""Hidden state of the reference between steps, reconstructed from a recording.

It explains the accidents: codes of emptied weapons (D1), positions when a side last looked (D3),
enemies that died in this phase (D7), unused advance rolls (D6), melee weapons used last (D19).
"""

from __future__ import annotations

from typing import Any

from .states import changes_nothing
from .trace import Json, Trace

Place = tuple[int, int]
StateRow = list[Any]
"""A unit in a recorded state: id, column, row, hit points, alive and further fields of the format.
"""


class Memory:
    """The reference's hidden state before one step; ``pass_step`` advances it by one step."""

    def __init__(self, trace: Trace) -> None:
        """Start before the first step."""
        self._trace = trace
        self._codes = {unit["id"]: set(unit["ranged"]) for unit in trace.header["units"]}
        self._weapons = trace.header["weapons"]
        self._player = {unit["id"]: unit["player"] for unit in trace.header["units"]}
        self.emptied: set[str] = set()  # codes of weapons used up in this shooting phase
        self.begun: dict[str, list[str]] = {}  # units activated in this phase, with the list they began with
        self.advanced: set[str] = set()  # units that have advanced in this phase
        self.died: list[StateRow] = []  # state rows of units that died in this phase
        self.kept_advance: dict[str, int] = {}  # roll of a unit's last advance, if that found no hex
        self.last_melee: dict[str, int] = {}  # slot of the last melee attack of a unit
        self.misselected: dict[str, str] = {}  # units whose selected weapon may differ from ours, by which row

    def before(self, index: int) -> Json:
        """The recorded state before a step."""
        state: Json = self._trace.steps[index - 1]["after"] if index else self._trace.initial
        return state

    def opens_phase(self, index: int) -> bool:
        """Return True if a step is the first of its phase."""
        return index == 0 or _phase(self._trace.steps[index - 1]) != _phase(self._trace.steps[index])

    def places_last_seen(self, index: int) -> dict[str, Place] | None:
        """Return the positions when the acting side last looked, for the first step of a phase
        (D3).

        At the end of each step, the reference looks for the side of the unit that acts next. In the
        step that opens a phase, the phase begins before this look. Returns None if the side has
        never looked.
        """
        side = self._trace.steps[index]["at"]["player"]
        for earlier in range(index - 1, -1, -1):
            if self._player.get(self._trace.steps[earlier]["unit"]) == side:
                return {row[0]: (row[1], row[2]) for row in self.before(earlier)["units"]}
        return None

    def selected_before_opening(self, index: int) -> dict[str, int]:
        """Selected ranged slots in the state before the step that opened the phase."""
        return selected_slots(self.before(max(index - 1, 0)))

    def pass_step(self, index: int, short_list: bool) -> None:
        """Advance by a step; ``short_list``: its unit was shown fewer targets because of D1."""
        step = self._trace.steps[index]
        if step["at"]["phase"] == "shoot":
            self._pass_shooting(index, step, short_list)
        for attack in step.get("attacks", ()):
            if attack["mode"] == "melee":
                self.last_melee[attack["by"]] = attack["weapon_idx"]
        if index + 1 < len(self._trace.steps) and self.opens_phase(index + 1):
            self.emptied.clear()
            self.begun.clear()
            self.advanced.clear()
            self.died.clear()

    def _pass_shooting(self, index: int, step: Json, short_list: bool) -> None:
        unit = step["unit"]
        if step["decision"]["kind"] in ("shoot", "advance"):
            if unit not in self.begun:
                self.emptied -= self._codes[unit]
                self.begun[unit] = list(step["legal"]["targets"] or ())
                self.misselected.pop(unit, None)
            if changes_nothing(step):
                self._pass_start(step, short_list)
            elif step.get("advance"):
                self._pass_advance(unit, step["advance"][0])
        self.emptied |= self._used_up(step)
        alive = {row[0]: row for row in self.before(index)["units"] if row[4]}
        self.died += [alive[row[0]] for row in step["after"]["units"] if row[0] in alive and not row[4]]

    def _pass_start(self, step: Json, short_list: bool) -> None:
        """Advance by a step that only began the activation; our rules have no such step.

        The reference resets the combi choice here and may select a weapon, which causes later
        differences.
        """
        if step["outcome"].get("success") is False:
            self.misselected[step["unit"]] = "D3"
            return
        self.begun[step["unit"]] = []
        self.misselected[step["unit"]] = "D1" if short_list else "D5"

    def _pass_advance(self, unit: str, advance: Json) -> None:
        if advance["dests"]:
            self.advanced.add(unit)
            self.kept_advance.pop(unit, None)
        else:
            self.kept_advance[unit] = advance["roll"]

    def _used_up(self, step: Json) -> set[str]:
        """Return the codes of the weapons whose attacks were all made in a step."""
        made: dict[str, list[Json]] = {}
        for attack in step.get("attacks", ()):
            made.setdefault(attack["weapon"], []).append(attack)
        return {
            code
            for code, attacks in made.items()
            if len(attacks) >= attacks_allowed(step, attacks[0], self._weapons[code]["attacks"])
        }


def _phase(step: Json) -> tuple[int, int, str]:
    at = step["at"]
    return at["turn"], at["player"], at["phase"]


def selected_slots(state: Json) -> dict[str, int]:
    """Return the selected ranged slot of each unit, -1 if it has none."""
    return {row[0]: -1 if row[5] is None else row[5] for row in state["units"]}


def attacks_allowed(step: Json, first: Json, number: int | str) -> int:
    """Return the number of attacks of a weapon; for dice, the last die before its first attack."""
    if isinstance(number, int):
        return number
    return halved(attack_dice(step, first["draws"][0])[-1], number)


def attack_dice(step: Json, before_draw: int) -> list[int]:
    """Return the faces of the attack-number dice among the first ``before_draw`` draws of a step."""
    return [draw["v"] for draw in step["draws"][:before_draw] if draw["for"] == "num_attacks"]


def halved(face: int, dice: str) -> int:
    """Return the value of a face as D3 or D6."""
    return (face + 1) // 2 if dice == "D3" else face
