"""Ships `scenarios/` and `agents/` inside the package.

Both folders stand at the repository root, where one looks for them and edits them. A wheel needs them under
`w40k_marl/_data`, so the build copies them there: into the build folder only, never into the checkout. An
editable install copies nothing and reads the originals. All else is in setup.cfg.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
FOLDERS = ("scenarios", "agents")


class BuildWithData(build_py):
    """`build_py`, and then the data folders."""

    def run(self) -> None:
        """Build as usual; then copy the data, unless the install is editable."""
        super().run()
        if self.editable_mode:
            return
        data = Path(self.build_lib) / "w40k_marl" / "_data"
        shutil.rmtree(data, ignore_errors=True)  # an earlier build may have left a file that is gone since
        for folder in FOLDERS:
            shutil.copytree(ROOT / folder, data / folder, ignore=shutil.ignore_patterns("__pycache__", ".*"))


setup(cmdclass={"build_py": BuildWithData})
