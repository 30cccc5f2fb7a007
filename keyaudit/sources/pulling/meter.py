"""What one scope costs: every attempt is counted and paced where it leaves."""

from __future__ import annotations

import threading

from keyaudit.sources.pulling.pace import Pace


class Meter:
    """Counts the calls and throttles of one scope and keeps it under its pace; safe for threads."""

    def __init__(self, pace: Pace) -> None:
        """Start at zero."""
        self._pace = pace
        self._lock = threading.Lock()
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

    def held_back(self, hold: float | None) -> None:
        """Note a throttled attempt; `hold` is the server's own Retry-After in seconds, if it gave one."""
        with self._lock:
            self.throttled += 1
        self._pace.throttled(hold)

    def rest(self, seconds: float) -> None:
        """Wait before an attempt is repeated; raises StoppedError."""
        self._pace.rest(seconds)
