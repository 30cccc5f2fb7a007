"""A waiver waives through the last microsecond of its last UTC day, and only if it is sound."""

from __future__ import annotations

from typing import Any

import pytest

from keyaudit.match import EVERYTHING
from keyaudit.model import Waiver
from keyaudit.policy import document, waivers
from keyaudit.times import DAY, format_instant, parse_instant

SOUND = {
    "id": "W-1",
    "rules": ["unowned"],
    "match": {},
    "reason": "because",
    "requested_by": "team@acme.example",
    "approved_by": "ciso@acme.example",
    "from": "2026-05-01",
    "until": "2026-09-30",
}
FIRST, LAST = parse_instant("2026-05-01T00:00:00Z"), parse_instant("2026-10-01T00:00:00Z")


def read(**fields: Any) -> Waiver:
    given = {**SOUND, **{name.rstrip("_"): value for name, value in fields.items()}}
    shape = document.Waiver.model_validate(
        {name: value for name, value in given.items() if value != "absent"}
    )
    return waivers.read(shape, EVERYTHING)


def test_days_are_utc_and_inclusive() -> None:
    waiver = read()
    assert (waiver.starts, waiver.ends, waiver.problems) == (FIRST, LAST, ())


@pytest.mark.parametrize(
    ("as_of", "status"),
    [
        (FIRST - 1, "not-yet"),
        (FIRST, "active"),
        (LAST - 1, "active"),
        (LAST, "expired"),
        (LAST + 1, "expired"),
    ],
)
def test_both_sides_of_every_boundary(as_of: int, status: str) -> None:
    assert waivers.status(read(), as_of) == status
    assert waivers.covers(read(), as_of) is (status == "active")


def test_without_a_first_day_it_has_always_been_in_force() -> None:
    assert waivers.status(read(from_="absent"), -(10**18)) == "active"


def test_a_waiver_of_one_day_lasts_that_day() -> None:
    one = read(from_="2026-05-01", until="2026-05-01")
    assert one.problems == ()
    assert [waivers.covers(one, FIRST + after) for after in (-1, 0, DAY - 1, DAY)] == [
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("fields", "problems"),
    [
        ({"reason": "absent"}, ("has no reason",)),
        ({"reason": None}, ("has no reason",)),
        ({"reason": " \t"}, ("has no reason",)),
        ({"until": "absent"}, ("has no end (until)",)),
        ({"until": None}, ("has no end (until)",)),
        ({"approved_by": "absent"}, ("has no approver (approved_by)",)),
        ({"approved_by": " "}, ("has no approver (approved_by)",)),
        ({"approved_by": "team@acme.example"}, ("was approved by the person who requested it",)),
        ({"approved_by": " TEAM@acme.example "}, ("was approved by the person who requested it",)),
        ({"requested_by": "Ada  Lovelace", "approved_by": "ada lovelace"}, ("was approved by the person who requested it",)),
        ({"approved_by": "team\u200b@acme.example"}, ("was approved by the person who requested it",)),
        ({"requested_by": "absent"}, ("has no requester (requested_by)",)),
        ({"requested_by": " \u200b"}, ("has no requester (requested_by)",)),
        ({"requested_by": "n/a"}, ("has no requester (requested_by)",)),
        ({"requested_by": "n/a", "approved_by": "N/A"}, ("has no requester (requested_by)", "has no approver (approved_by)")),
        ({"reason": "TBD"}, ("has no reason",)),
        ({"reason": "\u2060-"}, ("has no reason",)),
        ({"until": "9999-12-31"}, ("until is not a day between 1970-01-01 and 9999-12-30",)),
        ({"from_": "1969-12-31"}, ("from is not a day between 1970-01-01 and 9999-12-30",)),
        ({"from_": "2026-10-01"}, ("ends before it begins",)),
        ({"until": "2026-02-30"}, ("until is not a day such as 2026-09-30",)),
        ({"until": "2026-09-30T00:00:00Z"}, ("until is not a day such as 2026-09-30",)),
        ({"until": "next year"}, ("until is not a day such as 2026-09-30",)),
        ({"from_": "1.5.2026"}, ("from is not a day such as 2026-09-30",)),
        (
            {"reason": None, "until": None, "approved_by": None},
            ("has no end (until)", "has no reason", "has no approver (approved_by)"),
        ),
    ],
)  # fmt: skip
def test_what_is_malformed_in_content_is_invalid_and_waives_nothing(
    fields: dict[str, Any], problems: tuple[str, ...]
) -> None:
    waiver = read(**fields)
    assert waiver.problems == problems
    for as_of in (FIRST - 1, FIRST, LAST - 1, LAST):
        assert waivers.status(waiver, as_of) == "invalid"
        assert not waivers.covers(waiver, as_of)


def test_the_last_day_there_is() -> None:
    waiver = read(until="9999-12-30")
    assert waivers.covers(waiver, FIRST)
    assert waivers.describe(waiver, FIRST) == "waives unowned; until 9999-12-30; active"
    assert waiver.ends is not None
    assert format_instant(waiver.ends) == "9999-12-31T00:00:00Z"


@pytest.mark.parametrize(
    ("fields", "as_of", "said"),
    [
        ({}, None, "waives unowned; until 2026-09-30"),
        ({}, LAST, "waives unowned; until 2026-09-30; expired"),
        ({"rules": ["unowned", "unused"]}, FIRST - 1, "waives unowned, unused; until 2026-09-30; not-yet"),
        ({"reason": None}, FIRST, "waives unowned; until 2026-09-30; invalid: has no reason"),
        ({"until": None}, None, "waives unowned; invalid: has no end (until)"),
    ],
)
def test_a_waiver_in_one_line(fields: dict[str, Any], as_of: int | None, said: str) -> None:
    assert waivers.describe(read(**fields), as_of) == said
