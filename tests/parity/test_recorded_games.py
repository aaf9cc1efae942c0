from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from recorded_games.choices import replay_level_b
from recorded_games.cli import compare_game, main
from recorded_games.trace import Trace, read_trace

from .conftest import COMMITTED, Recorded, full_set

# macro on both sides; melee armies; rule and weapon labels; masked-out actions; a pool game; brawls
SAMPLE = ["s004", "s021", "s050", "s057", "s065", "s070", "s201", "s210"]

# what the rows explain in the committed games; a change of these figures needs a reason
EXPLAINED_CHOICES = {
    "D1": 879,
    "D3": 37,
    "D4": 1329,
    "D5": 905,
    "D6": 2,
    "D7": 67,
    "D8": 96,
    "D10": 63,
    "D19": 24,
    "D21": 1,
}


@pytest.mark.parametrize("name", SAMPLE)
def test_sample_is_exact_and_explained(recorded: Recorded, name: str) -> None:
    states, choices = replay_level_b(recorded(name))
    assert states.difference is None
    assert states.exact_steps == states.steps
    assert choices.defects == []
    assert choices.agree > choices.explained_choices


def test_every_recorded_choice_of_a_kind_is_compared(recorded: Recorded) -> None:
    trace = recorded("s210")
    _, choices = replay_level_b(trace)
    compared = choices.agree + choices.explained_choices
    assert compared >= smallest_number_of_choices(trace)


def smallest_number_of_choices(trace: Trace) -> int:
    """Eligible units, mask and legal set of each step, and the choices inside it."""
    inside = sum(
        len(step.get("weapon_picks", ())) * 3 + len(step.get("target_picks", ())) + len(step.get("advance", ())) * 4
        for step in trace.steps
    )
    return 3 * len(trace.steps) + inside


@pytest.mark.slow
def test_all_games(all_traces: list[Path]) -> None:
    explained: Counter[str] = Counter()
    for path in all_traces:
        game = compare_game(read_trace(path))
        assert game.states.difference is None, f"{path.name}: {game.states.difference}"
        assert game.choices.defects == [], f"{path.name}: {game.choices.defects[0]}"
        assert game.macro is None or game.macro.passed, f"{path.name}: {game.macro.differences[:1]}"
        explained += game.choices.explained
    if full_set() == COMMITTED or len(all_traces) == len(list(COMMITTED.glob("*.gz"))):
        assert dict(explained) == EXPLAINED_CHOICES


@pytest.mark.slow
def test_tool_passes_on_all_games(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(full_set())]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("parity: games ")
    assert last.endswith(" defects 0, level C games 6 exact/6, observations 781 exact/781")
