"""Ages of values in use, as the report document prints them."""

from __future__ import annotations

from functools import lru_cache

from keyaudit import times
from keyaudit.report_document.kinds import DURATION, Refused
from keyaudit.trend.saved import Row


def bounds(row: Row) -> tuple[int | None, int | None]:
    """Give the least and the highest age of the value in use; None where there is no such bound.

    Raises `report_document.kinds.Refused` for text that is no duration.
    """
    low = None if row.age_min is None else read(row.age_min)
    if row.age_max == row.age_min:
        return low, low
    return low, None if row.age_max is None else read(row.age_max)


def read(text: str) -> int:
    """Read a duration such as `121d4h12s` or `36h`, in microseconds; raises `Refused`."""
    days, unit, rest = text.partition("d")
    if unit and days.isascii() and days.isdecimal() and len(days) <= 6:
        return int(days) * times.DAY + (_beyond_days(rest) if rest else 0)
    whole: int = DURATION.read(text)
    return whole


@lru_cache(maxsize=1 << 16)
def _beyond_days(text: str) -> int:
    """Read what follows the days: in reports made at the same time every day it is the same text again."""
    if text.startswith("-") or "d" in text:
        raise Refused("not a duration such as 90d or 88d13h51m")
    rest: int = DURATION.read(text)
    return rest


def newest(row: Row, as_of: int) -> int | None:
    """Give the latest instant at which the value in use can have been created."""
    low, _ = bounds(row)
    return None if low is None else as_of - low


def oldest(row: Row, as_of: int) -> int | None:
    """Give the earliest instant at which the value in use can have been created."""
    _, high = bounds(row)
    return None if high is None else as_of - high
