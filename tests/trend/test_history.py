"""Histories whose figures were worked out by hand, most of them about what must not be called mended."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from keyaudit import trend
from keyaudit.times import DAY
from keyaudit.trend.series import Figures, Point, Trend
from trend.saved_reports import Held, at, make, save

LATE = Held("a", "2026-01-01", fails=("KA101",))
FINE = Held("a", "2026-04-05")
TWO = {"s": "complete", "t": "complete"}


def told(tmp_path: Path, *reports, **options: Any) -> Trend:
    return trend.follow(trend.find([save(tmp_path / "saved", *reports)]), **{"interval": "day", **options})


def totals(found: Trend) -> list[Figures]:
    return [point.total for point in found.points]


def moves(figures: Figures) -> tuple[int, int, int, int, int]:
    return figures.opened, figures.first_seen, figures.closed, figures.gone, figures.waived


def failing(figures: Figures) -> tuple[int, int]:
    return figures.failing, figures.failing_unseen


def overdue(figures: Figures) -> tuple[int, int]:
    return figures.overdue, figures.overdue_unseen


def test_a_value_that_came_late_and_was_replaced_is_opened_overdue_and_rotated(tmp_path) -> None:
    found = totals(
        told(
            tmp_path,
            make("2026-04-01", Held("a", "2026-01-01")),
            make("2026-04-02", LATE),
            make("2026-04-03", LATE),
            make("2026-04-06", FINE),
        )
    )
    assert [overdue(f) for f in found] == [(0, 0), (1, 0), (1, 0), (0, 0)]
    assert [moves(f) for f in found] == [(0,) * 5, (1, 0, 0, 0, 0), (0,) * 5, (0, 0, 1, 0, 0)]
    assert [f.rotated for f in found] == [(), (), (), (4 * DAY,)], "from the 2nd to the 6th"
    assert found[-1].rotated_later == 0


def test_what_was_overdue_when_first_seen_is_not_opened_and_waits_longer_than_is_known(tmp_path) -> None:
    found = totals(told(tmp_path, make("2026-04-02", LATE), make("2026-04-06", FINE)))
    assert moves(found[0]) == (0, 1, 0, 0, 0)
    assert (found[1].rotated, found[1].rotated_later) == ((4 * DAY,), 1)


@pytest.mark.parametrize("status", ["failed", "partial", "empty"])
def test_a_scope_that_was_not_seen_mends_nothing(tmp_path, status) -> None:
    other = Held("b", "2026-04-01", scope="t")
    found = told(
        tmp_path,
        make("2026-04-02", LATE, other, scopes=TWO),
        make("2026-04-03", other, scopes={**TWO, "s": status}),
        make("2026-04-04", other, scopes={"t": "complete"}),
        make("2026-04-06", FINE, other, scopes=TWO),
    )
    assert [overdue(f) for f in totals(found)] == [(1, 0), (0, 1), (0, 1), (0, 0)]
    assert [failing(f) for f in totals(found)] == [(1, 0), (0, 1), (0, 1), (0, 0)]
    assert [moves(f)[2] for f in totals(found)] == [0, 0, 0, 1], "closed by the report that looked"
    assert [point.coverage for point in found.points] == ["complete", "incomplete", "incomplete", "complete"]
    assert [[hole.status for hole in point.holes] for point in found.points] == [
        [],
        [status],
        ["not-declared"],
        [],
    ]
    assert found.points[-1].total.rotated == (4 * DAY,)
    assert found.points[1].groups["production"].overdue_unseen == 1


def test_a_scope_that_was_always_empty_hides_nothing(tmp_path) -> None:
    scopes = {"s": "complete", "t": "empty"}
    found = told(tmp_path, make("2026-04-02", LATE, scopes=scopes), make("2026-04-03", LATE, scopes=scopes))
    assert [point.coverage for point in found.points] == ["complete", "complete"]


def test_a_credential_is_gone_only_from_a_scope_that_was_read_to_its_end(tmp_path) -> None:
    kept = Held("b", "2026-04-01")
    found = totals(
        told(
            tmp_path,
            make("2026-04-02", LATE, kept),
            make("2026-04-03", kept, scopes={"s": "partial"}),
            make("2026-04-04", kept),
        )
    )
    assert [moves(f) for f in found[1:]] == [(0,) * 5, (0, 0, 0, 1, 0)]
    assert [overdue(f) for f in found] == [(1, 0), (0, 1), (0, 0)]
    assert [f.rotated for f in found] == [(), (), ()]


def test_an_inventory_without_declared_scopes_proves_nobody_gone(tmp_path) -> None:
    found = told(tmp_path, make("2026-04-02", LATE, scopes={}), make("2026-04-03", scopes={}))
    assert overdue(found.points[1].total) == (0, 1)
    assert [point.coverage for point in found.points] == ["undeclared", "undeclared"]


def test_a_waiver_takes_a_finding_away_but_the_old_value_waits_on(tmp_path) -> None:
    found = totals(
        told(
            tmp_path,
            make("2026-04-01", Held("a", "2026-01-01")),
            make("2026-04-02", LATE),
            make("2026-04-03", Held("a", "2026-01-01", waived=("KA101",))),
            make("2026-04-04", LATE),
            make("2026-04-07", FINE),
        )
    )
    assert [moves(f) for f in found[1:]] == [
        (1, 0, 0, 0, 0),
        (0, 0, 0, 0, 1),
        (1, 0, 0, 0, 0),
        (0, 0, 1, 0, 0),
    ]
    assert found[-1].rotated == (5 * DAY,)


def test_a_policy_that_allows_more_closes_findings_and_rotates_nothing(tmp_path) -> None:
    found = told(
        tmp_path,
        make("2026-04-02", LATE),
        make("2026-04-03", Held("a", "2026-01-01"), policy=("p", "2")),
        make("2026-04-09", FINE, policy=("p", "2"), version="0.2.0"),
    )
    assert [point.changes for point in found.points] == [(), ("policy",), ("keyaudit",)]
    assert moves(found.points[1].total) == (0, 0, 1, 0, 0)
    assert [f.rotated for f in totals(found)] == [(), (), ()]


def test_what_cannot_be_decided_any_more_is_not_closed(tmp_path) -> None:
    found = totals(
        told(
            tmp_path,
            make("2026-04-02", LATE),
            make("2026-04-03", Held("a", ("2026-04-02", "2025-01-01"), unknown=("KA101",))),
            make("2026-04-06", FINE),
        )
    )
    assert [failing(f) for f in found] == [(1, 0), (0, 1), (0, 0)]
    assert found[-1].rotated == (4 * DAY,)


def test_what_was_not_decided_before_is_not_opened(tmp_path) -> None:
    found = totals(
        told(tmp_path, make("2026-04-02", Held("a", None, unknown=("KA101",))), make("2026-04-03", LATE))
    )
    assert moves(found[1]) == (0, 1, 0, 0, 0)


@pytest.mark.parametrize("less", [{"off": ("KA201",)}, {"lacking": {"KA201": ("versions",)}}])
def test_a_rule_that_was_not_asked_mends_nothing_and_when_asked_again_opens_nothing(tmp_path, less) -> None:
    bad, quiet = Held("a", "2026-04-01", fails=("KA201",)), Held("a", "2026-04-01")
    found = totals(
        told(
            tmp_path,
            make("2026-04-02", bad),
            make("2026-04-03", quiet, **less),
            make("2026-04-04", bad, Held("b", "2026-04-01", fails=("KA201",))),
            make("2026-04-05", quiet, Held("b", "2026-04-01")),
        )
    )
    assert [failing(f) for f in found] == [(1, 0), (0, 1), (2, 0), (0, 0)]
    assert [moves(f) for f in found[1:]] == [(0,) * 5, (0, 1, 0, 0, 0), (0, 0, 2, 0, 0)]


def test_a_value_replaced_and_overdue_again_between_two_reports_was_rotated(tmp_path) -> None:
    again = Held("a", "2026-05-01", fails=("KA101",))
    found = totals(
        told(
            tmp_path,
            make("2026-04-02", LATE),
            make("2026-08-02", again),
            make("2026-08-05", Held("a", "2026-08-04")),
        )
    )
    assert [f.rotated for f in found] == [(), (122 * DAY,), (3 * DAY,)]
    assert [overdue(f) for f in found] == [(1, 0), (1, 0), (0, 0)]


def test_a_value_that_may_be_the_same_is_not_called_new(tmp_path) -> None:
    bounded = Held("a", ("2026-04-04", "2025-12-01"))
    found = totals(told(tmp_path, make("2026-04-02", LATE), make("2026-04-05", bounded)))
    assert moves(found[1]) == (0, 0, 1, 0, 0)
    assert found[1].rotated == ()


def test_reports_of_different_populations_do_not_mend_each_other(tmp_path) -> None:
    b = Held("b", "2026-01-01", fails=("KA102",), scope="t")
    found = told(
        tmp_path,
        make("2026-04-02", LATE, policy=("team-a", "1"), policy_fails=True),
        make("2026-04-03", b, scopes={"t": "complete"}, policy=("team-b", "2")),
        make("2026-04-04", LATE, policy=("team-a", "1")),
    )
    assert [overdue(f) for f in totals(found)] == [(1, 0), (1, 1), (1, 1)]
    assert [failing(f) for f in totals(found)] == [(2, 0), (1, 2), (1, 1)]
    assert [moves(f) for f in totals(found)[1:]] == [(0, 1, 0, 0, 0), (0, 0, 1, 0, 0)]
    assert found.groups == ("production",)


def test_ages_are_of_what_is_in_use_and_the_mean_of_what_is_known_exactly(tmp_path) -> None:
    (figures,) = totals(
        told(
            tmp_path,
            make(
                "2026-04-11",
                Held("a", "2026-04-01"),
                Held("b", "2026-04-10T12:00:00Z"),
                Held("c", ("2026-03-02", "2025-01-01")),
                Held("d", None),
                Held("e", "2020-01-01", idle=True),
            ),
        )
    )
    assert (figures.credentials, figures.aged) == (5, 2)
    assert figures.mean_age == (10 * DAY + DAY // 2) // 2
    assert figures.worst_age == 40 * DAY, "at least"


def test_groups_follow_what_a_credential_is_now(tmp_path) -> None:
    reports = (
        make("2026-04-02", LATE, Held("b", "2026-04-01", environment=None, owner=None)),
        make("2026-04-03", Held("a", "2026-01-01", fails=("KA101",), environment="staging", owner="x")),
    )
    found = told(tmp_path, *reports)
    assert found.groups == ("production", "staging", None)
    assert [point.groups["staging"].overdue for point in found.points[1:]] == [1]
    assert told(tmp_path, *reports, by="owner").groups == ("o", "x", None)
    assert told(tmp_path, *reports, by="class").groups == ("api-key",)
    assert told(tmp_path, *reports, by="source").groups == ("vault",)


def test_every_finding_is_accounted_for_whatever_happens(tmp_path) -> None:
    chance = random.Random(5)
    reports = [
        make(f"2026-04-{day:02}", *_anything(chance), scopes=_some_scopes(chance)) for day in range(1, 29)
    ]
    points: list[Point] = list(told(tmp_path, *reports).points)
    before = 0
    for point in points:
        opened, first_seen, closed, gone, waived = moves(point.total)
        before += opened + first_seen - closed - gone - waived
        assert sum(failing(point.total)) == before
        assert sum(part.overdue for part in point.groups.values()) == point.total.overdue
    assert all(any(moves(p.total)[n] for p in points) for n in range(5)), "each of them happened"
    assert any(p.total.failing_unseen for p in points)
    assert any(p.total.rotated for p in points)


def _anything(chance: random.Random) -> list[Held]:
    held = []
    for name in range(12):
        if chance.random() < 0.2:
            continue
        fails, unknown, waived = (
            tuple(rule for rule in ("KA101", "KA201") if chance.random() < share) for share in (0.4, 0.1, 0.1)
        )
        unknown = tuple(rule for rule in unknown if rule not in fails)
        waived = tuple(rule for rule in waived if rule not in (*fails, *unknown))
        made = f"2026-{chance.randint(1, 3):02}-{chance.randint(1, 28):02}"
        scope, environment = ("s", "production") if name % 2 else ("t", None)
        held.append(Held(f"c{name}", made, fails, unknown, waived, environment, scope))
    return held


def _some_scopes(chance: random.Random) -> dict[str, str]:
    return {scope: chance.choice(("complete", "complete", "failed", "partial")) for scope in "st"}


def test_the_day_that_a_report_is_of_is_in_utc(tmp_path) -> None:
    found = told(tmp_path, make("2026-04-02T01:30:00+02:00", LATE))
    assert found.slots[0].start == at("2026-04-01")
