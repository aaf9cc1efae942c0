"""At the prompt no word, however odd, loses the game."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from w40k_marl.apps.play import cli
from w40k_marl.apps.play.human import GameLeftError

Begin = Callable[..., Any]

NAMES = (
    "~nosuchuser/x",
    "\0",
    "a\0b",
    "x" * 5000,
    "/".join("x" * 300),
    "\x1b[2J",
    "\ud800",
    "\udcff.json",
    "-",
    ".",
    "/",
    "/dev/null",
    "/dev/full",
    "loop",
    "loop/x",
    "nowhere/x",
    "there.json/x",
    "$HOME",
    "'",
    "--overwrite",
)
WORDS = (
    *NAMES,
    *(f"save {name}" for name in NAMES),
    *(
        "9" * 5000,
        "1 " * 3000,
        "٣",
        "½",
        "save" * 1000,
        "undoo",
        "board x",
        "help \0",
        "\u202e",
        "?" * 5000,
        "%s {0}",
    ),
)


@pytest.fixture(autouse=True)
def odd_paths(tmp_path: Path) -> None:
    (tmp_path / "there.json").write_text("mine", encoding="utf-8")
    if os.name != "nt":
        (tmp_path / "loop").symlink_to("loop")


def test_no_word_loses_the_game(begin: Begin, tmp_path: Path) -> None:
    game = begin("1", "wait", *WORDS, "save kept.json")
    with pytest.raises(GameLeftError):
        game.match.play()
    assert len(game.match.actions) == 2
    assert len(json.loads((tmp_path / "kept.json").read_text(encoding="utf-8"))["actions"]) == 2
    assert (tmp_path / "there.json").read_text(encoding="utf-8") == "mine"
    shown = game.text()
    assert all(char.isprintable() or char == "\n" for char in shown), "nothing that acts on a terminal"
    assert max(map(len, shown.splitlines())) < 1000
    assert shown.count("Not saved: ") >= 14


@pytest.mark.slow
def test_no_random_word_loses_the_game(begin: Begin, tmp_path: Path) -> None:
    random = np.random.default_rng(5)

    def word() -> str:
        letters = "".join(map(chr, random.integers(0, 0x3000, int(random.integers(1, 40))).tolist()))
        first = ("save ", "undo ", "", "unit ", "board")[int(random.integers(5))]
        return f"{first}{letters}".replace("/", "_")

    game = begin(*[word] * 2000)
    with pytest.raises(GameLeftError):
        game.match.play()


def test_game_is_saved_where_the_current_folder_is_gone(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.name == "nt":
        pytest.skip("a current folder cannot be deleted")
    spare, gone = tmp_path / "spare", tmp_path / "gone"
    spare.mkdir()
    gone.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(spare))
    game = begin("1", "wait", "save", "save here.json")
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(GameLeftError):
        game.match.play()
    monkeypatch.chdir(tmp_path)
    assert [path.name for path in spare.iterdir()] == ["small_board-seed3.json"]
    assert "Not saved: here.json cannot be written: " in game.text()


def test_game_that_no_file_can_take_is_written_to_stderr(
    begin: Begin, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from w40k_marl.apps.play.saved_game import PlayError

    game = begin("1", "wait")
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    monkeypatch.setattr("w40k_marl.files.full_path", lambda name: Path("/nowhere") / name)
    with pytest.raises(PlayError, match="cannot be written"):
        cli._play(game.match, game.save_file, introduce=False)
    said = capsys.readouterr().err
    assert len(json.loads(said[said.index("{") :])["actions"]) == 2


@pytest.mark.parametrize(
    "error", [OSError(5, "Input/output error"), ValueError("closed"), RuntimeError("lost sys.stdin")]
)
def test_input_that_breaks_is_the_end_of_the_input(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def broken() -> str:
        raise error

    monkeypatch.setattr("builtins.input", broken)
    with pytest.raises(EOFError):
        cli._ask("> ")
