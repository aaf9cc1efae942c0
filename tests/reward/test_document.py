"""docs/rewards.md is up to date."""

from __future__ import annotations

from pathlib import Path

import pytest

from w40k_marl.content.reward_terms import REWARD_TERMS
from w40k_marl.reward import document

PAGE = Path(__file__).resolve().parents[2] / "docs" / "rewards.md"


def test_page_holds_the_table_of_these_terms() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert document.fill(text) == text, f"python -m w40k_marl.reward.document --write {PAGE.name}"


def test_every_term_is_in_the_table() -> None:
    table = document.term_table()
    for name, meaning, unit in REWARD_TERMS:
        assert f"| `{name}` | {meaning} | {unit} |" in table


def test_module_prints_and_writes_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert document.main([]) == 0
    assert document.term_table() in capsys.readouterr().out
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- tables of terms -->\nstale\n<!-- end of tables -->\nafter\n", encoding="utf-8")
    assert document.main(["--write", str(page)]) == 0
    assert page.read_text(encoding="utf-8").count(document.term_table()) == 1
    assert "stale" not in page.read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="page: expected <!-- tables of terms -->"):
        document.fill("nothing")
