"""Small tables for a terminal, and the same as JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import click

from keyaudit.cli.outputs import print_text

WIDTH = 110

format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="A table to read, or JSON for a program.",
)


def print_rows(rows: Sequence[Mapping[str, Any]], form: str) -> None:
    """Print rows that have the same keys as a table whose last column wraps, or as a JSON array."""
    if form == "json":
        print_text(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    if rows:
        print_text("\n".join(table(rows)))


def table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Lay rows out that have the same keys, the first line naming them; there is at least one row."""
    names = list(rows[0])
    cells = [
        [name.replace("_", " ") for name in names],
        *([_cell(row[name]) for name in names] for row in rows),
    ]
    widths = [max(len(row[column]) for row in cells) for column in range(len(names) - 1)]
    indent = sum(widths) + 2 * len(widths)
    lines = []
    for row in cells:
        first = "".join(text.ljust(width + 2) for text, width in zip(row, widths, strict=False))
        last = textwrap.wrap(row[-1], max(WIDTH - indent, 30), break_long_words=False) or [""]
        lines.append((first + last[0]).rstrip())
        lines += [" " * indent + more for more in last[1:]]
    return lines


def _cell(value: object) -> str:
    from keyaudit.formats.visible import visible

    if isinstance(value, list | tuple):
        return ", ".join(_cell(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "–" if value is None else visible(str(value))
