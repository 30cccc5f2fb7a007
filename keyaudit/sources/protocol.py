"""What every source shares: settings go in, rows and coverage come out, nothing is ever changed.

A source lists credentials and their versions; it never sees a value, a rule or a policy. What
it cannot read is not an exception: the scope's `Coverage` says so and the rest goes on. Only a
source that cannot be started at all raises `SourceError`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from keyaudit.errors import KeyauditError
from keyaudit.model import Coverage

if TYPE_CHECKING:
    from keyaudit.inventory.rows import Credential

Clock = Callable[[], int]
"""Gives the instant now, in microseconds; only the command line has a real one."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """What one pull brought back.

    `rows` are in a stable order: scope, then id. `coverage` has one entry for every scope that was
    asked for. `columns` names what was collected, in the spelling of `model.Collection`; what a
    scope's `cannot_know` lists is not collected there whatever `columns` says.
    """

    rows: Sequence[Credential]
    coverage: tuple[Coverage, ...]
    columns: frozenset[str]


@dataclass(frozen=True, slots=True)
class ScopeProgress:
    """How far one scope has come; the last report of a scope carries its `coverage`.

    `scopes` is how many scopes the whole pull has, `done` how many of them are finished.
    """

    source: str
    scope: str
    credentials: int
    calls: int
    throttled: int
    done: int
    scopes: int
    coverage: Coverage | None = None


Progress = Callable[[ScopeProgress], None]
"""Called after every page, from one thread at a time."""


class Source(Protocol):
    """One configured place where credentials are kept."""

    @property
    def name(self) -> str:
        """Give the name that keyaudit.yaml gave it, the one that `--source NAME` means."""
        ...

    @property
    def stop(self) -> threading.Event:
        """Give what another thread sets to end a pull: it raises StoppedError, and so does any later one."""
        ...

    def pull(self, progress: Progress) -> Pulled:
        """List everything. Raises SourceError if it cannot even begin, nothing else expected."""
        ...


class OperationRefusedError(KeyauditError):
    """Our own code asked for an operation outside the allow-list; nothing was sent."""

    exit_code = 4


class StoppedError(Exception):
    """The pull was told to stop; carries nothing and never reaches a user."""
