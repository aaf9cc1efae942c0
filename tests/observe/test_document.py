"""docs/environment.md is up to date, and says what every index means."""

from __future__ import annotations

from pathlib import Path

import pytest

from w40k_marl.observe import document
from w40k_marl.observe.layout import Layout

PAGE = Path(__file__).resolve().parents[2] / "docs" / "environment.md"


def test_page_holds_the_tables_of_this_layout() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert document.fill(text, Layout()) == text, f"python -m w40k_marl.observe.document --write {PAGE.name}"


def test_every_field_and_action_is_in_the_tables() -> None:
    text = "\n".join(document.tables(Layout()).values())
    for block in Layout().blocks:
        assert f"`{block.name}`" in text
        for field, meaning in block.fields:
            assert f"`{field}` | {meaning} |" in text
    for action in range(Layout().micro_start, Layout().action_count):
        assert f"| {action} | `{Layout().describe_action(action)}` |" in text


def test_index_of_the_tables_is_that_of_the_names() -> None:
    layout = Layout()
    names = layout.field_names()
    for line in document.observation_tables(layout).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and cells[0][:1].isdigit() and " to " not in cells[0]:
            first, _, step = cells[0].partition(" + ")
            assert names[int(first)].endswith("." + cells[1].strip("`"))
            if step:
                assert names[int(first) + int(step.split()[0])].endswith("[1]." + cells[1].strip("`"))


def test_page_of_the_macro_observation_says_what_its_blocks_mean() -> None:
    text = PAGE.with_name("macro_observation.md").read_text(encoding="utf-8")
    for block in Layout(macro=True, macro_extras=True).blocks[-5:]:
        table = text.partition(f"**`{block.name}`**")[2].partition("\n\n| place")[2].partition("\n\n")[0]
        rows = [f"| {place} | `{field}` | {meaning} |" for place, (field, meaning) in enumerate(block.fields)]
        assert table.splitlines()[2:] == rows, block.name


def test_module_prints_the_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert document.main([]) == 0
    assert document.observation_tables(Layout()) in capsys.readouterr().out


def test_module_brings_a_page_up_to_date(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    begin = [document.BEGIN.format(name) for name in document.tables(Layout())]
    page.write_text("\n".join(f"before\n{mark}\nstale text\n{document.END}\nafter" for mark in begin), encoding="utf-8")
    assert document.main(["--write", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert "stale text" not in text
    assert text.count("before\n") == text.count("\nafter") == len(begin)
    assert document.fill(text, Layout()) == text


def test_page_without_marks_is_an_error() -> None:
    with pytest.raises(ValueError, match="page: expected <!-- tables of observation -->"):
        document.fill("nothing", Layout())
