"""What the sources of AWS share: accounts entered, regions found, one scope for each pair."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from keyaudit.model import Coverage
from keyaudit.sources.aws.accounts import Account, Session, enter, own_account, sign_in
from keyaudit.sources.aws.metering import watch
from keyaudit.sources.aws.refusals import refusing
from keyaudit.sources.aws.regions import Regions, find_regions
from keyaudit.sources.aws.settings import AwsSettings
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.scope import ScopePull
from keyaudit.sources.pulling.source import Plan, PullingSource

Checked = TypeVar("Checked", bound=AwsSettings)


@dataclass(frozen=True, slots=True)
class Place:
    """An account and region to ask, and the session to ask with."""

    account: str
    region: str
    session: Session

    @property
    def scope(self) -> str:
        """Give the scope as coverage and rows spell it."""
        return f"{self.account}/{self.region}"

    def client(self, service: str, meter: Meter, *, raw: bool = False) -> Any:
        """Make a client whose calls `meter` counts; see `metering.watch`. Raises RefusedError."""
        with refusing():
            return watch(self.session.client(service, self.region), meter, raw=raw)


class AwsSource(PullingSource[Checked], Generic[Checked]):
    """A source with a scope for every account and region.

    A subclass sets `kind`, `Settings` and `service` (as botocore names it), and gives `scope_at`,
    `cannot_know` and `columns`.
    """

    service: ClassVar[str]

    def scope_at(self, place: Place, *, declared: bool) -> ScopePull:
        """Make the pull of one place."""
        raise NotImplementedError

    def cannot_know(self) -> tuple[str, ...]:
        """Name the columns that this service can never fill, or was told not to be asked about."""
        raise NotImplementedError

    def plan(self, pool: Executor) -> Plan:
        """See `PullingSource.plan`."""
        accounts = self.accounts(pool)
        entered = [(account.id, account.session) for account in accounts if account.session is not None]
        regions = pool.map(lambda pair: find_regions(pair[1], self.settings, self.service), entered)
        scopes = [
            scope
            for (account, session), found in zip(entered, regions, strict=True)
            for scope in self._in_account(account, session, found)
        ]
        return Plan(scopes, [coverage for account in accounts for coverage in self.lost(account)])

    def accounts(self, pool: Executor) -> list[Account]:
        """Enter every account that the settings name; raises SourceError as `sign_in` does."""
        base = sign_in(self.settings)
        own = own_account(base)
        if not self.settings.accounts:
            return [own]
        return list(pool.map(lambda entry: enter(entry, own, base, self.settings), self.settings.accounts))

    def _in_account(self, account: str, session: Session, found: Regions) -> list[ScopePull]:
        scopes = [
            self.scope_at(Place(account, region, session), declared=found.declared) for region in found.names
        ]
        if found.note:
            for scope in scopes:
                scope.remark(found.note)
        return scopes

    def lost(self, account: Account) -> Sequence[Coverage]:
        """Give a failed scope for each region of an account that could not be entered."""
        if account.refusal is None:
            return []
        reason = f"could not sign in to the account: {account.refusal.reason}"
        return [
            self.failed(f"{account.id}/{region}", reason, cannot_know=self.cannot_know())
            for region in self.settings.regions or ("*",)
        ]
