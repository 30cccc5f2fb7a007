"""Days, weeks and months: the last report gives the levels, all of them the changes, gaps stay gaps."""

from __future__ import annotations

import pytest

from keyaudit.times import DAY, format_date
from keyaudit.trend.intervals import between, fitting, start_of
from trend.saved_reports import Held, at, make
from trend.test_history import LATE, moves, told


@pytest.mark.parametrize(
    ("instant", "day", "week", "month"),
    [
        ("2026-03-01T00:00:00Z", "2026-03-01", "2026-02-23", "2026-03-01"),
        ("2026-02-28T23:59:59.999999Z", "2026-02-28", "2026-02-23", "2026-02-01"),
        ("2028-02-29T12:00:00Z", "2028-02-29", "2028-02-28", "2028-02-01"),
        ("2026-11-23T00:00:00Z", "2026-11-23", "2026-11-23", "2026-11-01"),
        ("1970-01-01T00:00:00Z", "1970-01-01", "1969-12-29", "1970-01-01"),
    ],
)
def test_an_instant_is_in_one_day_one_week_and_one_month(instant, day, week, month) -> None:
    starts = [format_date(start_of(at(instant), name)) for name in ("day", "week", "month")]
    assert starts == [day, week, month]


def test_months_follow_each_other_over_the_end_of_a_year() -> None:
    spans = list(between(at("2025-11-30"), at("2026-02-01"), "month"))
    assert [format_date(start) for start, _ in spans] == [
        "2025-11-01",
        "2025-12-01",
        "2026-01-01",
        "2026-02-01",
    ]
    assert [end for _, end in spans[:-1]] == [start for start, _ in spans[1:]]


@pytest.mark.parametrize(
    ("apart", "interval"),
    [([], "day"), ([1], "day"), ([7, 7, 1], "week"), ([30, 31, 1], "month"), ([0.5], "day")],
)
def test_the_interval_is_the_one_that_reports_mostly_keep(apart, interval) -> None:
    instants = [at("2026-01-01")]
    for days in apart:
        instants.append(instants[-1] + int(days * DAY))
    assert fitting(instants) == interval


def test_a_month_has_the_levels_of_its_last_report_and_the_changes_of_all(tmp_path) -> None:
    fine = Held("a", "2026-01-01")
    found = told(
        tmp_path,
        make("2026-04-01", fine),
        make("2026-04-10", LATE, policy=("p", "2")),
        make("2026-04-20", Held("a", "2026-04-19"), policy=("p", "2")),
        make("2026-05-02", Held("a", "2026-04-19", fails=("KA201",)), policy=("p", "2")),
        interval="month",
    )
    april, may = found.points
    assert (april.reports, may.reports) == (3, 1)
    assert (april.as_of, april.total.overdue, april.total.failing) == (at("2026-04-20"), 0, 0)
    assert moves(april.total) == (1, 0, 1, 0, 0), "what came and went inside the month"
    assert april.total.rotated == (10 * DAY,)
    assert april.changes == ("policy",)
    assert moves(may.total) == (1, 0, 0, 0, 0)


def test_an_interval_without_a_report_is_there_and_holds_nothing(tmp_path) -> None:
    found = told(tmp_path, make("2026-04-01", LATE), make("2026-04-04", LATE))
    assert [slot.point is None for slot in found.slots] == [False, True, True, False]
    assert [format_date(slot.start) for slot in found.slots] == [f"2026-04-0{day}" for day in range(1, 5)]


def test_reports_before_the_beginning_say_what_was_open_by_then(tmp_path) -> None:
    reports = (
        make("2026-04-01", LATE),
        make("2026-04-05", LATE),
        make("2026-04-09", Held("a", "2026-04-08")),
    )
    found = told(tmp_path, *reports, start=at("2026-04-05"), end=at("2026-04-09") + 1)
    assert [moves(point.total) for point in found.points] == [(0,) * 5, (0, 0, 1, 0, 0)]
    assert found.points[-1].total.rotated == (8 * DAY,), "since the first"
    assert len(found.slots) == 5
    assert len(told(tmp_path, *reports, end=at("2026-04-09")).points) == 2
