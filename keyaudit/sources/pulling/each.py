"""One call an item, several at once, and the sense to stop asking when nobody answers."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from keyaudit.sources.pulling.refusals import FATAL, Kind, Refusal, RefusedError

PATIENCE = {Kind.DENIED: 25, Kind.GONE: 1_000_000, Kind.SERVER: 5, Kind.UNREADABLE: 5}
"""How many refusals of a kind in a row, each after its own retries, until no more is asked."""
IMPATIENCE = 3

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Each(Generic[Item, Answer]):
    """Asks one thing of many items of one scope and keeps account of those that were refused."""

    def __init__(
        self,
        ask: Callable[[Item], Answer],
        workers: ThreadPoolExecutor,
        noun: str,
        *,
        gone: Answer | None = None,
        patience: Mapping[Kind, int] = PATIENCE,
    ) -> None:
        """`ask` gives one answer or raises RefusedError; `noun` is what is asked for, in the plural.

        `workers` bound how many calls are in flight. `gone` is the answer for what was deleted while
        it was listed; without it that counts as refused. `patience` differs where single items may be
        denied for a reason.
        """
        self._ask = ask
        self._workers = workers
        self._noun = noun
        self._gone = gone
        self._patience = patience
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._last: Kind | None = None
        self.wanted = 0
        self.refused: Counter[str] = Counter()
        self.not_asked = 0
        self.gone = 0
        self.stopped = False

    def fetch(self, items: Sequence[Item]) -> list[Answer | None]:
        """Give each item's answer in the same order, None where it stays unknown."""
        self.wanted += len(items)
        return list(self._workers.map(self._try, items))

    def _try(self, item: Item) -> Answer | None:
        if self.stopped:
            with self._lock:
                self.not_asked += 1
            return None
        try:
            answer = self._ask(item)
        except RefusedError as error:
            if error.refusal.kind is Kind.GONE and self._gone is not None:
                with self._lock:
                    self.gone += 1
                return self._gone
            with self._lock:
                self._refused(error.refusal)
            return None
        with self._lock:
            self._in_a_row, self._last = 0, None
        return answer

    def _refused(self, refusal: Refusal) -> None:
        self.refused[refusal.reason] += 1
        self._in_a_row = self._in_a_row + 1 if refusal.kind is self._last else 1
        self._last = refusal.kind
        if refusal.kind in FATAL or self._in_a_row >= self._patience.get(refusal.kind, IMPATIENCE):
            self.stopped = True

    def reasons(self) -> list[str]:
        """Say what is missing, one sentence a reason; for `ScopePull.miss`."""
        of_all = f"of {self.wanted:,} {self._noun}"
        reasons = [f"{count:,} {of_all}: {reason}" for reason, count in self.refused.most_common()]
        if self.not_asked:
            reasons.append(f"{self.not_asked:,} {of_all} were then not asked for")
        if self._all_gone:
            reasons.append(f"all {self.wanted:,} {self._noun} were gone when they were asked for")
        return reasons

    @property
    def _all_gone(self) -> bool:
        """Say whether a list and what it lists contradict each other: one or two may well be deleted."""
        return self.gone > 2 and self.gone == self.wanted

    def remarks(self) -> list[str]:
        """Say what is no gap and still worth saying; for `ScopePull.remark`."""
        if not self.gone or self._all_gone:
            return []
        were = "was" if self.gone == 1 else "were"
        return [f"{self.gone:,} of {self.wanted:,} {self._noun} {were} deleted while they were listed"]
