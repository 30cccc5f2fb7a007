"""What an audit log or a rotation record tells of one credential: one event each, with where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Told(StrEnum):
    """What an event says of a version, or of the credential."""

    CREATED = "created"
    """The version was made. Whether it is in use, other events say."""
    IN_USE = "in-use"
    """The version took over: it is the value in use from then on."""
    SUPERSEDED = "superseded"
    """Another version took over from it."""
    RETIRED = "retired"
    """It can no longer be used: disabled, destroyed, revoked or deleted."""
    RESTORED = "restored"
    """It can be used again, after it was disabled."""
    DELETED = "deleted"
    """The whole credential was deleted, with all its versions; `version` is None."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, at an instant in microseconds UTC.

    `source`, `scope` and `id` are those of the inventory's credential. Without a `version` it is about the
    whole credential, as DELETED always is: RETIRED and RESTORED are then of all versions that it had.
    `basis` is `audit-log` or `record`; `file` and `reference` (an event id, or a line) say where it stands.
    """

    source: str
    scope: str
    id: str
    version: str | None
    told: Told
    at: int
    basis: str
    file: str
    reference: str
