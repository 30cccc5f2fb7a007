"""The sheets of the rotation ledger and of the sample: workpapers with columns for the auditor to fill in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from keyaudit.formats import history_text, ledger_csv, ledger_text, sample_csv, sample_text
from keyaudit.formats.xlsx_sheet import Cell, Row, Sheet, days
from keyaudit.model import Ledger, LedgerEntry, LedgerResult, Report, Sample
from keyaudit.model.sampled import REPLACEMENT

_COUNTS = frozenset(map(ledger_csv.COLUMNS.index, ("due", "met", "late", "open")))


def summary(report: Report) -> Iterator[Row]:
    """Say on the first sheet what the ledger and the sample come to."""
    if report.ledger is not None:
        yield "rotations", ledger_text.headline(report.ledger)
        yield "rotations: credentials", ledger_text.operations(report.ledger)
        yield "rotations: history", history_text.history(report)
        for part in report.ledger.policies:
            yield "rotations: policy", ledger_text.policy(part)
    if report.sample is not None:
        yield "sample", sample_text.drawn(report.sample)
        yield "sample: population SHA-256", report.sample.population_sha256
        yield "sample: replacement", REPLACEMENT


def sheets(report: Report) -> Iterator[Sheet]:
    """Give the sheets that the report has something for."""
    if report.ledger is not None:
        yield _ledger(report.ledger)
    if report.sample is not None:
        yield _sample(report, report.sample)


def _ledger(ledger: Ledger) -> Sheet:
    """One row a value; `days_late` is what it was late at least, negative where it was early."""
    columns = (*ledger_csv.COLUMNS, "days_late", "management_response")
    rows = ((*_counted(cells), _days_after_due(entry)) for _, entry, cells in ledger_csv.rows(ledger))
    return Sheet("Ledger", columns, rows, long=True)


def _counted(cells: Sequence[str | None]) -> Iterator[Cell]:
    for place, cell in enumerate(cells):
        yield int(cell) if cell is not None and place in _COUNTS else cell


def _days_after_due(entry: LedgerEntry | None) -> int | None:
    if entry is None or entry.early_max is None or entry.result is LedgerResult.NOT_DUE:
        return None
    return days(-entry.early_max)


def _sample(report: Report, sample: Sample) -> Sheet:
    """Every column of the auditor's is empty, and is one to fill in."""
    return Sheet("Sample", sample_csv.COLUMNS, sample_csv.rows(report, sample), long=True)
