"""The generated tables of the documentation are up to date, and say what every index means."""

from __future__ import annotations

from pathlib import Path

import docs_tables
import pytest

from w40k_marl.observe.layout import Layout
from w40k_marl.reward.terms import REWARD_TERMS

PAGES = Path(__file__).resolve().parents[2] / "docs"


def test_pages_are_up_to_date() -> None:
    assert docs_tables.main(["--check"]) == 0, "run python tools/docs_tables.py"


def test_every_field_and_action_is_in_the_tables() -> None:
    text = "\n".join(docs_tables.tables(Layout()).values())
    for block in Layout().blocks:
        assert f"`{block.name}`" in text
        for field, meaning in block.fields:
            assert f"`{field}` | {meaning} |" in text
    for action in range(Layout().micro_start, Layout().action_count):
        assert f"| {action} | `{Layout().describe_action(action)}` |" in text


def test_index_of_the_tables_is_that_of_the_names() -> None:
    layout = Layout()
    names = layout.field_names()
    for line in docs_tables.observation_tables(layout).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and cells[0][:1].isdigit() and " to " not in cells[0]:
            first, _, step = cells[0].partition(" + ")
            assert names[int(first)].endswith("." + cells[1].strip("`"))
            if step:
                assert names[int(first) + int(step.split()[0])].endswith("[1]." + cells[1].strip("`"))


def test_page_of_the_macro_observation_says_what_its_blocks_mean() -> None:
    text = (PAGES / "macro_observation.md").read_text(encoding="utf-8")
    for block in Layout(macro=True, macro_extras=True).blocks[-5:]:
        table = text.partition(f"**`{block.name}`**")[2].partition("\n\n| place")[2].partition("\n\n")[0]
        rows = [f"| {place} | `{field}` | {meaning} |" for place, (field, meaning) in enumerate(block.fields)]
        assert table.splitlines()[2:] == rows, block.name


def test_every_reward_term_is_in_the_table() -> None:
    table = docs_tables.term_table()
    for name, meaning, unit in REWARD_TERMS:
        assert f"| `{name}` | {meaning} | {unit} |" in table


def test_stale_page_is_found_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for page in docs_tables.pages():
        text = page.read_text(encoding="utf-8")
        for texts in docs_tables.pages().values():
            for generated in texts.values():
                text = text.replace(generated, "stale text")
        (tmp_path / page.name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(docs_tables, "DOCS", tmp_path)
    assert docs_tables.main(["--check"]) == 1
    assert "not up to date: environment.md, rewards.md" in capsys.readouterr().out
    assert docs_tables.main([]) == 0
    assert docs_tables.main(["--check"]) == 0
    for page in docs_tables.pages():
        assert page.read_text(encoding="utf-8") == (PAGES / page.name).read_text(encoding="utf-8")


def test_page_without_marks_is_an_error() -> None:
    with pytest.raises(ValueError, match="page: expected <!-- tables of observation -->"):
        docs_tables.fill_in("nothing", docs_tables.tables(Layout()))
