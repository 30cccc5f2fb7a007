"""A store whose shelf is a book that it can replace only if nobody else did.

Each step reads, works out the book that should follow, and swaps it; where somebody was faster, it
reads again. A store of this kind gives `seen`, `swap` and `tidy`, and adds what its values need.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from keyaudit.errors import RotationError
from keyaudit.rotation.sight import Question, Shed, Shelf
from keyaudit.rotation.stores.book import Book

_MOST_RACES = 30


@dataclass(frozen=True, slots=True)
class Seen:
    """One reading: the book that is `stored`, and the `book` that fits what applications are given."""

    book: Book
    stored: Book


SeenT = TypeVar("SeenT", bound=Seen)


class BookedStore(Generic[SeenT]):
    """The steps that every store with a book has in common."""

    def look(self) -> Shelf:
        """See `Store.look`."""
        return self.seen().book.note.shelf()

    def void(self, token: str) -> None:
        """See `Store.void`."""

        def voided(seen: SeenT) -> Book:
            note = seen.book.note.voided(token)
            if note is seen.book.note:
                return seen.book
            return replace(seen.book, note=note, claim=None, sweep=self.litter(seen))

        self.change(voided)

    def decide(self, token: str, question: Question, answer: bool) -> bool:  # noqa: FBT001
        """See `Store.decide`."""
        seen = self.change(
            lambda seen: replace(seen.book, note=seen.book.note.decided(token, question, answer))
        )
        return bool(seen.note.forward if question == "forward" else seen.note.final)

    def drop(self, place: Shed, token: str) -> None:
        """See `Store.drop`."""

        def dropped(seen: SeenT) -> Book:
            gone = getattr(seen.book.note, place)
            note = seen.book.note.dropped(place, token)
            same = seen.book.same(gone.version)
            copies = {copy: of for copy, of in seen.book.copies.items() if copy not in same}
            drop = (*seen.book.drop, *same)
            return replace(
                seen.book, note=note, claim=None, drop=drop, sweep=self.litter(seen), copies=copies
            )

        self.change(dropped)

    def change(self, following: Callable[[SeenT], Book]) -> Book:
        """Replace the book by the one that follows from it, and give that; ends loose ends before and after.

        Raises LostRaceError as `following` does, RotationError.
        """
        for _ in range(_MOST_RACES):
            seen = self.tidied()
            book = following(seen)
            if book == seen.stored:
                return book
            if self.swap(seen, book):
                if not self.is_tidy(book):
                    self.tidied()
                return book
        raise RotationError("somebody else keeps changing the secret", hint="let them finish")

    def tidied(self) -> SeenT:
        """Look, and do what a book says is still to be done."""
        for _ in range(_MOST_RACES):
            seen = self.seen()
            if self.is_tidy(seen.book):
                return seen
            self.swap(seen, self.tidy(seen))
        raise RotationError("somebody else keeps changing the secret", hint="let them finish")

    def is_tidy(self, book: Book) -> bool:
        """Say whether nothing is left to be done."""
        return not (book.drop or book.sweep)

    @abstractmethod
    def seen(self) -> SeenT:
        """Read the book, and what applications are given."""

    @abstractmethod
    def swap(self, seen: SeenT, book: Book) -> bool:
        """Replace the book that was seen; False, and nothing changed, if it is another one by now."""

    @abstractmethod
    def tidy(self, seen: SeenT) -> Book:
        """Do what is to be done, and give the book without it."""

    @abstractmethod
    def litter(self, seen: SeenT) -> tuple[str, ...]:
        """Name the versions that were stored in order to be staged and are in no place."""
