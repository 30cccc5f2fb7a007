"""Asking again, under a clock that only these tests move: how often, how long after, and of what."""

from __future__ import annotations

import pytest

from keyaudit.sources.protocol import StoppedError
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.pace import LONGEST_HOLD, Pace
from keyaudit.sources.pulling.refusals import FATAL, TRANSIENT, Kind, RefusedError
from keyaudit.sources.pulling.retrying import LONGEST_REST, persistently
from sources.test_pace import Time


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def meter(time: Time) -> Meter:
    return Meter(Pace(1_000, time, time))


class Server:
    """Answers with what it is told to, in turn, and notes when it was asked."""

    def __init__(self, time: Time, *answers: object) -> None:
        self.time, self.answers, self.asked = time, list(answers), []

    def __call__(self) -> object:
        self.asked.append(self.time.now)
        answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def rests(self) -> list[float]:
        return [later - before for before, later in zip(self.asked, self.asked[1:], strict=False)]


def refused(kind: Kind, hold: float | None = None) -> RefusedError:
    return RefusedError(kind, hold=hold)


def test_an_answer_costs_one_call(time, meter) -> None:
    server = Server(time, "yes")
    assert persistently(server, meter, 10) == "yes"
    assert (len(server.asked), meter.calls, meter.throttled) == (1, 1, 0)


@pytest.mark.parametrize("kind", sorted(TRANSIENT))
def test_what_may_pass_is_asked_again_to_the_last_attempt(kind, time, meter) -> None:
    server = Server(time, refused(kind))
    with pytest.raises(RefusedError) as caught:
        persistently(server, meter, 5)
    assert caught.value.refusal.kind is kind
    assert (len(server.asked), meter.calls) == (5, 5)
    assert meter.throttled == (5 if kind is Kind.THROTTLED else 0)


@pytest.mark.parametrize("kind", sorted(set(Kind) - TRANSIENT))
def test_what_will_not_pass_is_asked_once(kind, time, meter) -> None:
    server = Server(time, refused(kind), "never seen")
    with pytest.raises(RefusedError):
        persistently(server, meter, 5)
    assert (len(server.asked), meter.calls) == (1, 1)


def test_nothing_is_both_hopeless_and_worth_another_try() -> None:
    assert not FATAL & TRANSIENT


def test_a_caller_says_what_is_worth_another_try(time, meter) -> None:
    with pytest.raises(RefusedError):
        persistently(Server(time, refused(Kind.SERVER), "yes"), meter, 5, again=())
    assert persistently(Server(time, refused(Kind.GONE), "yes"), meter, 5, again={Kind.GONE}) == "yes"


def test_the_first_answer_ends_it(time, meter) -> None:
    server = Server(time, refused(Kind.SERVER), refused(Kind.UNREACHABLE), "yes", "no")
    assert persistently(server, meter, 10) == "yes"
    assert meter.calls == 3


def test_one_attempt_means_one(time, meter) -> None:
    with pytest.raises(RefusedError):
        persistently(Server(time, refused(Kind.THROTTLED), "yes"), meter, 1)
    assert (meter.calls, meter.throttled) == (1, 1), "a throttle of the last attempt counts as well"


def rests_of(kind: Kind, attempts: int, tries: int = 200) -> list[list[float]]:
    every = []
    for _ in range(tries):
        time = Time()
        server = Server(time, refused(kind))
        with pytest.raises(RefusedError):
            persistently(server, Meter(Pace(1_000_000, time, time)), attempts)
        every.append(server.rests)
    return every


@pytest.mark.parametrize(
    ("kind", "first"), [(Kind.THROTTLED, 1.0), (Kind.SERVER, 0.1), (Kind.UNREACHABLE, 0.1)]
)
def test_each_rest_may_be_twice_as_long_and_is_anything_up_to_that(kind, first) -> None:
    """Full jitter: clients that were refused together do not come back together. Bounded by chance alone."""
    every = rests_of(kind, 12)
    slack = 13.0 if kind is Kind.THROTTLED else 0.001  # a throttled scope's pace waits as well, by itself
    for attempt in range(11):
        longest = min(LONGEST_REST, first * 2**attempt)
        rests = [each[attempt] for each in every]
        assert max(rests) <= longest + slack
        assert max(rests) > 0.8 * longest, "200 tries without one near the end is no uniform draw"
        assert min(rests) < 0.2 * longest + slack
    assert max(min(LONGEST_REST, first * 2**attempt) for attempt in range(11)) == LONGEST_REST


def test_the_server_s_own_wish_replaces_our_rest_and_holds_everybody(time) -> None:
    pace = Pace(1_000, time, time)
    one, other = Meter(pace), Meter(pace)
    server = Server(time, refused(Kind.THROTTLED, hold=7.0), "yes")
    assert persistently(server, one, 5) == "yes"
    assert server.rests == [pytest.approx(7.0)]
    began = time.now
    persistently(Server(time, refused(Kind.THROTTLED, hold=3.0), "yes"), one, 5)
    persistently(Server(time, "yes"), other, 5)
    assert time.now == pytest.approx(began + 3.0, abs=0.01)
    assert (one.calls, one.throttled, other.calls, other.throttled) == (4, 2, 1, 0)


def test_a_wish_that_nobody_can_wait_for_ends_the_asking(time, meter) -> None:
    server = Server(time, refused(Kind.THROTTLED, hold=LONGEST_HOLD + 1), "yes")
    with pytest.raises(RefusedError, match="throttled \\(asked to stay away for 121 s\\)"):
        persistently(server, meter, 5)
    assert len(server.asked) == 1
    assert meter.throttled == 1


def test_a_wish_of_nothing_is_taken_at_its_word(time, meter) -> None:
    server = Server(time, refused(Kind.THROTTLED, hold=0.0), "yes")
    persistently(server, meter, 5)
    assert server.rests == [pytest.approx(0.0, abs=0.01)]


def test_a_throttle_slows_what_comes_after_and_success_wins_it_back(time) -> None:
    meter = Meter(Pace(10, time, time))
    persistently(Server(time, refused(Kind.THROTTLED, hold=0.0), "yes"), meter, 5)

    def seconds_for(calls: int) -> float:
        began = time.now
        for _ in range(calls):
            meter.sending()
        return time.now - began

    seconds_for(20)
    assert seconds_for(51) == pytest.approx(10, rel=0.05), "half of ten a second, and a hundredth won back"
    for _ in range(100):
        persistently(Server(time, "yes"), meter, 1)
    assert seconds_for(100) == pytest.approx(10, rel=0.05)


def test_every_attempt_is_paced(time) -> None:
    meter = Meter(Pace(1, time, time))
    server = Server(time, refused(Kind.SERVER))
    with pytest.raises(RefusedError):
        persistently(server, meter, 4)
    persistently(Server(time, "yes"), meter, 1)
    assert time.now >= 1_000 + 3, "one a second, however short the rests"


def test_a_stop_ends_the_rest_and_asks_no_more(time, meter) -> None:
    def ask() -> object:
        time.stopped = True
        raise refused(Kind.SERVER)

    with pytest.raises(StoppedError):
        persistently(ask, meter, 10)
    assert meter.calls == 1
    with pytest.raises(StoppedError):
        persistently(Server(time, "yes"), meter, 10)
    assert meter.calls == 1, "what never left is not counted"


def test_a_fault_of_ours_is_not_asked_again(time, meter) -> None:
    server = Server(time, ValueError("ours"))
    with pytest.raises(ValueError, match="ours"):
        persistently(server, meter, 10)
    assert meter.calls == 1
