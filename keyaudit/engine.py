"""Where column expressions run.

Facts and rules are narwhals expressions; an engine opens an inventory as a narwhals LazyFrame,
and collects the small answers as polars frames. polars is embedded and the default; DuckDB
works on inventories larger than memory, reading Parquet in place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

import narwhals as nw
import polars as pl

from keyaudit.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from keyaudit.model import Inventory

ENGINES = ("polars", "duckdb")

_ARROW_NAMES = {"string": pl.String, "integer": pl.Int64, "boolean": pl.Boolean}


class Engine(Protocol):
    """What the pipeline asks of an engine."""

    name: str

    def open(self, inventory: Inventory) -> nw.LazyFrame[Any]:
        """Give the credentials, one row each, with the columns of `columns`."""

    def table(self, columns: Mapping[str, Sequence[Any]], schema: Mapping[str, str]) -> nw.LazyFrame[Any]:
        """Make a small table to join with; `schema` says `string`, `integer` or `boolean` by column."""

    def collect(self, frames: Sequence[nw.LazyFrame[Any]]) -> list[pl.DataFrame]:
        """Run several questions, together where the engine can share their work."""


def engine(name: str) -> Engine:
    """Find an engine by name; raises UsageError for an unknown one, MissingExtraError for a missing one."""
    if name == "polars":
        return Polars()
    if name == "duckdb":
        return DuckDB()
    raise UsageError(f"no engine is called {name!r}", hint=f"engines: {', '.join(ENGINES)}")


class Polars:
    """The embedded engine."""

    name = "polars"

    def open(self, inventory: Inventory) -> nw.LazyFrame[Any]:
        """See `Engine.open`."""
        return nw.from_native(inventory.credentials)

    def table(self, columns: Mapping[str, Sequence[Any]], schema: Mapping[str, str]) -> nw.LazyFrame[Any]:
        """See `Engine.table`."""
        return nw.from_native(_small(columns, schema).lazy())

    def collect(self, frames: Sequence[nw.LazyFrame[Any]]) -> list[pl.DataFrame]:
        """See `Engine.collect`; polars shares the common part of the plans and streams through it."""
        return pl.collect_all([frame.to_native() for frame in frames], engine="streaming")


class DuckDB:
    """Out of core: spills to disk instead of running out of memory."""

    name = "duckdb"

    def __init__(self) -> None:
        """Open a private in-memory database; raises MissingExtraError without the extra."""
        try:
            import duckdb
        except ImportError:
            raise MissingExtraError("duckdb", "--engine duckdb") from None
        if find_spec("pyarrow") is None:  # frames are handed over through it
            raise MissingExtraError("duckdb", "--engine duckdb")
        self._database = duckdb.connect()
        self._names = 0

    def open(self, inventory: Inventory) -> nw.LazyFrame[Any]:
        """See `Engine.open`; a Parquet file that holds just these columns is read where it lies."""
        if len(inventory.parquet) != 1:
            return self._view(inventory.credentials.collect())
        rows = self._database.from_parquet(inventory.parquet[0], file_row_number=True)
        return nw.from_native(
            rows.project("* EXCLUDE (file_row_number), file_row_number AS row, 0::BIGINT AS collection")
        )

    def table(self, columns: Mapping[str, Sequence[Any]], schema: Mapping[str, str]) -> nw.LazyFrame[Any]:
        """See `Engine.table`."""
        return self._view(_small(columns, schema))

    def collect(self, frames: Sequence[nw.LazyFrame[Any]]) -> list[pl.DataFrame]:
        """See `Engine.collect`."""
        return [frame.to_native().pl() for frame in frames]

    def _view(self, frame: pl.DataFrame) -> nw.LazyFrame[Any]:
        name = self._name()
        self._database.register(name, frame.to_arrow())
        return nw.from_native(self._database.table(name))

    def _name(self) -> str:
        self._names += 1
        return f"keyaudit_{self._names}"


def _small(columns: Mapping[str, Sequence[Any]], schema: Mapping[str, str]) -> pl.DataFrame:
    return pl.DataFrame(columns, schema={name: _ARROW_NAMES[kind] for name, kind in schema.items()})
