"""One project of Secret Manager, or one location in it: list it, and ask for each secret's versions.

Nothing in the list says that a secret got a version, so every pull asks for all of them: what a
pull before had learned is used only to finish one that was broken off.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from keyaudit.sources.gcp.caller import Caller
from keyaudit.sources.gcp.projects import ProjectScope
from keyaudit.sources.gcp.secret_manager.entries import Secret, SecretVersion
from keyaudit.sources.gcp.secret_manager.rows import CANNOT_KNOW, SOURCE, credential_row, version_rows
from keyaudit.sources.gcp.secret_manager.service import Service, client_class, endpoint
from keyaudit.sources.gcp.secret_manager.settings import GcpSecretManagerSettings
from keyaudit.sources.pulling.each import Each
from keyaudit.sources.pulling.pace import Pace

BATCH = 100
"""Secrets after whose versions progress is reported."""


def cannot_know(settings: GcpSecretManagerSettings) -> tuple[str, ...]:
    """Name the columns that Secret Manager cannot fill, or was told not to be asked about."""
    return (*CANNOT_KNOW, "versions") if settings.depth == "list" else CANNOT_KNOW


class SecretScope(ProjectScope):
    """Lists the global secrets of a project, or those of one location."""

    source = SOURCE
    unused_when_off = True

    def __init__(
        self,
        project: str,
        caller: Caller,
        settings: GcpSecretManagerSettings,
        pace: Pace,
        *,
        location: str | None = None,
        declared: bool = True,
    ) -> None:
        """Nothing is asked before `run`."""
        super().__init__(project, caller, settings, pace, cannot_know=cannot_know(settings))
        if location is not None:
            self.scope = f"{self.scope}/locations/{location}"
        self.declared = declared
        self._settings = settings
        self._host = None if location is None else endpoint(location)
        self._listed = 0
        self._unreadable_versions = 0

    def regional(self) -> list[str]:
        """Name the locations of the project, on this scope's account; raises RefusedError."""
        client = self.client(client_class())
        try:
            return Service(client).locations(self.scope)
        finally:
            client.transport.close()

    def list_project(self) -> None:
        """See `ProjectScope.list_project`."""
        service = Service(self.client(client_class(), host=self._host))
        with ThreadPoolExecutor(self._settings.calls_per_scope, "keyaudit-versions") as workers:
            lists: Each[Secret, list[SecretVersion]] = Each(
                partial(self._ask, service), workers, "version lists"
            )
            try:
                for page in service.secrets(self.scope):
                    self._listed += len(page.entries) + page.unreadable
                    unreadable = page.unreadable
                    for start in range(0, len(page.entries), BATCH):
                        unreadable += self._take(page.entries[start : start + BATCH], lists)
                        self.moved()
                    self.page(unreadable=unreadable)
            finally:
                self.settle(lists)
                self._account(service.counted)

    def _account(self, counted: int) -> None:
        if self._unreadable_versions:
            self.miss(f"{self._unreadable_versions:,} version lists could not be read")
        if counted > self._listed:
            self.miss(f"the service counts {counted:,} secrets and listed {self._listed:,}")

    def _take(self, secrets: Sequence[Secret], lists: Each[Secret, list[SecretVersion]]) -> int:
        """Take some entries; gives how many could not be read."""
        unreadable = 0
        fresh = []
        for secret in secrets:
            try:
                row = credential_row(secret, self.scope)
            except ValueError:
                unreadable += 1
                continue
            if self.add(row):
                fresh.append(secret)
        if self._settings.depth == "versions":
            for secret, versions in zip(fresh, lists.fetch(fresh), strict=True):
                if versions is not None:
                    self._put(secret, versions)
        return unreadable

    def _ask(self, service: Service, secret: Secret) -> list[SecretVersion]:
        key = f"{secret.name} {secret.etag}"
        return self.answers.once(key, list[SecretVersion], lambda: service.versions(secret.name))

    def _put(self, secret: Secret, versions: Sequence[SecretVersion]) -> None:
        try:
            self.rows[secret.name].versions = version_rows(secret, versions)
        except ValueError:
            self._unreadable_versions += 1
