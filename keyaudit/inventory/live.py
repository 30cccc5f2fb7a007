"""An inventory from a live source's rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import polars as pl

from keyaudit.columns import CREDENTIALS, NAMES, REQUIRED, polars_schema
from keyaudit.errors import InventoryError, Problem
from keyaudit.inventory.collected import collections_of, complete, place
from keyaudit.inventory.rows import Credential
from keyaudit.inventory.tabulate import BATCH, Carried, Unreadable, tabulate
from keyaudit.model import Coverage, Inventory

_FILE = "live source"


def from_rows(
    rows: Sequence[Credential],
    coverage: Sequence[Coverage],
    collected_at: int | None,
    columns: Iterable[str],
) -> Inventory:
    """Turn what one live source answered into an inventory.

    `columns` names what the source asks for (flat names, versions as `versions.created_at`);
    what a scope's store can never tell stands in its coverage's `cannot_know`. An empty text (a tag
    without a value) says nothing and becomes null, so that no rule takes it for an owner. Raises
    InventoryError for a credential listed twice or a text that is not Unicode, ValueError for a
    column that does not exist.
    """
    asked = frozenset(columns)
    if strange := sorted(asked - NAMES):
        raise ValueError(f"no such columns: {', '.join(strange)}")
    collections = collections_of(complete(asked), coverage)
    try:
        frame = _frame(rows).with_columns(place(collections)).select(*polars_schema())
    except Unreadable as error:
        raise InventoryError([Problem(_FILE, None, None, None, str(error))]) from None
    if problems := _listed_twice(frame):
        raise InventoryError(problems)
    inventory: Inventory
    inventory = Inventory(
        frame.lazy(), tuple(coverage), collections, collected_at, digest=lambda: _digest(inventory)
    )
    return inventory


def _frame(rows: Sequence[Credential]) -> pl.DataFrame:
    carried = Carried()
    batches = [tabulate(rows[start : start + BATCH], carried) for start in range(0, len(rows), BATCH)]
    frame = pl.concat(batches or [tabulate((), carried)], rechunk=False)
    optional = [name for name, kind in CREDENTIALS.items() if kind == "text" and name not in REQUIRED]
    frame = frame.with_columns(
        pl.when(pl.col(name) != "").then(pl.col(name)).alias(name) for name in optional
    )
    return frame.with_row_index("row").cast({"row": pl.Int64})


def _listed_twice(frame: pl.DataFrame) -> list[Problem]:
    key = ("source", "scope", "id")
    twice = frame.select(key).filter(pl.struct(key).is_duplicated()).unique().sort(key)
    return [
        Problem(_FILE, None, None, "id", f"{source} {scope} listed {identity!r} twice")
        for source, scope, identity in twice.iter_rows()
    ]


def _digest(inventory: Inventory) -> str:
    from keyaudit.inventory.writing import write

    return hashlib.sha256(write(inventory, "ndjson")).hexdigest()
