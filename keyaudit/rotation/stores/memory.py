"""A store in memory: for trying things out, for tests, and the shortest example of a store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import ClassVar

from keyaudit.rotation.secret import Secret
from keyaudit.rotation.sight import Place, Question, Shed, Shelf
from keyaudit.rotation.stores.note import Note
from keyaudit.rotation.stores.protocol import Credential


class MemoryStore:
    """One secret in this process. `clock` gives microseconds, UTC."""

    kind = "memory"
    calls: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    def __init__(
        self, name: str, value: Secret, *, clock: Callable[[], int], key_id: str | None = None
    ) -> None:
        self._clock = clock
        self._values = {"1": value}
        self._note = Note(name, current=Place("1", key_id=key_id, since=clock()))
        self._lock = threading.Lock()
        self.credential = Credential("memory", "process", name, name)

    def served(self) -> Secret:
        """Give the value as an application gets it."""
        with self._lock:
            assert self._note.current is not None
            return self._values[self._note.current.version]

    def look(self) -> Shelf:
        """Show the places."""
        with self._lock:
            return self._note.shelf()

    def read(self, version: str) -> Secret:
        """Give a value that is on the shelf; raises KeyError for any other."""
        with self._lock:
            return self._values[version]

    def stage(self, token: str, value: Secret, key_id: str, *, base: Place) -> None:
        """Put a value beside the current one."""
        with self._lock:
            version = str(len(self._values) + 1)
            note = self._note.staged(token, version, key_id, base)
            if note is not self._note:
                self._values[version], self._note = value, note

    def void(self, token: str) -> None:
        """Close a token."""
        with self._lock:
            self._note = self._note.voided(token)

    def decide(self, token: str, question: Question, answer: bool) -> bool:  # noqa: FBT001
        """Settle a question."""
        with self._lock:
            self._note = self._note.decided(token, question, answer)
            return bool(self._note.forward if question == "forward" else self._note.final)

    def promote(self, token: str) -> None:
        """Serve the staged value."""
        with self._lock:
            self._note = self._note.with_promoted(token, self._clock())

    def restore(self, token: str) -> None:
        """Serve the previous value again."""
        with self._lock:
            self._note = self._note.restored(token, self._clock())

    def drop(self, place: Shed, token: str) -> None:
        """Forget a value."""
        with self._lock:
            gone = getattr(self._note, place)
            self._note = self._note.dropped(place, token)
            self._values[gone.version] = Secret("")  # its number is not given twice
