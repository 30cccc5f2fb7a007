"""The report for nobody in particular: what was tested, what was not, then everything in turn."""

from __future__ import annotations

from keyaudit.formats.chapters import Chapter
from keyaudit.model import Report

PAPER = (
    Chapter("summary", "Summary", new_page=True),
    Chapter("scope", "Scope, and what was not tested"),
    Chapter("method", "Method and how to read this report"),
    Chapter("criteria", "Criteria"),
    Chapter("controls", "Results by control", new_page=True),
    Chapter("findings", "Findings", new_page=True),
    Chapter("ledger", "Rotations of the period", new_page=True),
    Chapter("waivers", "Waivers", new_page=True),
    Chapter("population", "Population"),
    Chapter("sample", "Sample"),
    Chapter("rules", "Rules", new_page=True),
    Chapter("limits", "Limits of this report"),
    Chapter("evidence", "Evidence and how to check it"),
    Chapter("sign-off", "Sign-off", new_page=True),
)

SCREEN = (
    Chapter("tested", "What was tested, and what was not", "Tested and not"),
    Chapter("controls", "Results by control", "Controls"),
    Chapter("pictures", "Rotation at a glance", "Rotation"),
    Chapter("ledger", "Rotations of the period", "Ledger"),
    Chapter("findings", "Findings"),
    Chapter("population", "Population"),
    Chapter("sample", "Sample"),
    Chapter("waivers", "Waivers"),
    Chapter("criteria", "Criteria: the policy's schedules", "Criteria"),
    Chapter("coverage", "Coverage"),
    Chapter("orphans", "Keys of providers that no store here is known to hold", "Orphans"),
    Chapter("rules", "Rules"),
    Chapter("method", "Method and limits", "Method"),
)


def absent(report: Report) -> frozenset[str]:
    """Name the parts for which a report has nothing."""
    there = {"ledger": report.ledger, "sample": report.sample, "orphans": report.orphans}
    return frozenset(name for name, content in there.items() if not content)
