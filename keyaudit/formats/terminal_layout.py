"""How a terminal's report is laid out: headings, and columns of text without boxes."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

Row = tuple[Text | str, ...]


def heading(console: Console, text: str) -> None:
    """Begin a part."""
    console.print()
    console.print(Text(text, style="bold"))


def grid(rows: Iterable[Row], *, whole: bool = False) -> Padding:
    """Columns of text, the last one as wide as the line allows; `whole` never breaks the others."""
    rows = list(rows)
    table = Table.grid(padding=(0, 2, 0, 0))
    for _ in rows[0][:-1]:
        table.add_column(no_wrap=whole, overflow="fold")
    table.add_column(ratio=1, overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    return Padding(table, (0, 0, 0, 2))
