"""Transit: keys that never leave, whose versions may still encrypt, only decrypt, or neither.

* A read lists only versions that still decrypt. Those below are known by number: they were in use once.
* `min_encryption_version` 0 means that the newest is the default, not that older ones are refused: a
  caller may ask for any version that still decrypts.
* Keys that rotate by themselves are looked at once an hour.
"""

from __future__ import annotations

from collections.abc import Iterator

from keyaudit.inventory.rows import Credential, Rotation, Version
from keyaudit.sources.labels import read_labels
from keyaudit.sources.vault.answers import (
    AsymmetricKey,
    TransitKey,
    asked,
    batches,
    decoder,
    duration,
    instant,
    texts,
)
from keyaudit.sources.vault.mounts import segment
from keyaudit.sources.vault.scope import NO_USE, MountScope
from keyaudit.times import HOUR, SECOND, from_seconds

LATEST = HOUR
"""How late a rotation may be before it was missed."""
SIGNING = ("ed25519", "ecdsa", "ml-dsa", "slh-dsa", "hmac", "hybrid")
ENCRYPTING = ("aes", "chacha20", "xchacha20", "rsa")
"""How the types begin; RSA keys do both and count by what is the worse to lose."""
MOST_VERSIONS = 100_000

_KEY = decoder(TransitKey)
_AT_ONCE = 500


class TransitKeys(MountScope):
    """The keys of a transit mount."""

    unknowable = (*NO_USE, "last_changed_at", "last_rotated_at", "expires_at", "versions.stages")

    def collect(self) -> None:
        """See `ScopePull.collect`."""
        strange = 0
        with self.workers() as workers:
            reads = self.reads(self._key, workers, "keys", "keys")
            try:
                for found in self.walk("keys", workers):
                    for some in batches(found, _AT_ONCE):
                        for name, key in reads.there(some):
                            strange += not self._take(name, key)
                        self.moved()
            finally:
                self.account(reads)
                if strange:
                    self.miss(f"{strange:,} keys could not be read")

    def _key(self, name: str) -> TransitKey:
        path = self.path("keys", segment(name))
        return self.answers.once(name, TransitKey, lambda: asked(self.vault, "GET", path, _KEY))

    def _take(self, name: str, key: TransitKey | None) -> bool:
        """Take a key; False if it made no sense, and was taken with its name alone."""
        row = self.row(f"keys/{name}", name)
        sound = True
        if key is not None:
            try:
                fill(row, key)
            except ValueError:
                row, sound = self.row(f"keys/{name}", name), False
        self.add(row)
        return sound


def fill(row: Credential, key: TransitKey) -> None:
    """Put into a row what a key says. Raises ValueError for what makes no sense."""
    made = {int(number): _made(value) for number, value in key.keys.items()}
    if not 1 <= key.latest_version <= MOST_VERSIONS or max(made, default=0) > key.latest_version:
        raise ValueError("no such versions")
    lasting = range(max(key.min_decryption_version, 1), key.latest_version + 1)
    if not key.soft_deleted and not (lasting and made.keys() >= set(lasting)):
        raise ValueError("versions that still decrypt are not listed")
    labels = texts(key.custom_metadata)
    row.labels = labels
    row.cls = _class(key.type)
    row.created_at = made.get(1)
    row.versions = list(_versions(key, made))
    row.rotation = _rotation(key, made.get(key.latest_version))
    for name, value in read_labels(labels).items():
        setattr(row, name, value)


def _made(value: int | AsymmetricKey) -> int | None:
    return from_seconds(value) if isinstance(value, int) else instant(value.creation_time)


def _class(kind: str) -> str | None:
    if kind.startswith("aes") and kind.endswith("-cmac"):
        return "signing-key"
    if kind.startswith(ENCRYPTING):
        return "encryption-key"
    return "signing-key" if kind.startswith(SIGNING) else None


def _versions(key: TransitKey, made: dict[int, int | None]) -> Iterator[Version]:
    for number in range(1, key.latest_version + 1):
        lasting = number in made and number >= key.min_decryption_version and not key.soft_deleted
        current = number == key.latest_version
        state = "current" if lasting and current else "superseded" if lasting else "disabled"
        if number < key.min_available_version:
            state = "destroyed"
        yield Version(
            id=str(number),
            state=state,
            created_at=made.get(number),
            superseded_at=made.get(number + 1) if number in made else None,
            authenticates=lasting and (current or number >= key.min_encryption_version),
        )


def _rotation(key: TransitKey, newest: int | None) -> Rotation:
    period = duration(key.auto_rotate_period)
    if not period:
        return Rotation(enabled=False)
    next_at = None if newest is None else newest + period + LATEST
    return Rotation(enabled=True, schedule=f"{period // SECOND}s", next_at=next_at, by="service")
