"""The clock: nothing else looks at it."""

from __future__ import annotations


def now() -> int:
    """Give this instant, in microseconds since the epoch, UTC."""
    from datetime import UTC, datetime

    from keyaudit.times import from_datetime

    return from_datetime(datetime.now(UTC))
