"""What was in use in a period, cut into stretches of time that mean one thing each."""

from __future__ import annotations

from collections.abc import Iterator

from keyaudit import times
from keyaudit.formats.ledger_text import MISSED
from keyaudit.formats.picture_lives import Segment
from keyaudit.model import Grace, LedgerEntry, LedgerRow

Period = tuple[int, int]


def stretches(row: LedgerRow, period: Period) -> list[Segment]:
    """Cut a credential's values over a period; nothing reaches past its ends.

    Roles are those of the rotation timeline: `use` and `late` for what was in use when the period
    ended, `replaced` and `was-late` for what was replaced in it, `grace` and `old-active` for
    replaced values that could still be used. `unknown` covers what the history does not say.
    """
    found = [
        part for entry in row.entries for part in (*_in_use(entry, period), *_usable(row, entry, period))
    ]
    found += [Segment(gap.starts, gap.ends, "unknown", broad=True, says=gap.why) for gap in row.gaps]
    inside = [_inside(part, period) for part in found]
    return [part for part in inside if part.start is not None and part.start < part.end]


def _inside(part: Segment, period: Period) -> Segment:
    start = max(period[0] if part.start is None else part.start, period[0])
    return Segment(start, min(part.end, period[1]), part.role, part.broad, part.says)


def _in_use(entry: LedgerEntry, period: Period) -> Iterator[Segment]:
    """Show a value until it surely was in use, against its due date; then as long as it may have been."""
    open_ = entry.replaced_from is None and entry.replaced_to is None
    last = period[1] if entry.replaced_to is None else entry.replaced_to
    sure = last if open_ else entry.replaced_from
    begun = entry.created_at
    if begun is None or sure is None:
        yield Segment(
            begun, last, "unknown", broad=True, says=f"{entry.version}: not known since when, or how long"
        )
        return
    limit = sure if entry.due_at is None else min(max(entry.due_at, begun), sure)
    life = f"{entry.version}: in use from {_day(begun)}" + ("" if open_ else f" to {_day(sure)}")
    yield Segment(begun, limit, "use" if open_ else "replaced", broad=True, says=life)
    if limit < sure and entry.result not in MISSED:
        # Within the tolerance, or not known to have been beyond it.
        says = f"{life}, due {_day(limit)}"
        yield Segment(limit, sure, "use" if open_ else "replaced", broad=True, says=says)
    elif limit < sure:
        over = f"{life}, past its due date {_day(limit)}"
        yield Segment(limit, sure, "late" if open_ else "was-late", broad=True, says=over)
    yield Segment(
        sure,
        last,
        "unknown",
        broad=True,
        says=f"{entry.version}: replaced between {_day(sure)} and {_day(last)}",
    )


def _usable(row: LedgerRow, entry: LedgerEntry, period: Period) -> Iterator[Segment]:
    """Show how long a replaced value stayed usable: within its grace, past it, or nobody knows."""
    begins = entry.replaced_to
    if begins is None:
        return
    low, high = entry.overlap_min, entry.overlap_max
    if low is None and high is None:
        if entry.grace is Grace.UNKNOWN:
            says = f"{entry.version}: not known how long it stayed usable"
            yield Segment(begins, period[1], "unknown", broad=False, says=says)
        return
    sure = begins + (low or 0)
    broken = entry.grace is Grace.BROKEN and row.grace_period is not None
    kept = min(sure, begins + row.grace_period) if broken and row.grace_period is not None else sure
    yield Segment(begins, kept, "grace", broad=False, says=f"{entry.version}: replaced, still usable")
    yield Segment(
        kept, sure, "old-active", broad=False, says=f"{entry.version}: usable past its grace period"
    )
    most = period[1] if high is None else begins + high
    says = f"{entry.version}: may have been usable until {_day(most)}"
    yield Segment(sure, most, "unknown", broad=False, says=says)


def _day(instant: int) -> str:
    return times.format_date(instant)
