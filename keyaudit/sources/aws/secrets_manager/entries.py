"""Secrets Manager's two lists, decoded into just the fields that an audit needs.

Field meanings: the API reference of ListSecrets and ListSecretVersionIds. What is not named here
is never decoded: a description, which people fill with anything, is dropped with the bytes.
Times arrive as seconds since the epoch and leave as microseconds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import msgspec

from keyaudit.sources.aws.metering import BODY
from keyaudit.sources.aws.refusals import refusing
from keyaudit.sources.pulling.pages import Entry, Page, reread, walk
from keyaudit.sources.pulling.refusals import Kind, RefusedError
from keyaudit.times import SECOND

_LAST_SECOND = 253_402_300_799
"""Of the year 9999."""

NonEmpty = Annotated[str, msgspec.Meta(min_length=1)]


class Tag(msgspec.Struct, frozen=True, gc=False):
    """A tag; AWS allows one without a value."""

    key: str = msgspec.field(name="Key")
    value: str | None = msgspec.field(name="Value", default=None)


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


class _SecretPage(msgspec.Struct):
    entries: list[Secret] = msgspec.field(name="SecretList")
    token: str | None = msgspec.field(name="NextToken", default=None)


class _LoosePage(msgspec.Struct):
    entries: list[Any] = msgspec.field(name="SecretList")
    token: str | None = msgspec.field(name="NextToken", default=None)


class _VersionPage(msgspec.Struct):
    entries: list[SecretVersion] = msgspec.field(name="Versions")
    token: str | None = msgspec.field(name="NextToken", default=None)


_SECRETS = msgspec.json.Decoder(_SecretPage)
_SECRET = msgspec.json.Decoder(Secret)
_VERSIONS = msgspec.json.Decoder(_VersionPage)


def instant(seconds: float | None) -> int | None:
    """Turn Amazon's seconds into microseconds; raises ValueError outside 1970..9999."""
    if seconds is None:
        return None
    if not 0 <= seconds <= _LAST_SECOND:
        raise ValueError("no such time")
    return round(seconds * SECOND)


def secret_pages(client: Any) -> Iterator[Page[Secret]]:
    """List every secret, planned deletions included, page by page."""

    def ask(**token: str) -> Any:
        return client.list_secrets(MaxResults=100, IncludePlannedDeletion=True, **token)

    return _walk(ask, read_secrets)


def versions_of(client: Any, arn: str) -> list[SecretVersion]:
    """List every version of a secret that holds a value, deprecated ones included.

    botocore has no paginator for this operation. Raises RefusedError.
    """

    def ask(**token: str) -> Any:
        return client.list_secret_version_ids(SecretId=arn, MaxResults=100, IncludeDeprecated=True, **token)

    return [version for page in _walk(ask, _read_versions) for version in page.entries]


def _walk(ask: Callable[..., Any], read: Callable[[bytes], Page[Entry]]) -> Iterator[Page[Entry]]:
    """Follow the tokens of a list.

    botocore retries what did not arrive, but not what arrived cut short: it does not compare the
    length of a body with what was announced, and takes one that is no JSON for an empty answer.
    """

    def body(token: str | None) -> bytes:
        with refusing():
            answer = ask(NextToken=token) if token else ask()
        return bytes(answer.get(BODY, b""))

    return walk(lambda token: reread(lambda: body(token), read))


def read_secrets(body: bytes) -> Page[Secret]:
    """Decode a page; one unreadable entry costs only itself. Raises RefusedError."""
    try:
        page = _SECRETS.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _read_one_by_one(body)
    return Page(page.entries, 0, page.token)


def _read_one_by_one(body: bytes) -> Page[Secret]:
    """Decode with the standard library, which also takes texts that are no Unicode, entry by entry."""
    try:
        page = msgspec.convert(json.loads(body), _LoosePage)
    except (ValueError, RecursionError):
        raise RefusedError(Kind.UNREADABLE) from None
    entries = []
    for entry in page.entries:
        try:
            entries.append(_SECRET.decode(json.dumps(entry)))
        except ValueError:
            continue
    return Page(entries, len(page.entries) - len(entries), page.token)


def _read_versions(body: bytes) -> Page[SecretVersion]:
    try:
        page = _VERSIONS.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise RefusedError(Kind.UNREADABLE) from None
    return Page(page.entries, 0, page.token)
