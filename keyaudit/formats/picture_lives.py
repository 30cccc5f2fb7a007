"""The life of a credential's values, cut into stretches of time that mean one thing each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from keyaudit import times
from keyaudit.model import PopulationRow, VersionBar, VersionState


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of time. `start` None: since before anything is known.

    `role`: use, late, replaced, was-late, pending, gap, unknown for the value in use (`broad`
    unless pending); grace, old-active, unknown for a replaced value that was still usable.
    """

    start: int | None
    end: int
    role: str
    broad: bool
    says: str


def segments(row: PopulationRow, as_of: int) -> list[Segment]:
    """Cut a credential's history, oldest first, lanes mixed; nothing reaches past `as_of`."""
    used = sorted((bar for bar in row.versions if bar.state is not VersionState.PENDING), key=_order)
    found: list[Segment] = []
    if not any(bar.state is VersionState.CURRENT and bar.created_at is not None for bar in used):
        found += _bounded(row, used, as_of)
    for bar in used:
        found += _in_use(row, bar, as_of)
        found += _afterlife(row, bar, as_of)
    found += _between(used, as_of)
    found += [
        Segment(
            bar.created_at,
            as_of,
            "pending",
            broad=False,
            says=f"{bar.id}: pending since {_day(bar.created_at)}",
        )
        for bar in row.versions
        if bar.state is VersionState.PENDING and bar.created_at is not None
    ]
    return [segment for segment in found if segment.start is None or segment.start < segment.end]


def _order(bar: VersionBar) -> tuple[bool, int, str]:
    """Values of unknown creation come first, then oldest first."""
    start = bar.created_at if bar.created_at is not None else bar.ends_at
    return bar.created_at is not None, start or 0, bar.id


def _in_use(row: PopulationRow, bar: VersionBar, as_of: int) -> Iterator[Segment]:
    current = bar.state is VersionState.CURRENT
    end = as_of if current else min(as_of, bar.ends_at) if bar.ends_at is not None else None
    if bar.created_at is None:
        if not current and end is not None:
            yield Segment(None, end, "unknown", broad=True, says=f"{bar.id}: created at an unknown time")
        return
    if end is None:
        until = min(as_of, bar.retired_at) if bar.retired_at is not None else as_of
        yield Segment(
            bar.created_at, until, "unknown", broad=True, says=f"{bar.id}: replaced at an unknown time"
        )
        return
    yield from _against_period(row, bar.id, bar.created_at, end, current=current)


def _against_period(
    row: PopulationRow, name: str, start: int, end: int, *, current: bool
) -> Iterator[Segment]:
    limit = end if row.rotation_period is None else min(end, start + row.rotation_period)
    life = f"{name}: in use from {_day(start)}" + ("" if current else f" to {_day(end)}")
    yield Segment(start, limit, "use" if current else "replaced", broad=True, says=life)
    if limit < end:
        over = f"{life}, past its period since {_day(limit)}"
        yield Segment(limit, end, "late" if current else "was-late", broad=True, says=over)


def _afterlife(row: PopulationRow, bar: VersionBar, as_of: int) -> Iterator[Segment]:
    """Show how long a replaced value stayed usable: within grace, past it, or nobody knows."""
    if bar.ends_at is None or bar.state is VersionState.CURRENT or bar.ends_at >= as_of:
        return
    if bar.retired_at is None and bar.usable is False:
        return
    stop = as_of if bar.retired_at is None else min(as_of, bar.retired_at)
    unsure = bar.retired_at is None and bar.usable is None
    grace = min(stop, bar.ends_at + row.grace_period) if row.grace_period is not None else stop
    role = "unknown" if unsure else "grace"
    yield Segment(bar.ends_at, grace, role, broad=False, says=f"{bar.id}: replaced {_day(bar.ends_at)}")
    if grace < stop:
        says = f"{bar.id}: past its grace period since {_day(grace)}"
        says += ", not known whether it still works" if unsure else ", still usable"
        yield Segment(grace, stop, "unknown" if unsure else "old-active", broad=False, says=says)


def _between(used: list[VersionBar], as_of: int) -> Iterator[Segment]:
    """Show stretches without any value, or without a value that is known of."""
    dated = [bar for bar in used if bar.created_at is not None]
    for bar, following in pairwise(dated):
        if bar.ends_at is None or following.created_at is None or bar.ends_at >= following.created_at:
            continue
        end = min(as_of, following.created_at)
        if bar.retired_at is not None and bar.retired_at < end:
            yield Segment(max(bar.ends_at, bar.retired_at), end, "gap", broad=True, says="no value in use")
        else:
            yield Segment(bar.ends_at, end, "unknown", broad=True, says="not known which value was in use")


def _bounded(row: PopulationRow, used: list[VersionBar], as_of: int) -> Iterator[Segment]:
    """Show a value in use whose creation is known between bounds, or not at all."""
    if used and all(bar.state is not VersionState.CURRENT for bar in used) and row.age_min is None:
        return
    ends = [bar.ends_at for bar in used if bar.ends_at is not None]
    oldest = None if row.age_max is None else as_of - row.age_max
    if ends:
        oldest = max(ends) if oldest is None else max(oldest, min(as_of, max(ends)))
    sure = as_of if row.age_min is None else as_of - row.age_min
    yield Segment(oldest, sure, "unknown", broad=True, says="the value in use was created at an unknown time")
    if sure < as_of:
        yield from _against_period(row, "value", sure, as_of, current=True)


def _day(instant: int | None) -> str:
    return "an unknown day" if instant is None else times.format_date(instant)
