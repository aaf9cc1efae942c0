"""Level B: compares every choice of the reference with the choice of our rules during the replay.

Before each step, with ``decisions="reference"``: eligible units, mask, legal hexes, target lists
and their order, automatic choices of hexes, targets and weapons, numbers of attacks. A difference
is explained if a row of ``docs/parity.md`` gives exactly the recorded value; else it is a defect.
"""

from __future__ import annotations

from w40k_marl.rules.actions import CHARGE_ACTION, FIRST_TARGET

from . import engine_queries
from .comparison import Comparison
from .fighting import compare_fight
from .game import ReplayedGame
from .pools import PoolOrder
from .reference_quirks import seen_before_the_move
from .reference_state import Memory, selected_slots
from .shooting import compare_shooting
from .states import Difference, LevelA, covers, replay_level_a
from .tally import Tally
from .trace import Json, Trace


class Choices:
    """Compares the choices of one game while it is replayed."""

    def __init__(self, trace: Trace) -> None:
        """Start before the first step."""
        self.tally = Tally()
        self._trace = trace
        self._memory = Memory(trace)
        self._order = PoolOrder(trace)

    def before_step(self, game: ReplayedGame, index: int) -> None:
        """Compare one step; ``game`` is in the state before it and does not change."""
        step, memory = self._trace.steps[index], self._memory
        comparison = Comparison(game, step, index, memory, self.tally)
        row = self._compare_eligible(comparison)
        short_list = False
        if comparison.may_act:
            if step.get("masked_out"):
                _compare_refusal(comparison)
            short_list = _compare_phase(comparison)
        elif row is None:
            self.tally.defects.append(
                Difference(index, step["at"]["phase"], step["unit"], "unit", step["unit"], "may not act")
            )
        if step["at"]["phase"] == "shoot" and memory.opens_phase(index):
            self._note_stale_selection(comparison)
        memory.pass_step(index, short_list)

    def _compare_eligible(self, at: Comparison) -> str | None:
        """Compare the eligible units, in the order of the pool."""
        step, memory = at.step, at.memory
        members = engine_queries.eligible(at.ours)
        order = self._order.expected(at.index, members)

        def stale() -> object:
            side = step["at"]["player"] - 1
            return engine_queries.eligible(seen_before_the_move(at.recording, memory, at.index, side))

        first_shot = step["at"]["phase"] == "shoot" and memory.opens_phase(at.index)
        return at.compare("eligible", step["eligible"], order, *([("D3", stale)] if first_shot else []))

    def _note_stale_selection(self, at: Comparison) -> None:
        """D3: note units that got another weapon at the first start of the phase and can use none
        now.
        """
        slots = selected_slots(self._memory.before(at.index))
        side = at.step["at"]["player"] - 1
        selected = at.recording.game.selected_weapon
        differing = [
            unit for unit in at.recording.living(side) if slots[str(at.recording.id_of(unit))] != selected[unit]
        ]
        if differing:
            stale = seen_before_the_move(at.recording, self._memory, at.index, side).game.selected_weapon
            for unit in differing:
                if stale[unit] == slots[str(at.recording.id_of(unit))]:
                    self._memory.misselected[str(at.recording.id_of(unit))] = "D3"


def _compare_refusal(at: Comparison) -> None:
    """D10: compare a masked-out action, which ends the reference's activation and is illegal in
    ours.
    """
    recorded = "costs the activation" if at.step["decision"]["kind"] == "invalid" else "carried out"
    ours = "refused" if engine_queries.refuses(at.ours, at.number, at.step["action"]) else "carried out"
    at.compare("masked-out action", recorded, ours, ("D10", lambda: "costs the activation"))


def _compare_phase(at: Comparison) -> bool:
    """Compare the choices of one phase; return True if the unit was shown fewer targets because of
    D1.
    """
    phase = at.step["at"]["phase"]
    if phase == "shoot":
        return compare_shooting(at)
    {"move": _compare_move, "charge": _compare_charge, "fight": compare_fight}[phase](at)
    return False


def _compare_mask(at: Comparison) -> None:
    at.ask("mask", at.step["mask"], lambda game: engine_queries.mask(game, at.number))


def _compare_move(at: Comparison) -> None:
    """Compare mask, legal hexes, and the hex of each strategy."""
    step, unit = at.step, at.number
    _compare_mask(at)
    at.ask("dests", step["legal"]["dests"], lambda game: engine_queries.move_hexes(game, unit))
    if step.get("masked_out") or step["action"] >= FIRST_TARGET:
        return
    start = next([row[1], row[2]] for row in at.memory.before(at.index)["units"] if row[0] == at.unit)
    draws = [draw for draw in step["draws"] if draw["for"] == "move_choice"]

    def chosen(game: ReplayedGame) -> object:
        if not draws:
            return engine_queries.hex_after(game, unit, step["action"], [])
        hexes = engine_queries.move_hexes(game, unit)
        return hexes[draws[0]["i"]] if len(hexes) == draws[0]["n"] else None

    at.ask("dest", step["decision"].get("dest") or start, chosen)


def _compare_charge(at: Comparison) -> None:
    """Compare mask, chargeable enemies, the charged enemy, and the possible ends of the charge."""
    step, unit = at.step, at.number
    _compare_mask(at)
    at.ask("targets", step["legal"]["targets"], lambda game: engine_queries.targets(game, unit))
    if step.get("masked_out") or step["action"] != CHARGE_ACTION:
        return
    charge: Json = (step.get("charge") or [{}])[0]
    at.ask("target", charge.get("target"), lambda game: next(iter(engine_queries.targets(game, unit)), None))
    if charge:
        target, roll = at.recording.number(charge["target"]), charge["roll"]
        at.ask("dests", charge["dests"], lambda game: engine_queries.charge_hexes(game, unit, target, roll))


def replay_level_b(trace: Trace) -> tuple[LevelA, Tally]:
    """Replay a game and compare its choices to the end, or to the first difference of its states.

    A pool game is replayed too, on the open board that it was played on (D8).
    """
    choices = Choices(trace)
    states = replay_level_a(trace, choices.before_step)
    if states.difference and not covers(trace):
        choices.tally.defects.append(states.difference)
    for index in states.exceptions:
        choices.tally.explain("D21", "control", index)
    return states, choices.tally
