"""Instants and durations, from text and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyaudit.times import (
    DAY,
    HOUR,
    SECOND,
    describe_duration,
    format_duration,
    format_instant,
    from_datetime,
    from_seconds,
    parse_duration,
    parse_instant,
)


@given(st.datetimes(timezones=st.timezones() | st.just(UTC)))
def test_an_instant_survives_being_printed(moment: datetime) -> None:
    instant = from_datetime(moment)
    # Before the year 1 in UTC there is nothing to print.
    if instant >= from_datetime(datetime(1, 1, 1, tzinfo=UTC)):
        assert parse_instant(format_instant(instant)) == instant


@given(st.integers(0, 253_402_300_799))
def test_seconds_since_the_epoch_are_exact(seconds: int) -> None:
    assert from_seconds(seconds) == seconds * SECOND
    assert from_seconds(1.5) == 3 * SECOND // 2


@pytest.mark.parametrize("seconds", [-1, -0.001, 253_402_300_800, float("nan"), float("inf")])
def test_seconds_outside_1970_to_9999_are_no_time(seconds: float) -> None:
    with pytest.raises(ValueError, match="no such time"):
        from_seconds(seconds)


@given(
    st.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 28)),
    st.integers(-23 * 60, 23 * 60),
)
def test_an_offset_is_only_another_way_of_writing(moment: datetime, minutes: int) -> None:
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert parse_instant(aware.isoformat()) == from_datetime(aware)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:01z", SECOND),
        ("1970-01-01 00:00:01Z", SECOND),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T23:59:59.5Z", -SECOND // 2),
        ("1970-01-01T00:00:00.000001999Z", 1),
        ("1972-06-30T23:59:60Z", parse_instant("1972-07-01T00:00:00Z")),
        ("9999-12-31T23:59:59Z", parse_instant("9999-12-31T23:59:59.000000Z")),
    ],
)
def test_known_instants(text: str, instant: int) -> None:
    assert parse_instant(text) == instant


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("2026-05-01T00:00:00", "no offset"),
        ("2026-05-01", "a date is not an instant"),
        ("2026-02-30T00:00:00Z", "no such time"),
        ("2026-05-01T24:00:00Z", "no such time"),
        ("2026-05-01T00:00:61Z", "no such time"),
        ("2026-05-01T12:00:60Z", "no such time"),
        ("2026-05-01T00:00:00+24:00", "no such offset"),
        ("2026-05-01T00:00:00.1234567890Z", "not an RFC 3339 time"),
        ("٢٠٢٦-05-01T00:00:00Z", "not an RFC 3339 time"),
        ("0000-01-01T00:00:00Z", "no such time"),
        ("1746057600", "not an RFC 3339 time"),
        ("", "not an RFC 3339 time"),
    ],
)
def test_what_is_not_an_instant_says_why(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_instant(text)


@given(st.integers(min_value=0, max_value=36_600 * DAY))
def test_a_duration_survives_being_printed(duration: int) -> None:
    assert parse_duration(format_duration(duration)) == duration


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (90 * DAY, "90d"),
        (36_600 * DAY, "36600d"),
        (36 * HOUR, "36h"),
        (24 * HOUR, "1d"),
        (88 * DAY + 13 * HOUR + 51 * 60 * SECOND, "88d13h51m"),
        (90 * DAY + 1, "90d1us"),
        (90 * 60 * SECOND, "90m"),
        (0, "0s"),
        (-36 * HOUR, "-36h"),
    ],
)
def test_durations_in_their_canonical_form(duration: int, text: str) -> None:
    assert format_duration(duration) == text


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (121 * DAY, "121 d"),
        (3 * DAY + 4 * HOUR, "3 d 4 h"),
        (3 * DAY, "3 d"),
        (90 * 60 * SECOND, "1 h 30 min"),
        (17 * 60 * SECOND + 59 * SECOND, "17 min"),
        (1, "1 µs"),
        (0, "0 s"),
        (-2 * HOUR, "-2 h"),
        (1_234 * DAY, "1,234 d"),
    ],
)
def test_durations_for_readers(duration: int, words: str) -> None:
    assert describe_duration(duration) == words


@pytest.mark.parametrize(
    ("duration", "other", "words"),
    [
        (90 * DAY + 1, 90 * DAY, "90 d 1 µs"),
        (90 * DAY, 90 * DAY + 1, "90 d"),
        (90 * DAY + 5 * HOUR + 7, 90 * DAY, "90 d 5 h"),
        (DAY + 59 * SECOND, DAY + 1, "1 d 59 s"),
        (1_500_001, 1_500_002, "1 s 500,001 µs"),
        (90 * DAY, 90 * DAY, "90 d"),
        (121 * DAY, 90 * DAY, "121 d"),
        (-90 * DAY - 1, -90 * DAY, "-90 d 1 µs"),
    ],
)
def test_two_durations_that_differ_do_not_read_the_same(duration: int, other: int, words: str) -> None:
    assert describe_duration(duration, apart_from=[other]) == words
    assert describe_duration(other, apart_from=[duration]) != words or duration == other


@pytest.mark.parametrize("text", ["", "30", "d", "-1d", "1.5d", "30 days", "1000000000d", "99999999d", "²d"])
def test_what_is_not_a_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_duration(text)


@pytest.mark.parametrize(
    ("instant", "printed"),
    [
        (parse_instant("9999-12-31T23:59:59.999999Z") + 1, "9999-12-31T23:59:59.999999Z"),
        (2**63 - 1, "9999-12-31T23:59:59.999999Z"),
        (parse_instant("0001-01-01T00:00:00Z") - 1, "0001-01-01T00:00:00Z"),
        (-(2**63), "0001-01-01T00:00:00Z"),
    ],
)
def test_what_no_calendar_holds_prints_as_its_nearest_end(instant: int, printed: str) -> None:
    assert format_instant(instant) == printed
