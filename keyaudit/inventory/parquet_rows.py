"""Rows of a Parquet document, checked without making an object of any that is sound."""

from __future__ import annotations

from typing import Any

import msgspec
import polars as pl

from keyaudit.columns import CREDENTIALS, VERSIONS
from keyaudit.errors import MOST_PROBLEMS_SHOWN
from keyaudit.inventory import nodes, soundness
from keyaudit.inventory.check import check_credential
from keyaudit.inventory.instants import EARLIEST, LATEST
from keyaudit.inventory.nodes import Node
from keyaudit.inventory.problems import Problems
from keyaudit.inventory.tabulate import Unreadable, encode_labels

_LABELS: msgspec.json.Decoder[dict[str, str]] = msgspec.json.Decoder(dict[str, str])
_AN_INSTANT = "2026-05-01T00:00:00Z"
_TOO_EARLY = "0001-01-01T00:00:00Z"
_TOO_LATE = "9999-12-31T23:59:59-01:00"


def checked(rows: pl.LazyFrame, problems: Problems) -> pl.LazyFrame:
    """Check every value of a scanned document; gives its rows back, labels in their one spelling.

    `rows` has the columns of `polars_schema` but `row` and `collection`. They are read once and
    kept as columns: reading them again would cost more than all that is computed on them.
    """
    table = rows.collect()
    spelled = {text: _spelling(text) for text in table["labels"].unique().drop_nulls()}
    unreadable = [text for text, spelling in spelled.items() if spelling is None]
    others = {text: spelling for text, spelling in spelled.items() if spelling not in {None, text}}
    if unreadable or not _sound(table):
        _explain(table, unreadable, problems)
    if others:
        table = table.with_columns(pl.col("labels").replace(others))
    return table.lazy()


def _spelling(text: str) -> str | None:
    """Give labels as `encode_labels` prints them; None if the text is not labels."""
    try:
        spelling = encode_labels(_LABELS.decode(text))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Unreadable):
        return None
    if spelling == text:
        return spelling if soundness.labels_sound(pl.Series([text])) else None
    noted = Problems("")
    node = _labels_node(text)
    check_credential(Node({**_SOUND, "labels": node}, 1, 1), "", noted)
    return None if noted.total else spelling


_SOUND = {name: Node("x", 1, 1) for name in ("source", "scope", "id", "name")}


def _sound(table: pl.DataFrame) -> bool:
    """Ask everything at once, so that the questions share the processors."""
    versions = pl.col("versions")
    ids = versions.list.eval(pl.element().struct.field("id")).list.n_unique()
    flat = table.lazy().select(versions.explode(empty_as_null=False, keep_nulls=False)).unnest("versions")
    answers = pl.collect_all(
        [
            soundness.violations(table.lazy(), soundness.of_credentials(), CREDENTIALS),
            soundness.violations(flat, soundness.of_versions(), VERSIONS),
            table.lazy().select((ids != versions.list.len()).any()),
        ]
    )
    return not any(any(answer.row(0)) for answer in answers)


def _versions(table: pl.DataFrame) -> pl.DataFrame:
    """Lay all versions flat, with `_at`, the number of their credential."""
    held = table.select(pl.int_range(pl.len()).alias("_at"), "versions").filter(
        pl.col("versions").list.len() > 0
    )
    return held.explode("versions").unnest("versions")


def _explain(table: pl.DataFrame, unreadable: list[str], problems: Problems) -> None:
    """Note the problems of the first bad rows, and count the others."""
    versions = _versions(table)
    bad_version = pl.any_horizontal(demand.violated for demand in soundness.of_versions())
    bad_version |= pl.struct("_at", "id").is_duplicated()
    of_versions = versions.filter(bad_version)["_at"].unique()
    bad = pl.any_horizontal(demand.violated for demand in soundness.of_credentials())
    bad |= pl.col("labels").is_in(unreadable).fill_null(value=False)
    at = table.with_row_index("_at").with_columns(pl.col("_at").cast(pl.Int64))
    rows = at.filter(bad | pl.col("_at").is_in(of_versions.implode()))
    for row in rows.head(MOST_PROBLEMS_SHOWN).iter_rows(named=True):
        field = f"credentials[{row.pop('_at')}]"
        if check_credential(_node(row), field, problems):
            problems.add("holds a value that no document may hold", field=field)
    problems.total += max(0, rows.height - MOST_PROBLEMS_SHOWN)


def _node(row: dict[str, Any]) -> Node:
    """Make the credential that a row stands for, to be looked at like any other."""
    members: dict[str, Node] = {}
    rotation: dict[str, Node] = {}
    for name, kind in CREDENTIALS.items():
        place = rotation if name.startswith("rotation_") else members
        place[name.removeprefix("rotation_")] = _value(kind, row[name])
    members["rotation"] = Node(rotation, None, None)
    versions = row["versions"]
    members["versions"] = Node(
        versions
        and [
            Node({name: _value(kind, version[name]) for name, kind in VERSIONS.items()}, None, None)
            for version in versions
        ],
        None,
        None,
    )
    return Node(members, None, None)


def _value(kind: str, value: Any) -> Node:
    if kind == "labels" and value is not None:
        return _labels_node(value)
    if kind == "names" and value is not None:
        return Node([Node(item, None, None) for item in value], None, None)
    if kind == "instant" and value is not None:
        value = _TOO_EARLY if value < EARLIEST else _TOO_LATE if value > LATEST else _AN_INSTANT
    return Node(value, None, None)


def _labels_node(text: str) -> Node:
    try:
        return nodes.flat(nodes.parse_json(text))
    except nodes.Malformed:
        return Node(text, None, None)
