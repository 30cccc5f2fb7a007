"""Secret Manager's fields and traps, one by one, as exact rows."""

from __future__ import annotations

from typing import Any

import pytest
from google.cloud import secretmanager_v1 as sm
from google.protobuf import struct_pb2, timestamp_pb2

from keyaudit.inventory.rows import Credential, Rotation, Version
from keyaudit.sources.gcp.secret_manager.entries import Secret, SecretVersion, read, read_message
from keyaudit.sources.gcp.secret_manager.rows import credential_row, version_rows
from keyaudit.times import SECOND, parse_instant

NAME = "projects/42/secrets/openai"
SCOPE = "projects/acme-prod"


def at(text: str) -> timestamp_pb2.Timestamp:
    stamp = timestamp_pb2.Timestamp()
    stamp.FromJsonString(text)
    return stamp


def secret(**fields: Any) -> Secret:
    return read_message(sm.Secret.pb(sm.Secret(**{"name": NAME, **fields})), Secret)


def version(number: int, state: str = "ENABLED", created: str | None = None, **fields: Any) -> SecretVersion:
    message = sm.SecretVersion(
        name=f"{NAME}/versions/{number}",
        state=sm.SecretVersion.State[state],
        create_time=at(created or f"2026-01-{number:02}T00:00:00Z"),
        **fields,
    )
    return read_message(sm.SecretVersion.pb(message), SecretVersion)


def row(**fields: Any) -> Credential:
    return credential_row(secret(**fields), SCOPE)


def day(number: int) -> int:
    return parse_instant(f"2026-01-{number:02}T00:00:00Z")


def test_a_bare_secret_fills_only_what_it_says() -> None:
    assert row() == Credential(
        source="gcp-secret-manager",
        scope=SCOPE,
        id=NAME,
        name="openai",
        labels={},
        rotation=Rotation(enabled=False),
    )


def test_every_field_of_a_secret() -> None:
    found = row(
        create_time=at("2025-03-01T10:00:00.123456Z"),
        expire_time=at("2027-01-01T00:00:00Z"),
        labels={"environment": "production", "tier": "1", "team": "platform", "keyaudit_class": "api-key"},
        annotations={"keyaudit_owner": "platform@acme.example", "note": "the password is hunter2"},
        rotation={"next_rotation_time": at("2026-06-01T00:00:00Z"), "rotation_period": "7776000s"},
        version_aliases={"current": 2},
        etag='"1a2b"',
    )
    assert found == Credential(
        source="gcp-secret-manager",
        scope=SCOPE,
        id=NAME,
        name="openai",
        cls="api-key",
        environment="production",
        tier=1,
        owner="platform@acme.example",
        labels={
            "environment": "production",
            "tier": "1",
            "team": "platform",
            "keyaudit_class": "api-key",
            "keyaudit_owner": "platform@acme.example",
        },
        created_at=parse_instant("2025-03-01T10:00:00.123456Z"),
        expires_at=parse_instant("2027-01-01T00:00:00Z"),
        rotation=Rotation(
            enabled=True,
            schedule="7776000s",
            next_at=parse_instant("2026-06-01T00:00:00Z"),
            by="reminder",
        ),
    )


def test_nanoseconds_are_cut_to_the_microsecond_and_never_pass_through_a_float() -> None:
    stamp = timestamp_pb2.Timestamp(seconds=253_402_300_799, nanos=999_999_999)
    assert row(create_time=stamp).created_at == 253_402_300_799 * SECOND + 999_999
    assert row(create_time=timestamp_pb2.Timestamp(seconds=1, nanos=1_999)).created_at == SECOND + 1


def test_a_regional_secret_is_named_like_any_other() -> None:
    found = credential_row(read({"name": "projects/42/locations/europe-west1/secrets/db"}, Secret), "s")
    assert (found.id, found.name) == ("projects/42/locations/europe-west1/secrets/db", "db")


def test_a_schedule_alone_is_a_reminder_and_a_managed_rotation_is_more() -> None:
    status = sm.Rotation.ManagedRotationStatus
    later = at("2026-06-01T00:00:00Z")
    active = {"next_rotation_time": later, "managed_rotation_status": {"state": status.State.ACTIVE}}
    inactive = {"next_rotation_time": later, "managed_rotation_status": {"state": status.State.INACTIVE}}
    next_at = parse_instant("2026-06-01T00:00:00Z")
    assert row(rotation={"next_rotation_time": later}).rotation == Rotation(
        enabled=True, next_at=next_at, by="reminder"
    )
    assert row(rotation=active).rotation == Rotation(enabled=True, next_at=next_at, by="service")
    assert row(rotation=inactive).rotation == Rotation(enabled=True, next_at=next_at, by="reminder")
    nothing_set = {"managed_rotation_status": {"state": status.State.INACTIVE}}
    assert row(rotation=nothing_set).rotation == Rotation(enabled=False)


def test_who_manages_a_secret_counts_only_while_the_rotation_is_active() -> None:
    kind = sm.Secret.SecretType.CLOUD_SQL_DB_CREDENTIALS
    state = sm.Rotation.ManagedRotationStatus.State
    managed = row(secret_type=kind, rotation={"managed_rotation_status": {"state": state.ACTIVE}})
    assert (managed.cls, managed.managed_by) == ("service-password", "cloud-sql")
    idle = row(secret_type=kind, rotation={"managed_rotation_status": {"state": state.INACTIVE}})
    assert (idle.cls, idle.managed_by) == ("service-password", None)


@pytest.mark.parametrize(
    ("kind", "cls"),
    [
        ("SECRET_TYPE_UNSPECIFIED", None),
        ("CLOUD_SQL_DB_CREDENTIALS", "service-password"),
        ("OTHER_DB_CREDENTIALS", "service-password"),
        ("ACCESS_KEY", "api-key"),
        ("CERTIFICATE", "certificate"),
        ("OTHER", None),
    ],
)
def test_the_type_of_a_secret_gives_a_class(kind: str, cls: str | None) -> None:
    assert row(secret_type=sm.Secret.SecretType[kind]).cls == cls


def test_a_label_says_more_than_the_type() -> None:
    kind = sm.Secret.SecretType.ACCESS_KEY
    assert row(secret_type=kind, labels={"keyaudit-class": "signing-key"}).cls == "signing-key"


def test_the_newest_enabled_version_is_current_and_the_older_ones_are_still_served() -> None:
    versions = [version(1, "DESTROYED", destroy_time=at("2026-01-09T00:00:00Z")), version(2), version(3)]
    assert version_rows(secret(), versions) == [
        Version(id="3", state="current", created_at=day(3), stages=[]),
        Version(id="2", state="superseded", created_at=day(2), superseded_at=day(3), stages=[]),
        Version(
            id="1",
            state="destroyed",
            created_at=day(1),
            superseded_at=day(2),
            retired_at=day(9),
            stages=[],
        ),
    ]


def test_a_disabled_newest_version_gives_way_to_the_newest_enabled_one() -> None:
    waiting = at("2026-02-01T00:00:00Z")
    versions = [version(1), version(2), version(3, "DISABLED", scheduled_destroy_time=waiting)]
    assert [(each.id, each.state, each.superseded_at) for each in version_rows(secret(), versions)] == [
        ("3", "disabled", None),
        ("2", "current", None),
        ("1", "superseded", day(2)),
    ]


def test_the_alias_current_decides_and_leaves_open_when_it_was_moved() -> None:
    pinned = secret(version_aliases={"current": 2, "previous": 1, "blue": 2})
    found = version_rows(pinned, [version(1), version(2), version(3)])
    assert [(each.id, each.state, each.superseded_at, each.stages) for each in found] == [
        ("3", "pending", None, []),
        ("2", "current", None, ["blue", "current"]),
        ("1", "superseded", None, ["previous"]),
    ]


@pytest.mark.parametrize("target", [1, 9])
def test_an_alias_of_what_is_not_enabled_decides_nothing(target: int) -> None:
    pinned = secret(version_aliases={"current": target})
    found = version_rows(pinned, [version(1, "DISABLED"), version(2), version(3)])
    assert [each.state for each in found] == ["current", "superseded", "disabled"]
    assert found[1].superseded_at == day(3)


def test_without_an_enabled_version_nothing_is_current() -> None:
    found = version_rows(secret(), [version(1, "DESTROYED"), version(2, "DISABLED")])
    assert [(each.state, each.superseded_at) for each in found] == [("disabled", None), ("destroyed", day(2))]
    assert version_rows(secret(), []) == []


def test_versions_count_as_numbers_not_as_texts_in_whatever_order_they_come() -> None:
    versions = [version(number, created="2026-01-01T00:00:00Z") for number in (9, 10, 2)]
    assert [each.id for each in version_rows(secret(), versions)] == ["10", "9", "2"]


def test_a_version_without_a_date_has_none() -> None:
    undated = read({"name": f"{NAME}/versions/1", "state": "ENABLED"}, SecretVersion)
    assert version_rows(secret(), [undated]) == [Version(id="1", state="current", stages=[])]


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"name": ""},
        {"name": "projects/42/secrets/"},
        {"name": "projects/42/topics/a"},
        {"name": "projects/42/secrets/a\n"},
        {"name": "projects/42/secrets/\u202e"},
        {"name": "projects/4 2/secrets/a"},
        {"name": f"projects/42/secrets/{'a' * 256}"},
        {"name": NAME, "labels": []},
        {"name": NAME, "labels": {"a": 1}},
        {"name": NAME, "rotation": "soon"},
    ],
)
def test_what_is_no_secret_cannot_be_read(content: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        read(content, Secret)


@pytest.mark.parametrize("number", ["0", "01", "latest", "-1", "1" * 30])
def test_what_is_no_version_cannot_be_read(number: str) -> None:
    with pytest.raises(ValueError):
        read({"name": f"{NAME}/versions/{number}", "state": "ENABLED"}, SecretVersion)


def test_a_state_that_nobody_knows_is_not_guessed() -> None:
    odd = read({"name": f"{NAME}/versions/1", "state": "ARCHIVED"}, SecretVersion)
    with pytest.raises(ValueError):
        version_rows(secret(), [odd])
    new = sm.SecretVersion.pb(sm.SecretVersion(name=f"{NAME}/versions/1"))
    new.state = 77
    with pytest.raises(ValueError):
        read_message(new, SecretVersion)


def test_a_time_that_makes_no_sense_is_not_guessed() -> None:
    with pytest.raises(ValueError):
        credential_row(read({"name": NAME, "createTime": "yesterday"}, Secret), SCOPE)
    broken = sm.Secret.pb(sm.Secret(name=NAME))
    broken.create_time.seconds = 10**15
    with pytest.raises(ValueError):
        read_message(broken, Secret)


def test_a_message_and_the_json_of_the_asset_inventory_mean_the_same() -> None:
    content = struct_pb2.Struct()
    content.update(
        {
            "name": NAME,
            "createTime": "2025-03-01T10:00:00.123456789Z",
            "labels": {"team": "platform"},
            "rotation": {"nextRotationTime": "2026-06-01T00:00:00Z", "rotationPeriod": "7776000s"},
            "versionAliases": {"current": "2", "previous": 1},
            "replication": {"automatic": {}},
        }
    )
    listed = secret(
        create_time=at("2025-03-01T10:00:00.123456789Z"),
        labels={"team": "platform"},
        rotation={"next_rotation_time": at("2026-06-01T00:00:00Z"), "rotation_period": "7776000s"},
        version_aliases={"current": 2, "previous": 1},
        replication={"automatic": {}},
    )
    kept = read_message(content, Secret)
    assert credential_row(kept, SCOPE) == credential_row(listed, SCOPE)
    versions = [version(1), version(2), version(3)]
    assert version_rows(kept, versions) == version_rows(listed, versions)
