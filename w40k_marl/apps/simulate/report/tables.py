"""Tables as lines of text."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

WIDTH = 110


def table_lines(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    """Yield the lines of a table, the same for terminals and files."""
    table = Table(box=box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    text = io.StringIO()
    Console(file=text, width=WIDTH, color_system=None).print(table)
    yield from filter(None, [title, *(line.rstrip() for line in text.getvalue().splitlines())])


def _cell(value: Any) -> str:
    if value is None:
        return "not measured"
    if isinstance(value, float):
        return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
    return str(value)
