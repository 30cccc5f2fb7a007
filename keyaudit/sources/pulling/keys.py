"""API keys of one holder as the versions of one credential.

The newest key that works is the value in use; older ones that still work are superseded, since
the next one was created. A key that was switched off has whatever state its provider gave it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

from keyaudit.columns import REQUIRED, ROTATION, USE
from keyaudit.inventory.rows import Credential, Version
from keyaudit.sources.pulling.pages import Page
from keyaudit.sources.pulling.scope import ScopePull

COLUMNS = frozenset(
    {
        *REQUIRED,
        "class",
        "provider",
        "owner",
        "labels",
        "reach",
        "created_at",
        "expires_at",
        "versions",
        "versions.id",
        "versions.state",
        "versions.created_at",
        "versions.superseded_at",
        "versions.authenticates",
        *USE,
    }
)
"""What the lists of keys at AI providers fill. Nothing there says environment or tier."""

NEVER_TOLD = ("last_changed_at", "last_rotated_at", *ROTATION, "versions.retired_at")
"""AI providers rotate nothing, date no edit, and do not say since when a key is gone."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key as its provider lists it; times in microseconds.

    `ended` is the state of a key that does not work any more. `authenticates` is null where the
    provider lists a key as enabled and does not say that it works.
    """

    id: str
    created_at: int
    last_used_at: int | None = None
    expires_at: int | None = None
    ended: Literal["disabled", "destroyed"] | None = None
    authenticates: bool | None = True


def current(keys: Iterable[Key]) -> Key | None:
    """Give the key in use: the newest that works."""
    return max((key for key in keys if key.ended is None), key=_age, default=None)


def key_versions(keys: Iterable[Key]) -> list[Version]:
    """Give the versions that keys are, the newest first."""
    versions = []
    successor: Key | None = None
    for key in sorted(keys, key=_age, reverse=True):
        replaced = None if successor is None else successor.created_at
        state = key.ended or ("current" if successor is None else "superseded")
        versions.append(
            Version(
                id=key.id,
                state=state,
                created_at=key.created_at,
                superseded_at=replaced,
                authenticates=False if key.ended else key.authenticates,
                last_used_at=key.last_used_at,
            )
        )
        if key.ended is None:
            successor = key
    return versions


def used_after(last_used_at: int | None, end: int | None) -> bool:
    """Say whether a key was used after its end: then nobody can say that it does not work."""
    return last_used_at is not None and end is not None and last_used_at > end


def newest_use(keys: Iterable[Key]) -> int | None:
    """Give the last use of any of them, None where none is known."""
    return max((key.last_used_at for key in keys if key.last_used_at is not None), default=None)


def _age(key: Key) -> tuple[int, str]:
    return key.created_at, key.id


def with_keys(row: Credential, keys: Sequence[Key]) -> Credential:
    """Fill in what an API key of the row's own source tells by its keys."""
    in_use = current(keys)
    row.cls, row.provider = "api-key", row.source
    row.versions = key_versions(keys)
    row.last_used_at = newest_use(keys)
    row.never_used = None if row.last_used_at is None else False
    row.expires_at = None if in_use is None else in_use.expires_at
    return row


def incomplete(row: Credential) -> Credential:
    """Take back what a key that was not seen might change."""
    row.versions = row.last_used_at = row.expires_at = None
    return row


class Listed(Protocol):
    """An entry of a list of keys."""

    @property
    def id(self) -> str:
        """Give the key's id."""
        ...


Entry = TypeVar("Entry", bound=Listed)


class KeyList(Generic[Entry]):
    """Entries that make credentials only together: several keys of a list may have one holder.

    `whole` says that no key can be missing. Until then a holder's newest key is not known, nor
    which others still work.
    """

    def __init__(self, scope: ScopePull) -> None:
        """`scope` is told of pages, and of what was missed."""
        self._scope = scope
        self._entries: dict[str, Entry] = {}
        self.whole = False

    @property
    def entries(self) -> Sequence[Entry]:
        """Give what was listed so far, each key once."""
        return list(self._entries.values())

    def take(self, pages: Iterator[Page[Entry]]) -> None:
        """Read the list to its end; raises RefusedError where it breaks off."""
        unreadable = repeated = 0
        try:
            for page in pages:
                for entry in page.entries:
                    repeated += entry.id in self._entries
                    self._entries.setdefault(entry.id, entry)
                unreadable += page.unreadable
                self._scope.page(unreadable=page.unreadable)
            self.whole = not unreadable and not repeated
        finally:
            if repeated:
                self._scope.miss(f"{repeated:,} entries were listed twice, so others may have been left out")
