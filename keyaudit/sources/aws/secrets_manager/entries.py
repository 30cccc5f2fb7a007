"""Secrets Manager's two lists, decoded into just the fields that an audit needs.

Field meanings: the API reference of ListSecrets and ListSecretVersionIds. Times are still seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from keyaudit.sources.aws.json_lists import JsonList, NonEmpty, Tag
from keyaudit.sources.pulling.pages import Page


class RotationRules(msgspec.Struct, frozen=True, gc=False):
    """Shown even after rotation was turned off; `days` is computed from the schedule and may be stale."""

    days: int | None = msgspec.field(name="AutomaticallyAfterDays", default=None)
    schedule: str | None = msgspec.field(name="ScheduleExpression", default=None)


class Secret(msgspec.Struct, frozen=True, gc=False):
    """One SecretListEntry. Absent fields are None; times are still seconds."""

    arn: NonEmpty = msgspec.field(name="ARN")
    name: NonEmpty = msgspec.field(name="Name")
    partner: str | None = msgspec.field(name="Type", default=None)
    rotation_enabled: bool | None = msgspec.field(name="RotationEnabled", default=None)
    rotation_lambda: str | None = msgspec.field(name="RotationLambdaARN", default=None)
    rotation_rules: RotationRules | None = msgspec.field(name="RotationRules", default=None)
    last_rotated: float | None = msgspec.field(name="LastRotatedDate", default=None)
    last_changed: float | None = msgspec.field(name="LastChangedDate", default=None)
    last_accessed: float | None = msgspec.field(name="LastAccessedDate", default=None)
    deleted: float | None = msgspec.field(name="DeletedDate", default=None)
    next_rotation: float | None = msgspec.field(name="NextRotationDate", default=None)
    tags: list[Tag] | None = msgspec.field(name="Tags", default=None)
    stages: dict[str, list[str]] | None = msgspec.field(name="SecretVersionsToStages", default=None)
    owning_service: str | None = msgspec.field(name="OwningService", default=None)
    created: float | None = msgspec.field(name="CreatedDate", default=None)
    primary_region: str | None = msgspec.field(name="PrimaryRegion", default=None)


class SecretVersion(msgspec.Struct, frozen=True, gc=False):
    """One SecretVersionsListEntry; times are still seconds, `last_accessed` to the day."""

    id: NonEmpty = msgspec.field(name="VersionId")
    stages: list[str] | None = msgspec.field(name="VersionStages", default=None)
    created: float | None = msgspec.field(name="CreatedDate", default=None)
    last_accessed: float | None = msgspec.field(name="LastAccessedDate", default=None)


_SECRETS = JsonList(Secret, "SecretList")
_VERSIONS = JsonList(SecretVersion, "Versions")


def secret_pages(client: Any) -> Iterator[Page[Secret]]:
    """List every secret, planned deletions included, page by page."""

    def ask(**token: str) -> Any:
        return client.list_secrets(MaxResults=100, IncludePlannedDeletion=True, **token)

    return _SECRETS.pages(ask)


def versions_of(client: Any, arn: str) -> list[SecretVersion]:
    """List every version of a secret that holds a value, deprecated ones included.

    botocore has no paginator for this operation. Raises RefusedError.
    """

    def ask(**token: str) -> Any:
        return client.list_secret_version_ids(SecretId=arn, MaxResults=100, IncludeDeprecated=True, **token)

    return _VERSIONS.whole(ask)


def read_secrets(body: bytes) -> Page[Secret]:
    """Decode a page; one unreadable entry costs only itself. Raises RefusedError."""
    return _SECRETS.read(body)
