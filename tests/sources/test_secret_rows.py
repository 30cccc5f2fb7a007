"""Each field of Secrets Manager's lists, and each of its traps, as an inventory row."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyaudit.inventory import from_rows
from keyaudit.inventory.rows import Rotation
from keyaudit.sources.aws.places import Place
from keyaudit.sources.aws.secrets_manager.entries import SecretVersion, read_secrets
from keyaudit.sources.aws.secrets_manager.rows import credential_row, label_rows, version_rows
from keyaudit.sources.aws.secrets_manager.source import COLUMNS
from keyaudit.sources.labels import TAGGED
from keyaudit.sources.pulling.refusals import RefusedError
from keyaudit.times import SECOND

HOME = Place("111122223333", "eu-west-1", None)
ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:app/db-AbCdEf"
LAMBDA = "arn:aws:lambda:eu-west-1:111122223333:function:rotate"


def secret(**fields):
    page = read_secrets(json.dumps({"SecretList": [{"ARN": ARN, "Name": "app/db", **fields}]}).encode())
    assert page.unreadable == 0
    return page.entries[0]


def row(**fields):
    return credential_row(secret(**fields), HOME)


def test_a_plain_secret() -> None:
    plain = row(
        CreatedDate=1_700_000_000.123, LastChangedDate=1_700_000_100, Tags=[{"Key": "team", "Value": "x"}]
    )
    assert (plain.source, plain.scope, plain.id, plain.name) == (
        "aws-secrets-manager",
        "111122223333/eu-west-1",
        ARN,
        "app/db",
    )
    assert plain.created_at == 1_700_000_000_123_000
    assert plain.last_changed_at == 1_700_000_100 * SECOND
    assert (plain.last_rotated_at, plain.replica_of, plain.managed_by, plain.cls) == (None, None, None, None)
    assert plain.labels == {"team": "x"}


ROTATIONS = [
    ({}, Rotation(enabled=False)),
    ({"RotationEnabled": False}, Rotation(enabled=False)),
    (
        {
            "RotationEnabled": False,
            "RotationRules": {"ScheduleExpression": "rate(30 days)"},
            "NextRotationDate": 5,
        },
        Rotation(enabled=False),
    ),
    (
        {
            "RotationEnabled": True,
            "RotationLambdaARN": LAMBDA,
            "RotationRules": {"AutomaticallyAfterDays": 30, "ScheduleExpression": "cron(0 8 1 * ? *)"},
            "NextRotationDate": 5,
        },
        Rotation(enabled=True, schedule="cron(0 8 1 * ? *)", next_at=5 * SECOND, by="lambda"),
    ),
    (
        {"RotationEnabled": True, "RotationRules": {"AutomaticallyAfterDays": 30}, "OwningService": "rds"},
        Rotation(enabled=True, schedule="rate(30 days)", by="service"),
    ),
    (
        {"RotationEnabled": True, "RotationRules": {"AutomaticallyAfterDays": 1}},
        Rotation(enabled=True, schedule="rate(1 day)"),
    ),
    ({"RotationEnabled": True, "RotationRules": {"Duration": "3h"}}, Rotation(enabled=True)),
    ({"RotationEnabled": True, "Type": "Partner"}, Rotation(enabled=True, by="service")),
    ({"PrimaryRegion": "us-east-1"}, Rotation(enabled=None)),
]


@pytest.mark.parametrize(("fields", "rotation"), ROTATIONS, ids=[str(case[0]) for case in ROTATIONS])
def test_rotation(fields: dict, rotation: Rotation) -> None:
    assert row(**fields).rotation == rotation


def test_a_service_s_secret_names_the_service() -> None:
    assert row(OwningService="rds").managed_by == "rds"


def test_a_copy_points_at_its_primary_and_a_primary_at_nothing() -> None:
    assert row(PrimaryRegion="us-east-1").replica_of == ARN.replace("eu-west-1", "us-east-1")
    assert row(PrimaryRegion="eu-west-1").replica_of is None


@pytest.mark.parametrize(
    ("fields", "used", "never"),
    [
        ({}, None, True),
        ({"LastAccessedDate": 86_400}, 86_400 * SECOND, False),
        ({"PrimaryRegion": "us-east-1"}, None, None),
        ({"PrimaryRegion": "eu-west-1"}, None, None),
        ({"PrimaryRegion": "eu-west-1", "LastAccessedDate": 86_400}, 86_400 * SECOND, False),
    ],
)
def test_never_used_is_known_only_of_a_secret_without_copies(
    fields: dict, used: int | None, never: bool | None
) -> None:
    assert (row(**fields).last_used_at, row(**fields).never_used) == (used, never)


STATES = [
    (["AWSCURRENT"], "current"),
    (["AWSCURRENT", "AWSPENDING"], "current"),
    (["AWSPENDING"], "pending"),
    (["AWSPREVIOUS"], "superseded"),
    (["keyaudit-hold"], "superseded"),
    ([], "superseded"),
    (None, "superseded"),
]


@pytest.mark.parametrize(("stages", "state"), STATES)
def test_version_states(stages: list[str] | None, state: str) -> None:
    versions = [SecretVersion(id="v", stages=stages, created=7.5, last_accessed=86_400.0)]
    found = version_rows(secret(), versions, version_use=True)
    assert [(each.state, each.created_at, each.last_used_at) for each in found] == [
        (state, 7_500_000, 86_400 * SECOND)
    ]
    assert found[0].stages == (stages or [])
    deleted = version_rows(secret(DeletedDate=5), versions, version_use=False)
    assert [(each.state, each.last_used_at) for each in deleted] == [("disabled", None)]


def test_a_pending_id_without_a_value_is_shown_though_the_version_list_hides_it() -> None:
    stuck = secret(
        SecretVersionsToStages={"v1": ["AWSCURRENT"], "v2": ["AWSPENDING"], "gone": ["AWSPREVIOUS"]}
    )
    found = version_rows(stuck, [SecretVersion(id="v1", stages=["AWSCURRENT"], created=7)], version_use=True)
    assert [(each.id, each.state, each.created_at) for each in found] == [
        ("v1", "current", 7 * SECOND),
        ("v2", "pending", None),
    ]


def test_a_secret_to_be_deleted_shows_its_labelled_versions_as_disabled() -> None:
    doomed = secret(DeletedDate=5, SecretVersionsToStages={"v1": ["AWSCURRENT"], "v0": ["AWSPREVIOUS"]})
    assert {each.state for each in label_rows(doomed)} == {"disabled"}


UNREADABLE = [
    {"Name": 5},
    {"ARN": None},
    {"ARN": ""},
    {"Name": ""},
    {"Name": "half a \ud800 pair"},
    {"Tags": {"a": "b"}},
    {"RotationEnabled": "yes"},
    {"LastChangedDate": "yesterday"},
    {"SecretVersionsToStages": ["v1"]},
]


@pytest.mark.parametrize("fields", UNREADABLE, ids=str)
def test_one_unreadable_entry_costs_only_itself(fields: dict) -> None:
    good = {"ARN": ARN, "Name": "app/db"}
    page = read_secrets(
        json.dumps({"SecretList": [good, {**good, **fields}, good], "NextToken": "t"}).encode()
    )
    assert (len(page.entries), page.unreadable, page.token) == (2, 1, "t")


@pytest.mark.parametrize("seconds", [-1, 253_402_300_800, 1e300])
def test_a_time_that_makes_no_sense_is_unreadable(seconds: float) -> None:
    with pytest.raises(ValueError, match="no such time"):
        row(LastChangedDate=seconds)


def test_fields_that_we_do_not_know_are_no_obstacle() -> None:
    assert row(SomethingNew={"a": [1]}, Description="text").name == "app/db"


@given(st.binary())
def test_any_bytes_are_a_page_or_unreadable(body: bytes) -> None:
    try:
        read_secrets(body)
    except RefusedError:
        return
    assert isinstance(msgspec.json.decode(body)["SecretList"], list)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FIELDS = [
    "Tags",
    "RotationEnabled",
    "RotationRules",
    "LastChangedDate",
    "LastAccessedDate",
    "DeletedDate",
    "SecretVersionsToStages",
    "OwningService",
    "PrimaryRegion",
    "CreatedDate",
]


@settings(deadline=None)  # the first example imports polars
@given(st.dictionaries(st.sampled_from(FIELDS), JSON), st.text(), st.text())
def test_any_entry_is_counted_as_a_row_or_as_unreadable(fields: dict, arn: str, name: str) -> None:
    page = read_secrets(json.dumps({"SecretList": [{**fields, "ARN": arn, "Name": name}]}).encode())
    assert len(page.entries) + page.unreadable == 1
    for entry in page.entries:
        try:
            found = credential_row(entry, HOME)
            found.versions = label_rows(entry)
        except ValueError:
            continue
        assert (
            from_rows([found], (), 0, COLUMNS | set(TAGGED) | {"versions"}).credentials.collect().height == 1
        )


def test_a_value_that_was_taken_back_is_as_old_as_the_value_and_never_younger() -> None:
    old, new = 1_700_000_000, 1_760_000_000
    tail = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"

    def created(version, at=new):
        (found,) = version_rows(secret(), [SecretVersion(version, ["AWSCURRENT"], at)], version_use=False)
        return found.created_at

    assert created(f"keyaudit-restored-{old}-{tail}", new + 0.5) == old * SECOND
    assert created(f"keyaudit-restored-{new + 10}-{tail}") == new * SECOND
    assert created(f"keyaudit-restored-0-{tail}") is None
    assert created(f"keyaudit-restored-99999999999999-{tail}") == new * SECOND
    assert created(f"keyaudit-restored-{old}-{tail}", None) == old * SECOND
    assert created(tail) == new * SECOND
