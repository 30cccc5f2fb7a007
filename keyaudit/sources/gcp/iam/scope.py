"""One project of IAM: its service accounts, the keys of each, and when they were used."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

from keyaudit.columns import USE
from keyaudit.sources.gcp.caller import Caller
from keyaudit.sources.gcp.iam.entries import Account, Key
from keyaudit.sources.gcp.iam.rows import SOURCE, credential_row
from keyaudit.sources.gcp.iam.service import Iam, iam
from keyaudit.sources.gcp.iam.settings import GcpIamSettings
from keyaudit.sources.gcp.iam.use import KeyUse, key_use
from keyaudit.sources.gcp.packages import library
from keyaudit.sources.gcp.projects import ProjectScope
from keyaudit.sources.pulling.each import Each
from keyaudit.sources.pulling.pace import Pace
from keyaudit.sources.pulling.refusals import RefusedError


def cannot_know(settings: GcpIamSettings) -> tuple[str, ...]:
    """Name the columns that IAM can never fill, or that were told not to be asked about."""
    unknown = ("created_at", "last_changed_at", "last_rotated_at")
    return unknown if settings.last_use else (*unknown, *USE)


class KeysScope(ProjectScope):
    """Lists the service accounts of one project that have keys of their users' making.

    While the API is off in a project, keys that were made before still sign in.
    """

    source = SOURCE

    def __init__(
        self, project: str, caller: Caller, settings: GcpIamSettings, pace: Pace, *, now: int
    ) -> None:
        """Judge what has expired at `now`. Nothing is asked before `run`."""
        super().__init__(project, caller, settings, pace, cannot_know=cannot_know(settings))
        self._settings = settings
        self._now = now
        self._accounts: set[str] = set()
        self._listed_twice = 0

    def list_project(self) -> None:
        """See `ProjectScope.list_project`."""
        service = Iam(self.client(iam().IAMClient))
        with ThreadPoolExecutor(self._settings.calls_per_scope, "keyaudit-keys") as workers:
            lists: Each[Account, list[Key]] = Each(
                lambda account: self._keys(service, account), workers, "key lists", gone=[]
            )
            try:
                for page in service.accounts(self.scope):
                    self._take(page.entries, lists)
                    self.page(unreadable=page.unreadable)
            finally:
                self._sum_up(lists)
        if self._accounts and not self.rows:
            self.nothing_left_to_list(
                f"service accounts seen: {len(self._accounts):,}; none has a key that users made"
            )

    def _take(self, accounts: Sequence[Account], lists: Each[Account, list[Key]]) -> None:
        fresh = [account for account in accounts if account.name not in self._accounts]
        self._listed_twice += len(accounts) - len(fresh)
        self._accounts.update(account.name for account in fresh)
        for account, keys in zip(fresh, lists.fetch(fresh), strict=True):
            if keys:
                self.add(credential_row(account, keys, self._use, scope=self.scope, now=self._now))

    def _sum_up(self, lists: Each[Account, list[Key]]) -> None:
        self.settle(lists)
        if self._listed_twice:
            self.miss(
                f"{self._listed_twice:,} service accounts were listed twice, so others may have been left out"
            )

    def _keys(self, service: Iam, account: Account) -> list[Key]:
        return self.answers.once(account.name, list[Key], lambda: service.keys(account))

    @cached_property
    def _use(self) -> KeyUse:
        """Asked for once, when the first key was seen."""
        if not self._settings.last_use:
            return KeyUse()
        client = self.client(library("google.cloud.monitoring_v3").MetricServiceClient)
        try:
            return key_use(client, self.scope, self._now)
        except RefusedError as error:
            self.remark(f"last use is not known: {error.refusal.reason}")
            return KeyUse()
