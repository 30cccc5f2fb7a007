"""Days, weeks and months of UTC: a week begins on Monday."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median

from keyaudit import times

DAY, WEEK, MONTH = INTERVALS = ("day", "week", "month")
_MONDAY = 4 * times.DAY
"""The first Monday after the epoch."""
_DAILY, _WEEKLY = 4 * times.DAY, 15 * times.DAY


def start_of(instant: int, interval: str) -> int:
    """Give the first instant of the interval that an instant is in."""
    if interval == DAY:
        return instant - instant % times.DAY
    if interval == WEEK:
        return instant - (instant - _MONDAY) % times.WEEK
    year, month = (int(part) for part in times.format_date(instant).split("-")[:2])
    return _month(year, month)


def after(start: int, interval: str) -> int:
    """Give the first instant of the interval that follows the one that begins at `start`."""
    if interval != MONTH:
        return start + (times.DAY if interval == DAY else times.WEEK)
    year, month = (int(part) for part in times.format_date(start).split("-")[:2])
    return _month(year + month // 12, month % 12 + 1)


def between(first: int, last: int, interval: str) -> Iterator[tuple[int, int]]:
    """Give start and end of every interval from the one of `first` to the one of `last`."""
    start = start_of(first, interval)
    while start <= last:
        end = after(start, interval)
        yield start, end
        start = end


def fitting(instants: Sequence[int]) -> str:
    """Choose the interval that reports mostly keep: the median of what lies between them decides."""
    apart = [later - earlier for earlier, later in pairwise(instants)]
    usual = median(apart) if apart else 0
    return next((name for limit, name in ((_DAILY, DAY), (_WEEKLY, WEEK)) if usual < limit), MONTH)


def _month(year: int, month: int) -> int:
    return times.from_datetime(datetime(year, month, 1, tzinfo=UTC))
