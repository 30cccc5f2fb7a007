"""Ages of keys, and which of them are too old: what `keyaudit scan` does, in one dictionary.

monitor = KeyRotationMonitor(max_age_days=30)
monitor.register_key("openai_prod", datetime(2024, 12, 15))
for overdue in monitor.check_all_keys():
    send_alert(overdue)
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from keyaudit.rotation.simulation.clock import Clock, in_utc
from keyaudit.rotation.simulation.key_store import Overdue

logger = logging.getLogger(__name__)


class KeyRotationMonitor:
    """Tracks when keys were created; `clock` as in `KeyStore`."""

    def __init__(self, max_age_days: int = 30, *, clock: Callable[[], datetime] | None = None) -> None:
        self.max_age = timedelta(days=max_age_days)
        self.key_creation_dates: dict[str, datetime] = {}
        self._clock = clock or Clock()

    def register_key(self, key_name: str, created_at: datetime) -> None:
        """Track a key. A time without an offset is taken to be in UTC."""
        self.key_creation_dates[key_name] = in_utc(created_at)

    def check_all_keys(self) -> list[Overdue]:
        """List the keys that need rotation, with a warning in the log for each.

        To the instant, unlike `KeyStore.check_overdue`, which counts whole days: a key one hour past
        its age is listed here, as 0 days overdue.
        """
        now = in_utc(self._clock())
        found = []
        for name, created in self.key_creation_dates.items():
            age = now - created
            if age > self.max_age:
                found.append(Overdue(key=name, age_days=age.days, overdue_days=(age - self.max_age).days))
                logger.warning("Key %s is %d days old (max: %d)", name, age.days, self.max_age.days)
        return found
