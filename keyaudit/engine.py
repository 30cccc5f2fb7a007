"""Where column expressions run.

Facts and rules are narwhals expressions; an engine opens an inventory as a narwhals LazyFrame,
and collects the small answers as polars frames. polars is embedded and the default; DuckDB
works on inventories larger than memory, reading Parquet in place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

import narwhals as nw
import polars as pl

from keyaudit.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from keyaudit.model import Inventory

Frame = nw.LazyFrame[Any]
ENGINES = ("polars", "duckdb")

# So many rows at a time that the groups of their versions stay in the processor's cache.
_PART = 131_072
_ARROW_NAMES = {"string": pl.String, "integer": pl.Int64, "boolean": pl.Boolean}


class Engine(Protocol):
    """What the pipeline asks of an engine."""

    name: str

    def open(self, inventory: Inventory) -> Frame:
        """Give the credentials, one row each, with the columns of `columns`."""

    def table(self, columns: Mapping[str, Sequence[Any]], schema: Mapping[str, str]) -> Frame:
        """Make a small table to join with; `schema` says `string`, `integer` or `boolean` by column."""

    def summed(self, frame: Frame, needed: Sequence[str], sum_up: Callable[[Frame], Frame]) -> Frame:
        """Put beside each row what `sum_up` makes of its columns `needed`, worked out once.

        `sum_up` is given any part of the rows, and gives one row at most for each `row`.
        """

    def kept(self, frame: Frame, needed: Sequence[str], make: Callable[[Frame], Frame]) -> Frame:
        """Give what `make` makes of the columns `needed`, worked out once.

        `make` is given any part of the rows, and gives as many rows as it likes for each.
        """

    def beside(self, frame: Frame, more: Frame) -> Frame:
        """Put the columns of another frame beside the rows of the same `row`, worked out once."""

    def among(self, frame: Frame, rows: pl.Series) -> Frame:
        """Keep the rows that are listed, before anything is worked out for them."""

    def collect(self, frames: Sequence[Frame]) -> list[pl.DataFrame]:
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

    def open(self, inventory: Inventory) -> Frame:
        """See `Engine.open`."""
        return nw.from_native(inventory.credentials)

    def table(self, columns: Mapping[str, Sequence[Any]], schema: Mapping[str, str]) -> Frame:
        """See `Engine.table`."""
        return nw.from_native(_small(columns, schema).lazy())

    def summed(self, frame: Frame, needed: Sequence[str], sum_up: Callable[[Frame], Frame]) -> Frame:
        """See `Engine.summed`."""
        table = _laid_out(frame)
        # Groups by what is known to be sorted are made one by one, which takes four times as long.
        narrow = table.select(pl.col("row") + 0, *needed)
        sums = [
            part.select("row").join(
                _collected(sum_up(nw.from_native(part.lazy()))), on="row", how="left", maintain_order="left"
            )
            for part in narrow.iter_slices(_PART)
        ]
        summed = pl.concat(sums) if sums else _collected(sum_up(nw.from_native(narrow.lazy())))
        return nw.from_native(table.hstack(summed.drop("row")).lazy())

    def kept(self, frame: Frame, needed: Sequence[str], make: Callable[[Frame], Frame]) -> Frame:
        """See `Engine.kept`."""
        narrow = _laid_out(frame).select(pl.col("row") + 0, *needed)
        parts = list(narrow.iter_slices(_PART)) or [narrow]
        made = [_collected(make(nw.from_native(part.lazy()))) for part in parts]
        return nw.from_native(pl.concat(made).lazy())

    def beside(self, frame: Frame, more: Frame) -> Frame:
        """See `Engine.beside`; the other columns of the frame are not touched, let alone copied."""
        table = _laid_out(frame)
        found = table.select("row").join(_collected(more), on="row", how="left", maintain_order="left")
        return nw.from_native(table.hstack(found.drop("row")).lazy())

    def among(self, frame: Frame, rows: pl.Series) -> Frame:
        """See `Engine.among`; polars brings the filter to where the rows come from."""
        few: pl.LazyFrame = frame.to_native().filter(pl.col("row").is_in(rows.implode()))
        return nw.from_native(few)

    def collect(self, frames: Sequence[Frame]) -> list[pl.DataFrame]:
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

    def open(self, inventory: Inventory) -> Frame:
        """See `Engine.open`; a Parquet file that holds just these columns is read where it lies."""
        if len(inventory.parquet) != 1:
            return self._view(inventory.credentials.collect())
        rows = self._database.from_parquet(inventory.parquet[0], file_row_number=True)
        return nw.from_native(
            rows.project("* EXCLUDE (file_row_number), file_row_number AS row, 0::BIGINT AS collection")
        )

    def table(self, columns: Mapping[str, Sequence[Any]], schema: Mapping[str, str]) -> Frame:
        """See `Engine.table`."""
        return self._view(_small(columns, schema))

    def summed(self, frame: Frame, needed: Sequence[str], sum_up: Callable[[Frame], Frame]) -> Frame:
        """See `Engine.summed`."""
        return self.beside(frame, sum_up(frame.select("row", *needed)))

    def kept(self, frame: Frame, needed: Sequence[str], make: Callable[[Frame], Frame]) -> Frame:
        """See `Engine.kept`."""
        name = self._name()
        make(frame.select("row", *needed)).to_native().create(name)
        return nw.from_native(self._database.table(name))

    def beside(self, frame: Frame, more: Frame) -> Frame:
        """See `Engine.beside`; kept in a table of its own, or every question would work it out again."""
        name = self._name()
        more.to_native().create(name)
        return frame.join(nw.from_native(self._database.table(name)), on="row", how="left")

    def among(self, frame: Frame, rows: pl.Series) -> Frame:
        """See `Engine.among`."""
        return frame.join(self._view(rows.to_frame("row")), on="row", how="semi")

    def collect(self, frames: Sequence[Frame]) -> list[pl.DataFrame]:
        """See `Engine.collect`."""
        return [frame.to_native().pl() for frame in frames]

    def _view(self, frame: pl.DataFrame) -> Frame:
        name = self._name()
        self._database.register(name, frame.to_arrow())
        return nw.from_native(self._database.table(name))

    def _name(self) -> str:
        self._names += 1
        return f"keyaudit_{self._names}"


def _small(columns: Mapping[str, Sequence[Any]], schema: Mapping[str, str]) -> pl.DataFrame:
    return pl.DataFrame(columns, schema={name: _ARROW_NAMES[kind] for name, kind in schema.items()})


def _laid_out(frame: Frame) -> pl.DataFrame:
    """Give a frame as it lies in memory: other than a stream, this copies no column."""
    table: pl.DataFrame = frame.to_native().collect(engine="in-memory")
    return table


def _collected(frame: Frame) -> pl.DataFrame:
    table: pl.DataFrame = frame.to_native().collect(engine="streaming")
    return table
