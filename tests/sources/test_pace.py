"""A token bucket under a clock that only these tests move."""

from __future__ import annotations

import threading

import pytest

from keyaudit.sources.protocol import StoppedError
from keyaudit.sources.pulling.pace import LONGEST_HOLD, Pace


class Time:
    """A clock that waiting moves; stands in for the event that a stop would set."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.stopped = False

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> bool:
        self.now += seconds
        return self.stopped

    def is_set(self) -> bool:
        return self.stopped


@pytest.fixture
def time() -> Time:
    return Time()


def sent_in(pace: Pace, time: Time, seconds: float) -> int:
    end, count = time.now + seconds, 0
    while time.now < end:
        pace.wait()
        count += 1
    return count


def test_one_second_s_worth_may_leave_at_once_and_then_the_rate_holds(time: Time) -> None:
    pace = Pace(20, time, time)
    assert sent_in(pace, time, 10) == pytest.approx(20 + 200, abs=2)


def test_idle_time_saves_up_no_more_than_a_second(time: Time) -> None:
    pace = Pace(20, time, time)
    pace.wait()
    time.now += 3_600
    assert sent_in(pace, time, 1) == pytest.approx(40, abs=2)


def test_throttling_halves_the_rate_and_success_wins_it_back(time: Time) -> None:
    pace = Pace(20, time, time)
    sent_in(pace, time, 2)
    pace.throttled(None)
    assert sent_in(pace, time, 10) == pytest.approx(100, abs=3)
    for _ in range(100):
        pace.succeeded()
    assert sent_in(pace, time, 10) == pytest.approx(200, abs=3)


def test_the_rate_never_falls_below_one_a_second_or_what_was_configured(time: Time) -> None:
    for configured, floor in ((20.0, 10), (0.5, 5)):
        pace = Pace(configured, time, time)
        sent_in(pace, time, 5)
        for _ in range(20):
            pace.throttled(None)
        assert sent_in(pace, time, 10) == pytest.approx(floor, abs=1)


def test_retry_after_holds_everyone_and_no_longer_than_two_minutes(time: Time) -> None:
    pace = Pace(20, time, time)
    pace.throttled(7.0)
    pace.wait()
    assert time.now == pytest.approx(1_007)
    pace.throttled(86_400)
    pace.wait()
    assert time.now == pytest.approx(1_007 + LONGEST_HOLD)


def test_a_stop_wakes_whoever_waits() -> None:
    stop = threading.Event()
    pace = Pace(1, stop)
    pace.wait()
    pace.throttled(60)
    threading.Timer(0.05, stop.set).start()
    with pytest.raises(StoppedError):
        pace.wait()
