"""What a live source hands over for each credential it listed.

These rows are transient: `from_rows` turns them into columns and they are gone. The fields are
the columns of an inventory, nested as a document nests them; times are int microseconds since
the epoch, UTC. `None` means "asked for and not known"; what a source never asks for is left out
of the `columns` it declares. There is no field that could hold a secret value.
"""

from __future__ import annotations

import msgspec


class Version(msgspec.Struct, gc=False, kw_only=True):
    """One value that a credential had, has, or is about to have. See `columns.VERSIONS`."""

    id: str
    state: str
    created_at: int | None = None
    superseded_at: int | None = None
    retired_at: int | None = None
    authenticates: bool | None = None
    last_used_at: int | None = None
    stages: list[str] | None = None


class Rotation(msgspec.Struct, gc=False, kw_only=True):
    """How the store rotates the credential by itself. `by`: lambda, service, reminder, or free text."""

    enabled: bool | None = None
    schedule: str | None = None
    next_at: int | None = None
    by: str | None = None


class Credential(msgspec.Struct, gc=False, kw_only=True):
    """One logical secret as its store lists it. See `columns.CREDENTIALS`.

    `cls` is the column `class`. `versions` is None where they were not collected, [] where there
    are none.
    """

    source: str
    scope: str
    id: str
    name: str
    cls: str | None = msgspec.field(default=None, name="class")
    provider: str | None = None
    environment: str | None = None
    tier: int | None = None
    owner: str | None = None
    labels: dict[str, str] | None = None
    lineage: str | None = None
    user_owned: bool | None = None
    reach: str | None = None
    consumers: int | None = None
    exposure: str | None = None
    created_at: int | None = None
    last_changed_at: int | None = None
    last_rotated_at: int | None = None
    last_used_at: int | None = None
    never_used: bool | None = None
    expires_at: int | None = None
    compromised_at: int | None = None
    rotation: Rotation | None = None
    managed_by: str | None = None
    replica_of: str | None = None
    versions: list[Version] | None = None
