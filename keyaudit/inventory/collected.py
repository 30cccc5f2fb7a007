"""Which rows carry which columns: the collections of an inventory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from keyaudit.columns import REQUIRED, REQUIRED_OF_VERSION
from keyaudit.model import Collection, Coverage

Scope = tuple[str, str]


def complete(columns: Iterable[str]) -> frozenset[str]:
    """Add the columns that every row carries to those that were declared or found."""
    columns = set(columns) | set(REQUIRED)
    if any(name.startswith("versions.") for name in columns):
        columns.add("versions")
    if "versions" in columns:
        columns.update(f"versions.{name}" for name in REQUIRED_OF_VERSION)
    return frozenset(columns)


def without(columns: frozenset[str], cannot_know: Iterable[str]) -> frozenset[str]:
    """Take out what a store can never tell; without `versions` there are no columns of versions."""
    unknowable = set(cannot_know)
    left = columns - unknowable
    if "versions" in unknowable:
        return frozenset(name for name in left if not name.startswith("versions."))
    return complete(left)


def collections_of(columns: frozenset[str], coverage: Sequence[Coverage]) -> tuple[Collection, ...]:
    """Give the collection of a document's rows, and one for each scope that cannot know some columns."""
    narrower = [
        Collection(without(columns, scope.cannot_know), scope.source, scope.scope)
        for scope in coverage
        if scope.cannot_know
    ]
    return (Collection(columns), *narrower)


def place(collections: Sequence[Collection], first: int = 0) -> pl.Expr:
    """Make the column `collection`: `first` plus the index of the collection that each row belongs to."""
    column = pl.lit(first, dtype=pl.Int64)
    for index, collection in enumerate(collections):
        if collection.source is not None:
            here = (pl.col("source") == collection.source) & (pl.col("scope") == collection.scope)
            column = pl.when(here).then(pl.lit(first + index, dtype=pl.Int64)).otherwise(column)
    return column.alias("collection")


def columns_by_scope(collections: Sequence[Collection], frame: pl.LazyFrame) -> dict[Scope, frozenset[str]]:
    """Give the columns that each scope's rows carry; `frame` has source, scope and collection.

    Where documents that were merged collected different columns of one scope, all of them count
    as asked for: what is missing then reads as not known, never as not asked.
    """
    found: dict[Scope, frozenset[str]] = {}
    pairs = frame.select("source", "scope", "collection").unique(maintain_order=True).collect()
    for source, scope, collection in pairs.iter_rows():
        found[source, scope] = found.get((source, scope), frozenset()) | collections[collection].columns
    return found
