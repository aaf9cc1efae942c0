"""Whatever a command line is given, it ends in one line and a status: no traceback, nothing raw on the terminal."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from w40k_marl.apps import cli
from w40k_marl.apps.console import OUTPUT, guarded, note, say
from w40k_marl.errors import ContentError, W40KError

Capture = pytest.CaptureFixture[str]
ROOT = Path(__file__).resolve().parents[3]
MODULES = {
    "unparsable.py": "def act(:\n",
    "leaving.py": "raise SystemExit(3)\n",
    "failing.py": "1 / 0\n",
    "raising.py": "def act(observations, masks):\n    return 1 / 0\n",
}
STARTS_WORKERS = """
from w40k_marl.apps.simulate.options import Options
from w40k_marl.apps.simulate.plan import make_plan
from w40k_marl.apps.simulate.run import run
run(make_plan(Options(scenario_file=("small_board",), episodes=4, workers=2)))
"""


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])))
    for name, text in MODULES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    if os.name != "nt":
        (tmp_path / "loop").symlink_to("loop")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("simulate --batch 99999999999", "--batch: expected at most 16777216, got 99999999999"),
        ("simulate --workers 99999999999", "--workers: expected at most 4096"),
        ("simulate --sweep-workers 1,99999999999", "--sweep-workers: expected at most 4096"),
        ("simulate --policy unparsable:act", "unparsable cannot be imported: SyntaxError: "),
        ("simulate --policy leaving:act", "leaving cannot be imported: SystemExit: 3"),
        ("simulate --policy failing:act", "failing cannot be imported: ZeroDivisionError: division by zero"),
        (
            "simulate --scenario-file small_board --policy raising:act",
            "--policy: ZeroDivisionError: division",
        ),
        ("simulate --metrics-out -", "--metrics-out: expected a file to write, got -, which stands for stdout"),
        ("simulate --report -", "--report: expected a file to write, got -"),
        ("play --save -", "expected a file to write, got -"),
        ("simulate --metrics-out loop", "--metrics-out: loop cannot be written: "),
        ("simulate --scenario-file loop/x.json", "--scenario-file: loop/x.json: "),
        ("play --resume loop", "loop: (top level): expected a file that can be read"),
        ("play --meta loop", "loop: (top level): expected a file that can be read"),
        (f"simulate --scenario-file {'x' * 5000}.json", "File name too long"),
        (f"simulate --metrics-out {'x' * 5000}", "File name too long"),
        ("simulate --scenario-file \x1b[31m.json", r"\x1b[31m.json"),
        ("simulate --policy \x1b[31m", r"\x1b[31m"),
        ("simulate diff \x1b[31m \x9b31m", r"\x1b[31m"),
    ],
    ids=lambda text: text[:40],
)
def test_bad_input_is_one_printable_line_and_status_2(arguments: str, said: str, capsys: Capture) -> None:
    assert cli.main(arguments.split(" ")) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.startswith(f"w40k-marl {arguments.split()[0]}: ")
    assert error.count("\n") == 1
    assert error[:-1].isprintable()


@pytest.mark.skipif(os.name == "nt", reason="a current folder cannot be deleted")
def test_deleted_current_folder_is_no_traceback(tmp_path: Path) -> None:
    line = f'mkdir gone && cd gone && rmdir ../gone && "{sys.executable}" -m w40k_marl.apps.cli '
    listing = subprocess.run(["bash", "-c", line + "list"], capture_output=True, text=True, check=False)
    assert (listing.returncode, listing.stderr) == (0, "")
    refused = subprocess.run(
        ["bash", "-c", line + "simulate --metrics-out x.json"], capture_output=True, text=True, check=False
    )
    assert refused.returncode == 2
    assert refused.stderr == ("w40k-marl simulate: the current folder: No such file or directory\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("guarded", "said"),
    [(False, 'under `if __name__ == "__main__":`'), (True, "expected a program in a file, .* got <stdin>")],
)
def test_script_whose_workers_cannot_start_hears_why(tmp_path: Path, guarded: bool, said: str) -> None:
    """A script without a main guard, and one from stdin."""
    (tmp_path / "script.py").write_text(STARTS_WORKERS, encoding="utf-8")
    given = {"input": STARTS_WORKERS} if guarded else {}
    done = subprocess.run(
        [sys.executable, "-" if guarded else "script.py"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        **given,  # type: ignore[arg-type]
    )
    last = done.stderr.splitlines()[-1]
    assert last.startswith("w40k_marl.apps.simulate.workers.pool.WorkerError: --workers: ")
    assert done.stderr.count("Traceback") == 1, "of the script itself; none of its workers"
    assert re.search(said, last)


ODD = "a\x1b[31mb\x07\x9b\u202e\u2066\x00"


def test_messages_never_hold_what_acts_on_a_terminal(capsys: Capture) -> None:
    for error in (ContentError(ODD, ODD, ODD, ODD, ODD), W40KError(ODD)):
        assert str(error).isprintable()
        assert r"a\x1b[31mb\x07\x9b\u202e" in str(error)
    say(ODD)
    note(ODD)
    out, err = capsys.readouterr()
    assert out[:-1].isprintable()
    assert err[:-1].isprintable()
    assert out.startswith(r"a\x1b[31mb")


def test_error_of_any_kind_becomes_one_line(capsys: Capture) -> None:
    def failing(error: Exception) -> int:
        raise error

    for error, status, said in (
        (MemoryError("Unable to allocate 2 EiB"), 2, "not enough memory: Unable to allocate 2 EiB"),
        (PermissionError(13, "Permission denied", "folder"), 2, "folder: Permission denied"),
        (RuntimeError("broken\nin two"), 70, "an error inside the program, RuntimeError: broken in two"),
    ):
        assert guarded("program", lambda error=error: failing(error)) == status  # type: ignore[misc]
        err = capsys.readouterr().err
        assert err.startswith(f"program: {said}")
        assert err.count("\n") == 1


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_signal_that_falls_into_a_finalizer_still_stops_the_command(capsys: Capture) -> None:
    class Finalized:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGTERM)
            time.sleep(0)

    def work() -> int:
        Finalized()
        time.sleep(20)
        return 0

    assert guarded("program", work) == 143
    assert capsys.readouterr().err == "program: stopped by SIGTERM\n"


def test_output_writes_in_ascii_what_its_encoding_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="cp1252", errors="strict"))
    OUTPUT.write("─│ é 七\n")
    assert raw.getvalue() == b"-| \xe9 \\u4e03\n"
