"""What is known of the world: credentials as columns, and what was asked for to know them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from keyaudit.model.period import HistoryFile


class ScopeStatus(StrEnum):
    """What came of asking one scope."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    FAILED = "failed"
    EMPTY = "empty"


class VersionState(StrEnum):
    """Where one value is in its life."""

    PENDING = "pending"
    CURRENT = "current"
    SUPERSEDED = "superseded"
    DISABLED = "disabled"
    DESTROYED = "destroyed"


EVERY_SCOPE = "*"
"""The scope of a source that found none, or could not begin: nobody knows which ones it would have had."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """One scope that was asked for and what came of it.

    `cannot_know` names columns that this store can never fill (GCP has no last use). `identity` is as whom
    it was asked, such as the ARN of a role; None where that is not known.
    """

    source: str
    scope: str
    status: ScopeStatus
    credentials: int | None = None
    versions: int | None = None
    calls: int | None = None
    pages: int | None = None
    started_at: int | None = None
    finished_at: int | None = None
    reason: str | None = None
    cannot_know: tuple[str, ...] = ()
    identity: str | None = None


@dataclass(frozen=True, slots=True)
class Collection:
    """Rows that carry the same columns: one document, or one scope that cannot know some of them.

    `columns` holds the names that were collected: credential columns by their flat name
    (`last_used_at`, `rotation_enabled`), version columns as `versions.last_used_at`, and
    `versions` itself. A column outside it was *not collected*; a null inside it is *not known*.
    """

    columns: frozenset[str]
    source: str | None = None
    scope: str | None = None


@dataclass(frozen=True)
class History:
    """What an inventory was widened by: earlier inventories, audit logs, rotation records.

    `sha256` is the digest of the one document, `keyaudit/history/1`, that all of it comes to. `looks`
    are the instants at which inventories were collected, in order. `recalled` counts versions that the
    inventory no longer lists, `vanished` credentials, `contradictions` dates of a version that another
    list contradicts, or by more than a day a log or a record: those of the last list are kept.
    """

    sha256: str
    files: tuple[HistoryFile, ...]
    looks: tuple[int, ...]
    recalled: int
    vanished: int
    contradictions: int = 0
    by_scope: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True)
class Inventory:
    """Credentials with their versions, as columns, and what was asked for to get them.

    `credentials` is a polars LazyFrame with the columns of `columns.CREDENTIALS`:
    one row a credential, `row` its number, `collection` an index into `collections`, and
    `versions` a list of structs. `parquet` is set when those columns lie unchanged in Parquet
    files that another engine can read in place. With a `history` there are the columns of
    `columns.RECALLED` too, and rows of credentials that are no longer listed: those have no versions.
    """

    credentials: pl.LazyFrame
    coverage: tuple[Coverage, ...]
    collections: tuple[Collection, ...]
    collected_at: int | None
    digest: Callable[[], str]
    parquet: tuple[str, ...] = ()
    history: History | None = None

    @property
    def sha256(self) -> str:
        """The digest of the documents as they were read, computed when first asked for."""
        return self.digest()
