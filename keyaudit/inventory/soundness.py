"""What must hold for columns, as expressions: the cheap half of `check`, for a million rows at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import msgspec
import polars as pl

from keyaudit.columns import CHOICES, CREDENTIALS, REQUIRED, REQUIRED_OF_VERSION, VERSIONS
from keyaudit.inventory.check import LARGEST_INTEGER, LONGEST_TEXT, USED_AND_NEVER_USED
from keyaudit.inventory.instants import EARLIEST, LATEST


@dataclass(frozen=True, slots=True)
class Demand:
    """Something that must not be true of any row; `violated` is never null.

    `anywhere` asks the same of a whole column at once, where that is cheaper than row by row.
    """

    columns: frozenset[str]
    violated: pl.Expr
    message: str
    anywhere: pl.Expr


def _demand(column: str, violated: pl.Expr, message: str, anywhere: pl.Expr | None = None) -> Demand:
    columns = frozenset(violated.meta.root_names()) | {column}
    return Demand(columns, violated, message, violated.any() if anywhere is None else anywhere)


def _of_column(name: str, kind: str, choices: tuple[str, ...] | None) -> Iterator[Demand]:
    column = pl.col(name)
    match kind:
        case _ if choices:
            message = f"is not one of {', '.join(choices)}"
            yield _demand(name, ~column.is_in(choices).fill_null(value=True), message)
        case "text" | "labels":
            yield _demand(name, _unfit(column).fill_null(value=False), "text that no document may hold")
        case "integer":
            outside = ~column.is_between(0, LARGEST_INTEGER).fill_null(value=True)
            yield _demand(name, outside, "expected an integer that is neither negative nor huge")
        case "instant":
            outside = ~column.is_between(EARLIEST, LATEST).fill_null(value=True)
            yield _demand(name, outside, 'a time outside the years 2 to 9999: write null for "never"')
        case "names":
            bad = (
                column.list.eval(_unfit(pl.element()).fill_null(value=True)).list.any().fill_null(value=False)
            )
            items = column.explode(empty_as_null=False, keep_nulls=False)
            yield _demand(name, bad, "expected a list of texts", _unfit(items).fill_null(value=True).any())
        case _:
            assert kind == "boolean", "every boolean is sound"


def _unfit(text: pl.Expr) -> pl.Expr:
    """Text is not empty, not endless and holds no NUL; null where there is no text."""
    sizes = text.str.len_bytes()
    return (sizes == 0) | (sizes > LONGEST_TEXT) | text.str.contains("\0", literal=True)


def _of(columns: Mapping[str, str], required: tuple[str, ...], prefix: str) -> tuple[Demand, ...]:
    demands = [_demand(name, pl.col(name).is_null(), "must not be null") for name in required]
    for name, kind in columns.items():
        demands += _of_column(name, kind, CHOICES.get(prefix + name))
    return tuple(demands)


def of_credentials() -> tuple[Demand, ...]:
    """What must hold for every credential."""
    used = pl.col("never_used").fill_null(value=False) & pl.col("last_used_at").is_not_null()
    return (*_of(CREDENTIALS, REQUIRED, ""), _demand("never_used", used, USED_AND_NEVER_USED))


def of_versions() -> tuple[Demand, ...]:
    """What must hold for every version, in a flat table of them."""
    return _of(VERSIONS, REQUIRED_OF_VERSION, "versions.")


def holds(frame: pl.DataFrame, demands: tuple[Demand, ...]) -> bool:
    """Say whether no row violates any demand on the columns that the frame has."""
    return not any(violations(frame.lazy(), demands, frame.columns).collect().row(0))


def violations(frame: pl.LazyFrame, demands: tuple[Demand, ...], columns: Collection[str]) -> pl.LazyFrame:
    """Ask every demand on some columns: one row, a boolean each."""
    asked = [demand.anywhere for demand in demands if demand.columns.issubset(columns)]
    return frame.select(answer.alias(str(index)) for index, answer in enumerate(asked))


def labels_sound(labels: pl.Series) -> bool:
    """Say whether no label in a column of encoded labels holds a NUL, which JSON writes as an escape."""
    suspects = labels.filter(labels.str.contains("\\u0000", literal=True))
    for text in suspects:
        decoded: dict[str, str] = msgspec.json.decode(text)
        if any("\0" in word for pair in decoded.items() for word in pair):
            return False
    return True
