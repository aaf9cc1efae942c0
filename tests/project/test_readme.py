"""What README and docs show is true: their Python runs, their commands and their links exist."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [text for name, text in fenced if name == language]


def with_python() -> list[Path]:
    return [page for page in PAGES if blocks(page, "python")]


def test_readme_shows_a_game() -> None:
    assert README in with_python()


@pytest.mark.parametrize("page", with_python(), ids=lambda page: page.name)
def test_python_blocks_run(page: Path, tmp_path: Path) -> None:
    """All blocks of a page in one program, from a folder that is not the checkout."""
    program = "\n".join(blocks(page, "python"))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    if page == README:
        assert done.stdout.strip(), "the game of the README prints its end"


def test_readme_has_two_commands_and_both_exist() -> None:
    shown = re.findall(r"^python3 tools/dev\.py (\w+)", "\n".join(blocks(README, "")), re.MULTILINE)
    assert shown == ["simulate", "test"]
    usage = subprocess.run(
        [sys.executable, ROOT / "tools" / "dev.py", "--help"], capture_output=True, text=True, check=True
    ).stdout
    known = re.search(r"{([\w,]+)}", usage)
    assert known is not None
    assert set(shown) <= set(known[1].split(","))


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
