"""Keys that a provider honours and that no store is known to hold.

A store holds a key if it records the key's id as that of the key it has, or if the two share a
lineage; in both cases only with a value in use. Its word is not taken for the key before, nor where
it names the keys of several credentials: one label would hide them all. Whether a store holds them
can be asked only if one was listed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, overload

import narwhals as nw
import polars as pl

from keyaudit.columns import NO_STORES, PROVIDERS
from keyaudit.inventory.recorded import IN_USE, recorded
from keyaudit.model import Coverage, CredentialRef, Inventory, ScopeStatus

COLUMNS = ("source", "scope", "id", "name", "environment", "owner")


def orphans(inventory: Inventory) -> Sequence[CredentialRef] | None:
    """Find the orphans of an inventory that was linked; None where no store was listed."""
    frame = inventory.credentials
    sources = frame.select(pl.col("source").unique()).collect()["source"]
    used = frame.with_columns(in_use=IN_USE)
    return found(inventory, sources, lambda: keys_in_use(nw.from_native(used)).to_native().collect())


def keys_in_use(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Ask for the providers' keys in use, each with `shared`: true where a store in use has its lineage.

    `frame` has the column `in_use`.
    """
    source = nw.col("source")
    used = frame.filter(nw.col("in_use"))
    keys = used.filter(source.is_in(PROVIDERS)).select("row", "lineage", *COLUMNS)
    stores = used.filter(~source.is_in(NO_STORES) & ~nw.col("lineage").is_null())
    lineages = stores.select("lineage").unique().with_columns(shared=nw.lit(value=True))
    return keys.join(lineages, on="lineage", how="left")


def found(
    inventory: Inventory, sources: Iterable[str], ask: Callable[[], pl.DataFrame]
) -> Sequence[CredentialRef] | None:
    """Give the orphans among the keys that `ask` finds; it is asked only where that can mean something.

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
    known = recorded(_still_listed(inventory.credentials))
    row, shared = pl.col("row"), pl.col("shared").fill_null(value=False)
    # Being the key before gives the lineage of the secret, too; that key is not what it holds.
    held = row.is_in(known.held.implode()) | (shared & ~row.is_in(known.former.implode()))
    alone = keys.filter(~held).sort(COLUMNS[:3])
    return _Orphans(alone.select(COLUMNS))


def _still_listed(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Leave out what only a history has: it holds nothing, and another one may have its id now."""
    recalled = "last_seen_at" in frame.collect_schema().names()
    return frame.filter(pl.col("last_seen_at").is_null()) if recalled else frame


def _a_store(listed: set[str], coverage: Sequence[Coverage]) -> bool:
    """Say whether any store could be looked into; one that was and is empty holds nothing."""
    seen = {scope.source for scope in coverage if scope.status is not ScopeStatus.FAILED}
    return not (listed | seen).issubset(NO_STORES)


class _Orphans(Sequence[CredentialRef]):
    """Columns until somebody looks: most readers want to know how many there are, and see a few."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __len__(self) -> int:
        return self._frame.height

    def __iter__(self) -> Iterator[CredentialRef]:
        return (CredentialRef(*row) for row in self._frame.iter_rows())

    @overload
    def __getitem__(self, index: int) -> CredentialRef: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[CredentialRef, ...]: ...
    def __getitem__(self, index: int | slice) -> CredentialRef | tuple[CredentialRef, ...]:
        if isinstance(index, slice):
            return tuple(_Orphans(self._frame[index]))
        return CredentialRef(*self._frame.row(index))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))
