"""What must hold for columns, as expressions: the cheap half of `check`, for a million rows at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec
import polars as pl

from keyaudit.inventory.check import LARGEST_INTEGER, LONGEST_TEXT
from keyaudit.inventory.columns import CHOICES, CREDENTIALS, REQUIRED, REQUIRED_OF_VERSION, VERSIONS
from keyaudit.inventory.instants import EARLIEST, LATEST


@dataclass(frozen=True, slots=True)
class Demand:
    """Something that must not be true of any row; `violated` is never null."""

    column: str
    violated: pl.Expr
    message: str


def _of_column(name: str, kind: str, choices: tuple[str, ...] | None) -> Iterator[Demand]:
    column = pl.col(name)
    match kind:
        case _ if choices:
            message = f"is not one of {', '.join(choices)}"
            yield Demand(name, ~column.is_in(choices).fill_null(value=True), message)
        case "text" | "labels":
            too_long = f"text is longer than {LONGEST_TEXT:,} bytes"
            empty = "empty text: write null if it is not known"
            yield Demand(name, (column.str.len_bytes() == 0).fill_null(value=False), empty)
            yield Demand(name, (column.str.len_bytes() > LONGEST_TEXT).fill_null(value=False), too_long)
            nul = column.str.contains("\0", literal=True).fill_null(value=False)
            yield Demand(name, nul, "text holds a NUL character")
        case "integer":
            outside = ~column.is_between(0, LARGEST_INTEGER).fill_null(value=True)
            yield Demand(name, outside, "expected an integer that is neither negative nor huge")
        case "instant":
            outside = ~column.is_between(EARLIEST, LATEST).fill_null(value=True)
            yield Demand(name, outside, 'a time outside the years 2 to 9999: write null for "never"')
        case "names":
            items = pl.element().is_null() | (pl.element().str.len_bytes() == 0)
            items |= pl.element().str.contains("\0", literal=True)
            items |= pl.element().str.len_bytes() > LONGEST_TEXT
            bad = column.list.eval(items).list.any().fill_null(value=False)
            yield Demand(name, bad, "expected a list of texts")
        case _:
            assert kind == "boolean", "every boolean is sound"


def _of(columns: Mapping[str, str], required: tuple[str, ...], prefix: str) -> tuple[Demand, ...]:
    demands = [Demand(name, pl.col(name).is_null(), "must not be null") for name in required]
    for name, kind in columns.items():
        demands += _of_column(name, kind, CHOICES.get(prefix + name))
    return tuple(demands)


def of_credentials() -> tuple[Demand, ...]:
    """What must hold for every credential."""
    return _of(CREDENTIALS, REQUIRED, "")


def of_versions() -> tuple[Demand, ...]:
    """What must hold for every version, in a flat table of them."""
    return _of(VERSIONS, REQUIRED_OF_VERSION, "versions.")


def holds(frame: pl.DataFrame, demands: tuple[Demand, ...]) -> bool:
    """Say whether no row violates any demand on the columns that the frame has."""
    asked = [demand.violated.any() for demand in demands if demand.column in frame.columns]
    if not asked or frame.is_empty():
        return True
    return not any(frame.select(answer.alias(str(index)) for index, answer in enumerate(asked)).row(0))


def labels_sound(labels: pl.Series) -> bool:
    """Say whether no label in a column of encoded labels holds a NUL, which JSON writes as an escape."""
    suspects = labels.filter(labels.str.contains("\\u0000", literal=True))
    for text in suspects:
        decoded: dict[str, str] = msgspec.json.decode(text)
        if any("\0" in word for pair in decoded.items() for word in pair):
            return False
    return True
