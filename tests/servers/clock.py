"""What time it is for a server: the wall's, or the time that a test says.

    clock = Clock()            # runs with the wall
    clock.set(instant)         # stands still there
    clock.advance(60 * SECOND)

Instants are microseconds since the epoch, UTC, as everywhere.
"""

from __future__ import annotations

import threading
import time


class Clock:
    """Safe to share between servers and threads; once `set`, it moves by `advance` only."""

    def __init__(self, at: int | None = None) -> None:
        self._lock = threading.Lock()
        self._at = at
        self._ahead = 0

    def __call__(self) -> int:
        with self._lock:
            return self._ahead + (time.time_ns() // 1000 if self._at is None else self._at)

    def set(self, at: int) -> None:
        with self._lock:
            self._at, self._ahead = at, 0

    def advance(self, by: int) -> None:
        """Let `by` microseconds pass."""
        with self._lock:
            self._ahead += by
