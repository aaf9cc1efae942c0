"""A small module that uses the compiler, and programs that run it in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

CONSTANTS = "BONUS = 1\n"
PARTS = '''
from constants import BONUS
from w40k_marl.compiler.decorators import compiled

@compiled
def add(x):
    """Add the bonus."""
    return x + BONUS
'''
WHOLE = """
from parts import add
from w40k_marl.compiler.decorators import compilations, entry_point

@entry_point(what="the sum", seconds=1)
def double(x):
    return 2 * add(x)

if __name__ != "__main__":
    print(double(3), compilations())
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program printed: the sum, how much was compiled; and its stderr."""

    value: int
    compilations: int
    stderr: str

    @property
    def warnings(self) -> list[str]:
        return [line for line in self.stderr.splitlines() if "RuntimeWarning" in line]


class Toy:
    """Copies of the small module, and the environment that its programs run in."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder, self.root = folder, root
        self.cache = folder / "cache"
        self.write("first")

    def write(self, name: str) -> Path:
        place = self.folder / name
        place.mkdir()
        for file, text in (("constants", CONSTANTS), ("parts", PARTS), ("whole", WHOLE)):
            (place / f"{file}.py").write_text(text, encoding="utf-8")
        return place

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.folder / "first" / f"{file}.py"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    @property
    def files(self) -> list[Path]:
        """The kept code of the function."""
        return sorted(self.cache.rglob("double*"))

    def environment(self, name: str, changes: dict[str, str | None]) -> dict[str, str]:
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("NUMBA_", "W40K_"))}
        path = os.pathsep.join((str(self.folder / name), str(self.root)))
        made = {**inherited, "PYTHONPATH": path, "NUMBA_CACHE_DIR": str(self.cache), "PYTHONDONTWRITEBYTECODE": "1"}
        return {key: value for key, value in {**made, **changes}.items() if value is not None}

    def start(self, name: str = "first", before: str = "", **changes: str | None) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", f"{before}\nimport whole"], cwd=self.folder, env=self.environment(name, changes),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, name: str = "first", before: str = "", **changes: str | None) -> Ran:
        return self.result(self.start(name, before, **changes))

    def result(self, process: subprocess.Popen[str]) -> Ran:
        printed, said = process.communicate()
        assert process.returncode == 0, said
        assert "Traceback" not in said
        value, compilations = printed.split()
        return Ran(int(value), int(compilations), said)


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return Path(__file__).resolve().parents[2]


@pytest.fixture
def toy(tmp_path: Path, root: Path) -> Toy:
    return Toy(tmp_path, root)


@pytest.fixture
def filled(toy: Toy) -> Toy:
    """The module with its machine code kept."""
    ran = toy.run()
    assert (ran.value, ran.compilations, ran.warnings) == (8, 1, [])
    assert len(toy.files) == 1
    return toy
