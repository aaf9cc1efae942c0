"""A recorded game in which one fact is changed must fail, or the comparison would prove nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from recorded_games.choices import replay_level_b
from recorded_games.states import replay_level_a
from recorded_games.trace import Json, Trace

from .conftest import Recorded

Falsify = Callable[[Json], Any]


def first_step(trace: Trace, wanted: Callable[[Json], object]) -> Json:
    return next(step for step in trace.steps if wanted(step))


def fails_at(trace: Trace, step: Json) -> None:
    states = replay_level_a(trace)
    assert states.difference is not None
    assert states.difference.step == step["i"]


def die_for(step: Json, purpose: str) -> Json:
    return next(draw for draw in step["draws"] if draw["for"] == purpose)


def rolls(purpose: str) -> Callable[[Json], bool]:
    return lambda step: any(draw["for"] == purpose for draw in step["draws"])


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("hit", lambda value: 7 - value),
        ("hit_ok", lambda value: not value),
        ("wound_ok", lambda value: not value),
        ("save_ok", lambda value: not value),
        ("damage", lambda value: value + 1),
        ("hp_after", lambda value: value + 1),
        ("killed", lambda value: not value),
        ("weapon", lambda value: value + "_other"),
        ("weapon_idx", lambda value: 1 - value),
    ],
)
@pytest.mark.parametrize("mode", ["ranged", "melee"])
def test_result_of_an_attack(recorded: Recorded, mode: str, field: str, change: Falsify) -> None:
    trace = recorded("s050")
    step = first_step(trace, lambda step: any(attack["mode"] == mode for attack in step.get("attacks", ())))
    attack = step["attacks"][0]
    attack[field] = change(attack[field])
    fails_at(trace, step)


@pytest.mark.parametrize("purpose", ["hit", "wound", "save", "damage", "charge", "advance"])
@pytest.mark.parametrize("change", [2, 3, 4])  # a smaller one may mean the same D3
def test_face_of_a_die(recorded: Recorded, purpose: str, change: int) -> None:
    trace = recorded("s050" if purpose == "damage" else "s057")
    step = first_step(trace, rolls(purpose))
    die = die_for(step, purpose)
    die["v"] = (die["v"] - 1 + change) % 6 + 1
    fails_at(trace, step)


def test_fewer_attacks_than_were_made(recorded: Recorded) -> None:
    trace = recorded("s058")
    step = first_step(
        trace,
        lambda step: step["decision"]["kind"] == "shoot" and rolls("num_attacks")(step) and made(step) > 1,
    )
    before = step["attacks"][0]["draws"][0]
    die = [draw for draw in step["draws"][:before] if draw["for"] == "num_attacks"][-1]
    die["v"] = 1
    fails_at(trace, step)


def made(step: Json) -> int:
    return len([attack for attack in step["attacks"] if attack["weapon_idx"] == step["attacks"][0]["weapon_idx"]])


def test_die_for_another_purpose(recorded: Recorded) -> None:
    trace = recorded("s057")
    step = first_step(trace, rolls("wound"))
    die_for(step, "wound")["for"] = "save"
    fails_at(trace, step)


def test_die_left_over(recorded: Recorded) -> None:
    trace = recorded("s057")
    step = first_step(trace, rolls("charge"))
    step["draws"].append(dict(die_for(step, "charge")))
    fails_at(trace, step)


@pytest.mark.parametrize("hex_of_nowhere", [[-1, -1], [0, 63], [24, 0]])
def test_destination_out_of_reach(recorded: Recorded, hex_of_nowhere: list[int]) -> None:
    trace = recorded("s057")
    step = first_step(trace, lambda step: step["decision"]["kind"] == "move")
    assert hex_of_nowhere not in step["legal"]["dests"]
    step["decision"]["dest"] = hex_of_nowhere
    fails_at(trace, step)


def test_another_legal_destination(recorded: Recorded) -> None:
    trace = recorded("s057")
    step = first_step(trace, lambda step: step["decision"]["kind"] == "move")
    step["decision"]["dest"] = next(place for place in step["legal"]["dests"] if place != step["decision"]["dest"])
    fails_at(trace, step)


@pytest.mark.parametrize(
    ("column", "change"),
    [(1, lambda value: value + 1), (2, lambda value: value + 1), (3, lambda value: value - 1)],
)
def test_place_and_hit_points(recorded: Recorded, column: int, change: Falsify) -> None:
    trace = recorded("s057")
    step = trace.steps[40]
    row = next(row for row in step["after"]["units"] if row[4])
    row[column] = change(row[column])
    fails_at(trace, step)


@pytest.mark.parametrize("mark", ["moved", "fled", "advanced", "charged", "fought"])
def test_mark(recorded: Recorded, mark: str) -> None:
    trace = recorded("s057")
    step = trace.steps[40]
    marked = step["after"]["marks"][mark]
    unit = step["after"]["units"][0][0]
    step["after"]["marks"][mark] = [other for other in marked if other != unit] if unit in marked else [unit, *marked]
    fails_at(trace, step)


@pytest.mark.parametrize(
    ("key", "value"), [("turn", 4), ("player", 3), ("phase", "command"), ("fight_sub", "cleanup_other")]
)
def test_moment(recorded: Recorded, key: str, value: object) -> None:
    trace = recorded("s057")
    step = trace.steps[40]
    assert step["after"][key] != value
    step["after"][key] = value
    fails_at(trace, step)


def test_victory_points_and_control(recorded: Recorded) -> None:
    trace = recorded("s057")
    trace.steps[-1]["after"]["vp"]["1"] += 5
    fails_at(trace, trace.steps[-1])
    trace = recorded("s057")
    control = trace.steps[-1]["after"]["control"]
    control[next(iter(control))] = "nobody"
    fails_at(trace, trace.steps[-1])


@pytest.mark.parametrize(("key", "value"), [("winner", 1), ("winner", None), ("win_method", "draw")])
def test_result_of_the_game(recorded: Recorded, key: str, value: object) -> None:
    trace = recorded("s057")
    assert trace.end[key] != value
    trace.end[key] = value
    fails_at(trace, trace.steps[-1])


# --- level B ---


def is_a_defect(trace: Trace, step: Json, field: str) -> None:
    _, choices = replay_level_b(trace)
    assert [(defect.step, defect.field) for defect in choices.defects] == [(step["i"], field)]


def phase(name: str) -> Callable[[Json], bool]:
    return lambda step: step["at"]["phase"] == name


@pytest.mark.parametrize("name", ["move", "shoot", "charge", "fight"])
@pytest.mark.parametrize("action", [0, 4, 9, 10, 11, 12])
def test_mask(recorded: Recorded, name: str, action: int) -> None:
    trace = recorded("s057")
    step = first_step(trace, phase(name))
    step["mask"][action] = 1 - step["mask"][action]
    is_a_defect(trace, step, "mask")


@pytest.mark.parametrize("change", [lambda dests: dests[1:], lambda dests: dests[::-1], lambda dests: [*dests, [0, 0]]])
def test_legal_hexes(recorded: Recorded, change: Falsify) -> None:
    trace = recorded("s057")
    step = first_step(trace, lambda step: phase("move")(step) and step["action"] == 0)
    step["legal"]["dests"] = change(step["legal"]["dests"])
    is_a_defect(trace, step, "dests")


@pytest.mark.parametrize("name", ["shoot", "charge", "fight"])
@pytest.mark.parametrize("change", [lambda targets: targets[:-1], lambda targets: targets[::-1]])
def test_targets(recorded: Recorded, name: str, change: Falsify) -> None:
    trace = recorded("s057")
    step = first_step(trace, lambda step: phase(name)(step) and len(step["legal"]["targets"]) > 1)
    step["legal"]["targets"] = change(step["legal"]["targets"])
    _, choices = replay_level_b(trace)
    assert (step["i"], "targets") in [(defect.step, defect.field) for defect in choices.defects]


def test_eligible_units_and_their_order(recorded: Recorded) -> None:
    trace = recorded("s057")
    step = first_step(trace, lambda step: len(step["eligible"]) > 2)
    step["eligible"][1:] = step["eligible"][:0:-1]
    is_a_defect(trace, step, "eligible")


def test_number_of_attacks_beyond_those_made(recorded: Recorded) -> None:
    trace = recorded("s058")
    for step in trace.steps:
        if step["decision"]["kind"] != "shoot" or not rolls("num_attacks")(step):
            continue
        before = step["attacks"][0]["draws"][0]
        die = [draw for draw in step["draws"][:before] if draw["for"] == "num_attacks"][-1]
        if die["v"] < 4 and replays_with(trace, die, 6):
            return
    pytest.fail("no falsified number of attacks was noticed")


def replays_with(trace: Trace, die: Json, face: int) -> bool:
    """Whether a larger face of the die is a defect."""
    recorded_face, die["v"] = die["v"], face
    _, choices = replay_level_b(trace)
    die["v"] = recorded_face
    return any(defect.field == "targets.left" for defect in choices.defects)


@pytest.mark.parametrize("picks", ["weapon_picks", "target_picks"])
def test_automatic_choice(recorded: Recorded, picks: str) -> None:
    trace = recorded("s057")
    step = first_step(trace, lambda step: step.get(picks) and phase("shoot")(step))
    pick = step[picks][0]
    pick["options"] = [*pick["options"], "somebody"]
    _, choices = replay_level_b(trace)
    assert [defect.step for defect in choices.defects] == [step["i"]]


def test_scores_of_weapons(recorded: Recorded) -> None:
    trace = recorded("s057")
    step = first_step(trace, lambda step: step.get("weapon_picks"))
    step["weapon_picks"][0]["scores"][0] += 0.001
    is_a_defect(trace, step, "weapon.scores")


@pytest.mark.parametrize("change", [lambda dests: dests[:-1], lambda dests: dests[::-1]])
@pytest.mark.parametrize("kind", ["advance", "charge"])
def test_hexes_of_advance_and_charge(recorded: Recorded, kind: str, change: Falsify) -> None:
    trace = recorded("s057")
    step = first_step(trace, lambda step: step.get(kind) and len(step[kind][0]["dests"]) > 1)
    step[kind][0]["dests"] = change(step[kind][0]["dests"])
    _, choices = replay_level_b(trace)
    assert [defect.step for defect in choices.defects] == [step["i"]]


def test_random_move(recorded: Recorded) -> None:
    trace = recorded("s057")
    step = first_step(trace, rolls("move_choice"))
    die = die_for(step, "move_choice")
    die["i"] = (die["i"] + 1) % die["n"]
    is_a_defect(trace, step, "dest")
