"""What a terminal shows of a period and of a sample."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from keyaudit import times
from keyaudit.formats import history_text, ledger_text, ledger_view, sample_text
from keyaudit.formats.ledger_view import LedgerView, Missed
from keyaudit.formats.terminal_layout import Row, grid, heading
from keyaudit.formats.visible import visible
from keyaudit.model import Drawn, Ledger, LedgerResult, Report

MOST_MISSED = 15
MOST_DRAWN = 30


def facts(report: Report) -> Iterator[tuple[str, str]]:
    """Say in the report's first lines what the period and the sample came to."""
    if report.ledger is not None:
        yield "rotations", ledger_text.headline(report.ledger)
    if report.sample is not None:
        yield "sample", visible(sample_text.drawn(report.sample))


def rotations(console: Console, report: Report) -> None:
    """Print what the ledger counts, then the worst due dates that were not met."""
    found = ledger_view.of_report(report, rows=0, missed=MOST_MISSED)
    if report.ledger is None or found is None:
        return
    heading(console, "Rotations in the period")
    console.print(grid(_counted(report, report.ledger, found)))
    if found.missed:
        console.print()
        console.print(grid((_missed(each) for each in found.missed), whole=True))
    if found.all_missed > len(found.missed):
        console.print(f"  … and {found.all_missed - len(found.missed):,} more (see --format ledger)")


def sample(console: Console, report: Report) -> None:
    """Print what was drawn, in its order, as far as there is room."""
    drawn = report.sample.drawn if report.sample else ()
    if not drawn:
        return
    heading(console, "Sample, in the order in which it was drawn")
    console.print(grid(map(_drawn, drawn[:MOST_DRAWN]), whole=True))
    if len(drawn) > MOST_DRAWN:
        console.print(f"  … and {len(drawn) - MOST_DRAWN:,} more (see --format sample)")


def _counted(report: Report, ledger: Ledger, found: LedgerView) -> Iterator[Row]:
    yield "values", ledger_text.counts(ledger.results)
    yield "credentials", ledger_text.operations(ledger)
    if words := ledger_text.words(found.words):
        yield "evidence", words
    yield "history", visible(history_text.history(report) or "", longest=600)
    for part in ledger.policies if len(ledger.policies) > 1 else ():
        yield "policy", visible(ledger_text.policy(part), longest=400)


def _missed(each: Missed) -> Row:
    row, entry = each.row, each.entry
    style = "bold red" if entry.result is LedgerResult.OVERDUE else "red"
    due = "a day not known" if entry.due_at is None else times.format_date(entry.due_at)
    about = Text.assemble((visible(row.name), "bold"), f"  {ledger_text.lateness(entry)}")
    version = visible(entry.version)
    about.append(f"\nversion {version} fell due {due}; replaced: {ledger_text.replaced(entry)}")
    place = " · ".join(visible(part) for part in (f"{row.source} {row.scope}", row.owner) if part)
    about.append(f"\n{place}", style="dim")
    return Text(f"{entry.result.upper():<8}", style=style), about


def _drawn(each: Drawn) -> Row:
    where = f"{each.source} {each.scope}"
    return f"{each.order:,}", visible(each.name, longest=60), visible(where, longest=80)
