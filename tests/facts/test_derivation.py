"""Facts of single credentials, worked out by hand; the same on every engine."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facts.frames import derived, version
from keyaudit import facts
from keyaudit.engine import DuckDB, Engine, Polars
from keyaudit.times import DAY, HOUR, LONGEST_DURATION

NOW = 20_000 * DAY
OF_A_PERIOD = {
    *("age_in_period_min", "age_in_period_max", "owed_in_period_min"),
    *("late_by_min", "late_by_max", "fell_due"),
    *("aged_from", "aged_until", "aged_version", "record_gap_min", "record_gap_max", "rotated_at"),
    *(
        "rotated_version",
        "promotions_in_period",
        "self_approved",
        "promoted_at",
        "requested_by",
        "approved_by",
    ),
}
DERIVED = sorted(set(facts.FACTS) - {*facts.REQUIREMENT, "due_at", "overdue_by"} - OF_A_PERIOD)


def ago(days: float) -> int:
    return NOW - int(days * DAY)


def old(**fields: Any) -> dict[str, Any]:
    return version(**{"id": "old", "state": "superseded", **fields})


CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "an exact age comes from the version, whatever the metadata says": (
        {"created_at": ago(400), "last_changed_at": ago(1), "versions": [version(created_at=ago(40))]},
        {
            "age_min": 40 * DAY,
            "age_max": 40 * DAY,
            "age_basis": "version-created",
            "value_created_at": ago(40),
        },
    ),
    "a tag edit proves nothing: the age lies between the edit and the creation": (
        {"created_at": ago(400), "last_changed_at": ago(1)},
        {"age_min": DAY, "age_max": 400 * DAY, "age_basis": "bounded", "value_created_at": None},
    ),
    "a recorded rotation bounds the age from above": (
        {"created_at": ago(400), "last_rotated_at": ago(30), "last_changed_at": ago(2)},
        {"age_min": 2 * DAY, "age_max": 30 * DAY, "single_value": False},
    ),
    "dates that contradict each other widen the interval": (
        {"created_at": ago(400), "last_rotated_at": ago(10), "last_changed_at": ago(50)},
        {"age_min": 10 * DAY, "age_max": 50 * DAY},
    ),
    "no date at all": ({}, {"age_min": None, "age_max": None, "age_basis": "none", "in_use": True}),
    "only a creation bounds the age from above": (
        {"created_at": ago(9)},
        {"age_min": None, "age_max": 9 * DAY},
    ),
    "a value from the future has no age": (
        {"versions": [version(created_at=NOW + 1)]},
        {"age_min": None, "age_basis": "none", "value_created_at": None, "time_in_future": True},
    ),
    "a value from this very instant is new": (
        {"versions": [version(created_at=NOW)]},
        {"age_min": 0, "age_max": 0, "time_in_future": False},
    ),
    "of two values in use the older one counts": (
        {"versions": [version(id="a", created_at=ago(5)), version(id="b", created_at=ago(200))]},
        {"age_min": 200 * DAY, "version_count": 2, "single_value": False},
    ),
    "one value in use without a date leaves the age open": (
        {"versions": [version(id="a", created_at=ago(5)), version(id="b")], "last_changed_at": ago(2)},
        {"value_created_at": None, "age_min": 2 * DAY, "age_max": None},
    ),
    "no versions is not the same as not collected": (
        {"versions": []},
        {"in_use": False, "rotates": False, "version_count": 0, "has_pending": False},
    ),
    "only disabled versions: nothing is in use": (
        {"versions": [version(state="disabled", created_at=ago(5))]},
        {"in_use": False, "has_superseded": True},
    ),
    "a replica does not rotate": (
        {"id": "copy", "replica_of": "primary"},
        {"is_replica": True, "rotates": False, "in_use": True},
    ),
    "the primary of a replica": ({"id": "primary"}, {"is_replica": False, "rotates": True}),
    "a copy of nothing is judged, and its creation bounds no age": (
        {"replica_of": "nothing", "created_at": ago(9), "last_changed_at": ago(8)},
        {"is_replica": False, "rotates": True, "age_min": 8 * DAY, "age_max": None},
    ),
    "a copy of another source's credential": (
        {"replica_of": "primary", "source": "other"},
        {"is_replica": False, "rotates": True},
    ),
    "a copy of itself": ({"id": "self", "replica_of": "self"}, {"is_replica": False}),
    "a copy in a circle": ({"id": "a", "replica_of": "b"}, {"is_replica": False}),
    "the other copy in that circle": ({"id": "b", "replica_of": "a"}, {"is_replica": False}),
    "a copy of a replica": ({"replica_of": "copy"}, {"is_replica": False}),
    "a value created a day after the last change": (
        {"last_changed_at": ago(6), "created_at": ago(90), "versions": [version(created_at=ago(5))]},
        {"age_min": 5 * DAY, "age_max": 5 * DAY, "age_basis": "version-created"},
    ),
    "a value created more than a day after the last change contradicts it": (
        {"last_changed_at": ago(6) - 1, "created_at": ago(90), "versions": [version(created_at=ago(5))]},
        {"age_min": 5 * DAY, "age_max": 90 * DAY, "age_basis": "contradicted"},
    ),
    "a contradicted value without an older date has no upper bound": (
        {"last_changed_at": ago(7), "versions": [version(created_at=ago(5))]},
        {"age_min": 5 * DAY, "age_max": None},
    ),
    "a current version that was replaced may not be the value in use": (
        {"created_at": ago(90), "versions": [version(created_at=ago(5), superseded_at=ago(4))]},
        {"age_min": 5 * DAY, "age_max": 90 * DAY, "age_basis": "contradicted"},
    ),
    "a current version that was retired may not be the value in use": (
        {"created_at": ago(90), "versions": [version(created_at=ago(5), retired_at=ago(4))]},
        {"age_max": 90 * DAY, "age_basis": "contradicted"},
    ),
    "a current version that its provider refuses may not be the value in use": (
        {"created_at": ago(90), "versions": [version(created_at=ago(5), authenticates=False)]},
        {"age_max": 90 * DAY, "age_basis": "contradicted"},
    ),
    "a dynamic secret does not rotate": ({"class": "dynamic-secret"}, {"rotates": False, "is_key": False}),
    "an unknown class is no proof against being a key": ({}, {"is_key": None, "rotates": True}),
    "an encryption key": ({"class": "encryption-key"}, {"is_key": True}),
    "a first value": (
        {"created_at": ago(100), "versions": [version(created_at=ago(100))]},
        {"single_value": True, "has_superseded": False},
    ),
    "one listed version that is younger than its credential replaced a forgotten one": (
        {"created_at": ago(100), "versions": [version(created_at=ago(50))]},
        {"single_value": False},
    ),
    "a pending version does not make a rotation": (
        {
            "created_at": ago(9),
            "versions": [version(created_at=ago(9)), version(id="p", state="pending", created_at=ago(3))],
        },
        {"single_value": True, "has_pending": True, "pending_for": 3 * DAY},
    ),
    "a pending version without a date": (
        {"versions": [version(created_at=ago(9)), version(id="p", state="pending")]},
        {"has_pending": True, "pending_for": None, "pending_undated": True},
    ),
    "a pending version with a date beside one without": (
        {
            "versions": [
                version(id="p", state="pending"),
                version(id="q", state="pending", created_at=ago(2)),
            ]
        },
        {"pending_for": 2 * DAY, "pending_undated": True},
    ),
    "an old key that authenticates": (
        {
            "versions": [
                version(created_at=ago(5)),
                old(created_at=ago(90), superseded_at=ago(4), authenticates=True),
            ]
        },
        {"old_active_min": 4 * DAY, "old_active_max": 4 * DAY, "old_enabled_min": 4 * DAY},
    ),
    "an old key that may authenticate": (
        {"versions": [version(created_at=ago(5)), old(created_at=ago(90), superseded_at=ago(4))]},
        {"old_active_min": -1, "old_active_max": 4 * DAY},
    ),
    "a revoked old key": (
        {
            "versions": [
                version(created_at=ago(5)),
                old(created_at=ago(90), superseded_at=ago(4), authenticates=False),
            ]
        },
        {"old_active_min": -1, "old_active_max": -1, "old_enabled_max": 4 * DAY},
    ),
    "a destroyed copy of a key that still authenticates": (
        {
            "versions": [
                version(created_at=ago(5)),
                old(state="destroyed", superseded_at=ago(4), authenticates=True),
            ]
        },
        {"old_active_min": 4 * DAY, "old_enabled_min": -1, "old_enabled_max": -1},
    ),
    "the end of an old version that nobody recorded lies between promotion and last change": (
        {
            "last_changed_at": ago(2),
            "versions": [version(created_at=ago(5)), old(created_at=ago(90), authenticates=True)],
        },
        {
            "old_active_min": 2 * DAY,
            "old_active_max": 5 * DAY,
            "old_enabled_min": 2 * DAY,
            "old_enabled_max": 5 * DAY,
        },
    ),
    "an old key used after it was replaced": (
        {"versions": [version(created_at=ago(9)), old(superseded_at=ago(8), last_used_at=ago(3))]},
        {"old_used_min": 5 * DAY, "old_used_max": 5 * DAY},
    ),
    "an old key last used before it was replaced": (
        {"versions": [version(created_at=ago(9)), old(superseded_at=ago(8), last_used_at=ago(9))]},
        {"old_used_min": -1, "old_used_max": -1},
    ),
    "an old key whose use nobody knows": (
        {"versions": [version(created_at=ago(9)), old(superseded_at=ago(8))]},
        {"old_used_min": -1, "old_used_max": LONGEST_DURATION},
    ),
    "a replaced key that encrypts": (
        {"class": "encryption-key", "versions": [version(created_at=ago(9)), old(authenticates=True)]},
        {"old_encrypts": True},
    ),
    "a replaced key that may encrypt": (
        {"class": "encryption-key", "versions": [version(created_at=ago(9)), old()]},
        {"old_encrypts": None},
    ),
    "a disabled key that encrypts all the same": (
        {
            "class": "encryption-key",
            "versions": [version(created_at=ago(9)), old(state="disabled", authenticates=True)],
        },
        {"old_encrypts": True},
    ),
    "a disabled key of which nothing else is known": (
        {"class": "encryption-key", "versions": [version(created_at=ago(9)), old(state="disabled")]},
        {"old_encrypts": False},
    ),
    "revoked before its successor took over": (
        {
            "versions": [
                version(created_at=ago(9)),
                old(state="destroyed", superseded_at=ago(9), retired_at=ago(9.5)),
            ]
        },
        {"had_gap": True},
    ),
    "revoked after its successor took over": (
        {
            "versions": [
                version(created_at=ago(9)),
                old(state="destroyed", superseded_at=ago(9), retired_at=ago(8)),
            ]
        },
        {"had_gap": False},
    ),
    "revoked at a time that nobody recorded": (
        {"versions": [version(created_at=ago(9)), old(state="destroyed", superseded_at=ago(9))]},
        {"had_gap": None},
    ),
    "rolled back": (
        {"versions": [version(created_at=ago(90)), old(created_at=ago(9))]},
        {"rolled_back": True, "newest_replaced_at": ago(9)},
    ),
    "a version that was superseded the moment it was made never was in use": (
        {"versions": [version(created_at=ago(90)), old(created_at=ago(9), superseded_at=ago(9))]},
        {"rolled_back": False, "newest_replaced_at": None},
    ),
    "a version that was superseded a moment after was in use": (
        {"versions": [version(created_at=ago(90)), old(created_at=ago(9), superseded_at=ago(9) + 1)]},
        {"rolled_back": True, "newest_replaced_at": ago(9)},
    ),
    "a disabled version that was never in use is no rollback": (
        {"versions": [version(created_at=ago(90)), version(id="x", state="disabled", created_at=ago(9))]},
        {"rolled_back": False},
    ),
    "a compromised value still in use": (
        {"compromised_at": ago(3), "versions": [version(created_at=ago(90))]},
        {"exposed": True, "replaced_after": None},
    ),
    "a compromised value replaced and revoked": (
        {
            "compromised_at": ago(3),
            "versions": [version(created_at=ago(2)), old(created_at=ago(90), authenticates=False)],
        },
        {"exposed": False, "replaced_after": DAY},
    ),
    "a compromised value replaced, and nobody knows if it was revoked": (
        {"compromised_at": ago(3), "versions": [version(created_at=ago(2)), old(created_at=ago(90))]},
        {"exposed": None},
    ),
    "a compromised value of which only the stored copy was destroyed": (
        {
            "compromised_at": ago(3),
            "versions": [version(created_at=ago(2)), old(state="destroyed", created_at=ago(90))],
        },
        {"exposed": None, "replaced_after": DAY},
    ),
    "a compromised value that is not listed any more": (
        {"compromised_at": ago(3), "versions": [version(created_at=ago(2))]},
        {"exposed": None, "replaced_after": None},
    ),
    "only values from long before the compromise are listed": (
        {
            "compromised_at": ago(3),
            "versions": [
                version(created_at=ago(2)),
                old(created_at=ago(90), superseded_at=ago(3) - 1, authenticates=False),
            ],
        },
        {"exposed": None, "replaced_after": None},
    ),
    "the value that was replaced in the instant of the compromise is listed": (
        {
            "compromised_at": ago(3),
            "versions": [
                version(created_at=ago(2)),
                old(created_at=ago(90), superseded_at=ago(3), authenticates=False),
            ],
        },
        {"exposed": False, "replaced_after": DAY},
    ),
    "compromised, and everything is gone": ({"compromised_at": ago(3), "versions": []}, {"exposed": None}),
    "a compromised value created in the instant of the compromise": (
        {"compromised_at": ago(3), "versions": [version(created_at=ago(3))]},
        {"exposed": True},
    ),
    "compromised, and nothing changed since": (
        {"compromised_at": ago(3), "last_changed_at": ago(3)},
        {"exposed": True},
    ),
    "compromised, and something changed since": (
        {"compromised_at": ago(3), "last_changed_at": ago(1)},
        {"exposed": None},
    ),
    "never flagged": ({}, {"exposed": False}),
    "unused": ({"last_used_at": ago(70)}, {"unused_min": 70 * DAY, "unused_max": 70 * DAY}),
    "use unknown, but young": ({"created_at": ago(7)}, {"unused_min": None, "unused_max": 7 * DAY}),
    "a schedule": (
        {"rotation_schedule": "rate(30 days)"},
        {"schedule_interval_max": 30 * DAY, "schedule_unparsable": False},
    ),
    "a schedule that cannot be read": (
        {"rotation_schedule": "when the moon is full"},
        {"schedule_interval_max": None, "schedule_unparsable": True},
    ),
    "a future time anywhere in a version": (
        {"versions": [version(created_at=ago(1), last_used_at=NOW + 1)]},
        {"time_in_future": True, "age_min": DAY},
    ),
    "an expiry in the future is as it should be": ({"expires_at": NOW + DAY}, {"time_in_future": False}),
}


@pytest.fixture(params=["polars", "duckdb"])
def engine(request: pytest.FixtureRequest) -> Engine:
    return Polars() if request.param == "polars" else DuckDB()


def test_facts_are_those_worked_out_by_hand(engine: Engine) -> None:
    answers = derived(engine, [row for row, _ in CASES.values()], NOW, DERIVED)
    wrong = {
        name: {fact: (answer[fact], value) for fact, value in expected.items() if answer[fact] != value}
        for (name, (_, expected)), answer in zip(CASES.items(), answers, strict=True)
    }
    assert {name: difference for name, difference in wrong.items() if difference} == {}


def test_relatives(engine: Engine) -> None:
    rows = [
        {
            "name": "prod/openai",
            "environment": "production",
            "lineage": "a",
            "versions": [version(created_at=ago(9))],
        },
        {
            "name": "staging/openai",
            "environment": "staging",
            "lineage": "a",
            "versions": [version(created_at=ago(12))],
        },
        {
            "name": "prod/alone",
            "environment": "production",
            "lineage": "b",
            "versions": [version(created_at=ago(1))],
        },
        {
            "name": "copy",
            "environment": "production",
            "lineage": "b",
            "replica_of": "2",
            "versions": [version(created_at=NOW)],
        },
        {"name": "unclassified", "lineage": "c"},
        {"name": "classified", "lineage": "c", "environment": "production"},
        {"name": "dated", "lineage": "d", "versions": [version(created_at=ago(9))]},
        {"name": "undated", "lineage": "d", "last_changed_at": ago(2)},
        {"name": "undated, and changed in the future", "lineage": "e", "last_changed_at": NOW + 1},
        {"name": "made", "lineage": "f", "source": "openai", "versions": [version(created_at=ago(9))]},
        {
            "name": "written",
            "lineage": "f",
            "environment": "development",
            "versions": [version(created_at=ago(2))],
        },
        {"name": "made, undated", "lineage": "g", "source": "aws-iam", "last_changed_at": ago(5)},
        {"name": "written", "lineage": "g", "versions": [version(created_at=ago(2))]},
        {
            "name": "no longer honoured",
            "lineage": "h",
            "source": "aws-iam",
            "versions": [version(state="disabled", created_at=ago(1))],
        },
        {"name": "written", "lineage": "h", "versions": [version(created_at=ago(2))]},
    ]
    names = [
        "lineage_environments",
        "lineage_newest_at",
        "lineage_newest_by",
        "has_staging",
        "staging_value_created_at",
        "staging_lead",
    ]
    answers = derived(engine, rows, NOW, names)
    assert [tuple(answer.values()) for answer in answers] == [
        (2, ago(9), ago(9), True, ago(12), 3 * DAY),
        (2, ago(9), ago(9), False, None, None),
        (1, ago(1), ago(1), False, None, None),
        (1, ago(1), ago(1), False, None, None),
        (None, None, NOW, False, None, None),
        (None, None, NOW, False, None, None),
        (None, ago(9), ago(2), False, None, None),
        (None, ago(9), ago(2), False, None, None),
        (None, None, NOW, False, None, None),
        (1, ago(9), ago(9), False, None, None),
        (1, ago(9), ago(9), False, None, None),
        (None, None, ago(5), False, None, None),
        (None, None, ago(5), False, None, None),
        (None, ago(2), ago(2), False, None, None),
        (None, ago(2), ago(2), False, None, None),
    ]


_instants = st.none() | st.integers(min_value=ago(30), max_value=NOW + DAY)
_flags = st.none() | st.booleans()
_versions = st.builds(
    version,
    id=st.sampled_from(["a", "b"]),
    state=st.sampled_from(["pending", "current", "superseded", "disabled", "destroyed"]),
    created_at=_instants,
    superseded_at=_instants,
    retired_at=_instants,
    authenticates=_flags,
    last_used_at=_instants,
)
_rows = st.fixed_dictionaries(
    {
        **dict.fromkeys(
            (
                "created_at",
                "last_changed_at",
                "last_rotated_at",
                "last_used_at",
                "compromised_at",
                "rotation_next_at",
            ),
            _instants,
        ),
        "class": st.sampled_from([None, "api-key", "encryption-key", "dynamic-secret"]),
        "environment": st.sampled_from([None, "production", "staging", "development"]),
        "name": st.sampled_from(["prod/x", "production-x", "staging-x", "x"]),
        "lineage": st.sampled_from([None, "a", "b"]),
        "source": st.sampled_from(["store", "openai"]),
        "replica_of": st.sampled_from([None, "0", "1", "x"]),
        "rotation_schedule": st.sampled_from([None, "rate(30 days)", "?"]),
        "versions": st.none() | st.lists(_versions, max_size=4),
    }
)


@settings(max_examples=8, deadline=None)
@given(st.lists(_rows, min_size=1, max_size=30))
def test_engines_agree_and_intervals_hold(rows: list[dict[str, Any]]) -> None:
    answers = derived(Polars(), rows, NOW, DERIVED)
    assert derived(DuckDB(), rows, NOW, DERIVED) == answers
    for answer in answers:
        for low, high in (
            ("age_min", "age_max"),
            ("old_active_min", "old_active_max"),
            ("unused_min", "unused_max"),
        ):
            if answer[low] is not None and answer[high] is not None:
                assert answer[low] <= answer[high], (low, answer)


def test_hours_count(engine: Engine) -> None:
    [answer] = derived(
        engine, [{"versions": [version(created_at=NOW - HOUR - 1)]}], NOW, ["age_min", "age_max"]
    )
    assert answer == {"age_min": HOUR + 1, "age_max": HOUR + 1}
