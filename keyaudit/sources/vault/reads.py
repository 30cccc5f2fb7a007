"""One question for each thing that a list named, and a second look at the list where a thing is not found.

A secret may go while a mount is listed. One that is still listed, and still cannot be found, is there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from typing import Generic

from keyaudit.sources.pulling.each import PATIENCE, Answer, Each, Item
from keyaudit.sources.pulling.refusals import Kind, RefusedError

# A policy may well deny a folder of many secrets and grant all that comes after it.
PATIENT = {**PATIENCE, Kind.DENIED: 1000}

_FEW = 2
"""So many may well all be deleted while they are listed."""


class _Missing(Enum):
    MARK = 0


_MISSING = _Missing.MARK


class Reads(Generic[Item, Answer]):
    """Asks about many items of one scope; see `Each`."""

    def __init__(
        self,
        ask: Callable[[Item], Answer],
        workers: ThreadPoolExecutor,
        noun: str,
        *,
        place: Callable[[Item], str],
        listed: Callable[[str], Collection[Item]],
    ) -> None:
        """`place` says which list named an item, `listed` asks for that list again."""
        self._ask = ask
        self._workers = workers
        self._noun = noun
        self._place = place
        self._listed = listed
        self._each: Each[Item, Answer | _Missing] = Each(self._asked, workers, noun, patience=PATIENT)
        self._hidden = 0
        self._gone = 0

    def there(self, items: Sequence[Item]) -> list[tuple[Item, Answer | None]]:
        """Give each item with its answer, None where that stays unknown, without those that were deleted."""
        answers = list(zip(items, self._each.fetch(items), strict=True))
        missing = [item for item, answer in answers if answer is _MISSING]
        hidden = self._still_listed(missing) if missing else set()
        gone = sum(item not in hidden for item in missing)
        self._gone += gone
        self._hidden += len(missing) - gone
        return [
            (item, None if answer is _MISSING else answer)
            for item, answer in answers
            if answer is not _MISSING or item in hidden
        ]

    def reasons(self) -> list[str]:
        """Say what is missing, one sentence a reason; for `ScopePull.miss`."""
        reasons = self._each.reasons()
        if self._hidden:
            are = "is" if self._hidden == 1 else "are"
            reasons.append(f"{self._hidden:,} {self._of_all} {are} listed and cannot be found")
        if self._all_gone:
            reasons.append(f"all {self._each.wanted:,} {self._noun} were gone when they were asked for")
        return reasons

    def remarks(self) -> list[str]:
        """Say what is no gap and still worth saying; for `ScopePull.remark`."""
        if not self._gone or self._all_gone:
            return []
        were = "was" if self._gone == 1 else "were"
        return [f"{self._gone:,} {self._of_all} {were} deleted while they were listed"]

    @property
    def _of_all(self) -> str:
        return f"of {self._each.wanted:,} {self._noun}"

    @property
    def _all_gone(self) -> bool:
        return _FEW < self._gone == self._each.wanted

    def _asked(self, item: Item) -> Answer | _Missing:
        try:
            return self._ask(item)
        except RefusedError as error:
            if error.refusal.kind is Kind.GONE:
                return _MISSING
            raise

    def _still_listed(self, missing: Sequence[Item]) -> set[Item]:
        """Give those that their list names again, and those whose list is not given any more."""
        if self._each.stopped:
            return set(missing)
        places = sorted({self._place(item) for item in missing})
        named = dict(zip(places, self._workers.map(self._again, places), strict=True))
        return {item for item in missing if (there := named[self._place(item)]) is None or item in there}

    def _again(self, place: str) -> Collection[Item] | None:
        try:
            return set(self._listed(place))
        except RefusedError as error:
            return set() if error.refusal.kind is Kind.GONE else None
