"""What a document says about itself: schema, when it was collected, which scopes were asked.

    schema: keyaudit/inventory/1
    collected_at: 2026-05-01T00:00:00Z
    coverage:
      - {source: gcp, scope: acme-prod, status: complete, credentials: 1, cannot_know: [last_used_at]}
    collected:                                    # rarely needed: which columns were collected
      - {source: gcp, scope: acme-prod, columns: [created_at, versions, versions.created_at]}

Without `collected`, a column was collected if any credential of the document carries it. keyaudit
writes it where that would not say enough: several documents merged into one, or no credential
that could carry anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from keyaudit import times
from keyaudit.columns import NAMES, REQUIRED, REQUIRED_OF_VERSION, SCHEMA
from keyaudit.errors import did_you_mean
from keyaudit.inventory.check import (
    KINDS,
    Finding,
    called,
    mapping,
    note,
    repetitions,
    shown,
    wrong_choice,
)
from keyaudit.inventory.collected import complete
from keyaudit.inventory.nodes import Node
from keyaudit.inventory.problems import Problems
from keyaudit.model import Collection, Coverage, ScopeStatus

_OF_EVERY_VERSION = tuple(f"versions.{name}" for name in REQUIRED_OF_VERSION)
KEYS = ("schema", "collected_at", "coverage", "collected")


@dataclass(frozen=True, slots=True)
class Header:
    """What a document says about itself; `lines` has the line of each coverage row."""

    collected_at: int | None = None
    coverage: tuple[Coverage, ...] = ()
    collected: tuple[Collection, ...] = ()
    lines: tuple[int, ...] = ()


def read_header(node: Node, problems: Problems, *, body: tuple[str, ...] = ()) -> Header:
    """Read the header fields of a mapping; notes every problem in them.

    `body` names further keys that must be there and are read elsewhere.
    """
    before = problems.total
    note(_wrong_header(node, body), "", problems)
    if problems.total > before:
        return Header()
    plain = {key: _plain(value) for key, value in node.value.items() if key in KEYS}
    moment = plain.get("collected_at")
    coverage = node.value.get("coverage")
    return Header(
        collected_at=None if moment is None else times.parse_instant(moment),
        coverage=tuple(_coverage(row) for row in plain.get("coverage") or ()),
        collected=tuple(_collection(row) for row in plain.get("collected") or ()),
        lines=tuple(row.line for row in (coverage.value if coverage else None) or ()),
    )


def _wrong_header(node: Node, body: tuple[str, ...]) -> Iterator[Finding]:
    if not isinstance(node.value, dict):
        yield node, "", f"expected a mapping with schema, coverage and credentials, got {called(node.value)}"
        return
    for key, place in repetitions(node):
        yield place, key, "given twice"
    for key in ("schema", *body):
        if key not in node.value:
            hint = f": begin with schema: {SCHEMA}" if key == "schema" else ""
            yield node, key, f"missing{hint}"
    for key, value in node.value.items():
        if key in _HEADER and value.value is not None:
            for found, path, message in _HEADER[key](value):
                yield found, f"{key}{path}", message
        elif key == "schema":
            yield value, key, f"expected {SCHEMA}, got null"
        elif key not in _HEADER and key not in body:
            yield value, "", f"unknown field {shown(key)}{did_you_mean(key, (*KEYS, *body))}"


def _wrong_schema(node: Node) -> Iterator[Finding]:
    if node.value != SCHEMA:
        yield node, "", f"expected {SCHEMA}, got {called(node.value)}"


def _wrong_columns(node: Node) -> Iterator[Finding]:
    if not isinstance(node.value, list):
        yield node, "", f"expected a list of columns, got {called(node.value)}"
        return
    for index, item in enumerate(node.value):
        if not isinstance(item.value, str):
            yield item, f"[{index}]", f"expected the name of a column, got {called(item.value)}"
        elif item.value not in NAMES:
            yield item, f"[{index}]", f"no column {shown(item.value)}{did_you_mean(item.value, NAMES)}"
        elif item.value in REQUIRED:
            yield item, f"[{index}]", "every credential has this column"


def _wrong_cannot_know(node: Node) -> Iterator[Finding]:
    yield from _wrong_columns(node)
    for index, item in enumerate(node.value if isinstance(node.value, list) else ()):
        if item.value in _OF_EVERY_VERSION:
            yield item, f"[{index}]", "every version has this column"


def _rows_of(
    checks: Mapping[str, Callable[[Node], Iterator[Finding]]], required: tuple[str, ...]
) -> Callable[[Node], Iterator[Finding]]:
    """Make the check of a list of mappings, no two of them about the same scope."""

    def check(node: Node) -> Iterator[Finding]:
        if not isinstance(node.value, list):
            yield node, "", f"expected a list, got {called(node.value)}"
            return
        seen = set()
        for index, item in enumerate(node.value):
            for found, path, message in mapping(item, checks, required):
                yield found, f"[{index}]{path}", message
            if isinstance(item.value, dict):
                parts = (item.value.get("source"), item.value.get("scope"))
                scope = tuple(part and str(part.value) for part in parts)
                if scope in seen:
                    yield item, f"[{index}]", "another row is about the same scope"
                seen.add(scope)

    return check


_COVERAGE: dict[str, Callable[[Node], Iterator[Finding]]] = {
    "source": KINDS["text"],
    "scope": KINDS["text"],
    "status": wrong_choice(ScopeStatus),
    "credentials": KINDS["integer"],
    "versions": KINDS["integer"],
    "calls": KINDS["integer"],
    "pages": KINDS["integer"],
    "started_at": KINDS["instant"],
    "finished_at": KINDS["instant"],
    "reason": KINDS["text"],
    "cannot_know": _wrong_cannot_know,
    "identity": KINDS["text"],
}
_COLLECTED: dict[str, Callable[[Node], Iterator[Finding]]] = {
    "source": KINDS["text"],
    "scope": KINDS["text"],
    "columns": _wrong_columns,
}
_HEADER: dict[str, Callable[[Node], Iterator[Finding]]] = {
    "schema": _wrong_schema,
    "collected_at": KINDS["instant"],
    "coverage": _rows_of(_COVERAGE, ("source", "scope", "status")),
    "collected": _rows_of(_COLLECTED, ("columns",)),
}


def _plain(node: Node) -> Any:
    if isinstance(node.value, dict):
        return {key: _plain(value) for key, value in node.value.items()}
    return [_plain(item) for item in node.value] if isinstance(node.value, list) else node.value


def _coverage(row: dict[str, Any]) -> Coverage:
    fields = {key: value for key, value in row.items() if value is not None}
    for name in ("started_at", "finished_at"):
        if name in fields:
            fields[name] = times.parse_instant(fields[name])
    fields["status"] = ScopeStatus(fields["status"])
    fields["cannot_know"] = tuple(fields.get("cannot_know", ()))
    return Coverage(**fields)


def _collection(row: dict[str, Any]) -> Collection:
    return Collection(complete(row["columns"]), row.get("source"), row.get("scope"))


def write_header(header: Header) -> dict[str, Any]:
    """Give the header as plain data, in the order of a document; what it does not say is left out."""
    document: dict[str, Any] = {"schema": SCHEMA}
    if header.collected_at is not None:
        document["collected_at"] = times.format_instant(header.collected_at)
    document["coverage"] = [_write_coverage(row) for row in header.coverage]
    if header.collected:
        document["collected"] = [_write_collection(row) for row in header.collected]
    return document


def _write_coverage(row: Coverage) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name in _COVERAGE:
        value = getattr(row, name)
        if name in {"started_at", "finished_at"} and value is not None:
            value = times.format_instant(value)
        if value is not None:
            fields[name] = value
    fields["status"] = str(row.status.value)
    fields["cannot_know"] = list(row.cannot_know)
    return fields


def _write_collection(row: Collection) -> dict[str, Any]:
    scope = {} if row.source is None else {"source": row.source, "scope": row.scope}
    return {**scope, "columns": sorted(row.columns - set(REQUIRED))}
