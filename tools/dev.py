"""Runs this checkout: `simulate` the load simulation, `test` the tests; `lint` and `type` check the code.

Needs only Python. The first run makes `.venv` beside this folder and installs the package there; later
runs install again only when the project files changed. Further arguments are passed on to the command.
"""

from __future__ import annotations

import argparse
import configparser
import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
STAMP = ENVIRONMENT / "tools-dev-stamp"  # record of the installation
UNFINISHED = ROOT / ".venv-unfinished"  # exists while `.venv` is being made; if it remains, `.venv` is made again

COMMANDS = {"simulate": "", "test": "test", "lint": "test", "type": "test"}  # and the extra that each needs
SIMULATION = {
    "--scenario-file": "macro_default",
    "--controlled-agent": "MacroController",
    "--training-config": "default",
    "--rewards-config": "MacroController",
    "--episodes": "10",
    "--macro-player": "1",
    "--macro-every-steps": "5",
}
SPREAD = ("-n", "auto", "--maxprocesses", "4", "--dist", "loadfile")  # tests over the cores; files stay whole
EXAMPLES = """examples:
  python3 tools/dev.py simulate                         ten games of the default scenario, and what they cost
  python3 tools/dev.py simulate --episodes 50 --seed 7  the same with other options
  python3 tools/dev.py test                             all tests but the slow ones
  python3 tools/dev.py test -k charge -x                what follows goes to pytest
"""


class SetupError(Exception):
    """An error that one sentence explains to the user."""


def check_python(version: tuple[int, int], setup_cfg: Path) -> None:
    """Raise SetupError if the package does not support this Python, before any file is created."""
    project = configparser.ConfigParser()
    project.read(setup_cfg, encoding="utf-8")
    low, high = map(int, re.findall(r"3\.(\d+)", project["options"]["python_requires"]))
    if not (3, low) <= version < (3, high):
        found = ".".join(map(str, version))
        raise SetupError(f"w40k_marl needs Python 3.{low} to 3.{high - 1}; this is {found}: {sys.executable}")


@contextmanager
def packages_needed() -> Iterator[None]:
    """Exit a tool of this folder with one sentence if Python is too old or an imported package is
    missing.
    """
    tool = Path(sys.argv[0]).name
    try:
        check_python(sys.version_info[:2], ROOT / "setup.cfg")
        yield
    except SetupError as problem:
        sys.exit(_refused(tool, str(problem)))
    except ModuleNotFoundError as missing:
        if str(missing.name).startswith("w40k_marl."):
            raise
        ready = python_of(ENVIRONMENT)
        if installed() and Path(sys.executable) != ready:
            remedy = f"run the tool with {ready}"
        else:
            remedy = f"run `python -m pip install -e .` in {ROOT}, in a virtual environment"
        sys.exit(_refused(tool, f"{missing.name} is not installed for {sys.executable}: {remedy}"))
    except KeyboardInterrupt:
        sys.exit(130)


def _refused(tool: str, sentence: str) -> int:
    print(f"{tool}: {sentence}", file=sys.stderr)
    return 2


def fingerprint(root: Path, version: str) -> str:
    """Return a hash of everything that an installation depends on: project files, folder, Python."""
    digest = hashlib.sha256(f"{root}\n{version}\n".encode())
    for name in ("setup.cfg", "pyproject.toml", "setup.py"):
        digest.update((root / name).read_bytes())
    return digest.hexdigest()


def python_of(environment: Path) -> Path:
    """Return the interpreter of a virtual environment."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def quietly(what: str, command: list[str]) -> None:
    """Run a command; show its output only if it fails."""
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    if done.returncode != 0:
        sys.stderr.write(done.stdout + done.stderr)
        raise SetupError(f"{what} failed (exit status {done.returncode}); its output is above")


def installed() -> list[str]:
    """Return the fingerprint and the extras of the last installation; empty if there is none."""
    whole = STAMP.exists() and python_of(ENVIRONMENT).exists() and not UNFINISHED.exists()
    return STAMP.read_text(encoding="utf-8").split() if whole else []


def prepare(extra: str) -> None:
    """Install what the command needs in `.venv`; do nothing if it is already installed."""
    before = installed()
    extras = sorted({*before[1:], extra} - {""})
    wanted = [fingerprint(ROOT, sys.version), *extras]
    if before == wanted:
        return
    again = UNFINISHED.exists() or not ENVIRONMENT.exists()
    if not again and not python_of(ENVIRONMENT).exists():
        raise SetupError(f"there is no Python in {ENVIRONMENT}: delete that and run this again")
    print("installing w40k_marl into .venv (the first time takes a minute)", file=sys.stderr, flush=True)
    if again:
        UNFINISHED.touch()
        quietly("making .venv", [sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)])
    STAMP.unlink(missing_ok=True)
    target = f"{ROOT}[{','.join(extras)}]" if extras else str(ROOT)
    pip = [str(python_of(ENVIRONMENT)), "-m", "pip", "--disable-pip-version-check", "--quiet"]
    quietly("pip", [*pip, "install", "--editable", target])
    STAMP.write_text(" ".join(wanted), encoding="utf-8")
    UNFINISHED.unlink(missing_ok=True)


def command_line(command: str, given: list[str]) -> list[str]:
    """Return the command to run inside `.venv`; given options replace the default simulation's."""
    if command == "simulate":
        named = {argument.partition("=")[0] for argument in given}
        if "--duration" in named:
            named.add("--episodes")  # the run ends by time, not by number of games
        defaults = [word for pair in SIMULATION.items() if pair[0] not in named for word in pair]
        return [str(ROOT / "tools" / "load_sim.py"), *defaults, *given]
    words = {"test": ["pytest", *SPREAD], "lint": ["ruff", "check", "."], "type": ["mypy"]}[command]
    return ["-m", *words, *given]


def run(command: list[str], folder: Path) -> int:
    """Run a command to its end and return its exit status; Ctrl-C is left to the command."""
    with subprocess.Popen(command, cwd=folder) as process:
        while True:
            try:
                status = process.wait()
                return status if status >= 0 else 128 - status
            except KeyboardInterrupt:
                continue


def main(arguments: list[str] | None = None) -> int:
    """Prepare `.venv` and run the command in it."""
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLES, formatter_class=layout)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="handed on to the command")
    options = parser.parse_args(arguments)
    try:
        check_python(sys.version_info[:2], ROOT / "setup.cfg")
        prepare(COMMANDS[options.command])
    except (SetupError, OSError) as problem:
        print(f"dev.py: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("dev.py: stopped before .venv was ready; the next run goes on", file=sys.stderr)
        return 130
    # A path given to the simulation is the user's; those of the other commands are the checkout's.
    folder = Path.cwd() if options.command == "simulate" else ROOT
    return run([str(python_of(ENVIRONMENT)), *command_line(options.command, options.arguments)], folder)


if __name__ == "__main__":
    sys.exit(main())
