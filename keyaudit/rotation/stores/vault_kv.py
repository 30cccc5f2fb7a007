"""A secret of Vault's, or OpenBao's, KV version 2, whose newest version is what applications read.

    store:
      kind: vault-kv
      address: https://vault.acme.example:8200   # and what else `keyaudit.rotation.vault` names
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
from typing import Any, Literal, Self

from pydantic import model_validator

from keyaudit.errors import RotationError
from keyaudit.rotation.party import Means, StoreSettings
from keyaudit.rotation.secret import Secret
from keyaudit.rotation.sight import Place
from keyaudit.rotation.stores.book import Book, read_book, write_book
from keyaudit.rotation.stores.booked import BookedStore, Seen
from keyaudit.rotation.stores.note import Note
from keyaudit.rotation.stores.protocol import Credential, LostRaceError
from keyaudit.rotation.vault import VaultAccess, VaultDoor, scope
from keyaudit.sources.vault.kv import MARKS
from keyaudit.sources.vault.restored import VALUE_SINCE, restored_label, value_created_at
from keyaudit.sources.vault.settings import Path_
from keyaudit.times import MICROSECOND, parse_instant

NOTE_OF = "keyaudit_note_of"
"""The custom metadata by which the audit knows that an entry is not a secret of its own."""
STAGED = "staged-"
"""Begins the versions that are in `staging/pending`, and not yet in `path`."""
_MOST_RACES = 30
_FEWEST_VERSIONS = 3

Data = Mapping[str, Any]


class VaultKvSettings(StoreSettings, VaultAccess):
    """Checked settings of one secret."""

    mount: Path_ = "secret"
    path: Path_
    field: str | None = None
    staging: Path_ | None = None
    old_versions: Literal["destroy", "delete", "keep"] = "destroy"

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.field is None) is (not self.fields):
            raise ValueError("say which field is the value: `field: api_key`, or `fields` for several")
        if self.staging == self.path:
            raise ValueError("`staging` is where values are that no application may read yet")
        return self


@dataclass(frozen=True, slots=True)
class SeenEntry(Seen):
    """One reading. `cas` is the version of the note, `entry` the metadata of `path`."""

    cas: int
    entry: Data

    @property
    def version(self) -> int:
        """Give the number of the version that applications read; 0 if there is none."""
        return int(self.entry.get("current_version") or 0)

    def created_at(self, version: int) -> int | None:
        """Give when a version was written, not before it was; None if it is not kept any more."""
        found = self.entry.get("versions", {}).get(str(version))
        return None if found is None else parse_instant(found["created_time"]) + MICROSECOND


class VaultKv(BookedStore[SeenEntry]):
    """One secret; see above."""

    kind = "vault-kv"
    Settings = VaultKvSettings
    calls: Mapping[str, tuple[str, ...]]

    def __init__(self, settings: VaultKvSettings, means: Means) -> None:
        """Ask nothing yet."""
        self._settings = settings
        staging = settings.staging or f"{settings.path}.keyaudit"
        self._note, self._pending = f"{staging}/note", f"{staging}/pending"
        self.credential = Credential(
            "vault",
            scope(settings, settings.mount),
            f"{settings.mount}/{settings.path}",
            settings.path,
        )
        self.calls = self._calls()
        every = {call for calls in self.calls.values() for call in calls}
        self._door = VaultDoor(settings, means, sorted(every), settings.timeout)

    @classmethod
    def opened(cls, settings: VaultKvSettings, means: Means) -> Self:
        """Open the store that settings describe."""
        return cls(settings, means)

    def _calls(self) -> Mapping[str, tuple[str, ...]]:
        entry, note, pending = self._settings.path, self._note, self._pending
        read = (self._call("read", "data", entry), self._call("read", "data", pending))
        look = (self._call("read", "metadata", entry), self._call("read", "data", note), *read)
        ends = () if self._settings.old_versions == "keep" else (self._settings.old_versions,)
        change = (
            *look,
            self._call("update", "data", note),
            self._call("read", "metadata", pending),
            self._call("update", "destroy", pending),
            self._call("patch", "metadata", entry),
            *(self._call("update", end, entry) for end in ends),
        )
        first = tuple(self._call("update", "metadata", each) for each in (note, pending))
        return {
            "look": look,
            "read": read,
            "stage": (*change, *first, self._call("update", "data", pending)),
            "void": (*change, *first),
            "decide": change,
            "promote": (*change, self._call("update", "data", entry)),
            "restore": (*change, self._call("update", "data", entry)),
            "drop": change,
        }

    def _call(self, capability: str, kind: str, path: str) -> str:
        return f"{capability} {self._settings.mount}/{kind}/{path}"

    def read(self, version: str) -> Secret:
        """See `Store.read`."""
        return self._text(self._data(version))

    def stage(self, token: str, value: Secret, key_id: str, *, base_key_id: str | None) -> None:
        """See `Store.stage`."""
        seen = self.tidied()
        note = seen.book.note
        if note.staged(token, "", key_id, base_key_id) is note:
            return
        assert note.current is not None  # or it could not be staged beside it
        own = self._staged(self._with(note.current.version, value))

        def staged(seen: SeenEntry) -> Book:
            note = seen.book.note.staged(token, own, key_id, base_key_id)
            return seen.stored if note is seen.book.note else replace(seen.book, note=note)

        try:
            book = self.change(staged)
        except LostRaceError:
            self._unstage(own)
            raise
        if all(place.version != own for place in book.note.shelf().places):
            self._unstage(own)

    def promote(self, token: str) -> None:
        """See `Store.promote`."""

        def data(seen: SeenEntry) -> Data | None:
            assert seen.book.note.pending is not None  # or it could not be promoted
            return self._kept(seen.book.note.pending.version)

        self._serve(lambda note, at, version: note.with_promoted(token, at, version), data)

    def restore(self, token: str) -> None:
        """See `Store.restore`."""

        def data(seen: SeenEntry) -> Data | None:
            assert seen.book.note.previous is not None  # or it could not be restored
            old = seen.book.note.previous.version
            since = value_created_at(self._labels(seen), int(old), seen.created_at(int(old)))
            label = restored_label(seen.version + 1, since)
            self._patch({VALUE_SINCE: label})
            return self._kept(old)

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
            body = {"data": dict(value), "options": {"cas": seen.version}}
            answer = self._door.ask(self._call("update", "data", self._settings.path), body)
            if answer.status != 200:
                continue  # whoever wrote there meanwhile is seen in the next round
            at = parse_instant(answer.data["created_time"]) + MICROSECOND
            version = str(answer.data["version"])
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
        """See `BookedStore.seen`."""
        entry = self._door.ask(self._call("read", "metadata", self._settings.path)).data
        kept = self._door.ask(self._call("read", "data", self._note))
        if kept.status == 404 and kept.data:
            raise RotationError(
                f"the note {self._settings.mount}/{self._note} was deleted", hint="undelete its last version"
            )
        if kept.status == 404:
            made = f"{entry.get('created_time')}|{entry.get('current_version')}"
            stored = Book(Note(f"{self.credential.scope}|{self.credential.id}|{made}"))
        else:
            stored = read_book(str(kept.data["data"].get("note")))
        cas = int(kept.data["metadata"]["version"]) if kept.data else 0
        seen = SeenEntry(stored, stored, cas, entry)
        book = self._found(seen)
        self._check_versions(entry, book.note)
        return replace(seen, book=book)

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
        at = seen.created_at(number)
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
        first = self._kept(one)
        return first is not None and first == self._kept(other)

    @staticmethod
    def _expected(note: Note) -> Place | None:
        """Give the place whose value a run that died may have written to `path`."""
        if note.promoted:
            return note.previous if note.final is False else None
        return note.pending if note.forward and not note.shelf().overtaken else None

    def swap(self, seen: SeenEntry, book: Book) -> bool:
        """See `BookedStore.swap`."""
        if seen.cas == 0:
            about = {"custom_metadata": {NOTE_OF: self._settings.path}}
            self._door.ask(self._call("update", "metadata", self._note), {**about, "cas_required": True})
            self._door.ask(self._call("update", "metadata", self._pending), about)
        body = {"data": {"note": write_book(book)}, "options": {"cas": seen.cas}}
        return self._door.ask(self._call("update", "data", self._note), body).status == 200

    def is_tidy(self, book: Book) -> bool:
        """See `BookedStore.is_tidy`; marks that do not fit the shelf are a loose end too."""
        return super().is_tidy(book) and book.marked == _marked(book.note)

    def tidy(self, seen: SeenEntry) -> Book:
        """See `BookedStore.tidy`."""
        book, end = seen.book, self._settings.old_versions
        staged = [each for each in (*book.drop, *book.sweep) if each.startswith(STAGED)]
        self._unstage(*staged)
        old = [int(each) for each in book.drop if not each.startswith(STAGED)]
        if old and end != "keep":
            self._door.ask(self._call("update", end, self._settings.path), {"versions": old})
        marked = _marked(book.note)
        if marked != book.marked:
            current, _, previous = marked.partition("/")
            self._patch({MARKS["current"]: current or None, MARKS["previous"]: previous or None})
        return replace(book, drop=(), sweep=(), marked=marked)

    def litter(self, seen: SeenEntry) -> tuple[str, ...]:  # noqa: ARG002
        """See `BookedStore.litter`: all that is staged, for this closes the rotation."""
        about = self._door.ask(self._call("read", "metadata", self._pending)).data
        live = [number for number, each in about.get("versions", {}).items() if not each["destroyed"]]
        return tuple(f"{STAGED}{number}" for number in sorted(live, key=int))

    def _data(self, version: str) -> Data:
        found = self._kept(version)
        if found is None:
            raise RotationError(
                f"version {version} of {self._settings.path} is deleted, or not kept any more"
            )
        return found

    def _kept(self, version: str) -> Data | None:
        """Give the fields of a version, None if they are not there any more."""
        staged = version.startswith(STAGED)
        call = self._call("read", "data", self._pending if staged else self._settings.path)
        found = self._door.ask(call, version=version.removeprefix(STAGED)).data.get("data")
        return found if isinstance(found, dict) else None

    def _text(self, data: Data) -> Secret:
        if self._settings.field is None:
            return Secret(json.dumps(data))
        found = data.get(self._settings.field)
        if not isinstance(found, str):
            raise RotationError(f"{self._settings.path} has no field {self._settings.field!r} that is text")
        return Secret(found)

    def _with(self, version: str, value: Secret) -> Data:
        """Give the fields of the new entry: those of a version, with the value in its place."""
        if self._settings.field is not None:
            return {**self._data(version), self._settings.field: value.reveal()}
        found: Data = json.loads(value.reveal())
        return found

    def _staged(self, data: Data) -> str:
        answer = self._door.ask(self._call("update", "data", self._pending), {"data": data})
        if answer.status != 200:
            raise RotationError("Vault: the answer could not be read")
        return f"{STAGED}{answer.data['version']}"

    def _unstage(self, *versions: str) -> None:
        if versions:
            numbers = [int(each.removeprefix(STAGED)) for each in versions]
            self._door.ask(self._call("update", "destroy", self._pending), {"versions": numbers})

    def _labels(self, seen: SeenEntry) -> Mapping[str, str]:
        found = seen.entry.get("custom_metadata") or {}
        return {str(key): str(value) for key, value in found.items()}

    def _patch(self, labels: Mapping[str, str | None]) -> None:
        """Change labels and leave the others alone, as hvac cannot: a POST would replace them all."""
        call = self._call("patch", "metadata", self._settings.path)
        self._door.ask(call, {"custom_metadata": dict(labels)})


def _marked(note: Note) -> str:
    """Spell the versions that the entry's own labels should name: `2/1`; nothing of a secret left alone."""
    if note.current is None or (note.current.token is None and note.previous is None):
        return ""
    return f"{note.current.version}/{note.previous.version if note.previous else ''}"
