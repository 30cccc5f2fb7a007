"""Secrets Manager's fields as inventory rows, trap by trap.

* `LastChangedDate` moves with any edit: an upper bound, never an age.
* A replica is an entry whose PrimaryRegion is another region; its primary has the same ARN there.
* RotationEnabled is absent, not false, where rotation was never configured; RotationRules stay
  after rotation was turned off, so a schedule counts only while it is on.
* LastAccessedDate is a day, and is left out while the secret was never retrieved *in that
  region*: so "never used" is known only of a secret that has no copy in another one.
* A version that takes a value back is a copy: its value is as old as the id says (`restored`).
* A version that a rotation gave up was never served: it was superseded when it was made (`given_up`).
* With DeletedDate a secret cannot be read any more: its versions are disabled.
"""

from __future__ import annotations

from collections.abc import Iterable

from keyaudit.inventory.rows import Credential, Rotation, Version
from keyaudit.sources.aws.json_lists import instant, labels_of
from keyaudit.sources.aws.places import Place
from keyaudit.sources.aws.schedules import rate
from keyaudit.sources.aws.secrets_manager.entries import RotationRules, Secret, SecretVersion
from keyaudit.sources.aws.secrets_manager.given_up import given_up
from keyaudit.sources.aws.secrets_manager.restored import value_created_at
from keyaudit.sources.labels import read_labels

SOURCE = "aws-secrets-manager"
CURRENT, PREVIOUS, PENDING = "AWSCURRENT", "AWSPREVIOUS", "AWSPENDING"


def is_replica(secret: Secret, place: Place) -> bool:
    """Say whether this entry is only a copy of a secret that is rotated in another region."""
    return secret.primary_region is not None and secret.primary_region != place.region


def is_replicated(secret: Secret, place: Place) -> bool:
    """Say whether this entry is the primary of copies in other regions."""
    return secret.primary_region == place.region


def credential_row(secret: Secret, place: Place) -> Credential:
    """Map one entry, without versions. Raises ValueError if a time makes no sense."""
    tags = labels_of(secret.tags or ())
    accessed = instant(secret.last_accessed)
    replica = is_replica(secret, place)
    return Credential(
        source=SOURCE,
        scope=place.scope,
        id=secret.arn,
        name=secret.name,
        labels=tags,
        created_at=instant(secret.created),
        last_changed_at=instant(secret.last_changed),
        last_rotated_at=instant(secret.last_rotated),
        last_used_at=accessed,
        never_used=_never_used(accessed, has_copies=secret.primary_region is not None),
        rotation=_rotation(secret, replica=replica),
        managed_by=secret.owning_service,
        replica_of=_in_region(secret.arn, secret.primary_region) if replica else None,
        **read_labels(tags),
    )


def _never_used(accessed: int | None, *, has_copies: bool) -> bool | None:
    if accessed is not None:
        return False
    return None if has_copies else True


def _rotation(secret: Secret, *, replica: bool) -> Rotation:
    enabled = secret.rotation_enabled
    if enabled is None:
        enabled = None if replica else False
    if not enabled:
        return Rotation(enabled=enabled)
    by_service = secret.owning_service or secret.partner
    return Rotation(
        enabled=True,
        schedule=_schedule(secret.rotation_rules),
        next_at=instant(secret.next_rotation),
        by="lambda" if secret.rotation_lambda else "service" if by_service else None,
    )


def _schedule(rules: RotationRules | None) -> str | None:
    if rules is None:
        return None
    if rules.schedule:
        return rules.schedule
    return None if rules.days is None else rate(rules.days)


def _in_region(arn: str, region: str | None) -> str | None:
    parts = arn.split(":")
    if len(parts) < 7 or region is None:
        return None
    return ":".join([*parts[:3], region, *parts[4:]])


def version_rows(secret: Secret, versions: Iterable[SecretVersion], *, version_use: bool) -> list[Version]:
    """Map a version list, plus what only the labels of the secret show. Raises ValueError as above.

    A pending id that holds no value yet, left by a rotation that failed, is missing from the
    version list; it still blocks the next rotation, so it is shown, without a date.
    """
    listed = list(versions)
    unserved = given_up(secret.arn, {version.id: version.stages or [] for version in listed})
    rows = {
        version.id: Version(
            id=version.id,
            state=_state(version.stages or [], deleted=secret.deleted is not None),
            created_at=value_created_at(version.id, instant(version.created)),
            superseded_at=instant(version.created) if version.id in unserved else None,
            last_used_at=instant(version.last_accessed) if version_use else None,
            stages=version.stages or [],
        )
        for version in listed
    }
    has_current = any(row.state == "current" for row in rows.values())
    for row in label_rows(secret):
        if row.id not in rows and (row.state == "pending" or (row.state == "current" and not has_current)):
            rows[row.id] = row
    return list(rows.values())


def label_rows(secret: Secret) -> list[Version]:
    """Map the labelled versions that the secret list itself shows; they have no dates."""
    deleted = secret.deleted is not None
    return [
        Version(id=version, state=_state(stages, deleted=deleted), stages=stages)
        for version, stages in (secret.stages or {}).items()
    ]


def _state(stages: list[str], *, deleted: bool) -> str:
    """Unlabelled versions are deprecated, yet they can be retrieved by id until AWS purges them."""
    if deleted:
        return "disabled"
    if CURRENT in stages:
        return "current"
    return "pending" if PENDING in stages else "superseded"
