"""The rotation ledger as CSV, one row a value that was in use in the period: an auditor's workpaper.

A credential without a value known in the period has one row too, so that the population is whole.
Columns: the credential (`source` to `grace_period`; durations as `90d`), what came of it
(`operation`, how many of its due dates were `met`, `late`, `open`, the longest time that one value was
in use, how long it was out of policy, `last_seen_at` where it is no longer listed, `gaps` of which
nothing is known), then the value: when it was created, fell due and was replaced (RFC 3339, UTC; between
`replaced_from` and `replaced_to`), `result`, `timing` in words and as bounds, `overlap` with its
successor and whether `grace` was kept, on whose word (`basis`), and what a rotation record says.

Lengths of time never are negative: what was late is under `late_…`, what was early under `early_…`. An
empty cell is not known or not there. Cells are as in the CSV of findings: nothing that a spreadsheet
would run.
"""

from __future__ import annotations

from collections.abc import Iterator

from keyaudit import times
from keyaudit.errors import UsageError
from keyaudit.formats import csv_table, ledger_text
from keyaudit.model import Ledger, LedgerEntry, LedgerResult, LedgerRow, Report

CREDENTIAL_COLUMNS = (
    "source", "scope", "id", "name", "class", "environment", "owner", "schedule", "rotation_period",
    "grace_period", "operation", "due", "met", "late", "open", "longest_at_least", "longest_at_most",
    "credential_out_of_policy_at_least", "credential_out_of_policy_at_most", "last_seen_at", "gaps",
)  # fmt: skip
ENTRY_COLUMNS = (
    "version", "created_at", "due_at", "replaced_from", "replaced_to", "replaced_by", "result", "timing",
    "late_at_least", "late_at_most", "early_at_least", "early_at_most", "out_of_policy_at_least",
    "out_of_policy_at_most", "overlap_at_least", "overlap_at_most", "grace", "basis", "rotated_at", "run",
    "requested_by", "approved_by", "ticket",
)  # fmt: skip
COLUMNS = (*CREDENTIAL_COLUMNS, *ENTRY_COLUMNS)

Cells = tuple[str | None, ...]


def render(report: Report) -> bytes:
    """Print the ledger; raises UsageError for an audit of an instant, which has none."""
    if report.ledger is None:
        raise UsageError(
            "ledger: the report is of an instant, and a rotation ledger is of a period",
            hint="keyaudit scan --period 2026-01-01/2026-06-30 makes one",
        )
    return table(report.ledger)


def table(ledger: Ledger) -> bytes:
    """Print a ledger under a heading row."""
    return csv_table.table(COLUMNS, (cells for _, _, cells in rows(ledger)))


def rows(ledger: Ledger) -> Iterator[tuple[LedgerRow, LedgerEntry | None, Cells]]:
    """Give every entry with what stands under `COLUMNS`, not yet escaped, in the order of the population."""
    for row in ledger.rows:
        about = _credential(row)
        for entry in row.entries:
            yield row, entry, (*about, *_entry(entry))
        if not row.entries:
            yield row, None, (*about, *(None,) * len(ENTRY_COLUMNS))


def _credential(row: LedgerRow) -> Cells:
    return (
        row.source,
        row.scope,
        row.id,
        row.name,
        row.cls,
        row.environment,
        row.owner,
        row.schedule,
        _duration(row.rotation_period),
        _duration(row.grace_period),
        row.operation,
        *(str(count) for count in (row.due, row.met, row.late, row.open)),
        _duration(row.longest_min),
        _duration(row.longest_max),
        _duration(row.out_min),
        _duration(row.out_max),
        _instant(row.last_seen_at),
        "; ".join(ledger_text.gap_texts(row)),
    )


def _entry(entry: LedgerEntry) -> Cells:
    instants = (entry.created_at, entry.due_at, entry.replaced_from, entry.replaced_to)
    record = entry.recorded
    said = (
        (_instant(record.at), record.token, record.requested_by, record.approved_by, record.ticket)
        if record
        else (None,) * 5
    )
    return (
        entry.version,
        *map(_instant, instants),
        entry.replaced_by,
        entry.result,
        ledger_text.lateness(entry),
        *map(_duration, _timing(entry)),
        _duration(entry.out_min),
        _duration(entry.out_max),
        _duration(entry.overlap_min),
        _duration(entry.overlap_max),
        entry.grace,
        entry.basis,
        *said,
    )


def _timing(entry: LedgerEntry) -> tuple[int | None, ...]:
    """Give how late it was at least and at most, and how early: none of them negative."""
    low, high = entry.early_min, entry.early_max
    if entry.result is LedgerResult.NOT_DUE:
        return (None,) * 4
    late = (None if high is None else max(-high, 0), None if low is None else max(-low, 0))
    early = (None if low is None else max(low, 0), None if high is None else max(high, 0))
    return (*late, *early)


def _instant(value: int | None) -> str | None:
    return None if value is None else times.format_instant(value)


def _duration(value: int | None) -> str | None:
    return None if value is None else times.format_duration(value)
