"""The worst-case gap of a rotation schedule, as text from a store's configuration.

Understood: `rate(30 days)` and AWS `cron(min hour day month weekday year)` with `? L W #`
(EventBridge schedule expressions, which Secrets Manager uses in UTC), plain five-field cron,
`2592000s` (Google's durations), and `30d`/`24h`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise

from keyaudit.times import DAY, HOUR, LONGEST_DURATION, MINUTE, WEEK, parse_duration

_RATE = re.compile(r"rate\(\s*(\d{1,6})\s+(minute|hour|day|week)s?\s*\)", re.ASCII | re.IGNORECASE)
_CRON = re.compile(r"cron\((.*)\)", re.ASCII | re.IGNORECASE)
_SPOKEN = re.compile(r"(?:every\s+)?(\d{1,6})\s+(minute|hour|day|week)s?", re.ASCII | re.IGNORECASE)
_UNITS = {"minute": MINUTE, "hour": HOUR, "day": DAY, "week": WEEK}
# Long enough for every weekday to meet every date and for a leap day to be skipped at a century.
_FROM = datetime(2076, 1, 1, tzinfo=UTC)
_YEARS = 29
# EventBridge allows 256 characters; what is longer was not written for a scheduler.
_LONGEST_TEXT = 256


@lru_cache(maxsize=4096)
def interval_max(schedule: str) -> int | None:
    """Give the longest time between two runs in microseconds, or None if the text is not understood.

    A schedule that stops (a year in the past, or one with an end) has no bound: it comes out as
    `LONGEST_DURATION`.
    """
    text = schedule.strip()
    if len(text) > _LONGEST_TEXT:
        return None
    for pattern in (_RATE, _SPOKEN):
        if match := pattern.fullmatch(text):
            return int(match[1]) * _UNITS[match[2].lower()] or None
    if match := _CRON.fullmatch(text):
        return _cron(match[1].split(), aws=True)
    if len(text.split()) == 5:
        return _cron(text.split(), aws=False)
    try:
        return parse_duration(text) or None
    except ValueError:
        return None


def _cron(fields: list[str], *, aws: bool) -> int | None:
    if aws and len(fields) != 6:
        return None
    minute, hour, day, month, weekday, year = (*fields, "*")[:6]
    if aws and (day == "?") == (weekday == "?"):
        return None  # AWS wants exactly one of the two days to be left open
    minute, hour = _from_zero(minute), _from_zero(hour)
    from_sunday = _sunday_is_zero(weekday) if aws else weekday
    times = _times_of_day(minute, hour)
    if times is None or from_sunday is None:
        return None
    days = _days(day.replace("?", "*"), month, from_sunday.replace("?", "*"), year, either_day=not aws)
    if days is None:
        return None
    within = max((b - a for a, b in pairwise(times)), default=0)
    overnight = max((b - a for a, b in pairwise(days)), default=LONGEST_DURATION)
    return min(max(within, overnight + times[0] - times[-1]), LONGEST_DURATION)


def _from_zero(field: str) -> str:
    """Write AWS's `/4` (from the start, every fourth) as cron's `*/4`."""
    return f"*{field}" if field.startswith("/") else field


def _sunday_is_zero(weekday: str) -> str | None:
    """Translate AWS weekdays (1–7 from Sunday, `3L`, `6#2`) to cron's (0–6 from Sunday)."""
    if re.search(r"[^0-9A-Za-z,*?/#-]", weekday):
        return None
    if match := re.fullmatch(r"([1-7])L", weekday, re.IGNORECASE):
        return f"L{int(match[1]) - 1}"
    if weekday.upper() == "L":
        return "6"
    parts = re.split(r"([,/#-])", weekday)
    shifted, keep = [], False
    for part in parts:
        day = part.isdigit() and not keep
        if day and not 1 <= int(part) <= 7:
            return None
        shifted.append(str(int(part) - 1) if day else part)
        keep = part in {"/", "#"}
    return "".join(shifted)


def _times_of_day(minute: str, hour: str) -> list[int] | None:
    midnight = datetime(2024, 1, 1, tzinfo=UTC)
    runs = _runs(f"{minute} {hour} * * *", midnight, timedelta(days=1), either_day=False)
    return [(run - midnight) // timedelta(microseconds=1) for run in runs] if runs else None


def _days(day: str, month: str, weekday: str, year: str, *, either_day: bool) -> list[int] | None:
    """List the days of the schedule as instants; an empty list for one that stops some day."""
    if year != "*":
        # Whatever runs only in some years stops, or pauses for years: nothing bounds the gap.
        named = re.fullmatch(r"[0-9,/*-]+", year) is not None
        every = _runs(f"0 0 {day} {month} {weekday}", _FROM, timedelta(days=1), either_day=either_day)
        return [] if named and every is not None else None
    weekly = day == "*" and month == "*" and not re.search(r"[#L]", weekday)
    span = timedelta(days=15 if weekly else _YEARS * 366)
    runs = _runs(f"0 0 {day} {month} {weekday}", _FROM, span, either_day=either_day)
    return [(run - _FROM) // timedelta(microseconds=1) for run in runs] if runs else None


def _runs(expression: str, start: datetime, span: timedelta, *, either_day: bool) -> list[datetime] | None:
    """List the runs in a span; None if the expression is not valid."""
    from croniter import croniter
    from croniter.croniter import CroniterBadDateError, CroniterError

    runs: list[datetime] = []
    try:
        ticks = croniter(expression, start - timedelta(seconds=1), day_or=either_day)
        while (run := ticks.get_next(datetime)) < start + span:
            runs.append(run)
    except CroniterBadDateError:
        return runs  # a valid expression without another run
    except (CroniterError, ValueError, KeyError, IndexError, OverflowError):
        return None
    return runs
