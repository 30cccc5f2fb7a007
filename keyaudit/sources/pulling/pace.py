"""A token bucket for one scope: stay under a provider's quota, and stand still when it says so."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from keyaudit.sources.protocol import StoppedError

LONGEST_HOLD = 120.0
"""Seconds. From a server that wants more, nothing more is asked (`retrying`)."""


class Pace:
    """Lets `per_second` calls through, with up to one second's worth at once; safe for threads.

    A throttled call halves the rate (never below one a second, or the configured rate if that is
    lower); each success wins a hundredth of it back. `hold` is the server's own Retry-After and
    stops every thread of the scope, not only the one that heard it.
    """

    def __init__(
        self, per_second: float, stop: threading.Event, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Start with a full bucket; `monotonic` gives seconds that never run backwards."""
        self._limit = per_second
        self._rate = per_second
        self._stop = stop
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._next = float("-inf")
        self._held_until = float("-inf")

    def wait(self) -> None:
        """Block until the next call may leave; raises StoppedError once the pull was told to stop."""
        with self._lock:
            now = self._monotonic()
            slot = max(self._next, now - 1.0)
            self._next = slot + 1.0 / self._rate
        while (delay := max(slot, self._held_until) - self._monotonic()) > 0:
            if self._stop.wait(delay):
                break
        if self._stop.is_set():
            raise StoppedError

    def rest(self, seconds: float) -> None:
        """Wait, whatever the rate; raises StoppedError as soon as the pull was told to stop."""
        if self._stop.wait(seconds):
            raise StoppedError

    def throttled(self, hold: float | None) -> None:
        """Slow down; `hold` is how many seconds the server asked us to stay away, if it did."""
        with self._lock:
            self._rate = max(self._rate / 2, min(1.0, self._limit))
            if hold is not None:
                until = self._monotonic() + min(hold, LONGEST_HOLD)
                self._held_until = max(self._held_until, until)

    def succeeded(self) -> None:
        """Win back a little of the rate that throttling cost."""
        if self._rate < self._limit:
            with self._lock:
                self._rate = min(self._limit, self._rate + self._limit / 100)
