"""What pages show of a ledger: the worst of it, counted in one walk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import overload

from formats.large_report import large_report
from formats.sample_ledger import END, START, ledgered
from formats.sample_report import sample_report
from keyaudit import times
from keyaudit.formats import ledger_view, render
from keyaudit.formats.ledger_text import MISSED
from keyaudit.model import LedgerRow, Operation

REPORT = sample_report(25, 120)
LEDGER = REPORT.ledger
assert LEDGER is not None


class Rows(Sequence[LedgerRow]):
    """Rows that are made when asked for, and count how often somebody walks through them."""

    def __init__(self, rows: Sequence[LedgerRow]) -> None:
        self.rows = rows
        self.walks = 0

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, at: int) -> LedgerRow: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[LedgerRow]: ...
    def __getitem__(self, at: int | slice) -> LedgerRow | Sequence[LedgerRow]:
        return self.rows[at]

    def __iter__(self) -> Iterator[LedgerRow]:
        self.walks += 1
        return iter(self.rows)


def test_one_walk_finds_all_of_it() -> None:
    rows = Rows(LEDGER.rows)
    found = ledger_view.view(replace(LEDGER, rows=rows), (START, END), rows=5, missed=4)
    assert rows.walks == 1
    assert found.credentials == 120
    every = [(row, entry) for row in LEDGER.rows for entry in row.entries if entry.result in MISSED]
    assert found.all_missed == len(every) > 4
    assert sum(month.late for month in found.months) == len(every)
    latest = sorted(entry.early_min or 0 for _, entry in every)[:4]
    assert [each.entry.early_min for each in found.missed] == latest


def test_the_worst_come_first() -> None:
    found = ledger_view.view(LEDGER, (START, END), rows=120, missed=0)
    ranks = [list(Operation).index(row.operation) for row in found.worst]
    assert ranks == sorted(ranks)
    out = [row.out_max for row in found.worst if row.operation is Operation.EXCEPTION]
    assert out == sorted(out, reverse=True)
    assert found.first(3) == list(found.worst[:3])


def test_whoever_wants_no_rows_still_has_the_counts() -> None:
    found = ledger_view.view(LEDGER, (START, END), rows=0, missed=2)
    assert found.worst == ()
    assert found.credentials == 120
    assert len(found.missed) == 2


def test_months_are_those_of_the_period_and_no_longer_than_it() -> None:
    found = ledger_view.view(LEDGER, (START, END), rows=0, missed=0)
    labels = ["2025-11", "2025-12", "2026-01", "2026-02", "2026-03", "2026-04"]
    assert [month.label for month in found.months] == labels
    inner = ledger_view.view(LEDGER, (START + 3 * times.DAY, START + 31 * times.DAY), rows=0, missed=0)
    assert [month.span for month in inner.months] == [
        (START + 3 * times.DAY, START + 30 * times.DAY - 1),
        (START + 30 * times.DAY, START + 31 * times.DAY),
    ]
    instant = ledger_view.view(LEDGER, (START, START), rows=0, missed=0)
    assert [(month.label, month.span) for month in instant.months] == [("2025-11", (START, START))]


def test_a_due_date_in_the_last_microsecond_counts_and_one_after_it_does_not() -> None:
    (row,) = [row for row in LEDGER.rows if row.operation is Operation.OPERATED][:1]
    entry = row.entries[0]
    for due, counted in ((START - 1, 0), (START, 1), (END, 1), (END + 1, 0)):
        rows = (replace(row, entries=(replace(entry, due_at=due),)),)
        found = ledger_view.view(replace(LEDGER, rows=rows), (START, END), rows=0, missed=0)
        assert sum(month.met for month in found.months) == counted


def test_ten_thousand_missed_dates_are_counted_and_the_worst_of_them_shown() -> None:
    report = ledgered(large_report(1, credentials=10_000))
    assert report.ledger is not None
    found = ledger_view.of_report(report, rows=10, missed=10)
    assert found is not None
    every = [entry for row in report.ledger.rows for entry in row.entries if entry.result in MISSED]
    assert found.all_missed == len(every) > 1_000
    assert [each.entry.early_min for each in found.missed] == sorted(each.early_min or 0 for each in every)[
        :10
    ]
    terminal = render("terminal", report).decode()
    assert f"… and {len(every) - 15:,} more (see --format ledger)" in terminal
    markdown = render("markdown", report)
    assert f"… and {len(every) - 50:,} more: see the ledger, HTML or JSON report.".encode() in markdown
    assert len(markdown) < 1_000_000


def test_an_audit_of_an_instant_has_no_view() -> None:
    assert ledger_view.of_report(large_report(1), rows=1, missed=1) is None
