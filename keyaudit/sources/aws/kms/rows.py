"""KMS's keys as inventory rows, trap by trap.

* A rotation makes new material under the same key. Only the newest encrypts; what is older
  decrypts and nothing else, which is KMS's own word: `authenticates` is false for it.
* The first material of a key that KMS made is as old as the key. Of imported material nobody is
  told when it came, only that the key was there before. What an external key store holds may be
  of any age, and be replaced without a trace: neither its versions nor their age are known.
* A multi-region key has one material in many regions. Which of its keys was the first is not
  told, for the primary can be moved: `families` dates the first material.
* A key that cannot be used is a value that nobody uses: its versions are disabled. An unavailable
  one, whose store is disconnected, was not disabled by anybody and counts.
* KMS rotates no asymmetric, imported or external key by itself: rotation is off, not unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from keyaudit.inventory.rows import Credential, Rotation, Version
from keyaudit.sources.aws.json_lists import instant
from keyaudit.sources.aws.kms.lists import Key, Material, Status, Use
from keyaudit.sources.aws.schedules import rate
from keyaudit.sources.labels import read_labels
from keyaudit.times import format_instant

SOURCE = "aws-kms"
CUSTOMER = "CUSTOMER"

WORKING = frozenset({"Enabled", "Updating"})
UNUSABLE = frozenset({"Creating", "Disabled", "PendingDeletion", "PendingImport", "PendingReplicaDeletion"})
LEAVING = frozenset({"PendingDeletion", "PendingReplicaDeletion"})
WAITING = frozenset({"PENDING_ROTATION", "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"})

_CLASSES = {
    "ENCRYPT_DECRYPT": "encryption-key",
    "KEY_AGREEMENT": "encryption-key",
    "ENCAPSULATE_DECAPSULATE": "encryption-key",
    "SIGN_VERIFY": "signing-key",
    "GENERATE_VERIFY_MAC": "signing-key",
}
"""Keys that only agree on other keys keep what those encrypt. A use that is new is no class."""


@dataclass(frozen=True, slots=True)
class Told:
    """What was asked about a key besides its description; None where it is not known."""

    status: Status | None = None
    materials: Sequence[Material] | None = None
    tags: Mapping[str, str] | None = None
    use: Use | None = None


def key_row(key: Key, scope: str, name: str, told: Told) -> Credential:
    """Map one key. Raises ValueError if a time makes no sense."""
    external = key.origin == "EXTERNAL_KEY_STORE"
    created = None if external else instant(key.created)
    dates = [instant(each.rotated) for each in told.materials or () if each.rotated is not None]
    used, never = _use(told.use)
    facts = {
        "cls": _CLASSES.get(key.usage),
        "provider": "aws",
        "created_at": created,
        "last_rotated_at": max((date for date in dates if date is not None), default=None),
        "last_used_at": used,
        "never_used": never,
        "expires_at": instant(key.valid_to),
    }
    return Credential(
        source=SOURCE,
        scope=scope,
        id=key.arn,
        name=name,
        labels=None if told.tags is None else dict(told.tags),
        rotation=_rotation(told.status),
        replica_of=primary_of(key),
        versions=_versions(key, told.materials, created),
        **{
            **read_labels(told.tags or {}),
            **{name: fact for name, fact in facts.items() if fact is not None},
        },
    )


def primary_of(key: Key) -> str | None:
    """Give the ARN of the primary, if the key is its replica."""
    family = key.multi_region
    if family is None or family.primary is None or family.primary.arn == key.arn:
        return None
    return family.primary.arn


def members(key: Key) -> list[str]:
    """Give the ARNs of all keys of a multi-region key; none of any other key."""
    family = key.multi_region
    if family is None:
        return []
    listed = [*(family.replicas or ()), *([family.primary] if family.primary else ())]
    return [member.arn for member in listed]


def _rotation(status: Status | None) -> Rotation | None:
    if status is None:
        return None
    if not status.enabled:
        return Rotation(enabled=False)
    schedule = rate(status.days) if status.days else None
    return Rotation(enabled=True, schedule=schedule, next_at=instant(status.next), by="service")


def _use(use: Use | None) -> tuple[int | None, bool | None]:
    """Give the last use, and whether there never was one: known if the key is no older than the record."""
    if use is None:
        return None, None
    used = instant(use.last.at)
    if used is not None:
        return used, False
    return None, True if use.created >= use.tracked else None


def _versions(key: Key, materials: Sequence[Material] | None, created: int | None) -> list[Version] | None:
    """Map what a key is made of; None where that is not known of a key in use."""
    if materials is None or key.origin == "EXTERNAL_KEY_STORE":
        return [Version(id=key.id, state="disabled", authenticates=False)] if _unusable(key) else None
    if not materials and key.state == "PendingImport":
        return []
    waiting = [each for each in materials if each.state in WAITING]
    done = sorted(
        (each for each in materials if each.state not in WAITING),
        key=lambda each: -1 if each.rotated is None else each.rotated,
    )
    if not done or done[0].rotated is not None:
        done.insert(0, Material(id=None if done else key.id))
    rows = _done(key, done, created if key.origin != "EXTERNAL" else None)
    state = "disabled" if _unusable(key) else "pending"
    return rows + [
        Version(id=each.id or f"waiting-{number}", state=state, authenticates=False)
        for number, each in enumerate(waiting, 1)
    ]


def _done(key: Key, done: Sequence[Material], first_made: int | None) -> list[Version]:
    """Map materials that are or were in use, oldest first; each took over when it was rotated in."""
    newest = next((each for each in done if each.state == "CURRENT"), done[-1])
    rows = []
    for number, each in enumerate(done):
        current = each is newest
        rotated = instant(each.rotated)
        follower = done[number + 1] if number + 1 < len(done) and not current else None
        rows.append(
            Version(
                id=each.id or ("first" if rotated is None else f"rotated-{format_instant(rotated)}"),
                state="disabled" if _unusable(key) else "current" if current else "superseded",
                created_at=first_made if rotated is None else rotated,
                superseded_at=None if follower is None else instant(follower.rotated),
                authenticates=_encrypts(key) if current else False,
            )
        )
    return rows


def _unusable(key: Key) -> bool:
    return key.state in UNUSABLE


def _encrypts(key: Key) -> bool | None:
    return True if key.state in WORKING else False if _unusable(key) else None
