"""Rows into columns, a batch at a time, so that no object a credential outlives its batch.

Rows come from live sources (`rows.Credential`, instants as int) or from documents
(`shape.CREDENTIAL`, instants as text, fields left out as UNSET); both have the same attributes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from operator import attrgetter
from typing import Any

import msgspec
import polars as pl

from keyaudit.columns import CREDENTIALS, VERSIONS, polars_schema
from keyaudit.inventory import soundness
from keyaudit.inventory.instants import parse_instants

BATCH = 20_000

_ATTRIBUTES = {"class": "cls"}
_ROTATION = "rotation_"
_DEMANDS = soundness.of_versions()
_TYPES: dict[str, Any] = {
    "text": pl.String,
    "integer": pl.Int64,
    "boolean": pl.Boolean,
    "labels": pl.String,
}


class Unreadable(Exception):
    """Some row of a batch has a value that no column can hold; who reads documents finds out which."""


@dataclass
class Carried:
    """Which columns rows carried, and how many fields: what a count of keys is compared with.

    `rotation_null` says that some row had `rotation: null`, which carries all of it as not known
    if no row says more.
    """

    columns: set[str] = field(default_factory=set)
    fields: int = 0
    rotation_null: bool = False

    def add(self, name: str, values: list[Any], *, inside: bool = False) -> list[Any]:
        """Count the values of one column that rows carry, and make those left out null."""
        left_out = values.count(msgspec.UNSET)
        carried = len(values) - left_out
        self.fields += 0 if inside else carried
        if carried:
            self.columns.add(name)
        return [None if value is msgspec.UNSET else value for value in values] if left_out else values

    def collected(self) -> frozenset[str]:
        """Give the columns that were collected."""
        rotation = {name for name in CREDENTIALS if name.startswith(_ROTATION)}
        if self.rotation_null and not self.columns & rotation:
            return frozenset(self.columns | rotation)
        return frozenset(self.columns)


def tabulate(rows: Sequence[Any], carried: Carried) -> pl.DataFrame:
    """Turn rows into a frame with the columns of `polars_schema` but `row` and `collection`.

    Raises Unreadable where a time, a text or a number cannot be put into its column.
    """
    columns = {name: _column(name, rows, carried) for name in CREDENTIALS if not name.startswith(_ROTATION)}
    columns |= _rotation(list(map(attrgetter("rotation"), rows)), carried)
    columns["versions"] = _versions(list(map(attrgetter("versions"), rows)), carried)
    frame = pl.DataFrame(columns)
    return frame.select(name for name in polars_schema() if name in columns)


def _column(name: str, rows: Iterable[Any], carried: Carried) -> pl.Series:
    attribute = _ATTRIBUTES.get(name, name)
    values = carried.add(name, list(map(attrgetter(attribute), rows)))
    if CREDENTIALS[name] == "labels":
        carried.fields += sum(map(len, filter(None, values)))
        values = [None if value is None else encode_labels(value) for value in values]
    return series(name, CREDENTIALS[name], values)


def encode_labels(labels: dict[str, str]) -> str:
    """Print labels as the one text they are kept as: JSON with sorted keys and no spaces."""
    try:
        return msgspec.json.encode(labels, order="sorted").decode()
    except UnicodeEncodeError as error:
        raise Unreadable(str(error)) from None


def series(name: str, kind: str, values: Sequence[Any]) -> pl.Series:
    """Make one column of one kind (see `columns`); raises Unreadable for what it cannot hold."""
    try:
        if kind == "names":
            return _names(name, values)
        if kind != "instant":
            return pl.Series(name, values, dtype=_TYPES[kind], strict=True)
        if isinstance(next(filter(_is_given, values), None), str):
            return parse_instants(pl.Series(name, values, dtype=pl.String, strict=True))
        return pl.Series(name, values, dtype=pl.Int64, strict=True)
    except (UnicodeEncodeError, OverflowError, TypeError, ValueError) as error:
        raise Unreadable(str(error)) from None


def _is_given(value: Any) -> bool:
    return value is not None


def _names(name: str, lists: Sequence[list[str] | None]) -> pl.Series:
    """Make a column of lists by way of one text each: a list at a time would cost a series each."""
    texts = pl.Series(name, [None if names is None else "\0".join(names) for names in lists], dtype=pl.String)
    lengths = pl.Series("lengths", [None if names is None else len(names) for names in lists], dtype=pl.Int64)
    empty = pl.lit([], dtype=pl.List(pl.String))
    split = pl.when(lengths > 0).then(pl.col(name).str.split("\0")).when(lengths == 0).then(empty)
    column = texts.to_frame().select(split.alias(name))[name]
    if not (column.list.len().cast(pl.Int64) == lengths).all():
        raise Unreadable("text holds a NUL character")
    return column


def _rotation(rotations: list[Any], carried: Carried) -> dict[str, pl.Series]:
    rotations = [None if value is msgspec.UNSET else value for value in carried.add("rotation", rotations)]
    carried.rotation_null |= "rotation" in carried.columns
    carried.columns.discard("rotation")
    given = [index for index, value in enumerate(rotations) if value is not None]
    columns = {}
    for name in (name for name in CREDENTIALS if name.startswith(_ROTATION)):
        field_of = attrgetter(name.removeprefix(_ROTATION))
        spread: list[Any] = [None] * len(rotations)
        values = carried.add(name, [field_of(rotations[index]) for index in given])
        for index, value in zip(given, values, strict=True):
            spread[index] = value
        columns[name] = series(name, CREDENTIALS[name], spread)
    return columns


def _versions(lists: list[Any], carried: Carried) -> pl.Series:
    lists = carried.add("versions", lists)
    if all(value is None for value in lists):
        carried.columns.discard("versions")
    counts = [len(value) if value else 0 for value in lists]
    flat = list(chain.from_iterable(filter(None, lists)))
    owners = list(chain.from_iterable(repeat(row, count) for row, count in enumerate(counts)))
    columns = []
    for name, kind in VERSIONS.items():
        values = carried.add(f"versions.{name}", list(map(attrgetter(name), flat)))
        columns.append(series(name, kind, values))
    known = pl.Series([value is not None for value in lists], dtype=pl.Boolean)
    versions = pl.DataFrame(columns)
    if not soundness.holds(versions, _DEMANDS):
        raise Unreadable("a version has a value that no document may hold")
    return nest_versions(versions, pl.Series("_row", owners, dtype=pl.Int64), known)


def nest_versions(versions: pl.DataFrame, owners: pl.Series, known: pl.Series) -> pl.Series:
    """Gather a flat table of versions into one list a credential.

    `owners` gives the row of each version, ascending; `known` says for each credential whether
    its versions were collected: [] if so and there are none, null if not.
    """
    nested = pl.struct(*VERSIONS)
    flat = versions.with_columns(owners.alias("_row").set_sorted())
    if flat.select(pl.struct("_row", "id").is_duplicated().any()).item():
        raise Unreadable("two versions of a credential have the same id")
    lists = flat.group_by("_row", maintain_order=True)
    table = pl.DataFrame({"_row": pl.int_range(len(known), eager=True), "known": known}).join(
        lists.agg(versions=nested), on="_row", how="left", maintain_order="left"
    )
    empty = pl.lit([], dtype=polars_schema()["versions"])
    column = pl.when("known").then(pl.col("versions").fill_null(empty))
    return table.select(versions=column)["versions"]
