"""The trend as CSV (RFC 4180, CRLF, UTF-8): for each interval one row for all and one a group.

`by` is `all`, or what the rows are grouped by, and `group` the value of it, empty where it is not
known. An interval without a report has one row that says `coverage` `no-report` and nothing else.
Ages and times are in days, to a hundredth, so that a spreadsheet can draw them; an empty cell is not known.
"""

from __future__ import annotations

from collections.abc import Iterator

from keyaudit import times
from keyaudit.formats.csv_table import table
from keyaudit.trend.series import Figures, Point, Slot, Trend

COLUMNS = (
    "from", "to", "as_of", "reports", "coverage", "not_seen", "policy", "policy_sha256", "changed", "by",
    "group", "credentials", "overdue", "overdue_unseen", "failing", "failing_unseen", "opened", "first_seen",
    "closed", "gone", "waived", "aged", "mean_age_days", "worst_age_days", "rotated", "rotated_later",
    "time_to_rotate_days", "slowest_rotation_days",
)  # fmt: skip

NO_REPORT = "no-report"


def render(trend: Trend) -> bytes:
    """Print the rows under a heading row, oldest first, the total of an interval before its groups."""
    return table(COLUMNS, (row for slot in trend.slots for row in _rows(trend, slot)))


def _rows(trend: Trend, slot: Slot) -> Iterator[tuple[str | None, ...]]:
    span = (times.format_instant(slot.start), times.format_instant(slot.end))
    point = slot.point
    if point is None:
        yield (*span, None, "0", NO_REPORT, *([None] * (len(COLUMNS) - 5)))
        return
    said = (*span, *_said(point))
    yield (*said, "all", None, *_cells(point.total))
    for group in trend.groups:
        if group in point.groups:
            yield (*said, trend.by, group, *_cells(point.groups[group]))


def _said(point: Point) -> tuple[str, ...]:
    return (
        times.format_instant(point.as_of),
        str(point.reports),
        point.coverage,
        "; ".join(f"{hole.source} {hole.scope} {hole.status}" for hole in point.holes),
        point.policy,
        point.policy_sha256,
        "; ".join(point.changes),
    )


def _cells(figures: Figures) -> tuple[str | None, ...]:
    return (
        *(
            str(count)
            for count in (
                figures.credentials,
                figures.overdue,
                figures.overdue_unseen,
                figures.failing,
                figures.failing_unseen,
                figures.opened,
                figures.first_seen,
                figures.closed,
                figures.gone,
                figures.waived,
                figures.aged,
            )
        ),
        _days(figures.mean_age),
        _days(figures.worst_age),
        str(len(figures.rotated)),
        str(figures.rotated_later),
        _days(figures.time_to_rotate),
        _days(figures.slowest_rotation),
    )


def _days(duration: int | None) -> str | None:
    """Give days to a hundredth, cut: an age is never said to be more than it is."""
    if duration is None:
        return None
    hundredths = duration * 100 // times.DAY
    return f"{hundredths // 100}.{hundredths % 100:02}"
