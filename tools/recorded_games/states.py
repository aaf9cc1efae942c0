"""Level A: replays a recorded game decision by decision and compares every state.

The replay writes nothing into our game: ``w40k_marl.testing.forcing`` forces and checks each
decision, with the recorded dice, each for its purpose; the rules compute everything else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from w40k_marl.rules.state import MELEE, NOBODY, RANGED
from w40k_marl.testing import forcing

from .game import ReplayedGame, recorded_state
from .trace import Json, Trace

_ATTACK_PURPOSES = {"hit", "wound", "save", "damage"}


@dataclass(frozen=True, slots=True)
class Difference:
    """The first difference of a game: step, field, recorded value, computed value."""

    step: int | None
    phase: str
    unit: str | None
    field: str
    expected: object
    got: object

    def __str__(self) -> str:
        """One line for the report."""
        place = "start" if self.step is None else f"step {self.step}"
        return f"{place}, phase {self.phase}, unit {self.unit}: {self.field}: expected {self.expected}, got {self.got}"


@dataclass(slots=True)
class LevelA:
    """Result of a replay: exact steps, and the first difference."""

    steps: int
    exact_steps: int = 0
    difference: Difference | None = None
    exceptions: list[int] = field(default_factory=list)  # steps where D21 was applied

    @property
    def exact(self) -> bool:
        """True if every step and the result agree."""
        return self.difference is None and self.exact_steps == self.steps


class MismatchError(Exception):
    """A forced choice is illegal, or a computed result differs from the recorded one."""

    def __init__(self, field: str, expected: object, got: object) -> None:
        """Store the difference."""
        super().__init__(field, expected, got)
        self.field, self.expected, self.got = field, expected, got


def covers(trace: Trace) -> bool:
    """Return True if level A covers a game: all games except those with walls open to movement
    (D8).
    """
    return bool(trace.header["scenario"]["walls_stop_movement"])


def replay_level_a(trace: Trace, before_step: Callable[[ReplayedGame, int], None] | None = None) -> LevelA:
    """Replay a game to its end or to the first difference.

    ``before_step`` is called with the game and the index of each step before it is applied.
    """
    game = ReplayedGame(trace)
    result = LevelA(steps=len(trace.steps))
    result.difference = _first_difference(game, trace.initial, None, "move", None)
    for index, step in enumerate(trace.steps):
        if result.difference:
            return result
        if before_step:
            before_step(game, index)
        phase, unit = step["at"]["phase"], step["unit"]
        try:
            _apply(game, step)
        except MismatchError as mismatch:
            result.difference = Difference(index, phase, unit, mismatch.field, mismatch.expected, mismatch.got)
            return result
        if _is_late_control(game, step):
            forcing.force_control(*game.arguments)
            result.exceptions.append(index)
        result.difference = _first_difference(game, step["after"], index, phase, unit)
        result.exact_steps += result.difference is None
    if result.difference is None:
        result.difference = _result_difference(game, trace)
    return result


def _is_late_control(game: ReplayedGame, step: Json) -> bool:
    """D21: control was evaluated again when player 1's charge step opened player 2's last turn."""
    at, after = step["at"], step["after"]
    opens = at["phase"] == "charge" and at["player"] == 1 and after["player"] == 2
    if not opens or after["turn"] != int(game.setting.world.max_turns):
        return False
    recorded = recorded_state(after, game.objective_ids)["control"]
    return bool(recorded != game.state()["control"])


def _first_difference(
    game: ReplayedGame, recorded: Json, index: int | None, phase: str, unit: str | None
) -> Difference | None:
    expected, got = recorded_state(recorded, game.objective_ids), game.state()
    for key, value in expected.items():
        if value == got[key]:
            continue
        if isinstance(value, dict):
            part = next(name for name in value if value[name] != got[key].get(name))
            return Difference(index, phase, unit, f"{key}.{part}", value[part], got[key].get(part))
        return Difference(index, phase, unit, key, value, got[key])
    return None


def _result_difference(game: ReplayedGame, trace: Trace) -> Difference | None:
    expected = (trace.end["winner"], trace.end["win_method"])
    got = game.result()
    if expected == got:
        return None
    return Difference(len(trace.steps) - 1, "end", None, "winner", expected, got)


def changes_nothing(step: Json) -> bool:
    """Return True if the reference changed nothing in a step: it failed or only opened an
    activation.
    """
    outcome: Json = step["outcome"]
    return outcome.get("success") is False or outcome.get("action") == "activated_no_target"


def _apply(game: ReplayedGame, step: Json) -> None:
    """Force the recorded decision. Raises MismatchError if it is illegal or its result differs."""
    if changes_nothing(step):
        return
    game.hand_out([])
    _demand(forcing.force_activation(*game.arguments, game.number(step["unit"])), "unit", step["unit"])
    decision = step["decision"]
    if step["outcome"].get("action") == "invalid" or decision["kind"] == "invalid":
        _demand(forcing.force_end(*game.arguments), "end", "accepted")
        return
    {
        "move": _move,
        "advance": _advance,
        "charge": _charge,
        "fight": _fight,
        "shoot": _shoot,
        "skip": _end,
        "wait": _end,
    }[decision["kind"]](game, step)


def _demand(answer: int, field: str, expected: object) -> None:
    if answer != forcing.DONE:
        raise MismatchError(field, expected, f"refused: {forcing.RESULTS[answer]}")


def _dice(step: Json, *purposes: str) -> list[Json]:
    return [draw for draw in step["draws"] if draw["for"] in purposes]


def _end(game: ReplayedGame, _step: Json) -> None:
    _demand(forcing.force_end(*game.arguments), "end", "accepted")


def _move(game: ReplayedGame, step: Json) -> None:
    destination = step["decision"].get("dest")
    if destination is None:
        _end(game, step)
        return
    _demand(forcing.force_move(*game.arguments, destination[0] * 64 + destination[1]), "dest", destination)


def _advance(game: ReplayedGame, step: Json) -> None:
    recorded = step["advance"][0]
    _check_roll(step, "advance", recorded["roll"])
    game.hand_out(_dice(step, "advance") or [{"for": "advance", "v": recorded["roll"]}])
    destination = NOBODY
    if recorded["dests"]:
        row = next(row for row in step["after"]["units"] if row[0] == step["unit"])
        destination = row[1] * 64 + row[2]
    _demand(forcing.force_advance(*game.arguments, destination), "advance", recorded)
    _check_dice(game)


def _charge(game: ReplayedGame, step: Json) -> None:
    if not step.get("charge"):
        _end(game, step)
        return
    recorded = step["charge"][0]
    _check_roll(step, "charge", recorded["roll"])
    game.hand_out(_dice(step, "charge"))
    _demand(
        forcing.force_charge(*game.arguments, game.number(recorded["target"])),
        "charge.target",
        recorded["target"],
    )
    _check_dice(game)


def _fight(game: ReplayedGame, step: Json) -> None:
    for attack in step.get("attacks", ()):
        game.hand_out(attack_dice_of(step, attack))
        target = game.number(attack["target"])
        answer = forcing.force_strike(game.setting.worlds, game.games, 0, attack["weapon_idx"], target)
        _demand(answer, "attack", _short(attack))
        _check_attack(game, attack)
    _end(game, step)


def _shoot(game: ReplayedGame, step: Json) -> None:
    weapon = None
    for attack in step.get("attacks", ()):
        if attack["weapon_idx"] != weapon:
            weapon = attack["weapon_idx"]
            game.hand_out(number_of_attacks_die(game, step, attack))
            _demand(forcing.force_weapon(*game.arguments, weapon), "weapon", attack["weapon"])
            _check_dice(game)
        game.hand_out(attack_dice_of(step, attack))
        answer = forcing.force_shot(game.setting.worlds, game.games, 0, game.number(attack["target"]))
        _demand(answer, "attack", _short(attack))
        _check_attack(game, attack)
    _end(game, step)


def attack_dice_of(step: Json, attack: Json) -> list[Json]:
    """Return the recorded dice of one attack."""
    start, stop = attack["draws"]
    return [draw for draw in step["draws"][start:stop] if draw["for"] in _ATTACK_PURPOSES]


def number_of_attacks_die(game: ReplayedGame, step: Json, attack: Json) -> list[Json]:
    """Return the last die for a number of attacks before a weapon's first attack, if it has one
    (D2).
    """
    world, unit = game.setting.world, game.number(attack["by"])
    if not world.attacks_dice[unit, 0, attack["weapon_idx"]]:
        return []
    earlier = [draw for draw in step["draws"][: attack["draws"][0]] if draw["for"] == "num_attacks"]
    return earlier[-1:]


def _check_dice(game: ReplayedGame) -> None:
    problem = game.dice_problem()
    if problem:
        raise MismatchError("dice", "exactly the recorded dice", problem)


def _check_roll(step: Json, purpose: str, recorded: int) -> None:
    """Compare the recorded sum of a charge's or advance's dice; a reused die is not recorded (D6)."""
    faces = [draw["v"] for draw in _dice(step, purpose)]
    if faces and sum(faces) != recorded:
        raise MismatchError(f"{purpose}.roll", recorded, sum(faces))


def _check_attack(game: ReplayedGame, recorded: Json) -> None:
    """Compare one attack: weapon, rolls and their results, damage, death."""
    _check_dice(game)
    event = game.last_attack()
    if event is None:
        raise MismatchError("attack", _short(recorded), None)
    unit, target, slot, hit, wound, save, damage = event
    weapon = game.weapons(str(game.id_of(unit)), RANGED if recorded["mode"] == "ranged" else MELEE)[slot].code
    succeeded = (wound > 0, save > 0, save > 0 and damage == 0)  # a die is rolled only after a success
    left = int(game.game.hit_points[target])
    for names, got in (
        ("weapon", (weapon,)),
        ("hit wound save damage", (hit, wound, save, damage)),
        ("hit_ok wound_ok save_ok", succeeded),
        ("hp_after killed", (left, left == 0)),
    ):
        expected = tuple(recorded[name] for name in names.split())
        if got != expected:
            raise MismatchError(f"attack.{names.replace(' ', ', ')}", expected, got)


def _short(attack: Json) -> str:
    return f"{attack['by']} at {attack['target']} with {attack['weapon']}"
