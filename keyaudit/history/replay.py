"""Earlier inventories, one after the other: only what a list says anew is looked at twice."""

from __future__ import annotations

import polars as pl

from keyaudit.history.chronicle import (
    DESCRIBING,
    KEY,
    LOOK,
    OF_CREDENTIALS,
    OF_VERSIONS,
    fold_versions,
    observed,
)
from keyaudit.model import Coverage, Inventory, ScopeStatus

Scope = tuple[str, str]
_SAID = ("id", "state", "created_at", "superseded_at", "retired_at", "authenticates")


class Replay:
    """Goes through inventories in the order in which they were collected.

    Of each credential it holds what the last list said, and since when lists have said just that.
    Memory is that of one inventory, and of what ever changed.
    """

    def __init__(self, most_rows: int = 250_000) -> None:
        """Begin with nothing; fold what changed whenever it is more than so many rows."""
        self._most_rows = most_rows
        self._held: pl.DataFrame | None = None
        self._away: pl.DataFrame | None = None
        self._said: pl.DataFrame | None = None
        self._closed: list[pl.DataFrame] = []
        self._rows = 0

    def go_on(self, table: pl.DataFrame) -> None:
        """Go on to the next list, as `table_of` gives it."""
        said = _flat(table)
        if self._held is None or self._said is None:
            self._held, self._said = table, said
            return
        if _same(self._held, table):
            changed = _changed(self._held, self._said, table, said)
            self._close(self._held.filter(changed))
            since = pl.when(changed).then("first").otherwise(self._held["first"])
            self._held, self._said = table.with_columns(first=since), said
        else:
            self._match(table, said)

    def _match(self, table: pl.DataFrame, said: pl.DataFrame) -> None:
        """Find each credential of a list among those that are held, in whatever order they stand."""
        assert self._held is not None
        held = self._held if self._away is None else pl.concat([self._held, self._away])
        held = held.with_row_index("_at")
        found = table.select(KEY).join(held.select(*KEY, "_at"), on=KEY, how="left", maintain_order="left")
        known = found["_at"].is_not_null()
        before, after = held[found["_at"].drop_nulls()].drop("_at"), table.filter(known)
        changed = _changed(before, _flat(before), after, _flat(after))
        self._close(before.filter(changed))
        since = table["first"].clone()
        unchanged = known.arg_true().filter(~changed)
        since = since.scatter(unchanged, before["first"].filter(~changed))
        self._away = held.join(found.drop_nulls("_at"), on="_at", how="anti").drop("_at")
        self._held, self._said = table.with_columns(first=since), said

    def outcome(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Give what all lists said of credentials and of versions, as rows to fold."""
        parts = [frame for frame in (self._held, self._away) if frame is not None]
        if not parts:
            return pl.DataFrame(schema=OF_CREDENTIALS), pl.DataFrame(schema=OF_VERSIONS)
        last = pl.concat(parts)
        versions = pl.concat([*self._closed, observed(last)])
        return last.rename({"at": "listed_at"}).select(*OF_CREDENTIALS), versions

    def _close(self, runs: pl.DataFrame) -> None:
        """Keep what lists said of versions before they said something else."""
        if runs.height:
            self._closed.append(observed(runs))
            self._rows += self._closed[-1].height
        if self._rows > self._most_rows:
            self._closed = [fold_versions(pl.concat(self._closed))]
            self._rows = 0


def _same(held: pl.DataFrame, table: pl.DataFrame) -> bool:
    """Say whether two lists have the same credentials in the same order."""
    return held.height == table.height and all((held[name] == table[name]).all() for name in reversed(KEY))


def _flat(table: pl.DataFrame) -> pl.DataFrame:
    """Lay the versions of a list out, one row each, with `_at`, the number of their credential."""
    versions = table.select(pl.int_range(pl.len()).alias("_at"), "versions")
    held = versions.filter(pl.col("versions").list.len() > 0).explode("versions")
    return held.select("_at", *(pl.col("versions").struct.field(name) for name in _SAID))


def _changed(
    before: pl.DataFrame, said_before: pl.DataFrame, after: pl.DataFrame, said: pl.DataFrame
) -> pl.Series:
    """Say of each credential, in the same order in both, whether a list says something else of it."""
    changed = before["versions"].list.len().ne_missing(after["versions"].list.len())
    for name in DESCRIBING:
        changed |= before[name].ne_missing(after[name])
    if changed.any():
        same = pl.int_range(len(changed), eager=True).filter(~changed).alias("_at")
        said_before, said = (
            flat.join(same.to_frame(), on="_at", how="semi", maintain_order="left")
            for flat in (said_before, said)
        )
    differs = pl.Series([False]).new_from_index(0, said.height)
    for name in _SAID:
        differs |= said_before[name].ne_missing(said[name])
    return changed.scatter(said["_at"].filter(differs).unique(), values=True) if differs.any() else changed


def table_of(inventory: Inventory) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Read what a replay needs of an inventory: its credentials, and its looks as `LOOK`.

    Each credential has the instants of its scope's look: `first` and `at`, and when it was `begun`. All
    are null where the inventory does not say when it was collected; then there are no looks.
    """
    table = inventory.credentials.select(*KEY, *DESCRIBING, "versions").collect()
    known = table.lazy().group_by("source", "scope").agg(pl.col("versions").is_not_null().all()).collect()
    versions: dict[Scope, bool] = {(source, scope): whole for source, scope, whole in known.iter_rows()}
    covered = {(row.source, row.scope): row for row in inventory.coverage}
    rows = [
        (
            *scope,
            *_instants(inventory, covered.get(scope)),
            _complete(covered.get(scope)),
            versions.get(scope, True),
        )
        for scope in sorted({*covered, *versions})
    ]
    looks = pl.DataFrame(
        rows,
        schema={**dict.fromkeys(("source", "scope"), pl.String), "begun": pl.Int64, **LOOK},
        orient="row",
    )
    beside = looks.select("source", "scope", "begun", "at", first="at")
    table = table.join(beside, on=["source", "scope"], how="left", maintain_order="left")
    return table, looks.filter(pl.col("at").is_not_null()).select(*LOOK)


def _instants(inventory: Inventory, scope: Coverage | None) -> tuple[int | None, int | None]:
    """Say between which instants a scope was listed, at the widest."""
    at = inventory.collected_at
    if at is None:
        return None, None
    begun, finished = (scope.started_at, scope.finished_at) if scope else (None, None)
    return min(at, at if begun is None else begun), max(at, at if finished is None else finished)


def _complete(scope: Coverage | None) -> bool:
    """Only what claims to be complete proves that something is gone: an empty scope may be the wrong one."""
    return scope is not None and scope.status is ScopeStatus.COMPLETE
