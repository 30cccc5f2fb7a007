"""What engines put beside rows lands beside the right ones, in however many parts it is worked out."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import polars as pl
import pytest

from keyaudit.columns import polars_schema
from keyaudit.engine import DuckDB, Engine, Polars
from keyaudit.model import Collection, Inventory

ROWS = 300_000


@pytest.fixture(params=[Polars, DuckDB], ids=["polars", "duckdb"])
def engine(request: pytest.FixtureRequest) -> Engine:
    made: Engine = request.param()
    return made


def listed(engine: Engine) -> nw.LazyFrame[Any]:
    """Open many credentials, of which every third has no number of consumers, last one first."""
    numbers = pl.int_range(ROWS, eager=True)
    some = pl.when(numbers % 3 > 0).then(numbers * 7)
    frame = pl.select(row=numbers, consumers=some).reverse()
    missing = [
        pl.lit(None, dtype=kind).alias(name)
        for name, kind in polars_schema().items()
        if name not in frame.columns
    ]
    whole = frame.with_columns(missing).select(*polars_schema())
    return engine.open(Inventory(whole.lazy(), (), (Collection(frozenset()),), None, str))


def doubled(part: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    known = part.filter(~nw.col("consumers").is_null())
    return known.group_by("row").agg((nw.col("consumers") * 2).max().alias("double"))


def wrong(engine: Engine, frame: nw.LazyFrame[Any]) -> pl.DataFrame:
    [table] = engine.collect([frame.select("row", "consumers", "double")])
    assert table.height == ROWS
    return table.filter(~pl.col("double").eq_missing(pl.col("consumers") * 2))


def test_sums_stand_beside_their_own_rows(engine: Engine) -> None:
    frame = engine.summed(listed(engine), ("consumers",), doubled)
    assert wrong(engine, frame).is_empty()


def test_columns_stand_beside_their_own_rows(engine: Engine) -> None:
    frame = listed(engine)
    assert wrong(engine, engine.beside(frame, doubled(frame))).is_empty()


def test_only_the_rows_asked_for_are_left(engine: Engine) -> None:
    [table] = engine.collect([engine.among(listed(engine), pl.Series("row", [5, 17, ROWS])).select("row")])
    assert sorted(table["row"]) == [5, 17]
