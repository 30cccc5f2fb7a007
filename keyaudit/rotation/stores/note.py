"""The shelf as one note, for stores that can replace a small text only if nobody else did.

The note is kept beside the secret and holds ids and times, never a value. Each method gives the
note that should replace this one, or raises `LostRaceError`; a store that fails to replace it
because somebody else was faster reads it again.

The next token is made from the secret's identity and a serial number that only grows: whoever reads
the same note reads the same token, and no token comes back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from uuid import UUID, uuid5

from keyaudit.rotation.sight import Place, Question, Shed, Shelf
from keyaudit.rotation.stores.protocol import LostRaceError

_TOKENS = UUID("3f0a4a52-6f6b-4a43-9d0c-5a4f6b1f6d5e")
"""A namespace for tokens (RFC 9562, version 5): any constant will do."""

_REMEMBERED = 50
"""Spent tokens: a key under an older one would be from a run that slept through as many rotations."""


@lru_cache(maxsize=1024)  # the machine asks for it at every turn
def _token(secret: str, serial: int) -> str:
    return str(uuid5(_TOKENS, f"{secret}|{serial}"))


@dataclass(frozen=True, slots=True)
class Note:
    """What is known of one secret's rotation. `secret` identifies it among all secrets."""

    secret: str
    serial: int = 0
    current: Place | None = None
    pending: Place | None = None
    previous: Place | None = None
    base: str | None = None
    """The version that was current when the rotation under way staged its value."""
    forward: bool | None = None
    final: bool | None = None
    spent: tuple[str, ...] = ()

    @property
    def token(self) -> str:
        """Give the token of the rotation under way, or of the next one."""
        return _token(self.secret, self.serial)

    @property
    def promoted(self) -> bool:
        """Say whether the rotation under way has given applications its value."""
        return self.current is not None and self.current.token == self.token

    @property
    def _under_way(self) -> bool:
        """Say whether something was staged under the token of now: also when it was taken back again."""
        return self.pending is not None or self.promoted or self.final is not None

    def shelf(self) -> Shelf:
        """Show the note as the machine reads it."""
        overtaken = self.pending is not None and (self.current is None or self.current.version != self.base)
        return Shelf(
            token=self.token,
            current=self.current,
            pending=self.pending,
            previous=self.previous,
            forward=self.forward,
            final=self.final,
            overtaken=overtaken,
            spent=frozenset(self.spent),
        )

    def found(self, version: str | None, since: int | None) -> Note:
        """Take notice of the version that applications are given, if somebody else put it there.

        A rotation that had been promoted ends by that; its keys are left to whoever did it.
        """
        if version is None or (self.current is not None and self.current.version == version):
            return self
        note = replace(self, current=Place(version, since=since))
        return self._closed(replace(note, previous=None)) if self.promoted or self.final is False else note

    def staged(self, token: str, version: str, key_id: str, base: Place) -> Note:
        """Put a value on the shelf beside the current one.

        A key that is on the shelf already stays where it is: were that called a lost race, the run
        that stored it, and missed the answer, would revoke it.
        """
        places = (self.current, self.pending, self.previous)
        if any(place is not None and (place.token, place.key_id) == (token, key_id) for place in places):
            return self
        if token != self.token or self._under_way or self.current is None:
            raise LostRaceError
        if self.current.version != base.version:
            raise LostRaceError  # the new text was made from one that is not current any more
        current = replace(self.current, key_id=self.current.key_id or base.key_id)
        pending = Place(version, key_id=key_id, token=token)
        # Whatever the last rotation left as previous was retired; its place is wanted now.
        return replace(self, current=current, pending=pending, previous=None, base=current.version)

    def voided(self, token: str) -> Note:
        """Close a token under which nothing was staged."""
        if token in self.spent:
            return self
        if token != self.token or self._under_way:
            raise LostRaceError
        return self._closed(self, token)

    def decided(self, token: str, question: Question, answer: bool) -> Note:  # noqa: FBT001
        """Settle a question, unless it is settled."""
        if token != self.token or (self.pending is None and not self.promoted):
            raise LostRaceError
        if question == "forward":
            return self if self.forward is not None else replace(self, forward=answer)
        if not self.promoted and self.final is None:
            raise LostRaceError
        return self if self.final is not None else replace(self, final=answer)

    def with_promoted(self, token: str, now: int, version: str | None = None) -> Note:
        """Serve the staged value since `now`, under the version it got by that if it changed."""
        if token == self.token and self.promoted:
            return self
        pending = self.pending
        if token != self.token or pending is None or not self.forward or self.shelf().overtaken:
            raise LostRaceError
        current = replace(pending, since=now, version=version or pending.version)
        return replace(self, current=current, previous=self.current, pending=None)

    def restored(self, token: str, now: int, version: str | None = None) -> Note:
        """Serve the previous value again since `now`."""
        if token == self.token and self.final is False and not self.promoted:
            return self
        if token != self.token or not self.promoted or self.final is not False or self.previous is None:
            raise LostRaceError
        # It was not this rotation, nor the one before, that put it there today.
        current = replace(self.previous, token=None, since=now, version=version or self.previous.version)
        return replace(self, current=current, previous=self.current)

    def dropped(self, place: Shed, token: str) -> Note:
        """Take the pending or the previous value off, and close the rotation."""
        if token != self.token:
            raise LostRaceError
        if (
            place == "pending"
            and self.pending is not None
            and (self.forward is False or self.shelf().overtaken)
        ):
            return self._closed(replace(self, pending=None), token)
        if place == "previous" and self.previous is not None and self.final is not None:
            return self._closed(replace(self, previous=None), self.previous.token)
        raise LostRaceError

    @staticmethod
    def _closed(note: Note, spent: str | None = None) -> Note:
        """End a rotation; `spent` is a token of which no key is wanted any more."""
        known = (*note.spent, spent)[-_REMEMBERED:] if spent else note.spent
        return replace(note, serial=note.serial + 1, base=None, forward=None, final=None, spent=known)
