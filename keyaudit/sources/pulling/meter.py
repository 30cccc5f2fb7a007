"""What one scope costs: every attempt is counted and paced where it leaves."""

from __future__ import annotations

import threading
import time
from email.utils import parsedate_to_datetime

from keyaudit.sources.pulling.pace import Pace
from keyaudit.times import SECOND, from_datetime


class Meter:
    """Counts the calls and throttles of one scope and keeps it under its pace; safe for threads."""

    def __init__(self, pace: Pace) -> None:
        """Start at zero."""
        self._pace = pace
        self._lock = threading.Lock()
        self._heard: tuple[int, float] | None = None
        self.calls = 0
        self.throttled = 0

    def sending(self) -> None:
        """Wait for the next slot and count one attempt; raises StoppedError."""
        self._pace.wait()
        with self._lock:
            self.calls += 1

    def answered(self) -> None:
        """Note an attempt that went well."""
        self._pace.succeeded()

    def heard(self, date: str | None) -> None:
        """Note what time it was at the server: the `Date` of an answer, if it can be read."""
        try:
            at = from_datetime(parsedate_to_datetime(date or ""))
        except (TypeError, ValueError, OverflowError):
            return
        self._heard = (at, time.monotonic())

    def server_time(self) -> int | None:
        """Give what time it is at the server now, to the second or so; None if it never said."""
        if self._heard is None:
            return None
        at, then = self._heard
        return at + round((time.monotonic() - then) * SECOND)

    def held_back(self, hold: float | None) -> None:
        """Note a throttled attempt; `hold` is the server's own Retry-After in seconds, if it gave one."""
        with self._lock:
            self.throttled += 1
        self._pace.throttled(hold)

    def rest(self, seconds: float) -> None:
        """Wait before an attempt is repeated; raises StoppedError."""
        self._pace.rest(seconds)
