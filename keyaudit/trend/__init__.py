"""A history at a glance, over saved report documents: what was overdue, mended, opened, and not seen.

    reports = find(["audits/"])
    content = render("html", follow(reports, by="environment"))

A report that could not look into a scope says nothing about it: what was open there stays open,
apart from what was seen, until a report that looks says otherwise. Nothing is interpolated.

saved, reading, look        one report and what it could see; all of them in the order of their time
history, tally              what became of every finding; counting by group
ages, overdue, intervals    how old values are, how long they stay overdue; days, weeks, months
series                      what a trend is made of, and all that formats see
terminal, html, csv_rows,   how it looks; `sparks` and `pictures` draw, `wording` says the same in
json_document               all of them
"""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from itertools import islice
from typing import Any

from keyaudit import __version__, times
from keyaudit.errors import InputError, Problem, UsageError
from keyaudit.report_document.kinds import Refused
from keyaudit.trend.history import History
from keyaudit.trend.intervals import between, fitting, start_of
from keyaudit.trend.reading import Reports, find
from keyaudit.trend.series import BY, Figures, Point, Slot, Trend
from keyaudit.trend.tally import following

__all__ = ["BY", "FORMATS", "Reports", "Trend", "find", "follow", "render"]

MOST_SLOTS = 20_000
"""Intervals of one trend, fifty years of days: one report with a wrong year must not fill the memory."""

FORMATS = {
    "terminal": ("trend.txt", "keyaudit.trend.terminal"),
    "html": ("trend.html", "keyaudit.trend.html"),
    "csv": ("trend.csv", "keyaudit.trend.csv_rows"),
    "json": ("trend.json", "keyaudit.trend.json_document"),
}
"""What the file of a format is called, and where it is made."""


def follow(
    reports: Reports,
    *,
    by: str = "environment",
    start: int | None = None,
    end: int | None = None,
    interval: str | None = None,
) -> Trend:
    """Go through the reports and give what they say from `start` to just before `end` (microseconds).

    Reports before `start` are gone through as well: they say what was open already. `interval`
    is one of `intervals.INTERVALS`, by default what fits the reports; its last report gives the
    levels, all of them the changes. Raises InputError for a document that is not what it should
    be, UsageError where no report is left.
    """
    history = History(by)
    points: list[Point] = []
    for file, saved in reports.until(end):
        try:
            points.append(history.follow(saved))
        except Refused as refused:
            raise InputError([Problem(str(file), None, None, "population", str(refused))]) from None
    shown = [point for point in points if start is None or point.as_of >= start]
    if not shown:
        raise UsageError("no report is of that time", hint="widen --from and --to, or give more folders")
    chosen = interval or fitting([point.as_of for point in shown])
    groups = {group for point in shown for group in point.groups}
    return Trend(
        version=__version__,
        by=by,
        interval=chosen,
        slots=_slots(shown, chosen),
        groups=tuple(sorted(groups, key=lambda group: (group is None, group or ""))),
        reports=tuple(reports.used),
        left_out=tuple((left.as_of, left.sha256) for left in reports.left_out),
    )


def _slots(points: list[Point], interval: str) -> tuple[Slot, ...]:
    by_start: dict[int, Point] = {}
    for point in points:
        start = start_of(point.as_of, interval)
        by_start[start] = _later(by_start[start], point) if start in by_start else point
    spans = list(islice(between(points[0].as_of, points[-1].as_of, interval), MOST_SLOTS + 1))
    if len(spans) > MOST_SLOTS:
        span = f"{times.format_date(points[0].as_of)} to {times.format_date(points[-1].as_of)}"
        raise UsageError(
            f"{span} is too long by {interval}", hint="narrow --from and --to, or use --interval month"
        )
    return tuple(Slot(start, end, by_start.get(start)) for start, end in spans)


def _later(earlier: Point, later: Point) -> Point:
    """Put a point after another one of the same interval: the last levels, all changes."""
    nothing = Figures()
    groups = {
        group: following(earlier.groups.get(group, nothing), later.groups.get(group, nothing))
        for group in {**earlier.groups, **later.groups}
    }
    return replace(
        later,
        reports=earlier.reports + later.reports,
        total=following(earlier.total, later.total),
        groups=groups,
        changes=tuple(dict.fromkeys((*earlier.changes, *later.changes))),
    )


def render(name: str, trend: Trend, **options: Any) -> bytes:
    """Render a trend in one of `FORMATS`; only terminal has `options`: width, colour, ascii_only."""
    content: bytes = import_module(FORMATS[name][1]).render(trend, **options)
    return content
