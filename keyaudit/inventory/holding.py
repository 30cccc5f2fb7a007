"""Keys that a provider honours and that no store is known to hold.

A store holds a key if the two share a lineage, or if the store records the key's id, even where
lineages contradict each other. Whether it holds them can be asked only if a store was listed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import narwhals as nw
import polars as pl

from keyaudit.columns import NO_STORES, PROVIDERS
from keyaudit.inventory.recorded import recorded
from keyaudit.model import Coverage, CredentialRef, Inventory, ScopeStatus

COLUMNS = ("source", "scope", "id", "name", "environment", "owner")


def orphans(inventory: Inventory) -> tuple[CredentialRef, ...] | None:
    """Find the orphans of an inventory that was linked; None where no store was listed."""
    frame = inventory.credentials
    sources = frame.select(pl.col("source").unique()).collect()["source"]
    current = pl.col("versions").list.eval(pl.element().struct.field("state") == "current").list.any()
    used = frame.with_columns(in_use=pl.col("versions").is_null() | current)
    return found(inventory, sources, lambda: unshared(nw.from_native(used)).to_native().collect())


def unshared(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Ask for the providers' keys in use whose lineage no store has; `frame` has `in_use`."""
    source = nw.col("source")
    keys = frame.filter(source.is_in(PROVIDERS) & nw.col("in_use")).select("row", "lineage", *COLUMNS)
    stores = frame.filter(~source.is_in(NO_STORES) & ~nw.col("lineage").is_null())
    return keys.join(stores.select("lineage").unique(), on="lineage", how="anti")


def found(
    inventory: Inventory, sources: Iterable[str], ask: Callable[[], pl.DataFrame]
) -> tuple[CredentialRef, ...] | None:
    """Give the orphans among what `ask` finds unshared; it is asked only where that can mean something.

    `sources` are those that any credential came from.
    """
    listed = set(sources)
    if listed.isdisjoint(PROVIDERS):
        return ()
    if not _a_store(listed, inventory.coverage):
        return None
    keys = ask()
    if keys.is_empty():
        return ()
    mentioned = recorded(inventory.credentials).mentioned
    alone = keys.filter(~pl.col("row").is_in(mentioned.implode())).sort(COLUMNS[:3])
    return tuple(CredentialRef(*row) for row in alone.select(COLUMNS).iter_rows())


def _a_store(listed: set[str], coverage: Sequence[Coverage]) -> bool:
    """Say whether any store could be looked into; one that was and is empty holds nothing."""
    seen = {scope.source for scope in coverage if scope.status is not ScopeStatus.FAILED}
    return not (listed | seen).issubset(NO_STORES)
