"""Secret Manager's fields as inventory rows, trap by trap.

* A rotation schedule only sends a notification, and its next date moves on by itself, whether
  anybody rotated or not: `by` is `reminder`. Only a managed rotation that is ACTIVE rotates.
* There are no stages. The value in use is the newest enabled version, unless an alias `current`
  pins an enabled one: then newer ones wait for their turn, and since when older ones are
  replaced is not known, because the day on which an alias was moved is not recorded.
* A version whose destruction is scheduled is DISABLED meanwhile, and can come back.
* Nothing says when a secret was edited, rotated or read.
* Labels take neither dots nor capitals, so an owner's address can only stand in an annotation;
  other annotations are tools' own notes and are dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from keyaudit.inventory.rows import Credential, Rotation, Version
from keyaudit.sources.gcp.secret_manager.entries import (
    RotationSettings,
    Secret,
    SecretVersion,
    number,
)
from keyaudit.sources.labels import PREFIXES, read_labels
from keyaudit.times import parse_instant

SOURCE = "gcp-secret-manager"
CURRENT = "current"
"""The alias that consumers pin instead of `latest`, so that a rollback only moves the alias."""

CANNOT_KNOW = (
    "last_changed_at",
    "last_rotated_at",
    "last_used_at",
    "never_used",
    "replica_of",
    "versions.authenticates",
    "versions.last_used_at",
)
"""Use shows in audit logs only, which are off by default; no store knows what a provider honours."""

_CLASSES = {
    "CLOUD_SQL_DB_CREDENTIALS": "service-password",
    "OTHER_DB_CREDENTIALS": "service-password",
    "ACCESS_KEY": "api-key",
    "CERTIFICATE": "certificate",
}
_MANAGERS = {"CLOUD_SQL_DB_CREDENTIALS": "cloud-sql"}
_STATES = {"DISABLED": "disabled", "DESTROYED": "destroyed"}


def credential_row(secret: Secret, scope: str) -> Credential:
    """Map one secret, without versions. Raises ValueError if a time makes no sense."""
    labels = secret.labels | {
        key: value for key, value in secret.annotations.items() if key.lower().startswith(PREFIXES)
    }
    managed = _managed(secret.rotation)
    said = {"cls": _CLASSES.get(secret.secret_type or "")} | read_labels(labels)
    return Credential(
        source=SOURCE,
        scope=scope,
        id=secret.name,
        name=secret.name.rpartition("/")[2],
        labels=labels,
        created_at=_instant(secret.create_time),
        expires_at=_instant(secret.expire_time),
        rotation=_rotation(secret.rotation),
        managed_by=_MANAGERS.get(secret.secret_type or "") if managed else None,
        **said,
    )


def _managed(rotation: RotationSettings | None) -> bool:
    status = rotation.managed_rotation_status if rotation is not None else None
    return status is not None and status.state == "ACTIVE"


def _rotation(rotation: RotationSettings | None) -> Rotation:
    managed = _managed(rotation)
    if rotation is None or not (managed or rotation.next_rotation_time or rotation.rotation_period):
        return Rotation(enabled=False)
    return Rotation(
        enabled=True,
        schedule=rotation.rotation_period,
        next_at=_instant(rotation.next_rotation_time),
        by="service" if managed else "reminder",
    )


def version_rows(secret: Secret, versions: Iterable[SecretVersion]) -> list[Version]:
    """Map all versions of a secret, newest first. Raises ValueError as above, or for an unknown state."""
    newest_first = sorted(versions, key=number, reverse=True)
    enabled = [number(version) for version in newest_first if version.state == "ENABLED"]
    aliases = _aliases(secret)
    pinned = next((found for found in enabled if CURRENT in aliases.get(found, ())), None)
    current = pinned or max(enabled, default=None)
    rows = []
    followed_at: int | None = None
    for version in newest_first:
        own = number(version)
        created = _instant(version.create_time)
        before = current is None or own < current
        rows.append(
            Version(
                id=str(own),
                state=_state(version, own, current),
                created_at=created,
                superseded_at=followed_at if before and pinned is None else None,
                retired_at=_instant(version.destroy_time),
                stages=aliases.get(own, []),
            )
        )
        followed_at = created
    return rows


def _state(version: SecretVersion, own: int, current: int | None) -> str:
    if version.state != "ENABLED":
        if version.state not in _STATES:
            raise ValueError("no such state")
        return _STATES[version.state]
    if own == current:
        return "current"
    return "superseded" if own < (current or own) else "pending"


def _aliases(secret: Secret) -> Mapping[int, list[str]]:
    """Give the aliases of each version by its number, in alphabetical order."""
    found: dict[int, list[str]] = {}
    for alias, version in sorted(secret.version_aliases.items()):
        found.setdefault(int(version), []).append(alias)
    return found


def _instant(text: str | None) -> int | None:
    return None if text is None else parse_instant(text)
