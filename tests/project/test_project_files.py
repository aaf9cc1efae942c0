"""Facts that stand in two project files are the same in both."""

from __future__ import annotations

import configparser
import os
from pathlib import Path

import pytest

import w40k_marl

ROOT = Path(__file__).resolve().parents[2]


def entry(file: str, section: str, key: str) -> list[str]:
    """The lines of one setting."""
    settings = configparser.ConfigParser(interpolation=None)
    settings.read(ROOT / file, encoding="utf-8")
    return settings[section][key].split()


def test_lowest_environment_has_the_floors() -> None:
    floors = entry("setup.cfg", "options", "install_requires")
    assert entry("tox.ini", "testenv:lowest", "deps") == [floor.replace(">=", "==") for floor in floors]


def test_version_is_told_everywhere() -> None:
    assert f"\nversion: {w40k_marl.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"## New in v{w40k_marl.__version__} (" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.skipif(os.name == "nt", reason="mode bits of POSIX")
def test_ci_can_be_run() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
