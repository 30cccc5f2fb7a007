"""The lines of a document of what audit logs told, for msgspec."""

from __future__ import annotations

from typing import Annotated

import msgspec

from keyaudit.history.events import Told
from keyaudit.history.logs import (
    aws_access_keys,
    aws_keys,
    aws_parameters,
    aws_secrets,
    cloudtrail,
    google,
    vault,
)
from keyaudit.history.logs.noted import UNKNOWN_KIND

SCHEMA = "keyaudit/audit-log-entries/1"
BEGINNING = f'{{"schema":"{SCHEMA}"'.encode()
"""How every document begins, and no log of any service."""
KINDS = (cloudtrail.KIND, google.KIND, vault.KIND, UNKNOWN_KIND)
SOURCES = (
    aws_access_keys.SOURCE,
    aws_keys.SOURCE,
    aws_parameters.SOURCE,
    aws_secrets.SOURCE,
    google.SECRETS,
    google.KEYS,
    vault.SOURCE,
)
OF_VERSIONS = frozenset({Told.CREATED, Told.IN_USE, Told.SUPERSEDED})
"""What can be told of a version only."""

_Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
_Named = Annotated[str, msgspec.Meta(min_length=1)]
_Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", max_length=64)]


class Plain(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """What is not so is left out."""


class File(Plain, frozen=True):
    """A log as it was given, with the digest of its bytes."""

    file: _Named
    kind: _Named
    sha256: _Digest | None = None
    items: _Count = 0
    problem: _Named | None = None


class Header(Plain, frozen=True):
    """The first line."""

    schema: str
    silent: _Count
    files: list[File]


class Thing(Plain, frozen=True):
    """One thing that an entry tells: a `Happening` with its `Subject`."""

    told: Told
    source: str
    where: str
    at: str
    ids: tuple[str, ...] = ()
    name: str | None = None
    exact: bool = False
    version: str | None = None
    if_known: bool = False
    if_newest: bool = False


class Line(Plain, frozen=True):
    """One entry: the number of its file, its own id or place, and what it tells."""

    file: _Count
    reference: str
    things: list[Thing]
