"""A clock that can be moved: the wall clock, or another one, ahead by what it was moved.

The simulation runs in programs and tutorials of others, without the command line around it; so this
is a place of its own that may look at the wall clock.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class Clock:
    """Gives aware datetimes in UTC. Several stores and monitors may share one, and move together."""

    def __init__(self, now: Callable[[], datetime] | None = None) -> None:
        """`now` is what time it is; without it, the wall clock's."""
        self._now = now or _wall
        self._ahead = timedelta(0)

    def __call__(self) -> datetime:
        """Say what time it is."""
        return in_utc(self._now()) + self._ahead

    def advance(self, by: timedelta) -> None:
        """Travel forward; raises ValueError for a way back, on which what has ended would begin again."""
        if by < timedelta(0):
            raise ValueError("time goes forward only")
        self._ahead += by


def in_utc(moment: datetime) -> datetime:
    """Give an instant in UTC. One without an offset is taken to be in UTC, on every machine alike."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _wall() -> datetime:
    return datetime.now(UTC)
