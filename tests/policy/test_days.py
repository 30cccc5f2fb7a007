"""Days that can be counted from and printed, and a plain sentence about the others."""

from __future__ import annotations

import pytest

from keyaudit.policy import days
from keyaudit.times import DAY, format_date


@pytest.mark.parametrize("text", ["1970-01-01", "2024-02-29", "9999-12-30"])
def test_a_day_and_the_one_after_it_can_be_printed(text: str) -> None:
    day = days.parse(text, "2026-07-01")
    assert format_date(day) == text
    assert format_date(day + DAY) > text


@pytest.mark.parametrize("text", ["1969-12-31", "0001-01-01", "9999-12-31"])
def test_other_days_are_out_of_bounds(text: str) -> None:
    with pytest.raises(ValueError, match="^a day between 1970-01-01 and 9999-12-30$"):
        days.parse(text, "2026-07-01")


@pytest.mark.parametrize("text", ["", "2026-02-30", "2026-7-1", "20260701", "2026-07-01T00:00:00Z", "soon"])
def test_what_is_no_day(text: str) -> None:
    with pytest.raises(ValueError, match="^a day such as 2026-07-01$"):
        days.parse(text, "2026-07-01")
