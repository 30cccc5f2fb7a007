"""How old values grew in a period: histories whose ages were worked out by hand, on both engines."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import pytest

from facts.frames import ALL, inventory, version
from keyaudit import facts
from keyaudit.engine import DuckDB, Engine, Polars
from keyaudit.facts.promotions import Period
from keyaudit.times import DAY, LONGEST_DURATION, format_instant, parse_instant

AS_OF = parse_instant("2024-12-31T00:00:00Z")
FIRST, LAST = parse_instant("2024-01-01T00:00:00Z"), parse_instant("2024-07-01T00:00:00Z") - 1
BORN = "2023-06-01"
NONE = facts.NONE
LONG = LONGEST_DURATION


@pytest.fixture(params=[Polars, DuckDB], ids=["polars", "duckdb"])
def engine(request: pytest.FixtureRequest) -> Engine:
    made: Engine = request.param()
    return made


def at(text: str | None) -> int | None:
    return None if text is None else parse_instant(text if "T" in text else f"{text}T00:00:00Z")


def made(name: str, state: str, created: str | None, ended: str | None = None, **more: str) -> dict[str, Any]:
    dates = {field: at(text) for field, text in more.items()}
    return version(id=name, state=state, created_at=at(created), superseded_at=at(ended), **dates)


def days(since: str, until: str | int) -> int:
    end = until if isinstance(until, int) else at(until)
    assert end is not None
    return end - (at(since) or 0)


V1 = made("v1", "superseded", "2023-11-01", "2024-02-29")
V2 = made("v2", "current", "2024-02-29")
CASES: dict[str, tuple[str | None, list[dict[str, Any]] | None, tuple[Any, ...]]] = {
    # versions; surely reached, perhaps reached, owed had nothing been rotated; since, until, version
    "rotated on the leap day": (
        BORN, [made("v0", "superseded", BORN, "2023-11-01"), V1, V2],
        (days("2024-02-29", LAST), days("2024-02-29", LAST), days("2023-11-01", LAST),
         "2024-02-29", None, "v2"),
    ),
    "the value from before is older than any after it": (
        BORN, [made("v0", "superseded", BORN, "2024-02-29"), V2],
        (days(BORN, "2024-02-29"), days(BORN, "2024-02-29"), days(BORN, LAST),
         BORN, "2024-02-29", "v0"),
    ),
    "replaced in the first instant": (
        BORN, [made("v0", "superseded", BORN, "2024-01-01"), made("v1", "current", "2024-01-01")],
        (days("2024-01-01", LAST), days("2024-01-01", LAST), NONE,
         "2024-01-01", None, "v1"),
    ),
    "replaced a microsecond later": (
        BORN,
        [made("v0", "superseded", BORN, "2024-01-01T00:00:00.000001Z"),
         made("v1", "current", "2024-01-01T00:00:00.000001Z")],
        (days(BORN, "2024-01-01") + 1, days(BORN, "2024-01-01") + 1, days(BORN, LAST),
         BORN, "2024-01-01T00:00:00.000001Z", "v0"),
    ),
    "replaced after the period": (
        BORN, [made("v0", "superseded", BORN, "2024-09-01"), made("v1", "current", "2024-09-01")],
        (days(BORN, LAST), days(BORN, LAST), NONE, BORN, None, "v0"),
    ),
    "two in one day": (
        BORN,
        [made("v0", "superseded", BORN, "2024-03-01T08:00:00Z"),
         made("v1", "superseded", "2024-03-01T08:00:00Z", "2024-03-01T09:00:00Z"),
         made("v2", "current", "2024-03-01T09:00:00Z")],
        (days(BORN, "2024-03-01T08:00:00Z"),) * 2 + (days(BORN, LAST),) + (BORN, "2024-03-01T08:00:00Z", "v0"),
    ),
    "an offset is no other day": (
        BORN, [made("v0", "superseded", BORN, "2024-03-01T01:00:00+01:00"), made("v1", "current", "2024-03-01")],
        (days(BORN, "2024-03-01"),) * 2 + (days(BORN, LAST),) + (BORN, "2024-03-01", "v0"),
    ),
    "an end that nobody recorded is the next beginning": (
        BORN, [made("v0", "superseded", BORN), made("v1", "current", "2024-03-01")],
        (days(BORN, "2024-03-01"),) * 2 + (days(BORN, LAST),) + (BORN, "2024-03-01", "v0"),
    ),
    "an end before the beginning is none": (
        BORN, [made("v0", "superseded", BORN, "2023-05-01"), made("v1", "current", "2024-03-01")],
        (days(BORN, "2024-03-01"),) * 2 + (days(BORN, LAST),) + (BORN, "2024-03-01", "v0"),
    ),
    "made after the period": (
        "2024-08-01", [made("v0", "current", "2024-08-01")], (NONE, NONE, NONE, None, None, None),
    ),
    "made in the last instant": (
        "2024-06-30T23:59:59.999999Z", [made("v0", "current", "2024-06-30T23:59:59.999999Z")],
        (0, 0, NONE, "2024-06-30T23:59:59.999999Z", None, "v0"),
    ),
    "first made in the period": (
        "2024-03-01", [made("v0", "current", "2024-03-01T12:00:00Z")],
        (days("2024-03-01T12:00:00Z", LAST),) * 2 + (NONE, "2024-03-01T12:00:00Z", None, "v0"),
    ),
    "what the store forgot was in use before": (
        BORN, [made("v7", "current", "2024-03-01")],
        (days("2024-03-01", LAST), days(BORN, "2024-03-01"), NONE,
         "2024-03-01", None, "v7"),
    ),
    "what the store forgot ended before the period": (
        BORN, [made("v7", "current", "2024-01-01")], (days("2024-01-01", LAST),) * 2 + (NONE, "2024-01-01", None, "v7"),
    ),
    "nobody knows how old what was forgotten is": (
        None, [made("v7", "current", "2024-03-01")],
        (days("2024-03-01", LAST), LONG, NONE, "2024-03-01", None, "v7"),
    ),
    "rolled back in the period": (
        BORN, [made("v1", "superseded", "2024-03-01", "2024-03-02"), made("v0", "current", BORN)],
        (days(BORN, LAST),) * 3 + (BORN, None, "v0"),
    ),
    "rolled back after the period": (
        BORN, [made("v1", "superseded", "2024-03-01", "2024-09-02"), made("v0", "current", BORN)],
        (days(BORN, "2024-03-01"),) * 2 + (days(BORN, LAST),) + (BORN, "2024-03-01", "v0"),
    ),
    "rolled back, nobody knows when": (
        BORN, [made("v1", "superseded", "2024-03-01"), made("v0", "current", BORN)],
        (days(BORN, "2024-03-01"), days(BORN, LAST), days(BORN, LAST), BORN, "2024-03-01", "v0"),
    ),
    "two in use at once": (
        BORN, [made("v1", "current", "2024-03-01"), made("v0", "current", BORN)],
        (days(BORN, LAST),) * 2 + (NONE, BORN, None, "v0"),
    ),
    "switched off, perhaps never in use": (
        BORN, [made("v1", "disabled", BORN, retired_at="2024-02-01"), made("v2", "current", "2024-01-01")],
        (days("2024-01-01", LAST), max(days(BORN, "2024-02-01"), days("2024-01-01", LAST)),
         NONE, "2024-01-01", None, "v2"),
    ),
    "without a date": (
        BORN, [made("v1", "current", None)], (NONE, days(BORN, LAST), NONE, None, None, None),
    ),
    "without any date": (None, [made("v1", "current", None)], (NONE, LONG, NONE, None, None, None)),
    "without a date, ended before the period": (
        BORN, [made("v1", "superseded", None, "2024-01-01"), made("v2", "current", "2023-12-01")],
        (days("2023-12-01", LAST),) * 2 + (NONE, "2023-12-01", None, "v2"),
    ),
    "waiting for its turn": (
        BORN, [made("v1", "pending", "2024-03-01"), made("v0", "current", BORN)],
        (days(BORN, LAST),) * 2 + (NONE, BORN, None, "v0"),
    ),
    "no version": (BORN, [], (NONE, NONE, NONE, None, None, None)),
    "versions not known": (BORN, None, (None, None, None, None, None, None)),
}  # fmt: skip
NAMES = (
    "age_in_period_min", "age_in_period_max", "owed_in_period_min",
    "aged_from", "aged_until", "aged_version", "forgotten_until",
)  # fmt: skip


def aged(engine: Engine, rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    opened = engine.open(inventory(rows))
    over = Period(FIRST, LAST)
    gathered = facts.gather(opened, as_of=AS_OF, collected=ALL, engine=engine, period=over)
    frame = facts.known(gathered, as_of=AS_OF)
    [answer] = engine.collect([frame.select("row", *(nw.col(name) for name in NAMES)).sort("row")])
    return [row[1:] for row in answer.iter_rows()]


def test_every_history_comes_to_what_was_worked_out_by_hand(engine: Engine) -> None:
    rows = [{"created_at": at(born), "versions": versions} for born, versions, _ in CASES.values()]
    for name, found, (_, _, expected) in zip(CASES, aged(engine, rows), CASES.values(), strict=True):
        *bounds, since, until, called = expected
        assert found[:3] == tuple(bounds), name
        shown = tuple(None if x is None else format_instant(x) for x in found[3:5])
        assert shown == tuple(None if x is None else format_instant(at(x) or 0) for x in (since, until)), name
        assert found[5] == called, name


def test_a_copy_may_hold_what_is_older_than_itself(engine: Engine) -> None:
    row = {
        "created_at": at(BORN),
        "replica_of": "elsewhere",
        "versions": [made("v7", "current", "2024-03-01")],
    }
    assert aged(engine, [row])[0][:2] == (days("2024-03-01", LAST), LONG)


def test_a_value_as_old_as_its_credential_to_the_day_is_the_first(engine: Engine) -> None:
    rows = [
        {"created_at": FIRST + 9 * DAY + off, "versions": [version(created_at=FIRST + 10 * DAY)]}
        for off in (0, -1)
    ]
    assert [row[6] for row in aged(engine, rows)] == [None, FIRST + 10 * DAY]
