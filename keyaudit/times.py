"""Instants and durations: int64 microseconds, UTC, from reading a document until printing it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

MICROSECOND = 1
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_LATEST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_LAST_SECOND = 253_402_300_799
"""Of the year 9999."""
_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_DURATION = re.compile(r"(?:\d{1,9}\s*(?:us|ms|s|m|h|d|w)\s*)+", re.ASCII)
_PART = re.compile(r"(\d{1,9})\s*(us|ms|s|m|h|d|w)", re.ASCII)
_UNITS = {"us": MICROSECOND, "ms": 1000, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": WEEK}
_SPOKEN = ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s"), (MICROSECOND, "µs"))
LONGEST_DURATION = 100 * 366 * DAY


def parse_instant(text: str) -> int:
    """Read an RFC 3339 time with an offset, as microseconds since the epoch.

    Digits past the microsecond (Vault prints nanoseconds) are cut, never rounded up: an age may
    come out longer by less than a microsecond, never shorter. Raises ValueError with a
    sentence for the reader.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        if re.fullmatch(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?", text, re.ASCII):
            raise ValueError("time has no offset: write 2026-05-01T00:00:00Z or +02:00")
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
            raise ValueError("a date is not an instant: write 2026-05-01T00:00:00Z")
        raise ValueError("not an RFC 3339 time such as 2026-05-01T00:00:00Z")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    fraction = int((match[7] or "").ljust(9, "0")[:6] or 0)
    try:
        local = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError as error:
        raise ValueError(f"no such time: {error}") from None
    if second > 60 or (second == 60 and (minute, hour) != (59, 23) and match[8] in "Zz"):
        raise ValueError("no such time: second must be in 0..59")
    instant = (local - _EPOCH) // timedelta(microseconds=1) + (second - min(second, 59)) * SECOND
    return instant + fraction - _offset(match[8])


def _offset(zone: str) -> int:
    if zone in "Zz":
        return 0
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    if hours > 23 or minutes > 59:
        raise ValueError(f"no such offset: {zone}")
    return (hours * HOUR + minutes * MINUTE) * (-1 if zone[0] == "-" else 1)


def from_seconds(seconds: float) -> int:
    """Turn seconds since the epoch into microseconds; raises ValueError outside 1970..9999."""
    if not 0 <= seconds <= _LAST_SECOND:
        raise ValueError("no such time")
    return round(seconds * SECOND)


def from_datetime(value: datetime) -> int:
    """Turn an aware datetime into microseconds since the epoch; a naive one raises ValueError."""
    if value.tzinfo is None:
        raise ValueError("time has no offset")
    return (value - _EPOCH) // timedelta(microseconds=1)


def format_instant(instant: int) -> str:
    """Print microseconds since the epoch as RFC 3339, UTC, with a fraction only if there is one.

    RFC 3339 has the years 1 to 9999 here: what lies outside prints as the nearest instant inside.
    """
    moment = _EPOCH + timedelta(microseconds=min(max(instant, _EARLIEST), _LATEST))
    text = moment.strftime("%Y-%m-%dT%H:%M:%S") if moment.year >= 1000 else moment.isoformat()[:19]
    return f"{text}.{moment.microsecond:06}Z".replace(".000000Z", "Z")


def format_date(instant: int) -> str:
    """Print the UTC day of an instant."""
    return format_instant(instant)[:10]


def parse_duration(text: str) -> int:
    """Read `30d`, `24h`, `2w`, `90m`, `1d12h` as microseconds; raises ValueError with a sentence."""
    if _DURATION.fullmatch(text.strip()) is None:
        raise ValueError("not a duration such as 30d, 24h, 2w or 90m")
    duration = sum(int(count) * _UNITS[unit] for count, unit in _PART.findall(text))
    if duration > LONGEST_DURATION:
        raise ValueError("longer than a hundred years")
    return duration


def format_duration(duration: int) -> str:
    """Print a duration exactly: in one unit if that takes few digits (`90d`, `36h`), else `88d13h51m`."""
    if duration == 0:
        return "0s"
    sign, size = ("-", -duration) if duration < 0 else ("", duration)
    for unit in ("d", "h", "m", "s"):
        if size % _UNITS[unit] == 0 and size // _UNITS[unit] < (100 if unit != "d" else size):
            return f"{sign}{size // _UNITS[unit]}{unit}"
    parts, rest = [], size
    for unit in ("d", "h", "m", "s", "us"):
        count, rest = divmod(rest, _UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return sign + "".join(parts)


def describe_duration(duration: int, *, apart_from: Iterable[int] = ()) -> str:
    """Say a duration for a reader, cut to two units at most: `121 d`, `3 d 4 h`, `17 min`.

    If that is how any of `apart_from` would be said that differs, both are said more precisely:
    `90 d 1 µs` is not `90 d`.
    """
    text = _cut(duration)
    rivals = [other for other in apart_from if other != duration and _cut(other) == text]
    if not rivals:
        return text
    size, parts = abs(duration), []
    for unit, name in _SPOKEN:
        count, size = divmod(size, unit)
        parts += [f"{count:,} {name}"] if count else []
        if all(abs(other) // unit != abs(duration) // unit for other in rivals):
            break
    return ("-" if duration < 0 else "") + (" ".join(parts) or f"0 {name}")


def _cut(duration: int) -> str:
    size = abs(duration)
    days, hours, minutes = size // DAY, size % DAY // HOUR, size % HOUR // MINUTE
    if days >= 10 or (days and not hours):
        text = f"{days:,} d"
    elif days:
        text = f"{days} d {hours} h"
    elif hours:
        text = f"{hours} h {minutes} min" if minutes else f"{hours} h"
    elif minutes:
        text = f"{minutes} min"
    else:
        text = f"{size / SECOND:g} s" if size >= SECOND or not size else f"{size:,} µs"
    return f"-{text}" if duration < 0 else text
