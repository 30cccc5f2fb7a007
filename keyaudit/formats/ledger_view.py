"""What a page shows of a ledger, found in one walk: its rows may be many, and are made when asked for."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from heapq import nsmallest
from itertools import islice

from keyaudit import times
from keyaudit.formats.ledger_text import MISSED
from keyaudit.model import Ledger, LedgerEntry, LedgerResult, LedgerRow, Operation, Report

MOST_MONTHS = 60
"""Of a longer period, only its first so many months are counted each by itself."""

_OPERATIONS = {operation: rank for rank, operation in enumerate(Operation)}
_RESULTS = {result: rank for rank, result in enumerate(LedgerResult)}


@dataclass(frozen=True, slots=True)
class Missed:
    """A due date that was not met, and whose it was."""

    row: LedgerRow
    entry: LedgerEntry


@dataclass(frozen=True, slots=True)
class Month:
    """Due dates that lie in one month of the period, UTC: `label` is `2026-03`, `span` its part in it."""

    label: str
    span: tuple[int, int]
    met: int
    late: int
    open: int


@dataclass(frozen=True, slots=True)
class LedgerView:
    """The worst credentials and the worst due dates of a ledger, and its due dates by month.

    `credentials` and `all_missed` count all there are; `months` has every month of the period, `words` how
    many values were replaced in time by whose word.
    """

    worst: tuple[LedgerRow, ...]
    credentials: int
    missed: tuple[Missed, ...]
    all_missed: int
    months: tuple[Month, ...]
    words: Mapping[str, int] = field(default_factory=dict)

    def first(self, count: int) -> list[LedgerRow]:
        """Give the worst so many."""
        return list(self.worst[:count])


def view(ledger: Ledger, period: tuple[int, int], *, rows: int, missed: int) -> LedgerView:
    """Walk through a ledger once, and keep its worst `rows` credentials and `missed` due dates."""
    by_month: Counter[tuple[str, str]] = Counter()
    words: Counter[str] = Counter()
    totals = [0, 0]
    found: list[Missed] = []

    def walked() -> Iterator[LedgerRow]:
        nonlocal found
        for row in ledger.rows:
            totals[0] += 1
            for entry in row.entries:
                _count(by_month, entry, period)
                words[entry.basis] += _met(entry, period[1])
                if entry.result in MISSED:
                    totals[1] += 1
                    found.append(Missed(row, entry))
            if len(found) > 2 * missed + 1000:
                found = nsmallest(missed, found, key=_lateness)
            yield row

    walk = walked()
    worst = tuple(nsmallest(rows, walk, key=badness))
    deque(walk, maxlen=0)  # whoever wants no row still wants the counts
    kept = tuple(nsmallest(missed, found, key=_lateness))
    return LedgerView(worst, totals[0], kept, totals[1], _months(by_month, period), +words)


def of_report(report: Report, *, rows: int, missed: int) -> LedgerView | None:
    """Give the view of a report's ledger; None for an audit of an instant."""
    if report.ledger is None or report.period is None:
        return None
    return view(report.ledger, report.period, rows=rows, missed=missed)


def badness(row: LedgerRow) -> tuple[int, int, int, str, str, str]:
    """Order credentials: operation, then longest out of policy, then by name."""
    return _OPERATIONS[row.operation], -row.out_max, -row.late, row.source, row.scope, row.id


def _lateness(each: Missed) -> tuple[int, int, str, str, str, str]:
    row, entry = each.row, each.entry
    late = entry.early_min if entry.early_min is not None else -entry.out_max
    return late, _RESULTS[entry.result], row.source, row.scope, row.id, entry.version


def _met(entry: LedgerEntry, last: int) -> bool:
    """Say whether a value fell due by the end of the period, and another one replaced it in time."""
    due = entry.due_at is not None and entry.due_at <= last
    return due and entry.result is LedgerResult.ON_TIME and entry.replaced_by is not None


def _count(by_month: Counter[tuple[str, str]], entry: LedgerEntry, period: tuple[int, int]) -> None:
    due = entry.due_at
    if due is None or not period[0] <= due <= period[1] or entry.result is LedgerResult.NOT_DUE:
        return
    if entry.result is LedgerResult.ON_TIME and not _met(entry, period[1]):
        return
    kind = "met" if entry.result is LedgerResult.ON_TIME else "late" if entry.result in MISSED else "open"
    by_month[times.format_date(due)[:7], kind] += 1


def _months(by_month: Counter[tuple[str, str]], period: tuple[int, int]) -> tuple[Month, ...]:
    return tuple(
        Month(label, span, *(by_month[label, kind] for kind in ("met", "late", "open")))
        for label, span in islice(_calendar(*period), MOST_MONTHS)
    )


def _calendar(start: int, end: int) -> Iterator[tuple[str, tuple[int, int]]]:
    """Name the months of a period, each with its first and last instant that lie in it."""
    first, last = (datetime.fromtimestamp(at // times.SECOND, UTC) for at in (start, end))
    for number in range(first.year * 12 + first.month - 1, last.year * 12 + last.month):
        following = number + 1
        after = end + 1
        if following < 9999 * 12:
            after = times.from_datetime(datetime(following // 12, following % 12 + 1, 1, tzinfo=UTC))
        begun = times.from_datetime(datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC))
        yield f"{number // 12:04}-{number % 12 + 1:02}", (max(begun, start), min(after - 1, end))
