"""What is compared of an inventory, and lists of identifiers that stand in for one.

A side is one row a credential: who it is, and each fact as text beside whether it was collected.
A list from elsewhere (a CMDB, the state of infrastructure code) says only that something is there.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from keyaudit.errors import InventoryError, Problem, UsageError, did_you_mean
from keyaudit.inventory.opening import name_of, read_bytes, text_of
from keyaudit.model import Coverage, Inventory, ScopeStatus

WHO = ("source", "scope", "id", "name", "lineage")
BY = ("id", "name", "lineage")
FACTS = {
    "owner": "owner",
    "environment": "environment",
    "rotation": "rotation_enabled",
    "rotation schedule": "rotation_schedule",
    "current version": "versions",
    "states": "versions",
}
"""What is compared, and the column that must have been collected for it."""

LIST_SUFFIX = ".txt"


@dataclass(frozen=True)
class Side:
    """One of two that are compared.

    `frame` has `WHO`, each of `FACTS` as text and `has NAME`: whether it was collected. `bare` is a
    list of identifiers, which knows nothing but those.
    """

    frame: pl.LazyFrame
    coverage: tuple[Coverage, ...] = ()
    bare: bool = False

    @property
    def incomplete(self) -> tuple[Coverage, ...]:
        """The scopes that were not read to the end."""
        return tuple(
            scope for scope in self.coverage if scope.status in {ScopeStatus.PARTIAL, ScopeStatus.FAILED}
        )


def of_inventory(inventory: Inventory) -> Side:
    """Lay an inventory out for comparing."""
    versions = pl.col("versions")
    current = versions.list.eval(
        pl.element().filter(pl.element().struct.field("state") == "current").struct.field("id")
    )
    states = versions.list.eval(pl.element().struct.field("state"))
    facts = {
        "owner": pl.col("owner"),
        "environment": pl.col("environment"),
        "rotation": pl.when("rotation_enabled")
        .then(pl.lit("on"))
        .when(~pl.col("rotation_enabled"))
        .then(pl.lit("off")),
        "rotation schedule": pl.col("rotation_schedule"),
        "current version": _joined(current),
        "states": _joined(states),
    }
    has = {f"has {name}": _collected(inventory, column) for name, column in FACTS.items()}
    return Side(inventory.credentials.select(*WHO, **facts, **has), inventory.coverage)


def _joined(texts: pl.Expr) -> pl.Expr:
    return texts.list.sort().list.join(", ")


def _collected(inventory: Inventory, column: str) -> pl.Expr:
    asked = [index for index, own in enumerate(inventory.collections) if column in own.columns]
    return pl.col("collection").is_in(asked)


def of_list(identifiers: Sequence[str], by: str) -> Side:
    """Lay out a list whose entries are what `by` says: ids, names or lineages."""
    frame = pl.LazyFrame({by: identifiers}, schema={by: pl.String})
    empty = {name: pl.lit(None, dtype=pl.String) for name in (*WHO, *FACTS) if name != by}
    has = {f"has {name}": pl.lit(value=False) for name in FACTS}
    return Side(frame.with_columns(**empty, **has), bare=True)


def read_list(path: str | Path, column: str | None = None) -> list[str]:
    """Read identifiers: one a line, or a column of any CSV file that has a heading row.

    Spaces around them and blank ones are left out. Raises UsageError for a file that cannot be
    read, InventoryError for one that is not UTF-8 text, not CSV, or has no such column.
    """
    file = name_of(path)
    try:
        text = text_of(read_bytes(path)).decode()
    except UnicodeDecodeError:
        raise InventoryError([Problem(file, None, None, None, "not UTF-8 text")]) from None
    except ValueError as error:
        raise InventoryError([Problem(file, None, None, None, str(error))]) from None
    found = text.splitlines() if column is None else _column(text, column, file)
    return [identifier for one in found if (identifier := one.strip())]


def _column(text: str, column: str, file: str) -> list[str]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        heading = [name.strip() for name in next(reader, [])]
        if heading.count(column) != 1:
            several = "more than one column is" if column in heading else "no column is"
            near = did_you_mean(column, heading) or f": there are {', '.join(heading)}"
            message = f"{several} called {column!r}{near}"
            raise InventoryError([Problem(file, 1, None, None, message)])
        place = heading.index(column)
        return [row[place] for row in reader if len(row) > place]
    except csv.Error as error:
        raise InventoryError([Problem(file, reader.line_num, None, None, f"not CSV: {error}")]) from None


def check_by(by: str) -> None:
    """Raise UsageError unless credentials can be told apart by it."""
    if by not in BY:
        raise UsageError(f"credentials cannot be compared by {by!r}", hint=f"by {', '.join(BY)}")
