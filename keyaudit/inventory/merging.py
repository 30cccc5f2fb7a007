"""Several inventories into one: documents, live sources, or both."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from keyaudit.columns import polars_schema
from keyaudit.errors import InventoryError, Problem
from keyaudit.inventory.assemble import digest_of, earliest
from keyaudit.inventory.check import shown
from keyaudit.inventory.coverage import merge_coverage
from keyaudit.model import Collection, Inventory

_KEY = ("source", "scope", "id")


def merge(inventories: Sequence[Inventory], names: Sequence[str] = ()) -> Inventory:
    """Make one inventory of several; see `keyaudit.inventory.merge`."""
    if len(inventories) == 1:
        return inventories[0]
    collections: list[Collection] = []
    frames = [pl.LazyFrame(schema=polars_schema())]
    for inventory in inventories:
        frames.append(inventory.credentials.with_columns(pl.col("collection") + len(collections)))
        collections += inventory.collections
    called = names or [f"inventory {number}" for number, _ in enumerate(inventories, start=1)]
    _refuse_twice([inventory.credentials for inventory in inventories], called)
    row = pl.int_range(pl.len(), dtype=pl.Int64).alias("row")
    frame = pl.concat(frames).with_columns(row)
    described = [scope for inventory in inventories for scope in inventory.coverage]
    return Inventory(
        credentials=frame,
        coverage=merge_coverage(described, frame, collections),
        collections=tuple(collections),
        collected_at=earliest([inventory.collected_at for inventory in inventories]),
        digest=digest_of([inventory.digest for inventory in inventories]),
    )


def _refuse_twice(frames: Sequence[pl.LazyFrame], names: Sequence[str]) -> None:
    keys = [frame.select(*_KEY).with_columns(_from=pl.lit(index)) for index, frame in enumerate(frames)]
    if not keys:
        return
    table = pl.concat(keys).collect()
    twice = table.group_by(_KEY, maintain_order=True).agg("_from").filter(pl.col("_from").list.len() > 1)
    problems = []
    for source, scope, identity, places in twice.iter_rows():
        where = " and ".join(names[place] for place in places)
        message = f"{shown(identity)} of {shown(source)} {shown(scope)} is in {where}"
        problems.append(Problem("merged inventories", None, None, "id", message))
    if problems:
        raise InventoryError(problems, hint="leave one of them out, or take the credential out of one")
