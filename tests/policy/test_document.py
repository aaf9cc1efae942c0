"""Every test that the page of the meta-controller names exists."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
PAGE = TESTS.parent / "docs" / "meta_controller.md"


def test_every_test_that_the_page_names_exists() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("## What was asked for")[2]
    names = set(re.findall(r"`(test_\w+)`", table))
    files = set(re.findall(r"`((?:tests/)?(?:\w+/)*test_\w+\.py)`", table))
    assert len(names) > 20
    assert len(files) > 10
    written = {
        name for file in TESTS.rglob("test_*.py") for name in re.findall(r"def (test_\w+)", file.read_text("utf-8"))
    }
    assert names - written == set()
    places = {file: TESTS.parent / file if "/" in file else TESTS / "policy" / file for file in files}
    assert [file for file, path in places.items() if not path.is_file()] == []
