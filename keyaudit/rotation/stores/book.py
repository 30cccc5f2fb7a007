"""A note as a store keeps it, and what is still to be done for it: JSON, ids and instants only.

Whatever closes a rotation first says so in the book, by compare-and-swap, and names there what is to
be taken out of reach; then that is done, then struck off. So a value is never taken from a rotation
that could still serve it, and a run that dies in between leaves its work written down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from keyaudit.errors import RotationError
from keyaudit.rotation.stores.note import Note

SCHEMA: Literal["keyaudit/rotation-note/1"] = "keyaudit/rotation-note/1"


@dataclass(frozen=True, slots=True)
class Book:
    """A note, and the loose ends.

    `claim` says that somebody is about to stage a value, for stores that cannot do that at once: it is
    the newest version that was there before. `drop` are versions that were on the shelf, and `sweep`
    those that were stored and never got there. `copies` says of a version that it has the value of an
    older one. `marked` is what the store's own labels say, for stores that have some.
    """

    note: Note
    claim: int | None = None
    drop: tuple[str, ...] = ()
    sweep: tuple[str, ...] = ()
    copies: Mapping[str, str] = field(default_factory=dict)
    marked: str = ""
    schema: Literal["keyaudit/rotation-note/1"] = SCHEMA

    def same(self, version: str) -> tuple[str, ...]:
        """Give a version and all older ones that have its value."""
        found = [version]
        while (older := self.copies.get(found[-1])) is not None and older not in found:
            found.append(older)
        return tuple(found)


def write_book(book: Book) -> str:
    """Spell a book as one line of JSON."""
    return msgspec.json.encode(book).decode()


def read_book(text: str) -> Book:
    """Read what `write_book` wrote; raises RotationError for anything else."""
    try:
        return msgspec.json.decode(text, type=Book)
    except (msgspec.DecodeError, UnicodeError):
        raise RotationError(
            "the note beside the secret cannot be read: it was changed by hand, or by a newer keyaudit",
            hint="see what the rotation record says, and remove the note only when none is under way",
        ) from None
