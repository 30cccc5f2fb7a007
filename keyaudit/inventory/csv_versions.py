"""Rows of a CSV document into credentials: the rows of one credential must agree, and bring its versions."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import polars as pl

from keyaudit.columns import CREDENTIALS, VERSIONS, polars_schema
from keyaudit.inventory.cells import VERSION
from keyaudit.inventory.check import shown
from keyaudit.inventory.problems import Problems
from keyaudit.inventory.tabulate import nest_versions

_KEY = ("source", "scope", "id")


def gather(
    frames: Sequence[pl.DataFrame], lines: array[int], problems: Problems
) -> tuple[pl.DataFrame, Sequence[int]]:
    """Make one row a credential, in the order of their first rows, and the line of each first row.

    Notes rows that contradict the first row of their credential, repeat it without a version,
    or repeat a version.
    """
    rows = _complete(pl.concat(frames, rechunk=False)).with_columns(_line=pl.Series(lines, dtype=pl.Int64))
    firsts = rows.unique(_KEY, keep="first", maintain_order=True).with_row_index("_at")
    placed = rows.join(firsts.select(*_KEY, "_at"), on=_KEY, how="left", maintain_order="left")
    has_version = pl.col(f"{VERSION}id").is_not_null()
    if firsts.height < rows.height:
        _check_repeats(placed, firsts, problems)
    versions = placed.filter(has_version).sort("_at", maintain_order=True)
    flat = versions.select(pl.col(f"{VERSION}{name}").alias(name) for name in VERSIONS)
    _check_version_ids(versions, problems)
    if problems.total:
        return firsts, []
    known = firsts["none"] | firsts["_at"].is_in(versions["_at"].implode())
    nested = nest_versions(flat, versions["_at"].cast(pl.Int64), known)
    return firsts.select(*CREDENTIALS, nested.alias("versions")), firsts["_line"].to_list()


def _complete(rows: pl.DataFrame) -> pl.DataFrame:
    """Add the columns that were not collected, as nulls."""
    wanted = {name: kind for name, kind in polars_schema().items() if name in CREDENTIALS}
    version = polars_schema()["versions"].inner.to_schema()
    wanted |= {f"{VERSION}{name}": kind for name, kind in version.items()}
    missing = {name: kind for name, kind in wanted.items() if name not in rows.columns}
    return rows.with_columns(pl.lit(None, dtype=kind).alias(name) for name, kind in missing.items())


def _check_repeats(placed: pl.DataFrame, firsts: pl.DataFrame, problems: Problems) -> None:
    """Compare every further row of a credential with its first."""
    own = [name for name in CREDENTIALS if name not in _KEY]
    both = placed.join(firsts.select("_at", "_line", *own), on="_at", suffix=" first", maintain_order="left")
    both = both.filter(pl.col("_line") != pl.col("_line first"))
    differs = {name: pl.col(name).ne_missing(pl.col(f"{name} first")) for name in own}
    alone = pl.col(f"{VERSION}id").is_null()
    wrong = both.filter(pl.any_horizontal(alone, *differs.values())).select(
        "id",
        "_line",
        "_line first",
        alone.alias("alone"),
        *(test.alias(name) for name, test in differs.items()),
    )
    for row in wrong.iter_rows(named=True):
        first = f"line {row['_line first']}"
        if row["alone"]:
            message = f"{shown(row['id'])} is already on {first}, and this row brings no version"
            problems.add(message, line=row["_line"], field="id")
        for name in own:
            if row[name]:
                field = name.replace("rotation_", "rotation.")
                problems.add(f"contradicts {first} of the same credential", line=row["_line"], field=field)


def _check_version_ids(versions: pl.DataFrame, problems: Problems) -> None:
    key = ("_at", f"{VERSION}id")
    if versions.select(pl.struct(key).is_duplicated().any()).item():
        again = versions.filter(~pl.struct(key).is_first_distinct())
        for line, identity in again.select("_line", f"{VERSION}id").sort("_line").iter_rows():
            message = f"another version has the id {shown(identity)}"
            problems.add(message, line=line, field=f"{VERSION}id")
