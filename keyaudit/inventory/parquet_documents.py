"""Parquet documents: scanned, not loaded, and checked by expressions over the columns.

The columns have the flat names of `columns`. Instants are timestamps with a time zone, of any
unit, or int64 microseconds; the header is JSON text under `keyaudit` in the key-value metadata.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from keyaudit.columns import CREDENTIALS, REQUIRED, REQUIRED_OF_VERSION, VERSIONS, polars_schema
from keyaudit.errors import did_you_mean
from keyaudit.inventory import nodes, parquet_rows
from keyaudit.inventory.check import shown
from keyaudit.inventory.document import Document, no_line
from keyaudit.inventory.header import Header, read_header
from keyaudit.inventory.problems import Problems

METADATA_KEY = "keyaudit"

_UNREADABLE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)
"""polars panics, which is no `Exception`, over some files that somebody damaged."""


def read_parquet(source: Path | io.BytesIO, digest: Callable[[], str], problems: Problems) -> Document | None:
    """Read a Parquet document; None, with the problems noted, if anything in it is wrong."""
    try:
        schema = pl.read_parquet_schema(source)
        metadata = pl.read_parquet_metadata(source)
    except _UNREADABLE as error:
        problems.add(f"not a Parquet file: {str(error).splitlines()[0]}")
        return None
    _check_schema(schema, problems)
    header = _header(metadata, problems)
    if problems.total:
        return None
    try:
        frame = parquet_rows.checked(pl.scan_parquet(source, glob=False).select(*_columns(schema)), problems)
    except _UNREADABLE as error:
        problems.add(f"the Parquet file is damaged: {str(error).splitlines()[0]}")
    if problems.total:
        return None
    in_place = str(source) if isinstance(source, Path) and _lies_unchanged(schema) else None
    return Document(problems.file, header, frame, _carried(schema), no_line, digest, in_place)


def _header(metadata: dict[str, str], problems: Problems) -> Header:
    """Read the header from the key-value metadata; a file without one carries only rows."""
    text = metadata.get(METADATA_KEY)
    if text is None:
        return Header()
    noted = Problems(problems.file)
    try:
        header = read_header(nodes.parse_json(text), noted)
    except nodes.Malformed as error:
        noted.add(str(error))
        header = Header()
    for problem in noted.shown:
        problems.add(f"metadata {METADATA_KEY!r}: {problem.message}", field=problem.field)
    return header


def _check_schema(schema: Mapping[str, Any], problems: Problems) -> None:
    _check_types(schema, CREDENTIALS, REQUIRED, "", {"versions"}, problems)
    versions = schema.get("versions")
    if versions is None or versions == pl.Null():
        return
    if isinstance(versions, pl.List) and isinstance(versions.inner, pl.Struct):
        _check_types(versions.inner.to_schema(), VERSIONS, REQUIRED_OF_VERSION, "versions.", set(), problems)
    else:
        problems.add(f"expected a list of structs, got {versions}", field="versions")


def _check_types(
    schema: Mapping[str, Any],
    columns: Mapping[str, str],
    required: tuple[str, ...],
    prefix: str,
    others: set[str],
    problems: Problems,
) -> None:
    for name in required:
        if name not in schema:
            problems.add("missing column", field=prefix + name)
    for name, type_ in schema.items():
        if name in others:
            continue
        if name not in columns:
            close = did_you_mean(name, (*columns, *others))
            problems.add(f"unknown column{close}", field=prefix + shown(name)[1:-1])
        elif message := _wrong_type(columns[name], type_):
            problems.add(message, field=prefix + name)


def _wrong_type(kind: str, type_: pl.DataType) -> str | None:
    if type_ == pl.Null():
        return None
    match kind:
        case "instant" if isinstance(type_, pl.Datetime):
            naive = type_.time_zone is None
            return "timestamps have no time zone: write them in UTC and say so" if naive else None
        case "instant":
            wanted, fits = "timestamps with a time zone or int64 microseconds", type_ == pl.Int64()
        case "integer":
            wanted, fits = "integers", type_.is_integer()
        case "boolean":
            wanted, fits = "booleans", type_ == pl.Boolean()
        case "names":
            wanted, fits = "lists of text", type_ == pl.List(pl.String())
        case "labels":
            wanted, fits = 'text, a JSON object such as {"team":"x"}', type_ == pl.String()
        case _:
            wanted, fits = "text", isinstance(type_, pl.String | pl.Categorical | pl.Enum)
    return None if fits else f"expected {wanted}, got {type_}"


def _columns(schema: Mapping[str, Any]) -> list[pl.Expr]:
    """Bring the columns of a file to those of `polars_schema`; missing ones are null."""
    wanted = polars_schema()
    columns = [_as(pl.col(name), schema.get(name), wanted[name]).alias(name) for name in CREDENTIALS]
    versions, type_ = schema.get("versions"), wanted["versions"]
    if not isinstance(versions, pl.List):
        return [*columns, pl.lit(None, dtype=type_).alias("versions")]
    if versions == type_:
        return [*columns, pl.col("versions")]
    assert isinstance(versions.inner, pl.Struct)
    inner = versions.inner.to_schema()
    fields = [
        _as(pl.element().struct.field(name), inner.get(name), own).alias(name)
        for name, own in type_.inner.to_schema().items()
    ]
    return [*columns, pl.col("versions").list.eval(pl.struct(*fields))]


def _as(column: pl.Expr, type_: Any, wanted: Any) -> pl.Expr:
    if type_ is None:
        return pl.lit(None, dtype=wanted)
    if isinstance(type_, pl.Datetime):
        return column.dt.cast_time_unit("us").cast(pl.Int64)
    return column if type_ == wanted else column.cast(wanted)


def _carried(schema: Mapping[str, Any]) -> frozenset[str]:
    versions = schema.get("versions")
    if not isinstance(versions, pl.List) or not isinstance(versions.inner, pl.Struct):
        return frozenset(schema) - {"versions"}
    return frozenset((*schema, *(f"versions.{name}" for name in versions.inner.to_schema())))


def _lies_unchanged(schema: Mapping[str, Any]) -> bool:
    """Say whether another engine may read the file itself: every column is there, and in its own type."""
    wanted = polars_schema()
    return all(schema.get(name) == wanted[name] for name in (*CREDENTIALS, "versions"))
