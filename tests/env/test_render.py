"""The board as text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from w40k_marl import w40k_v0
from w40k_marl.content.scenario import list_scenarios
from w40k_marl.env.aec import RawEnv
from w40k_marl.view.text import draw

Play = Callable[..., Iterator[tuple[str, int]]]

BOARD = """\
tiny, turn 1 of 5, player 1: move phase, player 1 to act, victory points 0 : 0
    0  1  2  3  4
  0 .     v8    .
       .     .
  1 .     .     .
       ###   ###
  2 .     .     :2:
       :1:   .
  3 :1:   ^7    .
       ###   ###
objectives  1 Ford: nobody, 2 Hill: nobody
^7   Intercessor                 2/2   may act
v8   Hormagaunt                  1/1"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """Five by four hexes, a unit a side; hex (2, 3) of objective 1 lies under unit 7."""
    scenario = {
        "board": {"cols": 5, "rows": 4},
        "units": [
            {"id": 7, "unit_type": "Intercessor", "player": 1, "col": 2, "row": 3},
            {"id": 8, "unit_type": "Hormagaunt", "player": 2, "col": 2, "row": 0},
        ],
        "wall_hexes": [[1, 1], [3, 1]],
        "objectives": [
            {"id": 1, "name": "Ford", "hexes": [[0, 3], [1, 2], [2, 3]]},
            {"id": 2, "name": "Hill", "hexes": [[4, 2]]},
        ],
        "primary_objectives": ["objectives_control"],
    }
    path = tmp_path / "tiny.json"
    path.write_text(json.dumps(scenario), encoding="utf-8")
    return path


def test_board_shows_units_walls_objectives_phase_and_points(tiny: Path) -> None:
    env = w40k_v0.env(scenario=tiny, render_mode="ansi")
    env.reset(seed=1)
    assert env.render() == BOARD


def test_active_unit_is_marked(tiny: Path) -> None:
    env = w40k_v0.env(scenario=tiny, render_mode="ansi")
    env.reset(seed=1)
    env.step(0)
    picture = env.render()
    assert picture is not None
    assert "^7!" in picture
    assert "may act" not in picture


def test_marks_deaths_and_result_are_shown(play: Play) -> None:
    env = w40k_v0.env(scenario="small_board", render_mode="ansi")
    env.reset(seed=3)
    pictures = [env.render() for _ in play(env, 3)]
    assert all(any(f" {mark}" in str(picture) for picture in pictures) for mark in ("moved", "advanced", "shot"))
    end = env.render()
    assert end is not None
    assert re.match(r"small_board, turn 5 of 5, player 2: over, (player \d wins|nobody wins) by \w+[,\n] ?victory", end)
    assert "dead" in end
    assert "may act" not in end


@pytest.mark.parametrize("scenario", list_scenarios())
def test_every_living_unit_is_on_the_board_once(play: Play, scenario: str) -> None:
    env = w40k_v0.raw_env(scenario=scenario, render_mode="ansi", max_turns=2)
    env.reset(seed=1)
    for _ in play(env, 1):
        _same_units(env)
    _same_units(env)


def _same_units(env: RawEnv) -> None:
    picture = env.render()
    assert picture is not None
    board = picture[: picture.index("\nobjectives")].partition("\n    0  1  2  3 ")[2]
    assert max(map(len, picture.splitlines())) <= 80
    game = env.session.games[0]
    living = [
        f"{'^v'[unit.player - 1]}{unit.id}"
        for number, unit in enumerate(env.session.setting.units)
        if unit and game.hit_points[number] > 0
    ]
    assert sorted(re.findall(r"[\^v]\w+", board)) == sorted(living)


def test_board_that_is_too_wide_is_drawn_in_parts_of_80_columns(tiny: Path) -> None:
    """Long ids and many columns: every hex once, under the number of its column."""
    scenario = json.loads(tiny.read_text(encoding="utf-8"))
    scenario["board"]["cols"] = 120
    scenario["units"][0] |= {"id": "alpha12", "col": 117, "row": 1}
    tiny.write_text(json.dumps(scenario), encoding="utf-8")
    env = w40k_v0.env(scenario=tiny, render_mode="ansi")
    env.reset(seed=1)
    env.step(0)
    picture = env.render()
    assert picture is not None
    lines = picture.splitlines()
    assert max(map(len, lines)) <= 80
    board = lines[1 : next(row for row, line in enumerate(lines) if line.startswith("objectives"))]
    heads = [row for row, line in enumerate(board) if not re.search(r"[.#:]", line)]
    assert [int(number) for row in heads for number in board[row].split()] == list(range(120))
    row, line = next((row, line) for row, line in enumerate(board) if "^alpha12!" in line)
    head = board[max(other for other in heads if other < row)]
    assert head[line.index("^") :].split()[0] == "117"
    hexes = [re.sub(r"^ *\d+ ", "", line).split() for row, line in enumerate(board) if row not in heads]
    assert sum(map(len, hexes)) == 120 * 4


def test_board_uses_the_width_that_it_is_given(tiny: Path) -> None:
    scenario = json.loads(tiny.read_text(encoding="utf-8"))
    scenario["board"]["cols"] = 40
    tiny.write_text(json.dumps(scenario), encoding="utf-8")
    env = w40k_v0.raw_env(scenario=tiny)
    env.reset(seed=1)
    widths = [
        max(map(len, draw(env.session.setting, env.session.games[0], width).splitlines())) for width in (40, 80, 200)
    ]
    assert widths[0] <= 40
    assert widths[1] <= 80
    assert widths[2] == 4 + 40 * 3


@pytest.mark.parametrize("make", [w40k_v0.env, w40k_v0.raw_env])
def test_human_draws_on_reset_and_on_each_step(capsys: pytest.CaptureFixture[str], make: Callable[..., RawEnv]) -> None:
    """PettingZoo's convention: nobody calls ``render``; the empty steps after the end draw nothing."""
    shown, seen = make(scenario="small_board", render_mode="human"), make(scenario="small_board", render_mode="ansi")
    for env in (shown, seen):
        env.reset(seed=1)
    assert capsys.readouterr().out == f"{seen.render()}\n"
    for _ in range(400):
        over = not shown.agents or shown.terminations[shown.agent_selection]
        action = None if over else seen.session.legal_actions()[0]
        for env in (shown, seen):
            env.step(action)
        assert capsys.readouterr().out == ("" if over else f"{seen.render()}\n")
        if not shown.agents:
            break
    assert not shown.agents


def test_human_draws_the_end_by_an_illegal_action(capsys: pytest.CaptureFixture[str]) -> None:
    env = w40k_v0.env(scenario="small_board", render_mode="human")
    env.reset(seed=1)
    before = capsys.readouterr().out
    env.step(env.layout.action_count - 1)
    assert capsys.readouterr().out == before


def test_human_draws_nothing_when_a_snapshot_is_restored(capsys: pytest.CaptureFixture[str]) -> None:
    env = w40k_v0.raw_env(scenario="small_board", render_mode="human")
    env.reset(seed=1)
    snapshot, _ = env.snapshot(), capsys.readouterr()
    env.restore(snapshot)
    assert capsys.readouterr().out == ""


def test_human_prints_the_board_and_returns_none(capsys: pytest.CaptureFixture[str]) -> None:
    env = w40k_v0.env(scenario="small_board", render_mode="human")
    env.reset(seed=1)
    on_reset = capsys.readouterr().out
    assert env.render() is None
    assert capsys.readouterr().out == on_reset


def test_without_a_mode_render_warns_and_returns_none() -> None:
    env = w40k_v0.env(scenario="small_board")
    env.reset(seed=1)
    with pytest.warns(UserWarning, match="render"):
        assert env.render() is None


def test_mode_is_kept() -> None:
    assert w40k_v0.env(render_mode="ansi").render_mode == "ansi"
    assert w40k_v0.env().render_mode is None
    assert w40k_v0.env().metadata["render_modes"] == ["ansi", "human"]
