"""What an inventory holds, counted: for `inventory show` and `inventory validate`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from keyaudit.columns import CREDENTIALS, REQUIRED, VERSIONS
from keyaudit.model import Coverage, Inventory


@dataclass(frozen=True, slots=True)
class InventoryCounts:
    """An inventory in numbers.

    The three mappings count credentials by value, the most frequent first; None is "not known".
    `known` says for each collected column how many credentials (or, for `versions.NAME`,
    versions) have a value; a column outside it was not collected.
    """

    credentials: int
    versions: int
    collected_at: int | None
    sha256: str
    by_source: Mapping[str | None, int]
    by_class: Mapping[str | None, int]
    by_environment: Mapping[str | None, int]
    known: Mapping[str, int]
    not_collected: tuple[str, ...]
    coverage: tuple[Coverage, ...]


def summarise(inventory: Inventory) -> InventoryCounts:
    """Count what is in an inventory."""
    frame = inventory.credentials.collect()
    counts = {name: _counts(frame, name) for name in ("source", "class", "environment")}
    versions = frame.select(pl.col("versions").list.len().sum()).item()
    known = _known(frame)
    collected = frozenset().union(*(own.columns for own in inventory.collections))
    return InventoryCounts(
        credentials=frame.height,
        versions=versions or 0,
        collected_at=inventory.collected_at,
        sha256=inventory.sha256,
        by_source=counts["source"],
        by_class=counts["class"],
        by_environment=counts["environment"],
        known={name: count for name, count in known.items() if name in collected},
        not_collected=tuple(name for name in known if name not in collected),
        coverage=inventory.coverage,
    )


def _counts(frame: pl.DataFrame, name: str) -> dict[str | None, int]:
    table = frame.group_by(name).len("count").sort("count", name, descending=[True, False])
    return {row[name]: row["count"] for row in table.iter_rows(named=True)}


def _known(frame: pl.DataFrame) -> dict[str, int]:
    own = [name for name in (*CREDENTIALS, "versions") if name not in REQUIRED]
    counts = frame.select(pl.col(name).count() for name in own).row(0, named=True)
    held = frame.filter(pl.col("versions").list.len() > 0).select("versions").explode("versions")
    flat = held.unnest("versions").select(pl.col(name).count() for name in VERSIONS).row(0, named=True)
    return {**counts, **{f"versions.{name}": count for name, count in flat.items()}}
