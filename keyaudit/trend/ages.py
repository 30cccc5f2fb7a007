"""Ages of values in use, as the report document prints them."""

from __future__ import annotations

from keyaudit.report_document.kinds import DURATION
from keyaudit.trend.saved import Row


def bounds(row: Row) -> tuple[int | None, int | None]:
    """Give the least and the highest age of the value in use; None where there is no such bound.

    Raises `report_document.kinds.Refused` for text that is no duration.
    """
    low = None if row.age_min is None else DURATION.read(row.age_min)
    if row.age_max == row.age_min:
        return low, low
    return low, None if row.age_max is None else DURATION.read(row.age_max)


def newest(row: Row, as_of: int) -> int | None:
    """Give the latest instant at which the value in use can have been created."""
    low, _ = bounds(row)
    return None if low is None else as_of - low


def oldest(row: Row, as_of: int) -> int | None:
    """Give the earliest instant at which the value in use can have been created."""
    _, high = bounds(row)
    return None if high is None else as_of - high
