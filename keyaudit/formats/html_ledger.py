"""The rotation ledger as data for the page's script: columns of numbers that point into one pool of texts."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from itertools import islice
from typing import Any

from keyaudit import times
from keyaudit.formats import ledger_text
from keyaudit.model import Ledger, LedgerEntry, LedgerRow

NAMES = (
    "source", "scope", "id", "name", "environment", "owner", "cls", "schedule", "operation", "standing",
    "due", "met", "late", "open", "period", "grace", "longestMin", "longestMax", "outMin", "outMax",
    "lastSeen", "gaps", "values",
)  # fmt: skip
"""Columns in their order; the page's `ledger.js` reads them."""

Number = Callable[[Hashable], int]


def columns(ledger: Ledger, number: Number, most: int) -> dict[str, Any]:
    """Lay out at most so many credentials; `number` gives a text's place in the pool."""
    rows = [_row(row, number) for row in islice(ledger.rows, most)]
    laid = dict(zip(NAMES, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(NAMES, ())
    return {"total": len(ledger.rows), "count": len(rows), "columns": laid}


def _row(row: LedgerRow, number: Number) -> tuple[Any, ...]:
    words = (
        row.source,
        row.scope,
        row.id,
        row.name,
        row.environment,
        row.owner,
        row.cls,
        row.schedule,
        row.operation,
        ledger_text.standing(row),
    )
    lengths = (
        row.rotation_period,
        row.grace_period,
        row.longest_min,
        row.longest_max,
        row.out_min,
        row.out_max,
        row.last_seen_at,
    )
    return (
        *map(number, words),
        *(row.due, row.met, row.late, row.open),
        *map(_seconds, lengths),
        [number(gap) for gap in ledger_text.gap_texts(row)],
        [_value(entry, number) for entry in row.entries],
    )


def _value(entry: LedgerEntry, number: Number) -> list[Any]:
    """Give version, created, due, replaced, result, timing, overlap and evidence."""
    instants = (entry.created_at, entry.due_at)
    return [
        number(entry.version),
        *(None if at is None else at // times.SECOND for at in instants),
        *map(
            number,
            (
                ledger_text.replaced(entry),
                entry.result,
                ledger_text.lateness(entry),
                ledger_text.overlap(entry),
                ledger_text.evidence(entry),
            ),
        ),
    ]


def _seconds(value: int | None) -> int | None:
    return None if value is None else value // times.SECOND
