"""Work that was done is never lost at the output: closed, full or narrow stdout, readers that leave, signals."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from w40k_marl.apps import cli
from w40k_marl.apps.simulate import cli as simulate_cli

pytestmark = pytest.mark.skipif(os.name == "nt", reason="redirections and signals of POSIX")

ROOT = Path(__file__).resolve().parents[3]
TRACE = next((ROOT / "tests" / "parity" / "traces").glob("s048_*.jsonl.gz"))
PROGRAM = f"{shlex.quote(sys.executable)} -m w40k_marl.apps.cli"
PARITY = f"{shlex.quote(sys.executable)} {shlex.quote(str(ROOT / 'tools' / 'parity.py'))} {shlex.quote(str(TRACE))}"
SIMULATE = "simulate --scenario-file small_board --seed 3"
PLAY = "play --scenario small_board --seed 3 --human 1 --save game.json"
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])))


def shell(line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, errors="replace", timeout=300, check=False
    )


def read(name: str) -> Any:
    return json.loads(Path(name).read_text(encoding="utf-8"))


FULL, CLOSED, LEFT = "> /dev/full", ">&-", "| head -c 1; exit ${PIPESTATUS[0]}"
LOST = {
    FULL: (1, "stdout cannot be written: No space left on device"),
    CLOSED: (1, "stdout cannot be written: it is closed"),
    LEFT: (141, "the reader of stdout has left"),
}


@pytest.mark.parametrize("where", LOST)
def test_simulation_whose_output_is_lost_writes_its_report(where: str) -> None:
    done = shell(f"{PROGRAM} {SIMULATE} --episodes 30 --metrics-out report.json {where}")
    status, said = LOST[where]
    assert (done.returncode, done.stderr) == (status, f"w40k-marl simulate: {said}\n")
    report = read("report.json")
    assert (report["partial"], report["episodes"]) == (False, 30)


def test_simulation_prints_in_an_encoding_without_box_characters() -> None:
    done = shell(f"PYTHONIOENCODING=cp1252 {PROGRAM} {SIMULATE} --episodes 2 --metrics-out report.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\n ------" in done.stdout
    assert read("report.json")["episodes"] == 2


def test_simulation_that_nobody_reads_and_no_file_keeps_ends_early() -> None:
    done = shell(f"{PROGRAM} {SIMULATE} --episodes 100000 {LEFT}")
    assert (done.returncode, done.stderr.count("\n")) == (141, 1)


@pytest.mark.parametrize("where", LOST)
def test_game_whose_output_is_lost_is_saved(where: str) -> None:
    done = shell(f"{PROGRAM} {PLAY} {where} < /dev/null" if where != LEFT else f"{PROGRAM} {PLAY} < /dev/null {where}")
    status, said = LOST[where]
    assert done.returncode == status
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"w40k-marl play: {said}; saved, go on with: w40k-marl play --resume ")
    assert read("game.json")["actions"] == []


def test_bytes_of_another_encoding_are_a_wrong_answer_and_no_more() -> None:
    done = shell(rf"printf '1\n\xff\xfe\nsave \xe9\x1b[2J.json\nwait\n' | {PROGRAM} {PLAY}")
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    assert r'"\udcff\udcfe" is none of the choices' in done.stdout
    assert "\x1b" not in done.stdout
    assert len(read("game.json")["actions"]) == 2


def test_result_that_cannot_be_printed_is_in_the_refusal() -> None:
    done = shell(f"{PROGRAM} play --scenario small_board --max-turns 1 --seed 3 --quiet --json {FULL}")
    assert done.returncode == 1
    assert " victory points, turn 1, " in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("line", ["list", "--version", "simulate --help"])
def test_every_command_says_that_its_output_is_lost(line: str) -> None:
    done = shell(f"{PROGRAM} {line} {FULL}")
    assert done.returncode == 1
    assert done.stderr == f"w40k-marl {line.split()[0]}: {LOST[FULL][1]}\n"


def test_parity_writes_its_report_before_it_prints() -> None:
    done = shell(f"{PARITY} --json report.json {FULL}")
    assert (done.returncode, done.stderr) == (1, f"parity.py: {LOST[FULL][1]}\n")
    assert read("report.json")["passed"] is True


# --- signals -------------------------------------------------------------------------------------------------


def begun(line: str) -> subprocess.Popen[str]:
    """A process, in a group of its own, that has printed its first line."""
    process = subprocess.Popen(
        [sys.executable, "-m", "w40k_marl.apps.cli", *line.split()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline()
    return process


def workers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    children = psutil.Process(process.pid).children()
    return [child for child in children if "--multiprocessing-fork" in child.cmdline()]


@pytest.mark.parametrize(
    ("number", "name", "extra"),
    [
        (signal.SIGTERM, "SIGTERM", ""),
        pytest.param(signal.SIGHUP, "SIGHUP", "--batch 64", marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, "SIGTERM", "--workers 2", marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, "Ctrl-C", "--workers 2", marks=pytest.mark.slow),
    ],
)
def test_signal_leaves_a_partial_report(number: signal.Signals, name: str, extra: str) -> None:
    """Sent to the whole group, as a terminal and a job scheduler do."""
    with begun(f"{SIMULATE} --duration 100 --metrics-out report.json {extra}") as process:
        time.sleep(15 if extra else 6)  # until games are played
        os.killpg(process.pid, number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert err == ""
    report = read("report.json")
    assert (report["partial"], report["partial_because"]) == (True, [f"stopped by {name}"])
    assert report["episodes"] > 0
    assert f"({name})" in out or f"stopped by {name}" in out


@pytest.mark.slow
def test_suspended_worker_does_not_hold_up_ctrl_c() -> None:
    with begun(f"{SIMULATE} --duration 100 --workers 2 --metrics-out report.json") as process:
        time.sleep(15)
        workers_of(process)[-1].suspend()
        process.send_signal(signal.SIGINT)
        pressed = time.monotonic()
        process.communicate(timeout=60)
        assert time.monotonic() - pressed < 20
    assert process.returncode == 130
    first, second = read("report.json")["partial_because"]
    assert first == "stopped by Ctrl-C"
    assert second.startswith("worker 2 did not finish its game in time")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signal_at_the_prompt_saves_the_game(number: signal.Signals) -> None:
    with begun(PLAY) as process:
        assert process.stdin is not None
        process.stdin.write("1\nwait\nboard\n")
        process.stdin.flush()
        time.sleep(5)  # until it asks again
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert "saved; go on with: w40k-marl play --resume " in out
    assert "Traceback" not in err
    assert len(read("game.json")["actions"]) == 2


# --- for programs --------------------------------------------------------------------------------------------


def test_json_of_a_simulation_is_all_that_stdout_holds(capsys: Capture) -> None:
    given = [*SIMULATE.split()[1:], "--episodes", "2", "--json", "--metrics-out", "report.json"]
    assert simulate_cli.main(given) == 0
    assert json.loads(capsys.readouterr().out) == read("report.json")


def test_json_of_a_comparison_is_all_that_stdout_holds(capsys: Capture) -> None:
    assert simulate_cli.main([*SIMULATE.split()[1:], "--episodes", "2", "--metrics-out", "a.json"]) == 0
    faster = read("a.json")
    faster["total_steps"] *= 2
    Path("b.json").write_text(json.dumps(faster), encoding="utf-8")
    capsys.readouterr()
    assert cli.main(["simulate", "diff", "a.json", "b.json", "--json", "--fail-if", "total_steps>1.5"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["figures"]["total_steps"]["ratio"] == told["failed"]["total_steps>1.5"] == 2
    assert told["remarks"] == []


def test_report_that_somebody_else_writes_meanwhile_is_kept(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    from w40k_marl.apps.simulate import run

    played = run.run

    def meanwhile(*given: Any) -> Any:
        Path("report.json").write_text("somebody else's", encoding="utf-8")
        return played(*given)

    monkeypatch.setattr(run, "run", meanwhile)
    assert simulate_cli.main([*SIMULATE.split()[1:], "--episodes", "2", "--metrics-out", "report.json"]) == 1
    said = capsys.readouterr()
    assert Path("report.json").read_text(encoding="utf-8") == "somebody else's"
    assert json.loads(said.out[said.out.index("\n{\n") :])["episodes"] == 2
