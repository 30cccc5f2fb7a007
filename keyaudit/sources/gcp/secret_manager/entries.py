"""Secret Manager's two resources, decoded into just the fields that an audit needs.

Both ways to them speak of the same thing: the service answers with messages, Cloud Asset
Inventory keeps the JSON of its REST API. A message is turned into that JSON first, so that each
field has one meaning here. Field meanings: `google.cloud.secretmanager.v1`, Secret and
SecretVersion. What is not named here is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import msgspec

from keyaudit.sources.gcp.packages import library

_NAME = "[!-.0-~]{1,255}"
SECRET = re.compile(rf"projects/({_NAME})(?:/locations/({_NAME}))?/secrets/({_NAME})")
"""Project (its number, mostly), location of a regional secret, and the name people use."""
VERSION = re.compile(rf"({SECRET.pattern})/versions/([1-9][0-9]{{0,17}})")

NonEmpty = Annotated[str, msgspec.Meta(min_length=1)]


class ManagedRotation(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """What the service says of a rotation that it does itself; only secrets with a type have it."""

    state: str | None = None


class RotationSettings(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """When the next notification goes out, and how often; texts as REST writes them."""

    next_rotation_time: str | None = None
    rotation_period: str | None = None
    managed_rotation_status: ManagedRotation | None = None


class Secret(msgspec.Struct, frozen=True, rename="camel"):
    """One secret. `version_aliases` maps a name to the number of a version."""

    name: NonEmpty
    create_time: str | None = None
    expire_time: str | None = None
    etag: str | None = None
    secret_type: str | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    rotation: RotationSettings | None = None
    version_aliases: dict[str, str | float] = {}


class SecretVersion(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """One version; `destroy_time` only of a destroyed one."""

    name: NonEmpty
    state: str
    create_time: str | None = None
    destroy_time: str | None = None


Resource = TypeVar("Resource", Secret, SecretVersion)

_NAMES = {Secret: SECRET, SecretVersion: VERSION}


def read(content: Mapping[str, Any], kind: type[Resource]) -> Resource:
    """Decode what REST would show of a resource. Raises ValueError if it is not one."""
    found = msgspec.convert(content, kind)
    if not _NAMES[kind].fullmatch(found.name):
        raise ValueError("not the name of such a resource")
    return found


def read_message(message: Any, kind: type[Resource]) -> Resource:
    """Decode a protobuf message of a resource. Raises ValueError if it is not one."""
    json_format = library("google.protobuf.json_format")
    try:
        content = json_format.MessageToDict(message)
    except json_format.Error:
        raise ValueError("holds what JSON cannot say") from None
    return read(content, kind)


def number(version: SecretVersion) -> int:
    """Give the number of a version: they count up from 1, and none is used twice."""
    return int(version.name.rpartition("/")[2])


def secret_of(version: SecretVersion) -> str:
    """Give the name of the secret that a version belongs to."""
    return version.name.rpartition("/versions/")[0]
