from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from recorded_games import cli
from recorded_games.cli import main

from .conftest import COMMITTED


@pytest.fixture
def game() -> str:
    (path,) = COMMITTED.glob("s048_*.jsonl.gz")
    return str(path)


@pytest.fixture
def observed() -> str:
    """The smallest game with macro observations."""
    (path,) = COMMITTED.glob("s055_*.jsonl.gz")
    return str(path)


def lines_of(game: str) -> list[str]:
    return gzip.decompress(Path(game).read_bytes()).decode("utf-8").splitlines()


def falsified(game: str, folder: Path) -> str:
    lines = lines_of(game)
    end = json.loads(lines[-1])
    end["winner"] = 3 - end["winner"]
    path = folder / "falsified.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("\n".join([*lines[:-1], json.dumps(end)]) + "\n")
    return str(path)


def test_last_line(game: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([game]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("parity: games 1 exact/1 total, steps 27 exact/27 total, level B agree ")
    assert last.endswith(" defects 0, level C games 0 exact/0, observations 0 exact/0")


def test_level_a_alone_compares_no_choices(game: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([game, "--level", "A"]) == 0
    assert capsys.readouterr().out == (
        "parity: games 1 exact/1 total, steps 27 exact/27 total, level B agree 0 explained 0 defects 0\n"
    )


def test_difference_is_shown_and_exits_1(game: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([falsified(game, tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "first difference: step 26, phase end, unit None: winner: expected (1, 'objectives')" in out
    assert "parity: games 0 exact/1 total, steps 27 exact/27 total" in out


def test_json(game: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "report.json"
    assert main([game, "--json", str(file)]) == 0
    report = json.loads(file.read_text(encoding="utf-8"))
    assert report["result"] == capsys.readouterr().out.splitlines()[-1]
    assert report["passed"] is True
    assert [entry["exact_steps"] for entry in report["games"]] == [27]
    assert list(tmp_path.iterdir()) == [file]


def test_json_is_not_overwritten_unasked(game: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "report.json"
    file.write_text("mine", encoding="utf-8")
    assert main([game, "--json", str(file)]) == 2
    assert file.read_text(encoding="utf-8") == "mine"
    assert capsys.readouterr().err.count("\n") == 1
    assert main([game, "--json", str(file), "--overwrite"]) == 0
    assert "result" in json.loads(file.read_text(encoding="utf-8"))


def test_level_c_alone(observed: str, game: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Of the games, those that have macro observations; the state after reset counts as one."""
    assert main([observed, game, "--level", "C"]) == 0
    assert capsys.readouterr().out == (
        "parity: games 1 exact/1 total, steps 48 exact/48 total, level B agree 0 explained 0 defects 0, "
        "level C games 1 exact/1, observations 49 exact/49\n"
    )


def test_level_c_belongs_to_the_whole_comparison(
    observed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "report.json"
    assert main([observed, "--json", str(file)]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.endswith(" defects 0, level C games 1 exact/1, observations 49 exact/49")
    (entry,) = json.loads(file.read_text(encoding="utf-8"))["games"]
    assert entry["level_c"] == {"observations": 49, "exact": 49, "differences": []}


def test_level_c_of_games_without_observations(game: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([game, "--level", "C"]) == 2
    assert "macro_obs: expected games recorded with macro observations, got none" in capsys.readouterr().err


def test_difference_of_an_observation_is_shown_and_exits_1(
    observed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = lines_of(observed)
    step = json.loads(lines[2])
    step["macro_obs"]["units"][1]["dist_obj"] += 1
    path = tmp_path / "game.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("\n".join([*lines[:2], json.dumps(step), *lines[3:]]) + "\n")
    assert main([str(path), "--level", "C"]) == 1
    out = capsys.readouterr().out
    assert "macro observation: step 0, phase move, unit None: macro_obs.units[1].dist_obj: expected " in out
    assert out.endswith("level C games 0 exact/1, observations 48 exact/49\n")


@pytest.mark.parametrize(
    "content", [b"", b"not gzip", gzip.compress(b"not json", mtime=0), gzip.compress(b'{"rec": "header"}', mtime=0)]
)
def test_what_is_no_recorded_game(tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "game.jsonl.gz"
    path.write_bytes(content)
    assert main([str(path)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert str(path) in error


def test_nothing_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "nowhere")]) == 2
    assert main([str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 2


def test_incomplete_record(game: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = lines_of(game)
    step = json.loads(lines[5])
    del step["decision"]
    path = tmp_path / "game.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("\n".join([*lines[:5], json.dumps(step), *lines[6:]]) + "\n")
    assert main([str(path)]) == 2
    assert "'decision'" in capsys.readouterr().err


@pytest.mark.parametrize("how", ["ctrl-c", "a game that cannot be read"])
def test_games_until_the_end_of_a_run_are_kept(
    game: str, how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file, broken = tmp_path / "report.json", tmp_path / "broken.jsonl.gz"
    broken.write_bytes(b"not gzip")
    if how == "ctrl-c":
        compare = cli.compare_game

        def stopped(trace: Any, level: str) -> Any:
            if file.with_name("once").exists():
                raise KeyboardInterrupt
            file.with_name("once").touch()
            return compare(trace, level)

        monkeypatch.setattr(cli, "compare_game", stopped)
        status, why, second = 130, "stopped by Ctrl-C", game
    else:
        status, why, second = 2, "broken.jsonl.gz: file: expected gzipped JSON lines", str(broken)
    assert main([game, second, "--json", str(file)]) == status
    report = json.loads(file.read_text(encoding="utf-8"))
    assert (report["passed"], len(report["games"])) == (False, 1)
    assert why in report["partial_because"]
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("name", ["-", "", ".", "/dev/null", "x" * 300])
def test_file_that_cannot_be_written_is_refused_before_anything_is_replayed(
    game: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([game, "--json", name]) == 2
    error = capsys.readouterr().err
    assert error.startswith("parity.py: --json: ")
    assert error.count("\n") == 1


@pytest.mark.parametrize("line", [0, 1, 2, -1])
@pytest.mark.parametrize("value", ["[]", "null", "1", '{"rec": []}', "{}", '"x"', "[" * 100_000])
def test_records_of_another_kind_are_one_sentence(
    game: str, line: int, value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines, path = lines_of(game), tmp_path / "game.jsonl.gz"
    lines[line] = value
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    assert main([str(path), "--level", "A"]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"parity.py: {path}: ")
    assert error.count("\n") == 1
