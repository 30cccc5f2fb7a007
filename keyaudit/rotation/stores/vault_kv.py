"""A secret of Vault's, or OpenBao's, KV version 2, whose newest version is what applications read.

    store:
      kind: vault-kv
      address: https://vault.acme.example:8200   # and what else `keyaudit.rotation.doors.vault` names
      mount: secret
      path: app/openai
      field: api_key                # the one field that is the value; or, for several,
      fields: {username: DB_USER, password: DB_PASSWORD}
      staging: app/openai.keyaudit  # a folder of keyaudit's own beside it
      old_versions: destroy         # delete (can be undeleted), keep

Nothing is written to `path` before a value is promoted. Until then it is in `staging/pending`. The note
is in `staging/note`, whose check-and-set is the lock. Fields that nobody named stay as they are.

* Promotion writes `path` with check-and-set on the version that was replaced, then the note. A run
  that died in between is recognised: the note says that promotion was settled, `path` is one version
  on, and its value is the staged one. Only then does a look read values, to compare them.
* KV cannot go back: restoring writes the old value as a new version. `keyaudit_value_since` in the
  entry's metadata says how old that value is; it is written first, so a value never looks younger
  than it is.
* A version number comes back if somebody deletes the metadata of `path`: do not, while a rotation is
  under way.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Self

from keyaudit.errors import RotationError
from keyaudit.rotation.doors.vault import Answer, scope
from keyaudit.rotation.party import Means
from keyaudit.rotation.secret import Secret
from keyaudit.rotation.sight import Place
from keyaudit.rotation.stores.book import Book, read_book, write_book
from keyaudit.rotation.stores.booked import BookedStore, Seen
from keyaudit.rotation.stores.note import Note
from keyaudit.rotation.stores.protocol import Credential, LostRaceError
from keyaudit.rotation.stores.vault_kv_calls import STAGED, Data, KvEntry, VaultKvSettings
from keyaudit.sources.vault.kv import MARKS
from keyaudit.sources.vault.rotated import VALUE_SINCE, restored_label, value_created_at
from keyaudit.times import MICROSECOND, parse_instant

_MOST_RACES = 30
_FEWEST_VERSIONS = 3


@dataclass(frozen=True, slots=True)
class SeenEntry(Seen):
    """One reading. `cas` is the version of the note, `entry` the metadata of `path`."""

    cas: int
    entry: Data

    @property
    def version(self) -> int:
        """Give the number of the version that applications read; 0 if there is none."""
        return int(self.entry.get("current_version") or 0)

    def written_at(self, version: int) -> int | None:
        """Give when a version was written, not after it was; None if it is not kept any more."""
        found = self.entry.get("versions", {}).get(str(version))
        return None if found is None else parse_instant(found["created_time"])


class VaultKv(BookedStore[SeenEntry]):
    """One secret; see above."""

    kind = "vault-kv"
    Settings = VaultKvSettings
    calls: Mapping[str, tuple[str, ...]]

    def __init__(self, settings: VaultKvSettings, means: Means) -> None:
        """Ask nothing yet."""
        self._settings = settings
        self.credential = Credential(
            "vault",
            scope(settings, settings.mount),
            f"{settings.mount}/{settings.path}",
            settings.path,
        )
        self._entry = KvEntry(settings, means)
        self.calls = self._entry.calls

    @classmethod
    def opened(cls, settings: VaultKvSettings, means: Means) -> Self:
        """Open the store that settings describe."""
        return cls(settings, means)

    def read(self, version: str) -> Secret:
        """See `Store.read`."""
        return self._entry.text(self._entry.data(version))

    def stage(self, token: str, value: Secret, key_id: str, *, base: Place) -> None:
        """See `Store.stage`."""
        seen = self.tidied()
        note = seen.book.note
        if note.staged(token, "", key_id, base) is note:
            return
        own = self._entry.stage(self._with(base.version, value))

        def staged(seen: SeenEntry) -> Book:
            note = seen.book.note.staged(token, own, key_id, base)
            if note is seen.book.note:
                return seen.stored
            return replace(seen.book, note=note)

        try:
            book = self.change(staged)
        except LostRaceError:
            self._entry.unstage(own)
            raise
        if all(place.version != own for place in book.note.shelf().places):
            self._entry.unstage(own)

    def promote(self, token: str) -> None:
        """See `Store.promote`."""

        def data(seen: SeenEntry) -> Data | None:
            assert seen.book.note.pending is not None  # or it could not be promoted
            return self._entry.kept(seen.book.note.pending.version)

        self._serve(lambda note, at, version: note.with_promoted(token, at, version), data)

    def restore(self, token: str) -> None:
        """See `Store.restore`."""

        def data(seen: SeenEntry) -> Data | None:
            assert seen.book.note.previous is not None  # or it could not be restored
            old = seen.book.note.previous.version
            since = value_created_at(self._labels(seen), int(old), seen.written_at(int(old)))
            label = restored_label(seen.version + 1, since)
            self._entry.label({VALUE_SINCE: label})
            return self._entry.kept(old)

        self._serve(lambda note, at, version: note.restored(token, at, version), data)

    def _serve(
        self, served: Callable[[Note, int, str | None], Note], data: Callable[[SeenEntry], Data | None]
    ) -> None:
        """Write a value as the next version of `path`, unless that was written already, then the note."""
        for _ in range(_MOST_RACES):
            seen = self.tidied()
            note = seen.book.note
            if served(note, 0, None) is note:
                if seen.book == seen.stored or self.swap(seen, seen.book):
                    self.tidied()
                    return
                continue
            value = data(seen)
            if value is None and self.seen().cas == seen.cas:
                raise RotationError(f"the value to serve at {self._settings.path} is not there any more")
            if value is None:
                continue  # somebody closed the rotation meanwhile
            written = self._entry.write(value, seen.version)
            if written is None:
                continue  # whoever wrote there meanwhile is seen in the next round
            at = parse_instant(written["created_time"]) + MICROSECOND
            version = str(written["version"])
            if self.swap(seen, self._follows(seen.book, served(note, at, version), version)):
                self.tidied()
                return
        raise RotationError("somebody else keeps changing the secret", hint="let them finish")

    def _follows(self, book: Book, note: Note, version: str) -> Book:
        """Give the book after a value was served; a restored one is a copy of the version it came from."""
        if note.promoted or book.note.previous is None:
            return replace(book, note=note)
        return replace(book, note=note, copies={**book.copies, version: book.note.previous.version})

    def seen(self) -> SeenEntry:
        """See `BookedStore.seen`. Where the two do not fit, the note must be the same after as before."""
        kept = self._entry.note()
        for _ in range(_MOST_RACES):
            entry = self._entry.about()
            seen = self._read(kept, entry)
            current = seen.stored.note.current
            fits = current is None or current.version == str(seen.version)
            before, kept = kept, kept if fits else self._entry.note()
            if kept == before:
                seen = replace(seen, book=self._found(seen))
                self._check_versions(entry, seen.book.note)
                return seen
        raise RotationError("somebody else keeps changing the secret", hint="let them finish")

    def _read(self, kept: Answer, entry: Data) -> SeenEntry:
        if kept.status == 404:
            made = f"{entry.get('created_time')}|{entry.get('current_version')}"
            stored = Book(Note(f"{self.credential.scope}|{self.credential.id}|{made}"))
            return SeenEntry(stored, stored, 0, entry)
        stored = read_book(str(kept.data["data"].get("note")))
        return SeenEntry(stored, stored, int(kept.data["metadata"]["version"]), entry)

    def _check_versions(self, entry: Data, note: Note) -> None:
        kept = int(entry.get("max_versions") or 0)
        if 0 < kept < _FEWEST_VERSIONS and note.pending is None and not note.promoted:
            raise RotationError(
                f"{self._settings.path} keeps {kept} versions, and a rotation that can be undone needs three",
                hint=f"vault kv metadata patch -mount={self._settings.mount} -max-versions=10"
                f" {self._settings.path}",
            )

    def _found(self, seen: SeenEntry) -> Book:
        """Take notice of what applications read: a version of ours that the note lacks, or somebody's."""
        book, number = seen.stored, seen.version
        note, current = book.note, book.note.current
        if not number or (current is not None and current.version == str(number)):
            return book
        written = seen.written_at(number)
        at = None if written is None else written + MICROSECOND
        expected = self._expected(note)
        ours = expected is not None and current is not None and number == int(current.version) + 1
        if not ours or expected is None or at is None or not self._alike(str(number), expected.version):
            return replace(book, note=note.found(str(number), at))
        if note.promoted:
            note = note.restored(note.token, at, str(number))
        else:
            note = note.with_promoted(note.token, at, str(number))
        return self._follows(book, note, str(number))

    def _alike(self, one: str, other: str) -> bool:
        """Say whether two versions are both there and have one value."""
        first = self._entry.kept(one)
        return first is not None and first == self._entry.kept(other)

    @staticmethod
    def _expected(note: Note) -> Place | None:
        """Give the place whose value a run that died may have written to `path`."""
        if note.promoted:
            return note.previous if note.final is False else None
        return note.pending if note.forward and not note.shelf().overtaken else None

    def swap(self, seen: SeenEntry, book: Book) -> bool:
        """See `BookedStore.swap`."""
        return self._entry.write_note(write_book(book), seen.cas)

    def is_tidy(self, book: Book) -> bool:
        """See `BookedStore.is_tidy`; marks that do not fit the shelf are a loose end too."""
        return super().is_tidy(book) and book.marked == _marked(book.note)

    def tidy(self, seen: SeenEntry) -> Book:
        """See `BookedStore.tidy`."""
        book = seen.book
        staged = [each for each in (*book.drop, *book.sweep) if each.startswith(STAGED)]
        self._entry.unstage(*staged)
        self._entry.end([int(each) for each in book.drop if not each.startswith(STAGED)])
        marked = _marked(book.note)
        if marked != book.marked:
            current, _, previous = marked.partition("/")
            self._entry.label({MARKS["current"]: current or None, MARKS["previous"]: previous or None})
        return replace(book, drop=(), sweep=(), marked=marked)

    def litter(self, seen: SeenEntry) -> tuple[str, ...]:  # noqa: ARG002
        """See `BookedStore.litter`: all that is staged, for this closes the rotation."""
        return self._entry.staged_versions()

    def _with(self, version: str, value: Secret) -> Data:
        """Give the fields of the new entry: those of a version, with the value in its place.

        Raises LostRaceError if somebody has changed other fields since the value was put among them.
        """
        before = self._entry.data(version)
        if self._settings.field is not None:
            return {**before, self._settings.field: value.reveal()}
        found: Data = json.loads(value.reveal())
        ours = set(self._settings.fields.values())
        others = [{name: data[name] for name in data if name not in ours} for data in (before, found)]
        if others[0] != others[1]:
            raise LostRaceError
        return found

    def _labels(self, seen: SeenEntry) -> Mapping[str, str]:
        found = seen.entry.get("custom_metadata") or {}
        return {str(key): str(value) for key, value in found.items()}


def _marked(note: Note) -> str:
    """Spell the versions that the entry's own labels should name: `2/1`; nothing of a secret left alone."""
    if note.current is None or (note.current.token is None and note.previous is None):
        return ""
    return f"{note.current.version}/{note.previous.version if note.previous else ''}"
