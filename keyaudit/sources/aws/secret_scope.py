"""One account and region: list it, ask for versions where needed, and say what was not seen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from keyaudit.inventory.rows import Credential, Version
from keyaudit.model import Coverage, ScopeStatus
from keyaudit.sources.aws.meter import Meter
from keyaudit.sources.aws.refusals import Refusal, expected, explain
from keyaudit.sources.aws.secret_entries import Secret, SecretVersion, secret_pages, versions_of
from keyaudit.sources.aws.secret_rows import (
    SOURCE,
    Place,
    credential_row,
    is_replica,
    is_replicated,
    label_rows,
    version_rows,
)
from keyaudit.sources.aws.settings import AwsSecretsManagerSettings
from keyaudit.sources.aws.version_cache import VersionCache
from keyaudit.sources.aws.version_lists import VersionLists
from keyaudit.sources.pace import Pace
from keyaudit.sources.protocol import Clock

Ticker = Callable[[int, Meter], None]
"""Told how many credentials there are so far, after every page."""


@dataclass
class ScopeOutcome:
    """What one scope gave; `replicated` holds the ids of primaries that have copies elsewhere."""

    coverage: Coverage
    rows: list[Credential] = field(default_factory=list)
    replicated: set[str] = field(default_factory=set)


def cannot_know(settings: AwsSecretsManagerSettings) -> tuple[str, ...]:
    """Name the columns that Secrets Manager cannot fill, or was told not to be asked about.

    A secret has no expiry, and no store knows whether a value still works at its provider.
    """
    unknown = ["expires_at", "versions.authenticates", "versions.retired_at"]
    if settings.depth == "list":
        unknown.append("versions")
    elif not settings.version_use:
        unknown.append("versions.last_used_at")
    return tuple(unknown)


class ScopePull:
    """Pulls one scope. Made, run once, and dropped together with its client; `meter` has its cost."""

    def __init__(
        self, place: Place, settings: AwsSecretsManagerSettings, cache: VersionCache, stop: threading.Event
    ) -> None:
        """Nothing is asked before `run`."""
        self._place = place
        self._settings = settings
        self._cache = cache
        self.meter = Meter(Pace(settings.requests_per_second, stop))
        self._rows: dict[str, Credential] = {}
        self._replicated: set[str] = set()
        self._whole = False
        self._pages = 0
        self._unreadable = 0
        self._repeated = 0
        self._unreadable_versions = 0
        self._refusal: Refusal | None = None

    def run(self, make_client: Callable[[], Any], clock: Clock, tick: Ticker) -> ScopeOutcome:
        """List everything, versions a page at a time; refusals end up in the coverage."""
        started = clock()
        lists: VersionLists | None = None
        with ThreadPoolExecutor(self._settings.calls_per_scope, "keyaudit-versions") as workers:
            try:
                client = self.meter.watch(make_client())
                lists = VersionLists(lambda arn: versions_of(client, arn), workers)
                for page in secret_pages(client):
                    self._pages += 1
                    self._unreadable += page.unreadable
                    self._take(page.entries, lists)
                    tick(len(self._rows), self.meter)
                self._whole = True
            except expected() as error:
                self._refusal = explain(error)
            finally:
                self._cache.save(listed=self._rows if self._whole else None)
        coverage = self._coverage(lists.reasons() if lists else [], started, clock())
        return ScopeOutcome(coverage, list(self._rows.values()), self._replicated)

    def _take(self, secrets: list[Secret], lists: VersionLists) -> None:
        fresh: dict[str, Secret] = {}
        for secret in secrets:
            if secret.arn in self._rows:
                self._repeated += 1
                continue
            try:
                self._rows[secret.arn] = credential_row(secret, self._place)
            except ValueError:
                self._unreadable += 1
                continue
            fresh[secret.arn] = secret
            if is_replicated(secret, self._place):
                self._replicated.add(secret.arn)
        if self._settings.depth == "versions":
            for arn, versions in self._versions(fresh, lists).items():
                self._rows[arn].versions = versions

    def _versions(
        self, secrets: Mapping[str, Secret], lists: VersionLists
    ) -> dict[str, list[Version] | None]:
        """Give what is known of each secret's versions; a copy's versions are those of its primary."""
        known: dict[str, list[Version] | None] = {}
        wanted = []
        for arn, secret in secrets.items():
            if secret.deleted is not None:
                known[arn] = label_rows(secret)
            elif not is_replica(secret, self._place):
                answer = self._cache.recall(secret)
                if answer is None:
                    wanted.append(secret)
                else:
                    known[arn] = self._read(secret, answer)
        for secret, answer in zip(wanted, lists.fetch(wanted), strict=True):
            if answer is None:
                continue
            rows = known[secret.arn] = self._read(secret, answer)
            if rows is not None:
                self._cache.keep(secret, answer)
        self._cache.checkpoint()
        return known

    def _read(self, secret: Secret, answer: list[SecretVersion]) -> list[Version] | None:
        try:
            return version_rows(secret, answer, version_use=self._settings.version_use)
        except ValueError:
            self._unreadable_versions += 1
            return None

    def _coverage(self, refused: list[str], started: int, finished: int) -> Coverage:
        problems = []
        if self._refusal is not None:
            where = f"the list broke off after {self._pages:,} pages: " if self._pages else ""
            problems.append(where + self._refusal.reason)
        if self._unreadable:
            problems.append(f"{self._unreadable:,} entries could not be read")
        if self._repeated:
            problems.append(f"{self._repeated:,} entries were listed twice, so others may have been left out")
        problems += refused
        if self._unreadable_versions:
            problems.append(f"{self._unreadable_versions:,} version lists could not be read")
        notes = [self._cache.note] if self._cache.note else []
        return Coverage(
            source=SOURCE,
            scope=self._place.scope,
            status=self._status(problems),
            credentials=len(self._rows),
            versions=None if self._settings.depth == "list" else self._version_count(),
            calls=self.meter.calls,
            pages=self._pages,
            started_at=started,
            finished_at=finished,
            reason="; ".join(problems + notes) or None,
            cannot_know=cannot_know(self._settings),
        )

    def _status(self, problems: list[str]) -> ScopeStatus:
        if self._refusal is not None and not self._pages:
            return ScopeStatus.FAILED
        if problems:
            return ScopeStatus.PARTIAL
        return ScopeStatus.COMPLETE if self._rows else ScopeStatus.EMPTY

    def _version_count(self) -> int:
        return sum(len(row.versions or ()) for row in self._rows.values())
