"""Days worked out by hand. Today is 1 June 2026, at noon; `apart` is 7d, so the gap is 8 days."""

from __future__ import annotations

from dataclasses import replace

import pytest

from keyaudit import times
from keyaudit.planning import Candidate, Plan, Terms, schedule
from keyaudit.times import DAY, HOUR, MICROSECOND

NOW = times.parse_instant("2026-06-01T12:00:00Z")
TERMS = Terms(NOW, apart=7 * DAY)


def at(day: str) -> int:
    return times.parse_instant(day if "T" in day else f"{day}T12:00:00Z")


def held(name: str, due: str | int | None, *, period: int = 90 * DAY, **more) -> Candidate:
    """A credential whose value falls due then, so that its creation is known."""
    instant = at(due) if isinstance(due, str) else due
    made = None if instant is None else instant - period
    given = {"environment": "production", "due_from": instant, "due_by": instant, "made_at": made, **more}
    return Candidate("store", "scope", name, name, rotation_period=period, **given)


def days(plan: Plan) -> dict[str, str]:
    return {
        each.name: times.format_date(one.day * DAY)
        for one in plan.planned
        for each in one.rotation.candidates
    }


def kinds(plan: Plan) -> dict[str, str]:
    return {one.rotation.first.name: one.kind for one in plan.planned}


def only(plan: Plan, name: str):
    (found,) = [one for one in plan.planned if one.rotation.first.name == name]
    return found


CASES = [
    ("2026-07-01T00:00:00Z", 90 * DAY, None, "2026-06-24", "7 d before it falls due"),
    ("2026-07-01T23:59:59Z", 90 * DAY, None, "2026-06-24", "7 d before it falls due"),
    ("2026-07-01T12:00:00Z", 20 * DAY, None, "2026-06-26", "5 d before it falls due"),
    ("2026-07-01T12:00:00Z", 90 * DAY, 0, "2026-06-30", "the last whole day before it falls due"),
    ("2026-07-01T00:00:00Z", 90 * DAY, 0, "2026-06-30", "the last whole day before it falls due"),
    ("2026-07-01T12:00:00Z", 90 * DAY, 14 * DAY, "2026-06-17", "14 d before it falls due"),
    ("2026-06-03T12:00:00Z", 90 * DAY, None, "2026-06-01", "as early as may be: less than 7 d are left"),
    ("2026-06-01T13:00:00Z", 90 * DAY, None, "2026-06-01", "as early as may be: less than 7 d are left"),
    ("2026-06-01T12:00:00Z", 90 * DAY, None, "2026-06-01", "as early as may be: less than 7 d are left"),
]


@pytest.mark.parametrize(("due", "period", "ahead", "day", "why"), CASES)
def test_a_rotation_lies_ahead_of_its_due_date_on_a_whole_day(due, period, ahead, day, why) -> None:
    plan = schedule([held("a", due, period=period)], replace(TERMS, ahead=ahead))
    assert days(plan) == {"a": day}
    assert (only(plan, "a").kind, only(plan, "a").why) == ("planned", (why,))
    assert plan.exit_code(whole=True) == 0


def test_an_instant_late_is_overdue_and_today_and_exactly_due_is_not() -> None:
    plan = schedule([held("late", NOW - MICROSECOND), held("due", NOW)], TERMS)
    assert kinds(plan) == {"late": "overdue", "due": "planned"}
    assert set(days(plan).values()) == {"2026-06-01"}
    assert plan.planned[0].rotation.first.name == "late", "overdue ones come first"
    assert plan.exit_code(whole=True) == 1


def test_the_last_instant_of_the_horizon_is_in_it() -> None:
    plan = schedule([held("in", TERMS.until), held("out", TERMS.until + MICROSECOND)], TERMS)
    assert (set(days(plan)), plan.later) == ({"in"}, 1)


def test_a_customers_own_and_what_is_waived_are_shown_and_open_no_gate() -> None:
    late = [held("theirs", "2026-05-01", theirs=True), held("waived", "2026-05-01", waiver="W-1")]
    plan = schedule(late, TERMS)
    assert kinds(plan) == {"theirs": "overdue", "waived": "overdue"}
    assert "waived by W-1" in only(plan, "waived").why
    assert plan.exit_code(whole=True) == 0
    assert schedule([*late, held("ours", "2026-05-01")], TERMS).exit_code(whole=True) == 1


def test_what_nobody_can_date_is_listed_and_never_dropped() -> None:
    plan = schedule(
        [
            held("nothing", None),
            held("perhaps", None, due_from=NOW - DAY, due_by=NOW + DAY),
            held("at-least", None, due_from=NOW - DAY, due_by=None),
            held("surely", None, due_from=None, due_by=NOW - DAY),
            held("not-yet", None, due_from=NOW + 30 * DAY, due_by=NOW + 80 * DAY),
            Candidate("store", "scope", "bare", "bare", unscheduled=True),
            Candidate("store", "scope", "dynamic", "dynamic"),
        ],
        TERMS,
    )
    assert {one.candidate.name: one.why for one in plan.unplanned} == {
        "nothing": "age not known",
        "perhaps": "age not known well enough: it may be overdue already",
        "at-least": "age not known well enough: it may be overdue already",
        "bare": "no schedule applies, so nothing says when it falls due",
    }
    assert days(plan) == {"surely": "2026-06-01", "not-yet": "2026-06-24"}
    assert kinds(plan)["surely"] == "overdue"
    assert plan.without == 1


@pytest.mark.parametrize(("held_", "whole", "code"), [((), True, 0), ((), False, 3), ((None,), True, 3)])
def test_what_is_not_known_makes_the_exit_code_3(held_, whole, code) -> None:
    plan = schedule([held("a", "2026-07-01"), *(held("b", due) for due in held_)], TERMS)
    assert plan.exit_code(whole=whole) == code


def test_a_full_day_moves_what_is_due_later_to_the_day_before() -> None:
    four = [held(name, "2026-07-01T12:00:00Z") for name in "abcd"]
    plan = schedule([held("e", "2026-07-02"), *four], replace(TERMS, per_day=2))
    assert days(plan) == {
        "a": "2026-06-24", "b": "2026-06-24", "c": "2026-06-23", "d": "2026-06-23", "e": "2026-06-25",
    }  # fmt: skip
    assert only(plan, "c").why == ("moved earlier: 2026-06-24 has no room",)


def test_nothing_overdue_is_put_off_and_the_rest_finds_room_or_does_not_fit() -> None:
    late = [held(name, "2026-05-20") for name in "abc"]
    soon = [held(name, "2026-06-03T00:00:00Z") for name in "xyz"]
    plan = schedule([*soon, *late], replace(TERMS, per_day=1))
    assert {days(plan)[name] for name in "abc"} == {"2026-06-01"}
    assert {name: days(plan)[name] for name in "xyz"} == {
        "x": "2026-06-02", "y": "2026-06-03", "z": "2026-06-04",
    }  # fmt: skip
    assert [only(plan, name).kind for name in "xyz"] == ["planned", "does-not-fit", "does-not-fit"]
    assert only(plan, "x").why == ("moved later: 2026-06-01 has no room",)
    assert only(plan, "y").problem == "does not fit: every day before it falls due has 1 rotation already"


def test_what_does_not_fit_makes_the_exit_code_1() -> None:
    three = [held(name, "2026-06-03T00:00:00Z") for name in "xyz"]
    assert schedule(three[:2], replace(TERMS, per_day=1)).exit_code(whole=True) == 0
    assert schedule(three, replace(TERMS, per_day=1)).exit_code(whole=True) == 1


class TestByItsStore:
    def test_in_time_it_keeps_the_stores_day_and_takes_nobodys_place(self) -> None:
        store = held("s", "2026-07-01", next_at=at("2026-06-24"))
        plan = schedule([store, held("a", "2026-07-01")], replace(TERMS, per_day=1))
        assert days(plan) == {"s": "2026-06-24", "a": "2026-06-24"}
        assert only(plan, "s").kind == "by-store"
        assert only(plan, "s").why == ("by its store on 2026-06-24T12:00:00Z",)

    def test_on_the_due_instant_is_in_time_and_after_it_is_not(self) -> None:
        assert kinds(schedule([held("s", "2026-07-01", next_at=at("2026-07-01"))], TERMS)) == {
            "s": "by-store"
        }
        plan = schedule([held("s", "2026-07-01", next_at=at("2026-07-01") + MICROSECOND)], TERMS)
        assert (days(plan), kinds(plan)) == ({"s": "2026-06-24"}, {"s": "planned"})
        assert "after it falls due" in only(plan, "s").why[1]


class TestStagingFirst:
    def both(self, staging: str, production: str, *, terms: Terms = TERMS, **more) -> Plan:
        return schedule(
            [held("prod/a", production), held("staging/a", staging, environment="staging", **more)], terms
        )

    def test_due_on_one_day_staging_goes_eight_days_before(self) -> None:
        plan = self.both("2026-07-01", "2026-07-01")
        assert days(plan) == {"staging/a": "2026-06-16", "prod/a": "2026-06-24"}
        assert only(plan, "staging/a").why == ("goes first: prod/a follows, 7 d later at least",)
        assert plan.exit_code(whole=True) == 0

    def test_the_gap_is_apart_whatever_the_hours(self) -> None:
        for apart, between in ((0, 1), (HOUR, 2), (DAY, 2), (DAY + 1, 3), (7 * DAY, 8)):
            plan = self.both("2026-08-01", "2026-08-01", terms=replace(TERMS, apart=apart))
            one, other = (only(plan, name).day for name in ("staging/a", "prod/a"))
            assert other - one == between

    def test_without_an_order_each_lies_where_it_is_wished(self) -> None:
        plan = self.both("2026-07-01", "2026-07-01", terms=replace(TERMS, apart=None))
        assert set(days(plan).values()) == {"2026-06-24"}

    def test_production_waits_inside_its_own_window(self) -> None:
        plan = self.both("2026-06-03", "2026-06-12")
        assert days(plan) == {"staging/a": "2026-06-01", "prod/a": "2026-06-09"}
        assert only(plan, "prod/a").why == ("7 d after staging/a, which goes on 2026-06-01",)

    def test_a_due_date_outranks_the_order_and_that_is_said(self) -> None:
        plan = self.both("2026-06-05", "2026-06-05")
        assert days(plan) == {"staging/a": "2026-06-01", "prod/a": "2026-06-04"}
        assert only(plan, "prod/a").problem == (
            "does not fit: staging/a goes first, on 2026-06-01, 7 d before it, and no day before it falls due keeps both"
        )
        assert plan.exit_code(whole=True) == 1

    def test_with_one_day_left_for_both_it_is_production_that_does_not_fit(self) -> None:
        plan = self.both("2026-06-02", "2026-06-02")
        assert set(days(plan).values()) == {"2026-06-01"}
        assert kinds(plan) == {"staging/a": "planned", "prod/a": "does-not-fit"}

    def test_staging_of_the_next_round_stays_there(self) -> None:
        assert days(self.both("2026-07-15", "2026-07-01")) == {
            "prod/a": "2026-06-24",
            "staging/a": "2026-07-08",
        }

    def test_staging_that_has_gone_since_production_did_follows_it(self) -> None:
        # Both values are known: staging's is three days newer, so production follows that one.
        plan = self.both("2026-06-13", "2026-06-10")
        assert days(plan) == {"prod/a": "2026-06-03", "staging/a": "2026-06-11"}
        assert plan.exit_code(whole=True) == 0

    def test_staging_goes_along_although_it_falls_due_after_the_end(self) -> None:
        plan = self.both("2026-06-28", "2026-06-28", terms=replace(TERMS, within=27 * DAY))
        late = self.both("2026-06-29", "2026-06-28", terms=replace(TERMS, within=27 * DAY), made_at=None)
        assert days(plan) == days(late) == {"staging/a": "2026-06-13", "prod/a": "2026-06-21"}
        assert late.later == 0

    def test_production_waits_for_the_value_that_staging_has_now(self) -> None:
        plan = self.both("2026-08-28", "2026-06-12")  # staging got its value on 30 May
        assert days(plan)["prod/a"] == "2026-06-07"
        assert only(plan, "prod/a").why == ("7 d after staging/a got its value on 2026-05-30",)

    def test_overdue_production_waits_for_nobody_and_staging_keeps_away(self) -> None:
        plan = self.both("2026-06-11", "2026-05-20")
        assert days(plan) == {"prod/a": "2026-06-01", "staging/a": "2026-06-09"}
        assert only(plan, "prod/a").why == ("now", "its staging goes after it this time: staging/a")

    def test_production_follows_a_staging_that_its_store_rotates(self) -> None:
        plan = self.both("2026-07-10", "2026-06-25", next_at=at("2026-06-15"), made_at=None)
        assert days(plan) == {"staging/a": "2026-06-15", "prod/a": "2026-06-23"}

    def test_or_goes_before_it_where_staging_has_gone_already_and_waiting_would_be_late(self) -> None:
        plan = self.both("2026-07-10", "2026-06-18", next_at=at("2026-06-15"))
        assert days(plan) == {"prod/a": "2026-06-07", "staging/a": "2026-06-15"}

    def test_staging_goes_before_a_production_that_its_store_rotates(self) -> None:
        production = held("prod/a", "2026-07-10", next_at=at("2026-06-20"))
        plan = schedule([production, held("staging/a", "2026-06-25", environment="staging")], TERMS)
        assert days(plan) == {"staging/a": "2026-06-12", "prod/a": "2026-06-20"}

    @pytest.mark.parametrize(
        ("staging", "production"),
        [
            ("staging-db", "production-db"),
            ("stage-db", "prod-db"),
            ("stg/db", "prod/db"),
            ("db", "db"),
        ],
    )
    def test_counterparts_are_those_of_rotated_together(self, staging, production) -> None:
        one = held(staging, "2026-07-01", environment="stg")
        other = replace(held(production, "2026-07-01", environment="prod"), scope="other")
        first, second = schedule([one, other], TERMS).planned
        assert (first.rotation.first, second.rotation.first) == (one, other)
        assert second.day - first.day == 8

    def test_a_shared_lineage_says_it_too(self) -> None:
        one = held("x", "2026-07-01", environment="staging", lineage="l")
        plan = schedule([one, held("y", "2026-07-01", lineage="l")], TERMS)
        assert days(plan) == {"x": "2026-06-16", "y": "2026-06-24"}


class TestCopies:
    def test_copies_of_one_environment_change_together_when_the_first_falls_due(self) -> None:
        key = held("key", "2026-07-01", lineage="l", environment=None)
        copy = held("copy", "2026-09-01", lineage="l")
        plan = schedule([copy, key], replace(TERMS, per_day=1))
        assert days(plan) == {"key": "2026-06-24", "copy": "2026-06-24"}
        assert (len(plan.planned), plan.later) == (1, 0)

    def test_a_key_of_no_environment_is_by_itself_where_its_copies_have_several(self) -> None:
        rows = [held("key", "2026-07-01", lineage="l", environment=None)]
        rows += [
            held("a", "2026-07-01", lineage="l"),
            held("b", "2026-07-01", lineage="l", environment="dev"),
        ]
        assert len(schedule(rows, TERMS).planned) == 3

    def test_one_command_rotates_all_of_them(self) -> None:
        from keyaudit.planning import wording

        key = held("key", "2026-07-01", lineage="l", command="make another")
        copy = held("copy", "2026-07-02", lineage="l", command="keyaudit rotate run it", rotation="it")
        (together,) = schedule([key, copy], TERMS).planned
        assert wording.commands(together) == ["keyaudit rotate run it"]
        (apart,) = schedule([key, replace(copy, rotation=None, command="store it")], TERMS).planned
        assert wording.commands(apart) == ["make another", "store it"]
