"""Options are declared once, as fields of a dataclass: parser, help, bounds and record agree."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_type_hints

import pytest

from w40k_marl.apps import cli
from w40k_marl.apps.command import (
    Bounds,
    Command,
    OptionError,
    argument,
    check_options,
    lasting_file,
    option,
    parser_of,
    run_command,
)
from w40k_marl.apps.play.options import PlayOptions
from w40k_marl.apps.simulate.options import Options

Capture = pytest.CaptureFixture[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    """An option of each type."""

    file: tuple[str, ...] = argument("files", "FILE")
    flag: bool = option("a flag", False)
    turns: int | None = option("turns", metavar="N", bounds=Bounds(1, 9))
    hours: float = option("hours", 1.5, group="time")
    name: str | None = option("a name", short="-n")
    side: Literal[1, 2] = option("a side", 1)
    colour: Literal["red", "blue"] | None = option("a colour", group="time")
    word: tuple[str, ...] = option("words", ())
    counts: tuple[int, ...] = option("counts", (), bounds=Bounds(0, 5))
    loud: bool = option("loud", False, one_of="noise")
    silent: bool = option("silent", False, one_of="noise")

    def __post_init__(self) -> None:
        check_options(self)


def parsed(*words: str) -> Any:
    """What a command gets for a command line, or the exit status."""
    got: list[Everything] = []

    def run(options: Everything) -> int:
        got.append(options)
        return 0

    command = Command("everything", Everything, run, "Do it.", "examples:\n  %(prog)s a\n")
    try:
        status: object = run_command(parser_of(command, "everything", "python everything.py"), words, "everything")
    except SystemExit as stop:
        status = stop.code
    return got[0] if got else status


def test_options_that_are_not_given_have_the_defaults_of_the_dataclass() -> None:
    assert parsed("a") == Everything(file=("a",))


def test_every_type_is_read() -> None:
    words = "a b --flag --turns 9 --hours 2 -n me --side 2 --colour blue --word x --word y --counts 1,5 --silent"
    assert parsed(*words.split()) == Everything(
        file=("a", "b"), flag=True, turns=9, hours=2.0, name="me", side=2, colour="blue", word=("x", "y"),
        counts=(1, 5), silent=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "the following arguments are required: FILE"),
        ("a --turns 0", "--turns: expected at least 1, got 0"),
        ("a --turns 10", "--turns: expected at most 9, got 10"),
        ("a --turns ten", "argument --turns: expected a whole number, got 'ten'"),
        (f"a --turns {'9' * 60}", "--turns: expected at most 9, got a number of more than 30 digits"),
        (f"a --turns {'9' * 6000}", "argument --turns: expected a whole number, got '99"),
        ("a --hours long", "argument --hours: expected seconds, got 'long'"),
        ("a --counts 1,6", "--counts: expected at most 5, got 6"),
        ("a --counts 1,,2", "argument --counts: expected a whole number, got ''"),
        ("a --side 3", "argument --side: invalid choice: 3"),
        ("a --side left", "argument --side: expected a whole number, got 'left'"),
        ("a --colour green", "argument --colour: invalid choice: 'green'"),
        ("a --loud --silent", "argument --silent: not allowed with argument --loud"),
        ("a --fla", "unrecognized arguments: --fla"),
    ],
)
def test_bad_words_are_one_line_that_names_the_option(words: str, said: str, capsys: Capture) -> None:
    assert parsed(*words.split()) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"everything: {said}")
    assert error.count("\n") == 1
    assert len(error) < 200


def test_values_from_python_are_checked_too() -> None:
    with pytest.raises(OptionError, match=r"^--turns: expected at most 9, got 10$"):
        Everything(file=(), turns=10)
    with pytest.raises(OptionError, match=r"^--colour: expected red or blue, got 'green'$"):
        Everything(file=(), colour="green")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match=r"^--macro-player: expected 1 or 2, got 3$"):
        Options(macro_player=3)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match=r"^--duration: expected more than 0 seconds and at most a year, got nan$"):
        Options(duration=float("nan"))
    with pytest.raises(OptionError, match=r"^--seed: expected 0 to 9223372036854775807, got -1$"):
        PlayOptions(seed=-1)


@pytest.mark.parametrize("command", cli.COMMANDS, ids=lambda command: command.name)
def test_help_names_every_field_and_the_default_that_it_has(command: Command[Any], capsys: Capture) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main([*command.name.split(), "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: w40k-marl {command.name} ")
    assert re.search(rf"^  w40k-marl {command.name}", text[text.index("examples:") :], re.MULTILINE)
    hints = get_type_hints(command.options)
    for one in fields(command.options):
        if one.default is MISSING:
            continue
        spelled = "--" + one.name.replace("_", "-")
        assert re.search(rf"^  {spelled}\b", text, re.MULTILINE)
        if one.default not in (None, (), False):
            described = " ".join(re.split(r"\n  -", text[text.index(f"\n  {spelled}") + 1 :])[0].split())
            stated = (f"(default {one.default}", f"(default: {one.default}", f"{one.default} (default")
            assert any(form in described for form in stated), f"{spelled}, {hints[one.name]}: {described}"


def test_help_of_a_command_waits_neither_for_the_compiler_nor_for_the_terminal() -> None:
    code = (
        "import sys, contextlib\nfrom w40k_marl.apps import cli\n"
        "for words in ([], ['play'], ['simulate'], ['simulate', 'diff'], ['check'], ['warmup']):\n"
        "    with contextlib.suppress(SystemExit): cli.main([*words, '--help'])\n"
        "sys.exit(', '.join({'numba', 'rich', 'psutil', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stderr == "\n"


# --- pipes -------------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
def test_pipe_is_read_once_and_its_content_lasts() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"content")
    os.close(writing)
    copy = lasting_file(f"/dev/fd/{reading}")
    os.close(reading)
    assert [Path(copy).read_bytes() for _ in range(2)] == [b"content"] * 2
    assert lasting_file("small_board") == "small_board"
    assert lasting_file("a\0b") == "a\0b"


@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
@pytest.mark.parametrize(
    "words",
    ["play --scenario", "play --meta", "simulate --scenario-file", "simulate --game-rules", "warmup --scenario-file"],
)
def test_pipe_that_nobody_writes_to_is_refused_and_not_waited_for(words: str, tmp_path: Path, capsys: Capture) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    began = time.monotonic()
    assert cli.main([*words.split(), str(pipe)]) == 2
    assert time.monotonic() - began < 8
    error = capsys.readouterr().err
    assert error.startswith(f"w40k-marl {words.split()[0]}: {words.split()[1]}: {pipe}: ")
    assert "a pipe that nobody writes to" in error
    assert error.count("\n") == 1
