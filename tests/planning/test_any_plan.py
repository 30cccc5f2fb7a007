"""What holds for every plan, whatever falls due when."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from keyaudit.planning import Candidate, Plan, Terms, schedule
from keyaudit.planning.counterparts import pairs
from keyaudit.planning.days import Days
from keyaudit.times import DAY

NOW = 20_600 * DAY + 12 * 3_600_000_000
ENVIRONMENTS = ("production", "staging", "development", None)
NAMES = ("prod/a", "staging/a", "prod/b", "stg/b", "db", "x")

instants = st.one_of(
    st.integers(NOW - 20 * DAY, NOW + 120 * DAY),
    st.integers(-20, 120).map(lambda days: NOW // DAY * DAY + days * DAY),
    st.just(NOW),
)


@st.composite
def candidates(draw) -> list[Candidate]:
    found = []
    for number in range(draw(st.integers(0, 14))):
        one, other = draw(st.one_of(st.none(), instants)), draw(st.one_of(st.none(), instants))
        low, high = (one, one) if draw(st.integers(0, 3)) else (one, other)
        if low is not None and high is not None and low > high:
            low, high = high, low
        period = draw(st.sampled_from((None, 3 * DAY, 30 * DAY, 90 * DAY, 90 * DAY)))
        exact = low is not None and low == high and period is not None
        found.append(
            Candidate(
                "store",
                draw(st.sampled_from(("s", "t"))),
                str(number),
                draw(st.sampled_from(NAMES)),
                environment=draw(st.sampled_from(ENVIRONMENTS)),
                lineage=draw(st.sampled_from((None, None, None, "l", "m"))),
                rotation_period=period,
                due_from=None if period is None else low,
                due_by=None if period is None else high,
                made_at=low - period if exact and low is not None and period is not None else None,
                next_at=draw(st.one_of(st.none(), st.none(), st.integers(NOW, NOW + 100 * DAY))),
                unscheduled=period is None and draw(st.booleans()),
            )
        )
    return found


terms_ = st.builds(
    Terms,
    as_of=st.just(NOW),
    within=st.sampled_from((0, 30 * DAY, 90 * DAY)),
    ahead=st.sampled_from((None, 0, 14 * DAY, 200 * DAY)),
    per_day=st.sampled_from((None, 1, 2, 5)),
    apart=st.sampled_from((None, 0, DAY, 7 * DAY, 30 * DAY)),
)


@given(candidates(), terms_)
@settings(max_examples=100, deadline=None)
def test_every_credential_is_there_exactly_once(given_, terms) -> None:
    plan = schedule(given_, terms)
    listed = [one.id for planned in plan.planned for one in planned.rotation.candidates]
    listed += [one.candidate.id for one in plan.unplanned]
    assert max(Counter(listed).values(), default=1) == 1
    assert len(listed) + plan.later + plan.without == len(given_)
    surely = {one.id for one in given_ if one.due_by is not None and one.due_by < NOW}
    assert surely <= set(listed), "what is overdue is in the plan, whatever it is asked"


@given(candidates(), terms_)
@settings(max_examples=100, deadline=None)
def test_no_day_is_late_or_past_unless_it_is_said(given_, terms) -> None:
    for one in schedule(given_, terms).planned:
        assert one.day >= terms.today
        if one.kind == "overdue":
            assert one.day == terms.today
        elif one.kind == "by-store":
            assert one.rotation.next_at is not None
            assert terms.as_of <= one.rotation.next_at <= one.rotation.due_from
        elif one.kind == "planned":
            whole = (one.day + 1) * DAY <= one.rotation.due_from
            assert whole or (one.day == terms.today and one.rotation.due_from >= terms.as_of)


@given(candidates(), terms_)
@settings(max_examples=100, deadline=None)
def test_no_day_has_more_than_was_asked_but_for_what_is_overdue(given_, terms) -> None:
    plan = schedule(given_, terms)
    taken = Counter(one.day for one in plan.planned if one.kind != "by-store")
    overdue = plan.count("overdue")
    for day, count in taken.items():
        most = count if terms.per_day is None else terms.per_day
        assert count <= (max(most, overdue) if day == terms.today else most)


@given(candidates(), terms_)
@settings(max_examples=100, deadline=None)
def test_staging_and_production_lie_apart_unless_it_is_said(given_, terms) -> None:
    plan = schedule(given_, terms)
    of = {id(one.rotation): one for one in plan.planned}
    settled = ("overdue", "by-store")
    for staging, production in pairs([one.rotation for one in plan.planned]):
        one, other = of[id(staging)], of[id(production)]
        if terms.apart is None or all(each.kind in settled for each in (one, other)):
            continue
        if "does-not-fit" not in (one.kind, other.kind):
            assert abs(one.day - other.day) >= terms.gap
            hours = min((other.day - one.day - 1) * DAY, 10**18)
            assert other.day < one.day or hours >= terms.apart, "whatever the hours of the two days"


@given(candidates(), terms_, st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_the_order_of_the_inventory_changes_nothing(given_, terms, shuffling: random.Random) -> None:
    shuffled = list(given_)
    shuffling.shuffle(shuffled)
    assert shown(schedule(given_, terms)) == shown(schedule(shuffled, terms))


def shown(plan: Plan) -> list[object]:
    return [(one.day, one.kind, one.why, one.problem, one.rotation.candidates) for one in plan.planned]


@given(st.lists(st.integers(0, 12), max_size=25), st.integers(1, 3))
@settings(max_examples=100, deadline=None)
def test_without_pairs_something_does_not_fit_only_where_nothing_could(dues, most) -> None:
    """A day holds `most`; so many that fall due by a day fit if for no day there are too many before it."""
    every = [
        Candidate(
            "store", "s", str(number), str(number), rotation_period=90 * DAY,
            due_from=NOW // DAY * DAY + (due + 1) * DAY, due_by=NOW // DAY * DAY + (due + 1) * DAY,
        )
        for number, due in enumerate(dues)
    ]  # fmt: skip
    plan = schedule(every, Terms(NOW, per_day=most))
    fits = all(sum(each <= due for each in dues) <= most * (due + 1) for due in dues)
    assert (plan.count("does-not-fit") == 0) == fits


@given(st.lists(st.integers(0, 6), max_size=40), st.integers(1, 4), st.integers(-1, 8))
@settings(max_examples=100, deadline=None)
def test_the_nearest_day_with_room_is_found(taken, most, day) -> None:
    days = Days(most)
    for each in taken:
        days.take(each)
    full = {each for each, count in Counter(taken).items() if count >= most}
    assert days.at_most(day) == next(each for each in range(day, -99, -1) if each not in full)
    assert days.at_least(day) == next(each for each in range(day, 99) if each not in full)


def test_a_hundred_thousand_that_do_not_fit_take_no_time_to_speak_of() -> None:
    one = Candidate("s", "s", "0", "0", rotation_period=DAY, due_from=NOW + 9 * DAY, due_by=NOW + 9 * DAY)
    many = [replace(one, id=str(number), name=str(number)) for number in range(100_000)]
    plan = schedule(many, Terms(NOW, per_day=1))
    assert plan.planned[-1].day == plan.terms.today + 99_999
