"""The period and what its ledger counts, for formats that have a place for facts but none for a ledger."""

from __future__ import annotations

from typing import Any

from keyaudit import times
from keyaudit.model import Report


def of(report: Report) -> dict[str, Any]:
    """Give `period`, and as `rotations` the counts of credentials and of due dates; nothing of an instant."""
    found: dict[str, Any] = {}
    if report.period is not None:
        first, last = map(times.format_instant, report.period)
        found["period"] = {"from": first, "to": last}
    if report.ledger is not None:
        found["rotations"] = {
            "credentials": {str(each): count for each, count in report.ledger.operations.items()},
            "due_dates": {str(each): count for each, count in report.ledger.results.items()},
        }
    return found


def flat(report: Report) -> dict[str, str]:
    """Give the same as plain pairs: `period`, `rotations/due-dates/late`."""
    said: dict[str, str] = {}
    if report.period is not None:
        said["period"] = "/".join(map(times.format_instant, report.period))
    if report.ledger is not None:
        for name, counts in (
            ("credentials", report.ledger.operations),
            ("due-dates", report.ledger.results),
        ):
            said |= {f"rotations/{name}/{each}": str(count) for each, count in counts.items()}
    return said
