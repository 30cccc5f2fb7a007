"""KV: secrets and their versions, one read a secret, or OpenBao's bulk list where settings ask for it.

* `updated_time` moves only when a version is added, so it never makes an old value look young.
* Versions have no stages: the newest is read by default, older ones by number until they are deleted.
* A `deletion_time` may lie in the future (`delete_version_after`): until then the version is there.
* An entry without versions holds labels and no secret.
* A value that was taken back is written again as a new version; a label says how old it is (`rotated`).
* Version 1 of the engine has names only: no dates, no versions. A read would give the value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import msgspec

from keyaudit.columns import VERSIONS
from keyaudit.inventory.rows import Credential, Rotation, Version
from keyaudit.sources.labels import read_labels
from keyaudit.sources.pulling.decoding import MALFORMED
from keyaudit.sources.pulling.pages import MOST_EMPTY, Page, reread, walk
from keyaudit.sources.pulling.refusals import Kind, RefusedError
from keyaudit.sources.vault.answers import (
    Bulk,
    KvMetadata,
    KvVersion,
    asked,
    batches,
    decoder,
    instant,
    read,
    texts,
)
from keyaudit.sources.vault.mounts import quoted
from keyaudit.sources.vault.reads import Reads
from keyaudit.sources.vault.rotated import NOTE_OF, STAGING_OF, value_created_at
from keyaudit.sources.vault.scope import NO_USE, MountScope
from keyaudit.sources.vault.settings import LONGEST_PATH, is_path

MARKS = {"current": "keyaudit_current_version", "previous": "keyaudit_previous_version"}
"""Stages of versions, for which KV has no field of its own, by the label that names the version."""

_METADATA = decoder(KvMetadata)
_LISTED = msgspec.json.Decoder(KvMetadata)
_BULK = decoder(Bulk)
_AT_ONCE = 500
_NO_BULK = frozenset({Kind.DENIED, Kind.GONE, Kind.NOT_ENABLED, Kind.OTHER, Kind.UNREADABLE})
"""How a server says that it has no bulk list, or not for us."""

Found = tuple[str, KvMetadata]


class Kv1Scope(MountScope):
    """The names in a mount of the engine's first version."""

    folders = True
    unknowable = (
        *NO_USE[:2],
        "created_at",
        "last_changed_at",
        "last_rotated_at",
        "expires_at",
        "labels",
        "versions",
        *(f"versions.{name}" for name in VERSIONS),
    )

    def collect(self) -> None:
        """See `ScopePull.collect`."""
        self.remark("KV version 1 keeps no dates and no versions")
        with self.workers() as workers:
            for found in self.walk(None, workers):
                for path in found:
                    row = self.row(path, path)
                    row.rotation = Rotation(enabled=False)
                    self.add(row)


class Kv2Scope(MountScope):
    """The secrets of a mount of the engine's second version."""

    folders = True
    unknowable = (*NO_USE, "expires_at", "last_rotated_at", "versions.authenticates")

    def collect(self) -> None:
        """See `ScopePull.collect`."""
        self._empty = 0
        self._strange = 0
        self._notes = 0
        try:
            if not (self.asking.settings.scan and self._scan()):
                with self.workers() as workers:
                    self._read_each(workers)
        finally:
            if self._strange:
                self.miss(f"the metadata of {self._strange:,} secrets could not be read")
            if self._empty:
                self.remark(f"{self._empty:,} entries hold labels and no secret")
            if self._notes:
                self.remark(
                    f"{self._notes:,} entries say that they are notes of rotations, and hold no secret"
                )

    def _scan(self) -> bool:
        """List everything at once; False, with nothing taken, if the server does not offer that."""
        pages = walk(self._scanned)
        try:
            first = next(pages)
        except RefusedError as error:
            if error.refusal.kind in _NO_BULK:
                return False
            raise
        if not (first.entries or first.unreadable):
            return False
        barren = 0
        for page in chain((first,), pages):
            for path, metadata in page.entries:
                self._take(path, metadata)
            self.page(unreadable=page.unreadable)
            barren = 0 if page.entries else barren + 1
            if barren >= MOST_EMPTY:
                raise RefusedError(Kind.REPEATED, saying=f"{barren:,} pages in a row held no secret")
        return True

    def _scanned(self, after: str | None) -> Page[Found]:
        """Ask for a page; how long it is says nothing, for a server may leave out what we may not see."""
        limit = str(self.asking.settings.scan_page)
        params = {"limit": limit, **({} if after is None else {"after": after})}
        try:
            return reread(
                lambda: self.vault.ask("SCAN", self.path("detailed-metadata"), params=params),
                _bulk_page,
            )
        except RefusedError as error:
            if after is not None and error.refusal.kind is Kind.GONE:
                return Page([])  # as a list with nothing in it answers
            raise

    def _read_each(self, workers: ThreadPoolExecutor) -> None:
        reads = self.reads(self._metadata, workers, "secrets", "metadata")
        try:
            for found in self.walk("metadata", workers):
                for some in batches(found, _AT_ONCE):
                    self._take_all(some, reads)
                    self.moved()
        finally:
            self.account(reads)

    def _take_all(self, paths: Sequence[str], reads: Reads[str, KvMetadata]) -> None:
        for path, metadata in reads.there(paths):
            self._take(path, metadata)

    def _metadata(self, path: str) -> KvMetadata:
        where = self.path("metadata", quoted(path))
        return self.answers.once(path, KvMetadata, lambda: asked(self.vault, "GET", where, _METADATA))

    def _take(self, path: str, metadata: KvMetadata | None) -> None:
        """Take a secret; one that is there and cannot be read is taken with its name alone."""
        row = self.row(path, path)
        if metadata is not None:
            if not metadata.current_version and not metadata.versions:
                self._empty += 1
                return
            if self._is_note(metadata):
                self._notes += 1
                return
            try:
                fill(row, metadata, self.asking.now)
            except ValueError:
                self._strange += 1
                row = self.row(path, path)
        self.add(row)

    def _is_note(self, metadata: KvMetadata) -> bool:
        """Say whether an entry is a rotation's own; one that holds a value to be tried is a credential."""
        if self.asking.settings.trust_labels is not True:
            return False
        labels = texts(metadata.custom_metadata)
        gone = all(version.destroyed for version in metadata.versions.values())
        return NOTE_OF in labels or (STAGING_OF in labels and gone)


def fill(row: Credential, metadata: KvMetadata, now: int) -> None:
    """Put into a row what its metadata says as of `now`. Raises ValueError for what makes no sense."""
    labels = texts(metadata.custom_metadata)
    row.labels = labels
    row.created_at = instant(metadata.created_time)
    row.last_changed_at = instant(metadata.updated_time)
    row.rotation = Rotation(enabled=False)
    row.versions = list(_versions(metadata, labels, now))
    for name, value in read_labels(labels).items():
        setattr(row, name, value)


def _versions(metadata: KvMetadata, labels: dict[str, str], now: int) -> Iterator[Version]:
    numbers = {int(number): version for number, version in metadata.versions.items()}
    newest = max(numbers, default=0)
    if newest != metadata.current_version or len(numbers) < len(metadata.versions) or min(numbers) < 1:
        raise ValueError("the newest version is not the current one")
    created = {number: instant(version.created_time) for number, version in numbers.items()}
    for number in sorted(numbers):
        yield Version(
            id=str(number),
            state=_state(number, numbers[number], metadata.current_version, now),
            created_at=value_created_at(labels, number, created[number]),
            superseded_at=created.get(number + 1),
            stages=[stage for stage, label in MARKS.items() if labels.get(label, "").strip() == str(number)],
        )


def _state(number: int, version: KvVersion, current: int, now: int) -> str:
    if version.destroyed:
        return "destroyed"
    deleted = instant(version.deletion_time)
    if deleted is not None and deleted <= now:
        return "disabled"
    return "current" if number == current else "superseded"


def _bulk_page(answer: bytes) -> Page[Found]:
    bulk = read(answer, _BULK)
    entries: list[Found] = []
    for key in bulk.keys:
        try:
            if is_path(key) and len(key) <= LONGEST_PATH:
                entries.append((key, _LISTED.decode(bulk.key_info[key])))
        except (KeyError, *MALFORMED):
            continue
    return Page(entries, len(bulk.keys) - len(entries), bulk.keys[-1] if bulk.keys else None)
