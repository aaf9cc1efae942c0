"""Without numba's private parts the rules run all the same: plain numba, and one line that says why."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any, TypeAlias

import numba
import pytest

from w40k_marl.compiler import numba_private

Toy: TypeAlias = Any  # of conftest.py

MISSING_PART = """
import numba.core.runtime as runtime
class Older:
    def __getattr__(self, name):
        if name == "create_nrt_module":
            raise AttributeError(name)
        return getattr(nrtdynmod, name)
nrtdynmod, runtime.nrtdynmod = runtime.nrtdynmod, Older()
"""
NEWER = """
import numba
numba.__version__ = "0.999.0"
"""


def test_every_private_part_is_there_in_the_version_that_is_installed() -> None:
    assert [use.name for use in numba_private.USES if numba_private._missing(use)] == []


@pytest.mark.parametrize(
    ("before", "environment", "why"),
    [
        ("", {"W40K_MARL_PLAIN_NUMBA": "1"}, "W40K_MARL_PLAIN_NUMBA is set"),
        (NEWER, {}, "numba 0.999.0 is newer than "),
        (MISSING_PART, {}, "lacks numba.core.runtime:nrtdynmod.create_nrt_module"),
    ],
    ids=["asked for", "newer numba", "missing part"],
)
def test_plain_numba_compiles_once_and_says_why(toy: Toy, before: str, environment: dict[str, str], why: str) -> None:
    first, second = (toy.run(before=before, **environment) for _ in range(2))
    assert (first.value, first.compilations) == (8, 1)
    assert (second.value, second.compilations) == (8, 0)
    assert second.stderr.count("\n") == 1
    assert why in second.stderr


@pytest.mark.parametrize(("value", "plain"), [("1", True), ("yes", True), ("0", False), ("", False)])
def test_switch(value: str, plain: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(numba_private.SWITCH, value)
    assert bool(numba_private.plain_reason()) is plain


def test_version_that_was_tested_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(numba_private.SWITCH, raising=False)
    major, minor = numba_private.NEWEST_TESTED
    for version, plain in ((f"{major}.{minor}.9", False), (f"{major}.{minor + 1}.0rc1", True), ("1.0", True)):
        monkeypatch.setattr(numba, "__version__", version)
        assert bool(numba_private.plain_reason()) is plain


@pytest.mark.parametrize(
    "use",
    [
        numba_private.Use("numba.core.nowhere:thing", None, "", ""),
        numba_private.Use("numba.core.codegen:CPUCodeLibrary.nothing", None, "", ""),
        numba_private.Use("numba.core.codegen:CPUCodeLibrary._optimize_final_module", "self other", "", ""),
    ],
)
def test_missing_and_changed_parts_are_noticed(use: numba_private.Use, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(numba_private.SWITCH, raising=False)
    monkeypatch.setattr(numba_private, "USES", (*numba_private.USES, use))
    assert use.name in numba_private.plain_reason()


def test_one_file_uses_private_parts(root: Path) -> None:
    """Nothing else imports ``numba.core``, nor a module of numba that is not documented."""
    public = {"numba", "numba.extending", "llvmlite", "llvmlite.ir"}
    for path in sorted((root / "w40k_marl").rglob("*.py")):
        if path.name == "numba_private.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) and not node.level else []
            for name in names:
                assert name.partition(".")[0] not in {"numba", "llvmlite"} or name in public, f"{path}: {name}"
