"""Saved games: whole or not at all, never over another file, and the same game when they are resumed."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from w40k_marl.apps.play.choices import legal_choices
from w40k_marl.apps.play.human import GameLeftError
from w40k_marl.apps.play.saved_game import PlayError, SaveFile, read_saved
from w40k_marl.env.session import Session
from w40k_marl.errors import ContentError

Begin = Callable[..., Any]


def last_choice(game: Any) -> str:
    return legal_choices(game.match.session)[-1].number


def begun(begin: Begin, count: int = 20, **options: Any) -> Any:
    """A game that the person has left after some decisions."""
    game = begin(*[lambda: last_choice(game)] * count, **options)
    with pytest.raises(GameLeftError):
        game.match.play()
    return game


def finish(begin: Begin, file: Path, **options: Any) -> Any:
    game = begin(*[lambda: last_choice(game)] * 500, resume=str(file), **options)
    game.match.play()
    return game


@pytest.mark.parametrize("options", [{}, {"intents": True, "super_agent": "MacroController", "decisions": "reference"}])
def test_resumed_game_is_the_same_game(begin: Begin, options: dict[str, Any]) -> None:
    """Left in the middle and resumed by its file alone, it ends as it would have ended."""
    game = begun(begin, **options)
    file = game.save_file.save(game.match.saved())
    whole = begin(*[lambda: last_choice(whole)] * 500, **options)
    whole.match.play()
    resumed = finish(begin, file)
    assert resumed.match.actions == whole.match.actions
    assert resumed.match.env.snapshot() == whole.match.env.snapshot()
    assert resumed.match.result() == whole.match.result()
    assert len(resumed.match.actions) > len(game.match.actions) > 20


def test_undo_reaches_behind_the_resuming(begin: Begin) -> None:
    game = begun(begin, 4)
    file = game.save_file.save(game.match.saved())
    resumed = begin(*["undo"] * 5, resume=str(file))
    with pytest.raises(GameLeftError):
        resumed.match.play()
    assert resumed.match.actions == []
    assert resumed.text().count("Undone.") == 4


def test_decision_that_was_interrupted_is_not_in_the_file(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while the game steps: the file ends with the decision before."""
    game = begin("1", "wait", "2", "wait")
    step = Session.step_and_view

    def stopped(session: Session, action: int) -> Any:
        step(session, action)
        if len(game.match.actions) == 3:
            raise KeyboardInterrupt
        return step

    monkeypatch.setattr(Session, "step_and_view", stopped)
    with pytest.raises(KeyboardInterrupt):
        game.match.play()
    monkeypatch.setattr(Session, "step_and_view", step)
    file = SaveFile("stopped.json").save(game.match.saved())
    resumed = begin(resume=str(file))
    assert len(resumed.match.actions) == 3
    assert resumed.match.session.active_unit == "2"
    assert game.match.env.snapshot() == resumed.match.env.snapshot()


# --- the file ------------------------------------------------------------------------------------------------


def test_save_at_the_prompt_takes_a_free_name_and_keeps_it(begin: Begin, tmp_path: Path) -> None:
    (tmp_path / "small_board-seed3.json").write_text("mine", encoding="utf-8")
    game = begun(begin, 0)
    game = begin("save", "1", "save", "save other.json")
    with pytest.raises(GameLeftError):
        game.match.play()
    own = tmp_path / "small_board-seed3-2.json"
    assert (tmp_path / "small_board-seed3.json").read_text(encoding="utf-8") == "mine"
    assert game.text().count(f"Saved: {own}") == 2
    assert [len(read_saved(tmp_path / name).actions) for name in (own.name, "other.json")] == [1, 1]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "other.json",
        "small_board-seed3-2.json",
        "small_board-seed3.json",
    ]


def test_save_never_writes_over_another_file(begin: Begin, tmp_path: Path) -> None:
    (tmp_path / "letter.json").write_text("dear", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    game = begin("save letter.json", "save folder", "save nowhere/game.json", "save  ")
    with pytest.raises(GameLeftError):
        game.match.play()
    assert (tmp_path / "letter.json").read_text(encoding="utf-8") == "dear"
    assert "letter.json is there already, and is not written over; choose another name" in game.text()
    assert "folder, which is a folder" in game.text()
    assert "game.json cannot be written: No such file or directory" in game.text()
    assert game.text().count("Saved: ") == 1


def test_place_that_is_taken_is_refused_at_the_start(tmp_path: Path) -> None:
    taken = tmp_path / "taken.json"
    taken.write_text("mine", encoding="utf-8")
    with pytest.raises(PlayError, match="is there already, and is not written over"):
        SaveFile(str(taken))
    with pytest.raises(PlayError, match="no such folder"):
        SaveFile(str(tmp_path / "nowhere" / "game.json"))
    with pytest.raises(PlayError, match="got an empty name"):
        SaveFile(" ")


def test_place_may_be_replaced_where_that_is_asked_for(begin: Begin, tmp_path: Path) -> None:
    taken = tmp_path / "taken.json"
    taken.write_text("mine", encoding="utf-8")
    assert SaveFile(str(taken), overwrite=True).save(begun(begin, 2).match.saved()) == taken
    assert len(read_saved(taken).actions) == 2


def test_place_that_is_taken_meanwhile_is_not_written_over(begin: Begin, tmp_path: Path) -> None:
    place, taken = SaveFile(str(tmp_path / "game.json")), tmp_path / "game.json"
    taken.write_text("somebody else's", encoding="utf-8")
    game = begun(begin, 2).match.saved()
    with pytest.raises(PlayError, match="is there already"):
        place.save(game)
    other = place.save_somewhere(game)
    assert (other.name, len(read_saved(other).actions)) == ("small_board-seed3.json", 2)
    assert taken.read_text(encoding="utf-8") == "somebody else's"


@pytest.mark.parametrize("links", [True, False])
def test_disk_that_is_full_leaves_nothing_behind(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    game = begun(begin, 2).match.saved()
    place = SaveFile(str(tmp_path / "game.json"))
    first = place.save(game)
    before = first.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PlayError, match=r"game\.json cannot be written: No space left on device"):
        place.save(game)
    assert first.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["game.json"]


def test_disk_without_links_is_written_too(begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(draft: Path, path: Path) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    game = begun(begin, 2).match.saved()
    assert len(read_saved(SaveFile("game.json").save(game)).actions) == 2
    with pytest.raises(PlayError, match="is there already"):
        SaveFile("game.json")
    assert SaveFile(None).save(game).name == "small_board-seed3.json"
    assert SaveFile(None).save(game).name == "small_board-seed3-2.json"


# --- files that are refused ----------------------------------------------------------------------------------


def changed(begin: Begin, **keys: Any) -> str:
    """A saved game with other keys."""
    game = begun(begin, 4)
    file = game.save_file.save(game.match.saved())
    content = json.loads(file.read_text(encoding="utf-8"))
    for key, value in keys.items():
        content[key] = {**content[key], **value} if isinstance(value, dict) else value
    file.write_text(json.dumps(content), encoding="utf-8")
    return str(file)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (
            {"format": "w40k_marl saved game 9"},
            'format: expected "w40k_marl saved game 1", got "w40k_marl saved game 9"',
        ),
        ({"rules_version": "w40k_v9"}, 'rules_version: expected "w40k_v0", got "w40k_v9"'),
        (
            {"fingerprint": "00"},
            "fingerprint: expected the scenario small_board and the rules as they are now, got those",
        ),
        ({"game": {"scenario": "pve"}}, "fingerprint: expected the scenario pve and the rules as they are now"),
        ({"game": {"scenario": "gone"}}, 'scenario: expected one of .*, got "gone"'),
        ({"game": {"decisions": "mine"}}, 'game.decisions: expected "agent" or "reference", got "mine"'),
        ({"game": {"seed": -1}}, "game.seed: expected a whole number, 0 or more, got -1"),
        ({"game": {"seed": 4}}, "state: expected the game that its actions lead to, got another"),
        ({"actions": [0, 17, 0]}, r"actions\[2\]: expected a legal action, got 0 \(action: expected one of "),
        ({"actions": [99]}, r"actions\[0\]: expected a legal action, got 99 "),
        ({"actions": [10**30]}, r"actions\[0\]: expected a legal action, got 1000"),
        ({"actions": [0]}, "state: expected the game that its actions lead to, got another: the file is damaged"),
        ({"seats": {"human": 3}}, "seats.human: expected"),
        (
            {"seats": {"human": 2, "super_agent": "MacroController"}},
            "--human: expected 1, got 2, the controlled_player of the shipped mapping",
        ),
        ({"resigned": 3}, "resigned: expected"),
        ({"cheats": True}, "cheats: expected one of the keys"),
    ],
)
def test_file_that_does_not_fit_is_refused(begin: Begin, keys: dict[str, Any], said: str) -> None:
    with pytest.raises((ContentError, PlayError), match=said):
        begin(resume=changed(begin, **keys))


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ({"scenario": "pve"}, "--scenario: expected that of the game in .*json, small_board, got pve"),
        ({"seed": 9}, "--seed: expected that of the game in .*, 3, got 9"),
        ({"intents": True}, "--intents: expected that of the game in .*, False, got True"),
        ({"weapon_rules": "full"}, "--weapon-rules: expected that of the game in .*, reference, got full"),
        ({"decisions": "reference"}, "--decisions: expected that of the game in .*, agent, got reference"),
        ({"max_turns": 5}, "--max-turns: expected that of the game in .*, 2, got 5"),
    ],
)
def test_option_that_contradicts_the_file_is_refused(begin: Begin, option: dict[str, Any], said: str) -> None:
    with pytest.raises(PlayError, match=said):
        begin(resume=changed(begin), **option)


def test_others_may_play_on(begin: Begin) -> None:
    """The same game, from here on without the person."""
    resumed = begin(resume=changed(begin), opponent="random", super_agent="MacroController", scenario="small_board")
    assert len(resumed.match.actions) >= 4
    resumed.match.play()
    assert resumed.match.result()["players"]["1"] == "the bot random"
    assert resumed.match.result()["players"]["2"].startswith("units chosen by MacroController; ")


def test_file_from_before_resignations_and_opponents_is_read(begin: Begin) -> None:
    """A game that nobody has resigned has no key for it: versions that know none read it too."""
    file = Path(changed(begin))
    assert "resigned" not in json.loads(file.read_text(encoding="utf-8"))
    assert begin(resume=str(file)).match.over is False


def test_game_that_was_played_to_its_end_cannot_be_resigned(begin: Begin) -> None:
    game = begin(*[lambda: last_choice(game)] * 500)
    game.match.play()
    file = game.save_file.save(game.match.saved())
    content = json.loads(file.read_text(encoding="utf-8")) | {"resigned": 1}
    file.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ContentError, match="resigned: expected null in a game that was played to its end, got 1"):
        begin(resume=str(file))


def test_meta_given_anew_takes_the_place_of_the_opponent(begin: Begin) -> None:
    game = begun(begin, 4, opponent="random")
    file = game.save_file.save(game.match.saved())
    about = [
        begin(resume=str(file), **given).match.players[2].about
        for given in ({}, {"super_agent": "MacroController"}, {"human": 1, "opponent": "first"}, {"human": 1})
    ]
    assert [text.partition(";")[0] for text in about] == [
        "the bot random",
        "units chosen by MacroController",
        "the bot first",
        "units chosen by pool order",
    ]


def test_scenario_of_ones_own_is_found_from_anywhere(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from w40k_marl.content.paths import find_data

    (tmp_path / "mine.json").write_bytes(find_data("scenarios", "small_board").read_bytes())
    game = begun(begin, 4, scenario="mine.json")
    file = game.save_file.save(game.match.saved())
    assert file.name == "mine-seed3.json"
    (tmp_path / "elsewhere").mkdir()
    resumed = begin(resume=str(file))
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert resumed.match.settings.scenario == str(tmp_path / "mine.json")
    assert len(resumed.match.actions) == len(game.match.actions)
