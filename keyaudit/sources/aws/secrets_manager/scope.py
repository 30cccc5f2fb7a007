"""One account and region of Secrets Manager: list it, and ask for versions where needed."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from keyaudit.inventory.rows import Version
from keyaudit.sources.aws.places import Place
from keyaudit.sources.aws.secrets_manager.entries import Secret, SecretVersion, secret_pages, versions_of
from keyaudit.sources.aws.secrets_manager.rows import (
    SOURCE,
    credential_row,
    is_replica,
    is_replicated,
    label_rows,
    version_rows,
)
from keyaudit.sources.aws.secrets_manager.settings import AwsSecretsManagerSettings
from keyaudit.sources.aws.secrets_manager.version_cache import VersionCache
from keyaudit.sources.pulling.each import Each
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.scope import ScopePull


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


class SecretScope(ScopePull):
    """Lists the secrets of one place; versions a page at a time."""

    source = SOURCE

    def __init__(
        self,
        place: Place,
        settings: AwsSecretsManagerSettings,
        meter: Meter,
        cache: VersionCache,
        *,
        declared: bool,
    ) -> None:
        """Nothing is asked before `run`."""
        super().__init__(
            place.scope, meter, cannot_know=cannot_know(settings), group=place.account, declared=declared
        )
        self._place = place
        self._settings = settings
        self._cache = cache
        self._unreadable_versions = 0

    def collect(self) -> None:
        """See `ScopePull.collect`."""
        client = self._place.client("secretsmanager", self.meter, raw=True)
        with ThreadPoolExecutor(self._settings.calls_per_scope, "keyaudit-versions") as workers:
            lists: Each[Secret, list[SecretVersion]] = Each(
                lambda secret: versions_of(client, secret.arn), workers, "version lists"
            )
            try:
                for page in secret_pages(client):
                    unreadable = page.unreadable + self._take(page.entries, lists)
                    self.page(unreadable=unreadable)
            finally:
                self.settle(lists)
        if self._unreadable_versions:
            self.miss(f"{self._unreadable_versions:,} version lists could not be read")

    def closed(self) -> None:
        """See `ScopePull.closed`."""
        self._cache.save(listed=self.rows if self.whole else None)
        if self._cache.note:
            self.remark(self._cache.note)

    def _take(self, secrets: list[Secret], lists: Each[Secret, list[SecretVersion]]) -> int:
        """Take a page's entries; gives how many could not be read."""
        fresh: dict[str, Secret] = {}
        unreadable = 0
        for secret in secrets:
            try:
                row = credential_row(secret, self._place)
            except ValueError:
                unreadable += 1
                continue
            if not self.add(row):
                continue
            fresh[secret.arn] = secret
            if is_replicated(secret, self._place):
                self.replicated.add(secret.arn)
        if self._settings.depth == "versions":
            for arn, versions in self._versions(fresh, lists).items():
                self.rows[arn].versions = versions
        return unreadable

    def _versions(
        self, secrets: Mapping[str, Secret], lists: Each[Secret, list[SecretVersion]]
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
