"""An inventory's columns as a document spells them: what was not collected is absent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import polars as pl

from keyaudit.columns import CREDENTIALS, REQUIRED, VERSIONS
from keyaudit.inventory.collected import Scope, without
from keyaudit.inventory.header import Header
from keyaudit.inventory.tabulate import BATCH
from keyaudit.model import Collection, Inventory

_LABELS: msgspec.json.Decoder[dict[str, str]] = msgspec.json.Decoder(dict[str, str])


def header_of(inventory: Inventory, frame: pl.DataFrame, scopes: dict[Scope, frozenset[str]]) -> Header:
    """Make the header; `collected` only where the rows themselves would not say it."""
    header = Header(inventory.collected_at, inventory.coverage)
    cannot_know = {(row.source, row.scope): row.cannot_know for row in inventory.coverage}
    carried = _carried(frame, scopes)
    if all(without(carried, cannot_know.get(scope, ())) == columns for scope, columns in scopes.items()):
        asked = frozenset().union(*(own.columns for own in inventory.collections))
        if scopes or asked <= set(REQUIRED):
            return header
        return Header(header.collected_at, header.coverage, (Collection(asked),))
    collected = tuple(Collection(columns, *scope) for scope, columns in scopes.items())
    if len(set(scopes.values())) == 1:
        collected = (Collection(collected[0].columns),)
    return Header(header.collected_at, header.coverage, collected)


def _carried(frame: pl.DataFrame, scopes: dict[Scope, frozenset[str]]) -> frozenset[str]:
    """Say which columns a reader would find carried by the rows."""
    lengths = pl.col("versions").list.len()
    longest = frame.group_by("source", "scope").agg(lengths.max())
    carried: set[str] = set()
    for source, scope, length in longest.iter_rows():
        hidden = {None: "versions", 0: "versions."}.get(length, "\0")
        carried |= {name for name in scopes[source, scope] if not name.startswith(hidden)}
    return frozenset(carried)


def masked(frame: pl.DataFrame, scopes: dict[Scope, frozenset[str]]) -> pl.DataFrame:
    """Make null what a scope did not collect, so that no format writes it."""
    if len(set(scopes.values())) < 1:
        return frame
    lacking: dict[str, list[Scope]] = {}
    for name in (*CREDENTIALS, "versions", *(f"versions.{field}" for field in VERSIONS)):
        lacking[name] = [scope for scope, columns in scopes.items() if name not in columns]
    here = {name: _in(without_) for name, without_ in lacking.items() if without_}
    frame = frame.with_columns(
        pl.when(~lacks).then(pl.col(name)).alias(name) for name, lacks in here.items() if "." not in name
    )
    for field in VERSIONS:
        if (lacks := here.get(f"versions.{field}")) is not None:
            fields = [
                pl.lit(None, dtype=frame.schema["versions"].inner.to_schema()[name]).alias(name)  # type: ignore[attr-defined]
                if name == field
                else pl.element().struct.field(name)
                for name in VERSIONS
            ]
            hidden = pl.col("versions").list.eval(pl.struct(*fields))
            frame = frame.with_columns(
                pl.when(lacks).then(hidden).otherwise(pl.col("versions")).alias("versions")
            )
    return frame


def _in(scopes: list[Scope]) -> pl.Expr:
    here = pl.lit(value=False)
    for source, scope in scopes:
        here |= (pl.col("source") == source) & (pl.col("scope") == scope)
    return here


def instants_as_text(column: pl.Expr) -> pl.Expr:
    """Print a column of instants as `times.format_instant` does."""
    text = pl.from_epoch(column, "us").dt.to_string("%Y-%m-%dT%H:%M:%S%.6fZ")
    return text.str.replace(".000000Z", "Z", literal=True)


def with_text_instants(frame: pl.DataFrame) -> pl.DataFrame:
    """Print every instant of credentials and versions."""
    own = [
        instants_as_text(pl.col(name)).alias(name) for name, kind in CREDENTIALS.items() if kind == "instant"
    ]
    fields = []
    for name, kind in VERSIONS.items():
        value = pl.element().struct.field(name)
        fields.append((instants_as_text(value) if kind == "instant" else value).alias(name))
    return frame.with_columns(*own, pl.col("versions").list.eval(pl.struct(*fields)))


def plain_rows(frame: pl.DataFrame, scopes: dict[Scope, frozenset[str]]) -> Iterator[dict[str, Any]]:
    """Give each credential as a document nests it, a batch of columns at a time."""
    for start in range(0, frame.height, BATCH):
        for row in with_text_instants(frame.slice(start, BATCH)).iter_rows(named=True):
            yield _plain(row, scopes[row["source"], row["scope"]])


def _plain(row: dict[str, Any], columns: frozenset[str]) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for name in CREDENTIALS:
        if name not in columns:
            continue
        if name.startswith("rotation_"):
            plain.setdefault("rotation", {})[name.removeprefix("rotation_")] = row[name]
        elif name == "labels":
            plain[name] = row[name] and _LABELS.decode(row[name])
        else:
            plain[name] = row[name]
    if "versions" in columns:
        fields = [name for name in VERSIONS if f"versions.{name}" in columns]
        versions = row["versions"]
        plain["versions"] = versions and [{name: version[name] for name in fields} for version in versions]
    return plain
