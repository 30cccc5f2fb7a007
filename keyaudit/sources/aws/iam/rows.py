"""Users and their keys as inventory rows, trap by trap.

* A user's access keys are one credential, created with the user: IAM forgets a key that is deleted,
  so the oldest one left is not the first there was.
* For the same reason "never used" is known only while the oldest key is as old as its user.
* IAM began to record use on 2015-04-22: of an older key without any, nothing is known.
* A new key takes over when it is created: two active keys are a rotation that has not ended.
* Root's keys have no ids and no dates of their own, only when they were last changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from keyaudit.inventory.rows import Credential, Version
from keyaudit.sources.aws.iam.lists import Key, ServiceKey, Use
from keyaudit.sources.aws.iam.report import ROOT, Slot, User
from keyaudit.sources.labels import read_labels
from keyaudit.times import DAY

SOURCE = "aws-iam"
RECORDED_SINCE = 1_429_660_800_000_000
"""2015-04-22, when IAM began to record which key is used when."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A user and, where they were asked for, its tags."""

    user: User
    tags: Mapping[str, str] | None = None


def access_key_row(
    scope: str, owner: Owner, keys: Sequence[Key] | None, uses: Sequence[Use | None]
) -> Credential:
    """Map a user's access keys; `uses` belong to them, None where not known.

    Without `keys` they could not be listed, and only what the report says of their use is known.
    """
    user = owner.user
    if keys is None:
        used = [slot.used for slot in user.slots or () if slot.used is not None]
        return _row(scope, owner, user.arn, provider="aws", never_used=False if used else None)
    last, never = _use(user, keys, uses)
    return _row(
        scope,
        owner,
        user.arn,
        provider="aws",
        last_used_at=last,
        never_used=never,
        versions=key_versions(keys, uses),
    )


def service_key_row(scope: str, owner: Owner, held: Sequence[ServiceKey]) -> Credential:
    """Map a user's credentials for one service; the API shows no use of them."""
    service = held[0].service
    by_age = sorted(held, key=lambda each: (each.key.active, each.key.created))
    row = _row(
        scope,
        owner,
        f"{owner.user.arn}/{service}",
        provider=f"aws-{service.removesuffix('.amazonaws.com')}",
        expires_at=by_age[-1].expires,
        versions=key_versions([each.key for each in held], [None] * len(held)),
    )
    row.cls = "service-password" if all(each.is_password for each in held) else "api-key"
    return row


def root_row(scope: str, root: User) -> Credential | None:
    """Map root's access keys, None if it has none; the one changed last is taken for the current one."""
    slots = sorted(root.slots or (), key=lambda slot: (slot.active, slot.changed, slot.number), reverse=True)
    if not slots:
        return None
    keys = [Key(f"access_key_{slot.number}", slot.active, slot.changed) for slot in slots]
    last, never = _use(root, keys, [Use(slot.used) for slot in slots], created_by=root.created)
    row = _row(
        scope,
        Owner(root),
        root.arn,
        provider="aws",
        last_changed_at=max(slot.changed for slot in slots),
        last_used_at=last,
        never_used=never,
        versions=[_root_version(slot, newest=slot is slots[0]) for slot in slots],
    )
    row.name = ROOT
    return row


def _root_version(slot: Slot, *, newest: bool) -> Version:
    state = ("current" if newest else "superseded") if slot.active else "disabled"
    return Version(
        id=f"access_key_{slot.number}", state=state, authenticates=slot.active, last_used_at=slot.used
    )


def key_versions(keys: Sequence[Key], uses: Sequence[Use | None]) -> list[Version]:
    """Map keys, newest first: the newest active one is current, and replaced what is older."""
    rows: list[Version] = []
    successor: int | None = None
    pairs = sorted(zip(keys, uses, strict=True), key=lambda pair: (pair[0].created, pair[0].id), reverse=True)
    for key, use in pairs:
        state = "disabled" if not key.active else "current" if successor is None else "superseded"
        rows.append(
            Version(
                id=key.id,
                state=state,
                created_at=key.created,
                superseded_at=successor,
                authenticates=key.active,
                last_used_at=None if use is None else use.at,
            )
        )
        successor = key.created if key.active else successor
    return rows


def _use(
    user: User, keys: Sequence[Key], uses: Sequence[Use | None], *, created_by: int | None = None
) -> tuple[int | None, bool | None]:
    """Give the last use of any key, and whether there never was one, each None where not known.

    `created_by` is when the oldest key was created at the earliest, if not exactly then.
    """
    if any(use is not None and use.at is not None for use in uses):
        known = [use.at for use in uses if use is not None and use.at is not None]
        return (max(known) if None not in uses else None), False
    oldest = min(key.created for key in keys)
    recorded = (oldest if created_by is None else created_by) >= RECORDED_SINCE
    first = oldest - user.created <= DAY
    return None, True if None not in uses and recorded and first else None


def _row(scope: str, owner: Owner, identity: str, **known: object) -> Credential:
    labels = read_labels(owner.tags or {})
    facts = {"cls": "api-key", "created_at": owner.user.created, **known}
    return Credential(
        source=SOURCE,
        scope=scope,
        id=identity,
        name=owner.user.name,
        labels=None if owner.tags is None else dict(owner.tags),
        **{**labels, **facts},
    )
