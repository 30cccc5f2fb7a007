"""What a source brings along to be tested like every other one.

A case plants credentials in its own server: in two scopes, the first of which can be broken (or in
one, where a provider lists everything at once), and secret values that must never be seen again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from keyaudit.sources import Pulled, ScopeProgress, Source

CANARY = "CANARY"
"""Is part of every secret value, session token and secret key that a case plants."""

MATRIX = (
    "denied",
    "throttled",
    "throttled-once",
    "server-error",
    "server-error-once",
    "timeout",
    "reset",
    "reset-once",
    "truncated",
    "bad-json",
    "expired-at-once",
    "expired-half-way",
    "slow",
    "duplicate-page",
    "repeated-token",
)
"""Every source meets each of these, or says in `CANNOT_HAPPEN` why it never will."""


def nobody(progress: ScopeProgress) -> None:
    """Watch nothing."""


class SourceCase(Protocol):
    """The class carries the table of its faults; an instance is a planted server."""

    FAULTS: dict[str, str]
    """What the broken scope comes to, by fault: `MATRIX`, and what only this source can meet."""
    CANNOT_HAPPEN: dict[str, str]
    """Faults of `MATRIX` that this provider's protocol rules out, and why."""

    broken: str
    healthy: str | None
    clock_at: int

    def source(self, **settings: Any) -> Source:
        """Open the source on all scopes."""
        ...

    def pull(self, **settings: Any) -> Pulled:
        """Open and pull, watched by nobody."""
        ...

    def break_with(self, fault: str) -> None:
        """Make the first scope fail in one of the ways of `FAULTS`."""
        ...

    def with_an_empty_scope(self) -> tuple[Pulled, str]:
        """Pull with one more declared scope that has nothing in it; gives its name as well."""
        ...

    def requests(self) -> int:
        """Count what the server was asked so far, signing in included."""
        ...

    def operations(self) -> set[str]:
        """Name what was asked for so far as the provider's permissions spell it."""
        ...

    def granted(self) -> set[str]:
        """Name which of `operations` the shipped least-privilege policy grants, or what needs no grant."""
        ...

    @property
    def cache_dir(self) -> Path:
        """Where the source may keep answers."""
        ...
