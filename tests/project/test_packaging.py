"""What is built from a checkout: wheel, sdist, editable install. Each is used from a folder elsewhere.

The builds need no network: they use the setuptools that is installed, and the environments made here see the
installed dependencies through a `.pth` file, which comes after their own packages.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import w40k_marl

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
DEPENDENCIES = Path(np.__file__).parents[1]
NOT_COPIED = (".*", "build", "dist", "*.egg-info", "__pycache__")
PROBE = """
import json, w40k_marl
from w40k_marl import w40k_v0
from w40k_marl.content.paths import data_folder, list_data
for name in list_data("scenarios"):
    w40k_v0.raw_env(scenario=name).reset(seed=1)
kinds = ("scenarios", "agents")
print(json.dumps([w40k_marl.__file__, *([str(data_folder(kind)), list_data(kind)] for kind in kinds)]))
"""


def run(*command: str | Path, cwd: Path) -> str:
    """Run a program that must succeed, away from this checkout's import path; give its output."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def copy_of_checkout(target: Path) -> Path:
    shutil.copytree(ROOT, target, ignore=shutil.ignore_patterns(*NOT_COPIED))
    return target


def build(checkout: Path, target: Path, *options: str) -> None:
    run(
        sys.executable,
        "-m",
        "build",
        "--no-isolation",
        "--outdir",
        target,
        *options,
        checkout,
        cwd=target.parent,
    )


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def data_files(folder: Path) -> set[str]:
    """What must be shipped of scenarios/ and agents/, as paths relative to their parent."""
    kinds = (folder / kind for kind in ("scenarios", "agents"))
    return {path.relative_to(folder).as_posix() for kind in kinds for path in kind.rglob("*") if path.is_file()}


@dataclass(frozen=True)
class Built:
    checkout: Path
    sdist: Path
    wheel: Path  # made from the sdist


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("built")
    checkout = copy_of_checkout(folder / "checkout")
    build(checkout, folder / "dist")
    (sdist,) = (folder / "dist").glob("*.tar.gz")
    (wheel,) = (folder / "dist").glob("*.whl")
    return Built(checkout, sdist, wheel)


@dataclass(frozen=True)
class Environment:
    """A virtual environment without pip, which sees the installed dependencies."""

    folder: Path

    @property
    def programs(self) -> Path:
        return self.folder / ("Scripts" if os.name == "nt" else "bin")

    @property
    def python(self) -> Path:
        return self.programs / "python"

    def install(self, *what: str | Path) -> None:
        pip = (sys.executable, "-m", "pip", "--python", self.python, "--quiet", "--no-input", "install")
        # The package may be among the dependencies seen, as an editable install: pip must not count that.
        options = ("--ignore-installed", "--no-index", "--no-deps", "--no-build-isolation")
        run(*pip, *options, *what, cwd=self.folder)

    def probe(self) -> tuple[Path, tuple[Path, list[str]], tuple[Path, list[str]]]:
        """Reset every scenario; then tell where the package, the scenarios and the agents are."""
        package, *kinds = json.loads(run(self.python, "-c", PROBE, cwd=self.folder))
        scenarios, agents = ((Path(place), names) for place, names in kinds)
        return Path(package), scenarios, agents


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    folder = (tmp_path / "environment").resolve()
    venv.create(folder)
    (own,) = {path.parent for path in folder.rglob("site-packages")} or {folder}
    (own / "site-packages" / "dependencies.pth").write_text(str(DEPENDENCIES), encoding="utf-8")
    return Environment(folder)


def names(kind: str) -> list[str]:
    folder = ROOT / kind
    if kind == "scenarios":
        return sorted(path.stem for path in folder.glob("*.json"))
    return sorted(path.name for path in folder.iterdir() if path.is_dir() and path.name[0] not in "._")


def test_wheel_has_one_package_and_all_of_it(built: Built) -> None:
    files = set(contents(built.wheel))
    information = f"w40k_marl-{w40k_marl.__version__}.dist-info"
    assert {name.partition("/")[0] for name in files} == {"w40k_marl", information}
    source = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "w40k_marl").rglob("*")
        if path.suffix in {".py", ".json", ".html"} or path.name == "py.typed"
    }
    data = {f"w40k_marl/_data/{name}" for name in data_files(ROOT)}
    assert {name for name in files if name.startswith("w40k_marl/")} == source | data
    assert f"{information}/licenses/LICENSE" in files


def test_sdist_has_what_a_checkout_has(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        files = {name.partition("/")[2] for name in archive.getnames()}
    assert data_files(ROOT) <= files
    assert {
        "setup.cfg",
        "setup.py",
        "pyproject.toml",
        "tox.ini",
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
    } <= files
    assert {"tools/dev.py", "tests/project/test_packaging.py", "docs/quickstart.md"} <= files


def test_wheel_from_checkout_is_the_wheel_from_sdist(built: Built, tmp_path: Path) -> None:
    build(built.checkout, tmp_path / "direct", "--wheel")
    (direct,) = (tmp_path / "direct").glob("*.whl")
    assert contents(direct) == contents(built.wheel)


def test_second_build_ships_no_scenario_that_is_gone(tmp_path: Path) -> None:
    checkout = copy_of_checkout(tmp_path / "checkout")
    extra = checkout / "scenarios" / "gone.json"
    extra.write_text("{}", encoding="utf-8")
    build(checkout, tmp_path / "first", "--wheel")
    extra.unlink()
    build(checkout, tmp_path / "second", "--wheel")
    first, second = (contents(next((tmp_path / name).glob("*.whl"))) for name in ("first", "second"))
    assert set(first) - set(second) == {"w40k_marl/_data/scenarios/gone.json"}


def test_building_leaves_no_data_in_the_checkout(built: Built) -> None:
    assert not (built.checkout / "w40k_marl" / "_data").exists()


def test_installed_wheel_plays_every_scenario(built: Built, environment: Environment) -> None:
    environment.install(built.wheel)
    package, scenarios, agents = environment.probe()
    assert environment.folder in package.parents
    assert scenarios == (package.parent / "_data" / "scenarios", names("scenarios"))
    assert agents == (package.parent / "_data" / "agents", names("agents"))
    assert (package.parent / "py.typed").is_file()


def test_installed_command_tells_its_version(built: Built, environment: Environment) -> None:
    environment.install(built.wheel)
    answer = run(environment.programs / "w40k-marl", "--version", cwd=environment.folder)
    assert w40k_marl.__version__ in answer


def test_editable_install_reads_the_checkout(environment: Environment, tmp_path: Path) -> None:
    checkout = copy_of_checkout(tmp_path / "checkout").resolve()
    environment.install("--editable", checkout)
    package, scenarios, agents = environment.probe()
    assert package.parent == checkout / "w40k_marl"
    assert scenarios == (checkout / "scenarios", names("scenarios"))
    assert agents == (checkout / "agents", names("agents"))
    assert not (checkout / "w40k_marl" / "_data").exists()
