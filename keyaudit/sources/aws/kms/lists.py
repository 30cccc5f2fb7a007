"""KMS's answers, decoded into just the fields that an audit needs.

Field meanings: the API reference of each operation. Times are still seconds, and are checked when rows
are made of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from keyaudit.sources.aws.json_lists import JsonList, NonEmpty, told
from keyaudit.sources.aws.metering import BODY
from keyaudit.sources.pulling.pages import Page
from keyaudit.sources.pulling.refusals import Kind, RefusedError


class Listed(msgspec.Struct, frozen=True, gc=False):
    """One KeyListEntry."""

    id: NonEmpty = msgspec.field(name="KeyId")
    arn: NonEmpty = msgspec.field(name="KeyArn")


class Alias(msgspec.Struct, frozen=True, gc=False):
    """One AliasListEntry; AWS reserves names before it has a key for them."""

    name: NonEmpty = msgspec.field(name="AliasName")
    key: str | None = msgspec.field(name="TargetKeyId", default=None)


class Member(msgspec.Struct, frozen=True, gc=False):
    """One key of a multi-region key."""

    arn: NonEmpty = msgspec.field(name="Arn")


class MultiRegion(msgspec.Struct, frozen=True, gc=False):
    """What a key knows of its relatives: every one of them knows all the others."""

    kind: str | None = msgspec.field(name="MultiRegionKeyType", default=None)
    primary: Member | None = msgspec.field(name="PrimaryKey", default=None)
    replicas: list[Member] | None = msgspec.field(name="ReplicaKeys", default=None)


class Key(msgspec.Struct, frozen=True, gc=False):
    """One KeyMetadata. Absent fields are None; times are still seconds."""

    id: NonEmpty = msgspec.field(name="KeyId")
    arn: NonEmpty = msgspec.field(name="Arn")
    created: float = msgspec.field(name="CreationDate")
    state: NonEmpty = msgspec.field(name="KeyState")
    manager: NonEmpty = msgspec.field(name="KeyManager")
    usage: NonEmpty = msgspec.field(name="KeyUsage")
    origin: NonEmpty = msgspec.field(name="Origin")
    spec: str | None = msgspec.field(name="KeySpec", default=None)
    valid_to: float | None = msgspec.field(name="ValidTo", default=None)
    multi_region: MultiRegion | None = msgspec.field(name="MultiRegionConfiguration", default=None)

    @property
    def symmetric(self) -> bool:
        """Say whether the key can have more than one material: only such a key is ever rotated."""
        return self.spec == "SYMMETRIC_DEFAULT" and self.origin in {"AWS_KMS", "EXTERNAL"}

    @property
    def rotates_itself(self) -> bool:
        """Say whether KMS could rotate the key on a schedule: imported material it cannot replace."""
        return self.symmetric and self.origin == "AWS_KMS"


class Status(msgspec.Struct, frozen=True, gc=False):
    """The answer of GetKeyRotationStatus."""

    enabled: bool = msgspec.field(name="KeyRotationEnabled")
    days: int | None = msgspec.field(name="RotationPeriodInDays", default=None)
    next: float | None = msgspec.field(name="NextRotationDate", default=None)


class Material(msgspec.Struct, frozen=True, gc=False):
    """One RotationsListEntry; `rotated` is missing from the first material, and from one that waits."""

    id: str | None = msgspec.field(name="KeyMaterialId", default=None)
    state: str | None = msgspec.field(name="KeyMaterialState", default=None)
    rotated: float | None = msgspec.field(name="RotationDate", default=None)


class Tag(msgspec.Struct, frozen=True, gc=False):
    """A tag, as KMS alone names its fields."""

    key: str = msgspec.field(name="TagKey")
    value: str | None = msgspec.field(name="TagValue", default=None)


class LastUse(msgspec.Struct, frozen=True, gc=False):
    """Empty where nothing was recorded."""

    at: float | None = msgspec.field(name="Timestamp", default=None)


class Use(msgspec.Struct, frozen=True, gc=False):
    """The answer of GetKeyLastUsage: what happened before `tracked` is not known to it."""

    created: float = msgspec.field(name="KeyCreationDate")
    tracked: float = msgspec.field(name="TrackingStartDate")
    last: LastUse = msgspec.field(name="KeyLastUsage", default=LastUse())


class _Described(msgspec.Struct):
    key: Key = msgspec.field(name="KeyMetadata")


NOT_ROTATABLE = Status(enabled=False)
_NO_ROTATIONS = {BODY: b'{"Rotations": []}'}
_CANNOT_ROTATE = {BODY: b'{"KeyRotationEnabled": false}'}


def _list(entry: type, field: str) -> JsonList[Any]:
    return JsonList(entry, field, following="NextMarker", sent_as="Marker")


_KEYS, _ALIASES = _list(Listed, "Keys"), _list(Alias, "Aliases")
_ROTATIONS, _TAGS = _list(Material, "Rotations"), _list(Tag, "Tags")


def keys(client: Any) -> Iterator[Page[Listed]]:
    """List every key of the account, those that AWS manages included: the list does not tell them apart."""
    return _KEYS.pages(lambda **at: client.list_keys(Limit=1000, **at))


def aliases(client: Any) -> Iterator[Page[Alias]]:
    """List every alias."""
    return _ALIASES.pages(lambda **at: client.list_aliases(Limit=100, **at))


def described(client: Any, arn: str) -> Key:
    """Describe a key; raises RefusedError."""
    return told(lambda: client.describe_key(KeyId=arn), _Described).key


def rotation_status(client: Any, key: Key) -> Status:
    """Ask how KMS rotates a key; raises RefusedError."""

    def ask() -> Any:
        try:
            return client.get_key_rotation_status(KeyId=key.arn)
        except client.exceptions.UnsupportedOperationException:
            return _CANNOT_ROTATE

    return told(ask, Status)


def materials(client: Any, key: Key, *, in_use: bool) -> list[Material]:
    """List what a key was and is made of; raises RefusedError.

    Empty where KMS says that the key is of a kind that never had more than one, and where a key
    that cannot be used does not answer.
    """
    silent = [client.exceptions.UnsupportedOperationException]
    if not in_use:
        silent.append(client.exceptions.KMSInvalidStateException)

    def ask(**at: Any) -> Any:
        try:
            return client.list_key_rotations(
                KeyId=key.arn, IncludeKeyMaterial="ALL_KEY_MATERIAL", Limit=1000, **at
            )
        except tuple(silent):
            return _NO_ROTATIONS

    found: list[Material] = _ROTATIONS.whole(ask)
    named = [each.id for each in found if each.id is not None]
    if len(set(named)) < len(named):
        raise RefusedError(Kind.REPEATED)
    return found


def tags_of(client: Any, arn: str) -> dict[str, str]:
    """List the tags of a key; raises RefusedError."""
    found = _TAGS.whole(lambda **at: client.list_resource_tags(KeyId=arn, Limit=50, **at))
    return {tag.key: tag.value or "" for tag in found}


def last_use(client: Any, arn: str) -> Use:
    """Ask when a key was last used, in its own region; raises RefusedError."""
    return told(lambda: client.get_key_last_usage(KeyId=arn), Use)
