"""Versions that are copies of an older one: how a rotation takes a value back, and how old that is.

A rotation that is undone never gives AWSCURRENT back to the version that had it before, or a runner
that slept through it all could not tell the difference. It stores a copy instead, under an id that
says when its value was created:

    keyaudit-restored-1767225600-0f1e2d3c4b5a69788796a5b4c3d2e1f0

The number is seconds since the epoch, 0 where the age is not known; the rest is the rotation's. Such
an id can make a value look older than its version, never younger.
"""

from __future__ import annotations

import re
from uuid import UUID

from keyaudit.times import SECOND

_PREFIX = "keyaudit-restored-"
_ID = re.compile(_PREFIX + r"(\d{1,11})-([0-9a-f]{32})", re.ASCII)


def restored_id(token: str, value_created_at: int | None) -> str:
    """Name the copy that takes back the rotation `token` (a UUID), 32 to 62 characters."""
    return f"{_PREFIX}{(value_created_at or 0) // SECOND}-{UUID(token).hex}"


def restored_by(version: str | None) -> str | None:
    """Give the token of the rotation that a version takes back; None for any other version."""
    match = _ID.fullmatch(version or "")
    return str(UUID(match[2])) if match else None


def value_created_at(version: str, created_at: int | None) -> int | None:
    """Give the instant at which a version's value was created, not later than the version itself.

    None for a copy that does not say how old it is.
    """
    match = _ID.fullmatch(version)
    if match is None:
        return created_at
    said = int(match[1])
    if said == 0:
        return None
    return said * SECOND if created_at is None else min(said * SECOND, created_at)
