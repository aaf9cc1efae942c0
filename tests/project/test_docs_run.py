"""What README and docs show is true: their Python runs, their commands and their links exist."""

from __future__ import annotations

import ast
import builtins
import configparser
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


ALONE = [
    pytest.param(page, text, id=f"{page.name}-{number}")
    for page in PAGES
    for number, text in enumerate(blocks(page, "python"))
]
"""Blocks that need no extra; those that do are marked ``py``, and run by ``tests/clients`` and ``tests/train``."""

EXTRAS = {"torch", "stable_baselines3", "sb3_contrib", "supersuit", "torchrl", "tianshou", "ray"}


def run(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A program in a folder that is not the checkout."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("page", "program"), ALONE)
def test_python_block_runs_alone(page: Path, program: str, tmp_path: Path) -> None:
    """Nothing is left over from the block before, and no path of the checkout is needed."""
    done = run(program, tmp_path)
    assert done.returncode == 0, done.stderr
    if page == README:
        assert done.stdout.strip(), "the game of the README prints its end"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_block_imports_what_it_names(page: Path) -> None:
    """Blocks that need an extra too, without running them: each name is made in the block itself."""
    for program in [*blocks(page, "python"), *blocks(page, "py")]:
        assert undefined(program) == set(), program


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_language_of_a_block_says_whether_it_needs_an_extra(page: Path) -> None:
    for language in ("python", "py"):
        for program in blocks(page, language):
            assert bool(imported(program) & EXTRAS) is (language == "py"), program


def imported(program: str) -> set[str]:
    """The packages that a program imports."""
    nodes = list(ast.walk(ast.parse(program)))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}


def undefined(program: str) -> set[str]:
    """The names that a program reads and makes nowhere."""
    made: set[str] = set(dir(builtins))
    read: set[str] = set()
    for node in ast.walk(ast.parse(program)):
        if isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else made).add(node.id)
        elif isinstance(node, ast.arg):
            made.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            made.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            made |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    return read - made


# --- what is said about installing -------------------------------------------------------------------------------

ON_AN_INDEX = {"torchrl", "tianshou"}
"""What `pip install` may name: other people's packages. This one is on no index."""

SOURCES = [
    *PAGES,
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "w40k_marl").rglob("*.py")),
    *(ROOT / "tools").rglob("*.py"),
]


def known_extras() -> set[str]:
    project = configparser.ConfigParser()
    project.read(ROOT / "setup.cfg", encoding="utf-8")
    return set(project["options.extras_require"])


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_what_pip_is_told_to_install_is_there(file: Path) -> None:
    """`pip install w40k_marl` finds nothing: it is `-e .`, with extras that setup.cfg has."""
    for said in re.findall(r"pip install ([^`\n]+)", file.read_text(encoding="utf-8")):
        target = said.partition("#")[0].strip()
        if target in ("-e .", *ON_AN_INDEX):
            continue
        extras = re.fullmatch(r'-e "\.\[(.+)\]"', target)
        assert extras, f"{file}: pip install {said}"
        assert extras[1] == "{extra}" or set(extras[1].split(",")) <= known_extras()


def test_pages_name_no_source_that_a_reader_does_not_have() -> None:
    """A document or a specification is named with a link to the page that says what it is."""
    for page in PAGES:
        if page.name == "sources.md":
            continue
        for paragraph in page.read_text(encoding="utf-8").split("\n\n"):
            if re.search(r"\b(document from|specification \d|the document\b|spec \d\d)", paragraph, re.IGNORECASE):
                assert "sources.md" in paragraph, paragraph


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
