"""Inventories as bytes, in every format that `read` takes; reading them back gives the same inventory."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import msgspec
import polars as pl

from keyaudit.columns import CREDENTIALS, REQUIRED, VERSIONS, polars_schema
from keyaudit.errors import UsageError
from keyaudit.inventory.collected import Scope, columns_by_scope
from keyaudit.inventory.csv_writing import write_csv
from keyaudit.inventory.header import Header, write_header
from keyaudit.inventory.opening import FORMATS
from keyaudit.inventory.parquet_documents import METADATA_KEY
from keyaudit.inventory.plain_rows import header_of, masked, plain_rows
from keyaudit.model import Inventory

Scopes = dict[Scope, frozenset[str]]


def write(inventory: Inventory, format: str) -> bytes:  # noqa: A002 - its name
    """Write an inventory; see `keyaudit.inventory.write`."""
    if format not in _WRITERS:
        raise UsageError(f"no format is called {format!r}", hint=f"formats: {', '.join(FORMATS)}")
    frame = inventory.credentials.collect()
    scopes = columns_by_scope(inventory.collections, frame.lazy())
    frame = masked(frame, scopes)
    return _WRITERS[format](header_of(inventory, frame, scopes), frame, scopes)


def _json(header: Header, frame: pl.DataFrame, scopes: Scopes) -> bytes:
    """One credential a line, so that two inventories can be compared line by line."""
    fields = [f'  "{key}": '.encode() + _line(value) for key, value in write_header(header).items()]
    rows = b",\n".join(b"    " + _line(row) for row in plain_rows(frame, scopes))
    listed = b"[\n" + rows + b"\n  ]" if rows else b"[]"
    return b"{\n" + b",\n".join([*fields, b'  "credentials": ' + listed]) + b"\n}\n"


def _ndjson(header: Header, frame: pl.DataFrame, scopes: Scopes) -> bytes:
    lines = [_line(write_header(header)), *map(_line, plain_rows(frame, scopes))]
    return b"\n".join(lines) + b"\n"


def _line(value: Any) -> bytes:
    return msgspec.json.encode(value)


def _yaml(header: Header, frame: pl.DataFrame, scopes: Scopes) -> bytes:
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    document = {**write_header(header), "credentials": list(plain_rows(frame, scopes))}
    text: str = yaml.dump(document, Dumper=dumper, sort_keys=False, allow_unicode=True, width=1 << 20)
    return text.encode()


def _parquet(header: Header, frame: pl.DataFrame, scopes: Scopes) -> bytes:
    carried = frozenset(REQUIRED).union(*scopes.values(), *(own.columns for own in header.collected))
    instant = pl.Datetime("us", "UTC")
    columns: list[pl.Expr] = [
        pl.col(name).cast(instant) if kind == "instant" else pl.col(name)
        for name, kind in CREDENTIALS.items()
        if name in carried
    ]
    types = polars_schema()["versions"].inner.to_schema()
    fields = {
        name: instant if kind == "instant" else types[name]
        for name, kind in VERSIONS.items()
        if f"versions.{name}" in carried
    }
    if fields:
        values = [pl.element().struct.field(name).cast(type_) for name, type_ in fields.items()]
        columns.append(pl.col("versions").list.eval(pl.struct(*values)))
    metadata = {METADATA_KEY: _line(write_header(header)).decode()}
    out = io.BytesIO()
    frame.select(*columns).write_parquet(out, metadata=metadata)
    return out.getvalue()


def _csv(header: Header, frame: pl.DataFrame, scopes: Scopes) -> bytes:
    carried = frozenset(REQUIRED).union(*scopes.values(), *(own.columns for own in header.collected))
    return write_csv(header, carried, plain_rows(frame, scopes))


_WRITERS: dict[str, Callable[[Header, pl.DataFrame, Scopes], bytes]] = {
    "json": _json,
    "yaml": _yaml,
    "ndjson": _ndjson,
    "csv": _csv,
    "parquet": _parquet,
}
