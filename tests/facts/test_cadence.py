"""Worst-case gaps of schedules, worked out with a calendar by hand."""

from __future__ import annotations

import pytest

from keyaudit.facts.cadence import interval_max
from keyaudit.times import DAY, HOUR, LONGEST_DURATION, MINUTE

KNOWN = {
    # Intervals say what they mean.
    "rate(30 days)": 30 * DAY,
    "rate(1 day)": DAY,
    "rate(4 hours)": 4 * HOUR,
    "rate(90 minutes)": 90 * MINUTE,
    "RATE(10 Days)": 10 * DAY,
    "2592000s": 30 * DAY,
    "86400s": DAY,
    "30d": 30 * DAY,
    "every 12 hours": 12 * HOUR,
    "45 days": 45 * DAY,
    # The first of a month, over a month of 31 days.
    "cron(0 8 1 * ? *)": 31 * DAY,
    "cron(0 8 L * ? *)": 31 * DAY,
    "0 0 1 * *": 31 * DAY,
    # July and August follow each other with 31 days: 1 July to 1 September.
    "cron(0 8 1 */2 ? *)": 62 * DAY,
    # Quarters: 1 July to 1 October.
    "cron(0 8 1 1,4,7,10 ? *)": 92 * DAY,
    "cron(0 8 1 JAN,JUL ? *)": 184 * DAY,
    # Yearly, over a leap day; the leap day itself, over 2100, which has none.
    "cron(0 8 1 3 ? *)": 366 * DAY,
    "cron(0 8 29 2 ? *)": (8 * 365 + 1) * DAY,
    # Months without a 31st: 31 August to 31 October.
    "cron(0 8 31 * ? *)": 61 * DAY,
    # Weekdays count from Sunday in AWS and from Sunday as 0 in plain cron.
    "cron(0 8 ? * 7 *)": 7 * DAY,
    "cron(0 8 ? * MON-FRI *)": 3 * DAY,
    "cron(0 8 ? * 2-6 *)": 3 * DAY,
    "cron(0 8 ? * 1,4 *)": 4 * DAY,
    "0 8 * * 1-5": 3 * DAY,
    # The first Monday and the last Friday are at most five weeks apart.
    "cron(0 8 ? * 2#1 *)": 35 * DAY,
    "cron(0 8 ? * MON#1 *)": 35 * DAY,
    "cron(0 8 ? * 6L *)": 35 * DAY,
    # The weekday nearest the 15th: from Friday the 14th, in a month of 31 days, to Monday the 16th …
    "cron(0 8 15W * ? *)": 32 * DAY,
    # Within a day: from the last run of one to the first of the next.
    "cron(0 /4 * * ? *)": 4 * HOUR,
    "cron(0 8,20 * * ? *)": 12 * HOUR,
    "cron(0/30 8-10 * * ? *)": 21 * HOUR + 30 * MINUTE,
    "cron(0 9-17 ? * MON-FRI *)": 2 * DAY + 16 * HOUR,
    # A plain cron with both days runs on either, an AWS one may not have both.
    "0 0 13 * 5": 7 * DAY,
    # What ends some day leaves a gap without end.
    "cron(0 8 1 * ? 2026)": LONGEST_DURATION,
    "cron(0 8 1 * ? 2026-2030)": LONGEST_DURATION,
}

NOT_UNDERSTOOD = (
    "",
    "monthly-ish",
    "rate(30)",
    "rate(0 days)",
    "rate(-1 days)",
    "rate(30 days",
    "cron(0 8 1 *)",
    "cron(0 8 * * * *)",  # AWS wants exactly one `?`
    "cron(0 8 ? * ? *)",
    "cron(99 8 1 * ? *)",
    "cron(0 25 1 * ? *)",
    "cron(0 8 32 * ? *)",
    "cron(0 8 1 13 ? *)",
    "cron(0 8 ? * 8 *)",
    "cron(0 8 ? * 0 *)",
    "cron(0 8 30 2 ? *)",  # never comes
    "cron(0 8 1 * ? never)",
    "0s",
    "* * * * * * * *",
    "cron(" + "0," * 5000 + "0 8 1 * ? *)",
)


@pytest.mark.parametrize(("schedule", "gap"), KNOWN.items())
def test_worst_gap_is_the_one_of_the_calendar(schedule: str, gap: int) -> None:
    assert interval_max(schedule) == gap


@pytest.mark.parametrize("schedule", NOT_UNDERSTOOD)
def test_what_is_not_understood_is_not_guessed(schedule: str) -> None:
    assert interval_max(schedule) is None
