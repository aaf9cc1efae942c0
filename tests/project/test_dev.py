"""tools/dev.py: what it makes, when it makes it again, and what it says when it cannot."""

from __future__ import annotations

import ast
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "tools" / "dev.py"
PROJECT_FILES = ("setup.cfg", "pyproject.toml", "setup.py")


@pytest.fixture
def dev() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dev", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in PROJECT_FILES:
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def calls(dev: ModuleType, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What `prepare` runs in a checkout of its own, where making a `.venv` makes an empty interpreter."""
    monkeypatch.setattr(dev, "ROOT", checkout)
    monkeypatch.setattr(dev, "ENVIRONMENT", checkout / ".venv")
    monkeypatch.setattr(dev, "STAMP", checkout / ".venv" / "stamp")
    monkeypatch.setattr(dev, "UNFINISHED", checkout / ".venv-unfinished")
    done: list[str] = []

    def record(what: str, command: list[str]) -> None:
        done.append(f"{what} {command[-1].removeprefix(str(checkout))}".strip())
        if what == "making .venv":
            interpreter = dev.python_of(checkout / ".venv")
            interpreter.parent.mkdir(parents=True, exist_ok=True)
            interpreter.touch()

    monkeypatch.setattr(dev, "quietly", record)
    return done


def test_first_run_makes_and_installs_second_does_nothing(dev: ModuleType, calls: list[str]) -> None:
    dev.prepare("")
    assert calls == ["making .venv /.venv", "pip"]
    dev.prepare("")
    assert len(calls) == 2


def test_extras_add_up(dev: ModuleType, calls: list[str]) -> None:
    dev.prepare("")
    dev.prepare("test")
    assert calls[2:] == ["pip [test]"]
    dev.prepare("")
    dev.prepare("test")
    assert calls[3:] == []


@pytest.mark.parametrize("name", PROJECT_FILES)
def test_changed_project_file_installs_again(dev: ModuleType, calls: list[str], checkout: Path, name: str) -> None:
    dev.prepare("test")
    with (checkout / name).open("a", encoding="utf-8") as file:
        file.write("\n# changed\n")
    dev.prepare("")
    assert calls[2:] == ["pip [test]"]


def test_broken_off_installation_is_made_again(
    dev: ModuleType, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record = dev.quietly

    def interrupted(what: str, command: list[str]) -> None:
        record(what, command)
        if what == "pip":
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(dev, "quietly", interrupted)
        assert dev.main(["test"]) == 130
    dev.prepare("test")
    assert calls == ["making .venv /.venv", "pip [test]"] * 2


def test_environment_of_the_user_is_installed_into_not_made_again(
    dev: ModuleType, calls: list[str], checkout: Path
) -> None:
    interpreter = dev.python_of(checkout / ".venv")
    interpreter.parent.mkdir(parents=True)
    interpreter.touch()
    dev.prepare("test")
    assert calls == ["pip [test]"]


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch], ids=["empty folder", "redirect file"])
def test_environment_without_python_is_refused(
    dev: ModuleType,
    calls: list[str],
    checkout: Path,
    capsys: pytest.CaptureFixture[str],
    make: Callable[[Path], None],
) -> None:
    make(checkout / ".venv")
    assert dev.main(["test"]) == 2
    assert calls == []
    assert capsys.readouterr().err == (
        f"dev.py: there is no Python in {checkout / '.venv'}: delete that and run this again\n"
    )


def test_fingerprint_knows_place_and_python(
    dev: ModuleType, checkout: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("moved")
    for name in PROJECT_FILES:
        shutil.copy(checkout / name, other / name)
    prints = {
        dev.fingerprint(checkout, "3.11"),
        dev.fingerprint(checkout, "3.12"),
        dev.fingerprint(other, "3.11"),
    }
    assert len(prints) == 3
    assert dev.fingerprint(checkout, "3.11") in prints


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 14)])
def test_python_that_the_package_takes(dev: ModuleType, version: tuple[int, int]) -> None:
    dev.check_python(version, ROOT / "setup.cfg")


@pytest.mark.parametrize("version", [(3, 8), (3, 10), (3, 15), (4, 0)])
def test_python_that_the_package_refuses(dev: ModuleType, version: tuple[int, int]) -> None:
    found = ".".join(map(str, version))
    with pytest.raises(dev.SetupError, match=rf"needs Python 3\.11 to 3\.14; this is {found}: "):
        dev.check_python(version, ROOT / "setup.cfg")


def test_old_python_reads_the_file_far_enough_to_refuse() -> None:
    ast.parse(SOURCE.read_text(encoding="utf-8"), feature_version=(3, 8))


def test_failed_command_shows_its_output(dev: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(dev.SetupError, match=r"pip failed \(exit status 3\); its output is above"):
        dev.quietly("pip", [sys.executable, "-c", "print('no such package'); raise SystemExit(3)"])
    assert capsys.readouterr().err == "no such package\n"


def test_command_that_works_is_quiet(dev: ModuleType, capfd: pytest.CaptureFixture[str]) -> None:
    dev.quietly("pip", [sys.executable, "-c", "print('much to say')"])
    assert capfd.readouterr() == ("", "")


def test_simulation_has_defaults(dev: ModuleType) -> None:
    script, *options = dev.command_line("simulate", [])
    assert Path(script) == ROOT / "tools" / "load_sim.py"
    assert " ".join(options) == (
        "--scenario-file macro_default --controlled-agent MacroController --training-config default "
        "--rewards-config MacroController --episodes 10 --macro-player 1 --macro-every-steps 5"
    )


@pytest.mark.parametrize("given", [["--episodes", "50"], ["--episodes=50"]])
def test_given_option_replaces_the_default(dev: ModuleType, given: list[str]) -> None:
    command = dev.command_line("simulate", given)
    assert command[-len(given) :] == given
    assert "10" not in command
    assert "--macro-player" in command


def test_other_commands_hand_arguments_on(dev: ModuleType) -> None:
    assert dev.command_line("test", ["-k", "charge"]) == ["-m", "pytest", *dev.SPREAD, "-k", "charge"]
    assert dev.command_line("lint", []) == ["-m", "ruff", "check", "."]
    assert dev.command_line("type", []) == ["-m", "mypy"]


def test_exit_status_is_passed_through(dev: ModuleType, tmp_path: Path) -> None:
    assert dev.run([sys.executable, "-c", "raise SystemExit(5)"], tmp_path) == 5
    assert dev.run([sys.executable, "-c", ""], tmp_path) == 0


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_status_of_a_killed_command(dev: ModuleType, tmp_path: Path) -> None:
    assert dev.run([sys.executable, "-c", "import os; os.kill(os.getpid(), 15)"], tmp_path) == 143


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_lets_the_command_end_in_its_own_way() -> None:
    command = (
        "import time\n"
        "try: print('ready', flush=True); time.sleep(60)\n"
        "except KeyboardInterrupt: time.sleep(0.5); raise SystemExit(7)"
    )
    program = (
        f"import sys; sys.path.insert(0, {str(SOURCE.parent)!r}); import dev; from pathlib import Path\n"
        f"sys.exit(dev.run([sys.executable, '-c', {command!r}], Path.cwd()))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=30) == 7


def test_help_shows_examples() -> None:
    done = subprocess.run([sys.executable, SOURCE, "--help"], capture_output=True, text=True, check=True)
    assert "python3 tools/dev.py simulate" in done.stdout
    assert "python3 tools/dev.py test" in done.stdout


def test_unknown_command_lists_the_known_ones() -> None:
    done = subprocess.run([sys.executable, SOURCE, "simulat"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "simulate" in done.stderr.splitlines()[-1]
