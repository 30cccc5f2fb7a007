"""One credential's world: a store, a provider, applications that use the key without a pause, a clock.

Time passes in steps within which nothing of the store and the provider changes; so what applications
hold, and for how long it is refused, is worked out to the microsecond without playing each request.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from heapq import heappop, heappush

from keyaudit.rotation.secret import Secret
from keyaudit.rotation.sight import Key
from keyaudit.rotation.simulation.faults import Outages
from keyaudit.rotation.simulation.fleet import Habit, Subject, habits_of
from keyaudit.rotation.simulation.provider import SimulatedProvider
from keyaudit.rotation.stores.memory import MemoryStore


@dataclass(slots=True)
class Application:
    """One that holds a value. `phase` is when in its round it fetches; until `stuck_until` it does not."""

    habit: Habit
    phase: int
    held: Secret
    stuck_until: int = 0
    asks_at: int | None = None
    """When it asks again, having been refused."""

    def fetches_after(self, instant: int) -> int:
        """Give the first instant after one at which it fetches its value."""
        refresh = self.habit.refresh
        instant = max(instant, self.stuck_until)
        regular = instant + refresh - (instant - self.phase) % refresh
        return regular if self.asks_at is None else min(regular, max(self.asks_at, instant))


@dataclass(order=True, slots=True)
class Event:
    """Something that will happen: a key is revoked by somebody (`early`), or leaks (`leak`)."""

    at: int
    what: str
    key_id: str | None = field(compare=False, default=None)


class World:
    """Everything outside a run. `now` is in microseconds; `manager` is when the store is away."""

    def __init__(self, subject: Subject, seed: int, start: int, manager: Outages) -> None:
        self.subject, self.manager = subject, manager
        self.now = start - subject.age
        self.provider = SimulatedProvider(self.clock)
        first = self.provider.mint(None, set())
        value = Secret(first.parts["key"])
        self.store = MemoryStore(subject.name, value, clock=self.clock, key_id=first.key_id)
        self.now = start
        drawn = habits_of(subject.name, subject.applications, seed)
        self.applications = [Application(habit, start + phase, value) for habit, phase in drawn]
        self.refused: Counter[str] = Counter()
        """Microseconds during which applications were refused, by why their key was dead."""
        self.why: dict[str, str] = {}
        """Why a key is dead, by its value; set by whoever ended it."""
        self.happened: list[Event] = []
        self._coming: list[Event] = []

    def clock(self) -> int:
        """Say what time it is."""
        return self.now

    def key(self, key_id: str) -> Key:
        """Give a key by its id."""
        return next(key for key in self.provider.keys() or () if key.id == key_id)

    def served_key(self) -> Key:
        """Give the key that applications are given."""
        current = self.store.look().current
        assert current is not None  # there is one from the beginning
        assert current.key_id is not None  # and it was stored with its key
        return self.key(current.key_id)

    def ended(self, key_id: str, why: str) -> None:
        """Remember why a key is dead; the first reason counts."""
        self.why.setdefault(key_id.replace("key-", "value-"), why)

    def expect(self, event: Event) -> None:
        """Have something happen."""
        heappush(self._coming, event)

    def next_event(self) -> int | None:
        """Say when the next thing will happen."""
        return self._coming[0].at if self._coming else None

    def advance(self, until: int) -> None:
        """Let time pass; what happens on the way is in `happened`."""
        while self._coming and self._coming[0].at <= until:
            event = heappop(self._coming)
            self._pass(max(event.at, self.now))
            if event.what == "early" and event.key_id is not None:
                self.provider.revoke(event.key_id)
                self.ended(event.key_id, "revoked-early")
            self.happened.append(event)
        self._pass(until)

    def use(self) -> None:
        """Have every application use what it holds, now."""
        for application in self.applications:
            self.provider.honours(application.held)

    def _pass(self, until: int) -> None:
        begin, served = self.now, self.store.served()
        for application in self.applications:
            self._live(application, served, begin, until)
        self.now = until

    def _live(self, application: Application, served: Secret, begin: int, end: int) -> None:
        """Live from `begin` to `end`: hold what was held, until the served value is fetched."""
        works = self.provider.works(application.held.reveal())
        if application.held.reveal() == served.reveal():
            if not works:
                self._refuse(application, begin, end)
            return
        if not works and application.asks_at is None and application.habit.again is not None:
            application.asks_at = begin + application.habit.again
        fetched = self._fetched(application, begin)
        if works:
            self.now = min(fetched, end)
            self.provider.honours(application.held)
            self.now = begin
        else:
            self._refuse(application, begin, min(fetched, end))
        if fetched <= end:
            application.held, application.asks_at = served, None
            if not self.provider.works(served.reveal()):
                self._refuse(application, fetched, end)

    def _fetched(self, application: Application, begin: int) -> int:
        """Say when the served value is fetched next: not while the store is away."""
        fetch = application.fetches_after(begin)
        while (up := self.manager.up_from(fetch)) != fetch:
            fetch = application.fetches_after(up)
        return fetch

    def _refuse(self, application: Application, begin: int, end: int) -> None:
        self.refused[self.why.get(application.held.reveal(), "new-key-dead")] += max(end - begin, 0)
