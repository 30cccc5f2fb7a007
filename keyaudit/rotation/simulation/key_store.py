"""A dictionary of keys that can be rotated: the shortest rotation there is, to learn it by and to try.

    store = KeyStore()
    store.set("openai", "sk-old-key", created=datetime(2024, 12, 1))
    store.check_overdue(max_age_days=30)     # [{"key": "openai", "age_days": 45, "overdue_days": 15}]
    store.rotate("openai", "sk-new-key")     # both keys are valid
    store.finalize_rotation("openai")        # the old one is not any more

With `grace`, what was replaced stays valid for that long after `finalize_rotation`, and until then
`rollback` goes back to it. Several values may be pending for one key; each is valid. Time is the
clock's; `advance` moves it. What happened is in `events` and in the log, by name, without a value.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypedDict

from keyaudit.rotation.simulation.clock import Clock, in_utc

logger = logging.getLogger(__name__)

AT_ONCE = timedelta(0)


class Overdue(TypedDict):
    """A key that is older than it may be; days are whole days that have passed."""

    key: str
    age_days: int
    overdue_days: int


@dataclass(frozen=True, slots=True)
class KeyEvent:
    """One thing that happened to a key: `set`, `started`, `finalized`, `rolled back`, `retired`."""

    at: datetime
    key: str
    what: str


@dataclass(frozen=True, slots=True)
class _Value:
    text: str = field(repr=False)
    created: datetime
    ends: datetime | None = None
    """When it stops being valid; None while nothing has replaced it."""


@dataclass(frozen=True, slots=True)
class _Entry:
    current: _Value
    pending: tuple[_Value, ...] = ()
    retiring: tuple[_Value, ...] = ()
    """What was replaced and is still valid, the earliest first."""
    back: _Value | None = None
    """What `rollback` goes back to when nothing is pending."""

    def valid(self) -> Iterator[_Value]:
        yield from (self.current, *self.pending, *self.retiring)


class KeyStore:
    """Keys by name. Values are given by `get` alone: no event, log line or repr has one."""

    def __init__(self, *, clock: Callable[[], datetime] | None = None, grace: timedelta = AT_ONCE) -> None:
        """`clock` may be a `Clock` shared with others; without one, it is the wall clock's time."""
        if grace < AT_ONCE:
            raise ValueError("grace cannot be negative")
        self._clock = clock if isinstance(clock, Clock) else Clock(clock)
        self._grace = grace
        self._store: dict[str, _Entry] = {}
        self._events: list[KeyEvent] = []

    @property
    def events(self) -> tuple[KeyEvent, ...]:
        """What happened so far, the earliest first."""
        for name in self._store:
            self._entry(name)
        return tuple(self._events)

    def advance(self, by: timedelta) -> None:
        """Travel forward in time."""
        self._clock.advance(by)

    def set(self, name: str, value: str, created: datetime | None = None) -> None:
        """Store a key; whatever was stored or pending under its name is not valid any more.

        `created` without an offset is taken to be in UTC; without any it is now.
        """
        made = self._clock() if created is None else in_utc(created)
        self._store[name] = _Entry(_Value(value, made))
        self._say(name, "set")

    def get(self, name: str) -> str:
        """Give the current value; raises KeyError for a name that there is not."""
        return self._entry(name).current.text

    def check_overdue(self, max_age_days: int = 30) -> list[Overdue]:
        """List the keys of which more than so many whole days have passed since they were created."""
        ages = {name: (self._clock() - entry.current.created).days for name, entry in self._store.items()}
        return [
            Overdue(key=name, age_days=days, overdue_days=days - max_age_days)
            for name, days in ages.items()
            if days > max_age_days
        ]

    def rotate(self, name: str, new_value: str) -> None:
        """Begin a rotation: the new value is valid beside all others; raises KeyError."""
        if name not in self._store:
            raise KeyError(f"Key {name} not found")
        entry = self._entry(name)
        made = _Value(new_value, self._clock())
        self._store[name] = replace(entry, pending=(*entry.pending, made))
        self._say(name, "started")

    def is_valid(self, name: str, value: str) -> bool:
        """Say whether a value works: it is the current one, pending, or replaced within its grace."""
        if name not in self._store:
            return False
        asked = value.encode()
        found = [hmac.compare_digest(held.text.encode(), asked) for held in self._entry(name).valid()]
        return any(found)

    def finalize_rotation(self, name: str, value: str | None = None) -> None:
        """Make the newest pending value current, or the one that is named; older ones are given up.

        What was current stays valid for the grace. Raises ValueError if nothing such is pending,
        KeyError for a name that there is not.
        """
        entry, now = self._entry(name), self._clock()
        place = _place(entry.pending, value)
        if place is None:
            raise ValueError("No pending rotation")
        old = replace(entry.current, ends=now + self._grace)
        passed_over = tuple(replace(given_up, ends=old.ends) for given_up in entry.pending[:place])
        self._store[name] = _Entry(
            current=replace(entry.pending[place], created=now),
            pending=entry.pending[place + 1 :],
            retiring=(*entry.retiring, old, *passed_over),
            back=old,
        )
        self._say(name, "finalized")
        self._entry(name)

    def rollback(self, name: str, value: str | None = None) -> None:
        """Abort what is pending, all of it or the one value that is named.

        With nothing pending, what was replaced last becomes current again while its grace lasts, and
        what had replaced it is valid for a grace of its own. After that there is no way back, and
        nothing happens. Raises KeyError for a name that there is not.
        """
        entry = self._entry(name)
        if entry.pending:
            place = _place(entry.pending, value)
            if value is not None and place is None:
                raise ValueError("No pending rotation")
            left = () if value is None else tuple(v for at, v in enumerate(entry.pending) if at != place)
            self._store[name] = replace(entry, pending=left)
        elif entry.back is not None:
            taken_back = replace(entry.current, ends=self._clock() + self._grace)
            rest = tuple(held for held in entry.retiring if held is not entry.back)
            self._store[name] = _Entry(replace(entry.back, ends=None), (), (*rest, taken_back))
        else:
            return
        self._say(name, "rolled back")

    def _entry(self, name: str) -> _Entry:
        """Give an entry without what has ended by now."""
        entry, now = self._store[name], self._clock()
        over = [held for held in entry.retiring if held.ends is not None and held.ends <= now]
        if over:
            rest = tuple(held for held in entry.retiring if held not in over)
            entry = replace(entry, retiring=rest, back=None if entry.back in over else entry.back)
            self._store[name] = entry
            for held in over:
                self._say(name, "retired", held.ends)
        return entry

    def _say(self, name: str, what: str, at: datetime | None = None) -> None:
        event = KeyEvent(at or self._clock(), name, what)
        self._events.append(event)
        logger.info("key %s: %s", name, what)


def _place(pending: tuple[_Value, ...], value: str | None) -> int | None:
    """Say which pending value is meant: the newest for None."""
    if value is None:
        return len(pending) - 1 if pending else None
    return next((at for at, held in enumerate(pending) if held.text == value), None)
