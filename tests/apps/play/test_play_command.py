"""`w40k-marl play` as a program: the whole game, its output, its result for programs, refusals, how it is left."""

from __future__ import annotations

import itertools
import json
import logging
import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from w40k_marl.apps import cli
from w40k_marl.apps.play import cli as play_cli
from w40k_marl.apps.play.saved_game import read_saved
from w40k_marl.content.paths import data_folder

Capture = pytest.CaptureFixture[str]

SHORT = ("--scenario", "small_board", "--max-turns", "1", "--seed", "3")


def status_of(*arguments: str) -> object:
    """The exit status, however the command ends."""
    try:
        return cli.main(["play", *arguments])
    except SystemExit as stop:
        return stop.code


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_game_of_the_document_is_played_to_its_end(capsys: Capture, tmp_path: Path) -> None:
    """Board and actions on stdout, routing in the file of --log, no colours: this is no terminal."""
    meta = data_folder("agents") / "pve_meta_controller.json"
    assert status_of("--scenario", "pve", "--meta", str(meta), "--seed", "7", "--log", "meta.log") == 0
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err
    assert out.startswith("pve, --seed 7, --decisions agent, --weapon-rules reference\nplayer 1: the bot greedy\n")
    for turn in range(1, 6):
        assert f"pve, turn {turn} of 5, player 2: move phase, player 2 to act" in out, "a board at each turn"
    assert re.search(r"^turn 1, player 1, shoot phase\n  player 1, unit \d \(Intercessor.*\): target_\d: ", out, re.M)
    assert re.search(r"^  \* player \d scores \d+$", out, re.M)
    assert out.count("* the game is over: ") == 1
    assert re.search(
        r"^player \d wins by [\w ]+: \d+ to \d+ victory points, turn 5, \d+ activations, --seed 7$", out, re.M
    )
    assert err == "", "nothing is written between the lines of the board"
    assert max(map(len, re.findall(r"^.{4}(?=[.#:^v]).*", out, re.M))) <= 80, "the board fits the terminal"
    lines = (tmp_path / "meta.log").read_text(encoding="utf-8").splitlines()
    assert all(line.startswith("[META] ") for line in lines)
    assert "[META] unitType=Hormagaunt -> model=Tyranid_Infantry_Swarm_MeleeSwarm" in lines
    assert "[META] unitType=TyranidWarriorRanged -> model=Tyranid_Infantry_Troop_RangedTroop" in lines
    assert list(tmp_path.iterdir()) == [tmp_path / "meta.log"], "a game that is over is not saved"


def test_log_names_who_was_played_with_intent_policy_action_and_result(capsys: Capture) -> None:
    assert status_of(*SHORT, "--intents", "--super-agent", "MacroController", "--verbose") == 0
    out, err = capsys.readouterr()
    acted = re.findall(
        r"^\[META\] turn 1, (\w+): unit=(\d+) \((\w+)\) chosen by MacroController, intent=(.+?), model=(\w+), "
        r"action=(?!intent|detail)(\w+): (.+)$",
        err,
        re.M,
    )
    assert len(acted) > 4
    for phase, unit, unit_type, intent, _, action, result in acted:
        assert phase in ("move", "shoot", "charge", "fight")
        assert f"  player 2, unit {unit} ({unit_type}) [{intent}]: {action}: {result}\n" in out
    assert re.search(r"^      - unit \d+ attacks unit \d+ with \w+: hit \d", out, re.M), "each roll"
    assert re.search(r"^      - unit \d+ intends \w+ \d+$", out, re.M)


def test_result_for_programs(capsys: Capture) -> None:
    assert status_of("--scenario", "small_board", "--seed", "3", "--json") == 0
    out = capsys.readouterr().out
    told, result = out.splitlines()[-2], json.loads(out.splitlines()[-1])
    assert status_of("--scenario", "small_board", "--seed", "3", "--json", "--quiet") == 0
    quiet, err = capsys.readouterr()
    assert (json.loads(quiet), err) == (result, ""), "the same seed, the same game; nothing else is written"
    assert " ".join(result) == (
        "scenario seed over winner method victory_points turns activations decisions players saved"
    )
    assert (result["scenario"], result["seed"], result["over"], result["turns"]) == ("small_board", 3, True, 5)
    first, second = result["victory_points"]
    assert told.endswith(f": {first} to {second} victory points, turn 5, {result['activations']} activations, --seed 3")
    assert result["winner"] in (0, 1, 2)
    assert result["decisions"] > result["activations"] > 20
    assert result["saved"] is None


def test_quiet_is_the_result_alone(capsys: Capture) -> None:
    assert status_of(*SHORT, "--quiet") == 0
    out, err = capsys.readouterr()
    assert (out.count("\n"), err) == (1, "")


def test_fresh_seed_is_printed_and_gives_the_game_again(capsys: Capture) -> None:
    arguments = ("--scenario", "small_board", "--max-turns", "2", "--opponent", "random", "--quiet", "--json")
    assert status_of(*arguments) == 0
    result = json.loads(capsys.readouterr().out)
    assert status_of(*arguments, "--seed", str(result["seed"])) == 0
    assert json.loads(capsys.readouterr().out) == result


@pytest.mark.parametrize("opponent", ["random", "greedy", "first", "SpaceMarine_Infantry_Troop_RangedSwarm"])
@pytest.mark.parametrize("extra", [(), ("--intents",), ("--decisions", "reference"), ("--weapon-rules", "full")])
def test_every_opponent_plays(capsys: Capture, opponent: str, extra: tuple[str, ...]) -> None:
    scenario = ("--scenario", "weapon_rules_lab") if "full" in extra else ()
    assert status_of(*SHORT, *scenario, *extra, "--opponent", opponent, "--quiet", "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert result["over"]
    assert opponent in result["players"]["1"]


def test_meta_of_player_1_is_played_against_too(capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(
        '{"controlled_player": 1, "model_by_unit_type": {}, "default_model": "MacroController"}', encoding="utf-8"
    )
    assert status_of(*SHORT, "--meta", "mine.json", "--quiet", "--json") == 0
    players = json.loads(capsys.readouterr().out)["players"]
    assert players == {"1": "units chosen by pool order; all by MacroController", "2": "the bot greedy"}


def test_log_of_the_package_is_left_as_it_was(capsys: Capture) -> None:
    logger = logging.getLogger("w40k_marl.meta")
    before = logger.level, list(logger.handlers)
    assert status_of(*SHORT, "--quiet") == 0
    assert (logger.level, list(logger.handlers)) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--scenario", "pvp"), 'scenario: expected one of .*, got "pvp"'),
        (("--scenario", "nowhere/mine.json"), "nowhere/mine.json: .*No such file"),
        (("--meta", "gone.json"), "gone.json: .*No such file"),
        (("--meta", "wrong.json"), "wrong.json: controlled_player: expected .*, got 3"),
        (
            ("--human", "2", "--super-agent", "MacroController"),
            "--human: expected 1, got 2, the controlled_player of the shipped mapping .or say by --opponent who plays",
        ),
        (("--human", "1", "--meta", "mine.json"), "--human: expected 2, got 1, the controlled_player of .*mine.json"),
        (("--human", "3"), "argument --human: invalid choice: 3"),
        (
            ("--human", "1", "--opponent", "greedy", "--meta", "mine.json"),
            "--meta: expected no --human and --opponent beside it, who play both sides",
        ),
        (
            ("--human", "1", "--opponent", "greedy", "--super-agent", "MacroController"),
            "--super-agent: expected no --human and --opponent beside it, who play both sides",
        ),
        (
            ("--human", "1", "--opponent", "gredy"),
            "--opponent: expected random, greedy, first or an agent; .*got .gredy",
        ),
        (("--opponent", "nowhere/Mine"), "--opponent: expected random, greedy, first or an agent; .*Mine"),
        (("--log", "nowhere/meta.log"), "--log: nowhere/meta.log cannot be written: No such file or directory"),
        (("--log", "."), "--log: . cannot be written: Is a directory"),
        (("--log", "a\0b"), "--log: .* cannot be written: embedded null byte"),
        (("--opponent", "gredy"), "--opponent: expected random, greedy, first or an agent; .*got .gredy"),
        (("--super-agent", "Nobody"), 'agent: expected one of .*, got "Nobody"'),
        (("--seed", "-1"), "--seed: expected 0 to 9223372036854775807, got -1"),
        (("--seed", "x"), "argument --seed: expected a whole number, got 'x'"),
        (("--max-turns", "0"), "max_turns: expected None or a whole number from 1 to 1000, got 0"),
        (("--resume", "gone.json"), "gone.json: .*No such file"),
        (("--resume", "wrong.json"), "wrong.json: .*: expected"),
        (("--save", "wrong.json"), "wrong.json is there already, and is not written over; choose another name"),
        (("--quiet", "--verbose"), "not allowed with argument"),
    ],
)
def test_bad_input_is_one_sentence_and_status_2(
    capsys: Capture, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    (tmp_path / "wrong.json").write_text('{"controlled_player": 3, "model_by_unit_type": {}}', encoding="utf-8")
    (tmp_path / "mine.json").write_text(
        '{"controlled_player": 1, "model_by_unit_type": {}, "default_model": "MacroController"}', encoding="utf-8"
    )
    assert status_of(*arguments) == 2
    out, err = capsys.readouterr()
    error = [line for line in err.splitlines() if not line.startswith("[META] model=")]
    assert out == ""
    assert len(error) == 1
    assert error[0].startswith("w40k-marl play: ")
    assert re.search(said, error[0])


@pytest.mark.parametrize("seat", [1, 2])
@pytest.mark.parametrize("opponent", [None, "random", "greedy", "first", "SpaceMarine_Infantry_Troop_RangedSwarm"])
def test_person_takes_either_side_against_anybody_by_name(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, seat: int, opponent: str | None
) -> None:
    """Without --opponent: the shipped mapping where it plays the other side, else the greedy bot."""
    answers = itertools.chain(["wait all", "1", "2", "3", "4", "5", "6", "7", "1"], itertools.repeat("q"))
    monkeypatch.setattr(play_cli, "_ask", lambda prompt: next(answers))
    given = () if opponent is None else ("--opponent", opponent)
    assert status_of(*SHORT, "--human", str(seat), *given, "--save", "game.json", "--json") == 0
    out, err = capsys.readouterr()
    result = json.loads(out.splitlines()[-1])
    other = result["players"][str(3 - seat)]
    assert result["players"][str(seat)] == "you"
    assert (opponent or ("Tyranid_Infantry_Swarm_MeleeSwarm" if seat == 1 else "the bot greedy")) in other
    assert err == ""
    assert status_of("--resume", "game.json", "--json") == 0
    again = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert again["players"] == result["players"], "the file knows who plays"


def test_agent_of_ones_own_is_named_by_its_folder(capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "agents" / "Mine").mkdir(parents=True)
    (tmp_path / "agents" / "Mine" / "policy.json").write_text('{"kind": "bot", "bot": "first"}', encoding="utf-8")
    assert status_of(*SHORT, "--opponent", "agents/Mine", "--quiet", "--json") == 0
    assert json.loads(capsys.readouterr().out)["players"]["1"] == "units chosen by pool order; all by Mine"


@pytest.mark.parametrize("loud", [False, True])
def test_routing_is_shown_by_verbose_alone(capsys: Capture, loud: bool) -> None:
    assert status_of(*SHORT, *(["-v"] if loud else [])) == 0
    err = capsys.readouterr().err
    assert ("[META] unitType=" in err) is loud
    assert loud or err == ""


def test_log_is_added_to_unless_it_is_to_begin_anew(capsys: Capture, tmp_path: Path) -> None:
    log = tmp_path / "meta.log"
    log.write_text("before\n", encoding="utf-8")
    assert status_of(*SHORT, "--quiet", "--log", "meta.log") == 0
    assert log.read_text(encoding="utf-8").startswith("before\n[META] model=")
    assert status_of(*SHORT, "--quiet", "--log", "meta.log", "--overwrite") == 0
    assert log.read_text(encoding="utf-8").startswith("[META] model=")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a full disk without filling one is of Linux")
def test_log_that_cannot_be_written_does_not_end_the_game(capsys: Capture) -> None:
    assert status_of(*SHORT, "--quiet", "--json", "--log", "/dev/full") == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["over"]
    assert err == "--log: /dev/full cannot be written: [Errno 28] No space left on device\n"


def test_resigned_game_is_over_shown_and_saved(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(["1", "wait", "resign"])
    monkeypatch.setattr(play_cli, "_ask", lambda prompt: next(answers))
    assert status_of(*SHORT, "--human", "1", "--json", "--save", "game.json") == 0
    lines = capsys.readouterr().out.splitlines()
    result = json.loads(lines[-1])
    assert (result["over"], result["winner"], result["method"]) == (True, 2, "resignation")
    assert lines[-3] == "player 2 wins by resignation: 0 to 0 victory points, turn 1, 1 activation, --seed 3"
    assert lines[-2] == f"saved: {tmp_path / 'game.json'}"
    assert status_of("--resume", "game.json", "--json") == 0, "nobody is asked any more"
    shown = capsys.readouterr().out
    assert json.loads(shown.splitlines()[-1]) == {**result, "saved": None}
    assert "player 2 wins by resignation" in shown
    assert read_saved(tmp_path / "game.json").resigned == 1


def test_game_of_a_person_is_saved_before_an_error_of_a_model_ends_it(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "naughty_policy.py").write_text(
        "import numpy as np\n\ndef act(observations, masks):\n    return np.argmin(masks, axis=1)\n", encoding="utf-8"
    )
    (tmp_path / "Naughty").mkdir()
    (tmp_path / "Naughty" / "policy.json").write_text(
        '{"kind": "callable", "callable": "naughty_policy:act"}', encoding="utf-8"
    )
    (tmp_path / "mine.json").write_text(
        '{"controlled_player": 2, "model_by_unit_type": {}, "default_model": "Naughty"}', encoding="utf-8"
    )
    answers = itertools.cycle(["1", "2", "3", "wait"])  # what is no choice is asked for again
    monkeypatch.setattr(play_cli, "_ask", lambda prompt: next(answers))
    monkeypatch.syspath_prepend(tmp_path)
    assert status_of(*SHORT, "--human", "1", "--meta", "mine.json", "--trust-models") == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[-2] == (
        f"saved before the error; go on with: w40k-marl play --resume {tmp_path / 'small_board-seed3.json'}"
    )
    assert lines[-1].startswith("w40k-marl play: Naughty (the function naughty_policy:act): expected one of [")
    assert len(read_saved(tmp_path / "small_board-seed3.json").actions) >= 6


# --- as a process --------------------------------------------------------------------------------------------


def program(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "w40k_marl.apps.cli", "play", *arguments]


def test_answers_from_a_pipe_then_resumed(tmp_path: Path) -> None:
    """The end of the input leaves a valid file, and says how to go on."""
    first = subprocess.run(
        program(*SHORT, "--human", "1", "--json", "--save", "game.json"),
        input="1\nmove_aggressive\nhelp\n",
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (first.returncode, "Traceback" in first.stderr) == (0, False)
    assert "> move_aggressive\n" in first.stdout, "what was read is shown"
    file = tmp_path / "game.json"
    assert f"saved; go on with: w40k-marl play --resume {file}\n" in first.stdout
    result = json.loads(first.stdout.splitlines()[-1])
    assert (result["over"], result["winner"], result["saved"], result["decisions"]) == (False, None, str(file), 2)
    second = subprocess.run(
        program("--resume", "game.json", "--opponent", "first", "--quiet", "--json"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert second.returncode == 0
    assert json.loads(second.stdout)["over"]


def test_reader_that_leaves_early_is_no_error() -> None:
    with subprocess.Popen(program("--seed", "2"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert "Traceback" not in process.stderr.read()
        assert process.wait(timeout=120) == 141


@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals are of POSIX")
def test_at_a_terminal_with_undo_and_ctrl_c(tmp_path: Path) -> None:
    """A real terminal: colours, answers typed, Ctrl-C at the prompt saves the game."""
    import pty

    controller, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    with subprocess.Popen(
        program(*SHORT, "--human", "1"),
        stdin=terminal,
        stdout=terminal,
        stderr=subprocess.PIPE,
        env=environment,
        start_new_session=True,
    ) as process:
        os.close(terminal)
        seen = expect(controller, r"which unit is to act\?.*> $")
        assert "\x1b[" in seen
        for answer, reply in (
            ("2", r"what is it to do\?.*> $"),
            ("wait", r"which unit is to act\?.*> $"),
            ("u", r"Undone\..*what is it to do\?.*> $"),
        ):
            os.write(controller, f"{answer}\n".encode())
            expect(controller, reply)
        process.send_signal(signal.SIGINT)
        expect(controller, r"saved; go on with: w40k-marl play --resume .*small_board-seed3\.json")
        assert process.wait(timeout=60) == 130
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()
    os.close(controller)
    saved: dict[str, Any] = json.loads((tmp_path / "small_board-seed3.json").read_text(encoding="utf-8"))
    assert saved["actions"] == [1]


def expect(controller: int, pattern: str, patience: float = 60) -> str:
    """Read from a terminal until all that came matches."""
    seen, until = "", time.monotonic() + patience
    while not re.search(pattern, seen, re.DOTALL):
        ready, _, _ = select.select([controller], [], [], max(0, until - time.monotonic()))
        assert ready, f"nothing like {pattern} came, but {seen!r}"
        seen += os.read(controller, 65536).decode(errors="replace").replace("\r\n", "\n")
    return seen
