"""One document as columns, before it becomes part of an inventory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from keyaudit.inventory.header import Header


def no_line(_row: int) -> int | None:
    """Say that rows have no lines (Parquet)."""
    return None


@dataclass(frozen=True)
class Document:
    """Credentials with the columns of `polars_schema` but `row` and `collection`, in file order.

    `columns` are those that the rows carry; `line_of` finds the line of a row, by its number.
    `in_place` is the path of a Parquet file that has just these columns.
    """

    file: str
    header: Header
    frame: pl.LazyFrame
    columns: frozenset[str]
    line_of: Callable[[int], int | None]
    digest: Callable[[], str]
    in_place: str | None = None
