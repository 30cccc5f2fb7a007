"""What a source brings along to be tested like every other one.

A case plants the same things in its own emulator: two scopes, the first of which can be broken,
credentials in both, and secret values that must never be seen again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from keyaudit.sources import Pulled, Source

CANARY = "CANARY"
"""Is part of every secret value, session token and secret key that a case plants."""

FAULTS = {
    "denied": "failed",
    "versions-denied": "partial",
    "one-version-list-denied": "partial",
    "throttled": "failed",
    "throttled-by-status": "failed",
    "throttled-once": "complete",
    "server-error": "failed",
    "server-error-once": "complete",
    "timeout": "failed",
    "reset": "failed",
    "reset-once": "complete",
    "truncated": "failed",
    "truncated-once": "complete",
    "bad-json": "failed",
    "no-list": "failed",
    "wrong-shape": "failed",
    "unreadable-entry": "partial",
    "unreadable-time": "partial",
    "expired-at-once": "failed",
    "expired-in-the-list": "partial",
    "expired-in-the-versions": "partial",
    "bad-signature": "failed",
    "hostile-code": "failed",
    "scope-not-enabled": "failed",
    "slow": "complete",
    "empty-page": "complete",
    "duplicate-page": "partial",
    "repeated-token": "partial",
    "refused-token": "partial",
}
"""What the broken scope must come to; the other one stays complete."""


class SourceCase(Protocol):
    broken: str
    healthy: str
    clock_at: int

    def source(self, **settings: Any) -> Source:
        """Open the source on both scopes."""
        ...

    def break_with(self, fault: str) -> None:
        """Make the first scope fail in one of the ways of `FAULTS`."""
        ...

    def operations(self) -> set[str]:
        """Name what was asked for so far as the provider's permissions spell it."""
        ...

    def granted(self) -> set[str]:
        """Name what the shipped least-privilege policy grants, or what needs no grant."""
        ...

    def pull(self, **settings: Any) -> Pulled:
        """Open and pull, watched by nobody."""
        ...

    @property
    def cache_dir(self) -> Path:
        """Where the source may keep answers."""
        ...
