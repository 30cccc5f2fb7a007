"""Instants and durations as Vault spells them."""

from __future__ import annotations

import datetime as dt
import re

from keyaudit.times import SECOND, format_instant


def stamp(instant: int | None, nanoseconds: int = 123) -> str:
    """Spell an instant as Go does, with up to nine digits; None is the empty text."""
    if instant is None:
        return ""
    whole, rest = divmod(instant, SECOND)
    digits = f"{rest * 1000 + nanoseconds:09}".rstrip("0")
    return format_instant(whole * SECOND).removesuffix("Z") + (f".{digits}" if digits else "") + "Z"


def instant(text: str) -> int:
    """Read what `stamp` wrote, to the microsecond."""
    since = dt.datetime.fromisoformat(text) - dt.datetime.fromtimestamp(0, dt.UTC)
    return since // dt.timedelta(microseconds=1)


_UNITS = {"h": 3600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def seconds(duration: str | int) -> int | None:
    """Read a duration: a number of seconds, or text such as `3h25m19s`; None if it is neither."""
    text = str(duration)
    found = _DURATION.fullmatch(f"{text}s" if text.isdigit() else text)
    if found is None or not text:
        return None
    return sum(int(count or 0) * size for count, size in zip(found.groups(), _UNITS.values(), strict=True))


def duration(whole: int) -> str:
    """Spell seconds as Go does: `0s`, `1m0s`, `3h25m19s`."""
    minutes, left = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + f"{left}s"
