"""UTC days of a policy, such as 2026-07-01: only those after which there is another day to print."""

from __future__ import annotations

from keyaudit.times import DAY, parse_instant

FIRST = parse_instant("1970-01-01T00:00:00Z")
LAST = parse_instant("9999-12-30T00:00:00Z")


def parse(text: str, example: str) -> int:
    """Give the first instant of a day; raises ValueError with the rest of a sentence about it."""
    try:
        day = parse_instant(f"{text}T00:00:00Z")
    except ValueError:
        raise ValueError(f"a day such as {example}") from None
    if not FIRST <= day <= LAST or day % DAY:
        raise ValueError("a day between 1970-01-01 and 9999-12-30")
    return day
