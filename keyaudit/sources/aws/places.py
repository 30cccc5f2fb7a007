"""What the sources of AWS share: accounts entered, regions found, one scope for each pair."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Generic, TypeVar

from keyaudit.model import Coverage, ScopeStatus
from keyaudit.sources.aws.accounts import Account, Session, enter, own_account, sign_in
from keyaudit.sources.aws.metering import watch
from keyaudit.sources.aws.organization import Members, list_members
from keyaudit.sources.aws.refusals import refusing
from keyaudit.sources.aws.regions import find_regions
from keyaudit.sources.aws.settings import ORGANIZATION, AccountSettings, AwsSettings
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.refusals import RefusedError
from keyaudit.sources.pulling.scope import ScopePull
from keyaudit.sources.pulling.source import Plan, PullingSource

Held = TypeVar("Held", bound=AccountSettings)
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


class AccountSource(PullingSource[Held], Generic[Held]):
    """A source with one scope or more for every account.

    A subclass sets `kind` and `Settings`, and gives `scopes_of`, `scopes_lost` and `columns`.
    """

    @abstractmethod
    def scopes_of(self, account: str, session: Session) -> list[ScopePull]:
        """Make the pulls of an account that could be entered; called for several at once.

        Raises RefusedError if it is not known what there is to ask.
        """

    @abstractmethod
    def scopes_lost(self, account: str) -> Iterable[tuple[str, tuple[str, ...]]]:
        """Name the scopes of an account that could not be entered, each with what it cannot know."""

    def plan(self, pool: Executor) -> Plan:
        """See `PullingSource.plan`."""
        base = sign_in(self.settings)
        own = own_account(base)
        self.identified_by(own.id)
        wanted, found = self._wanted(base, own)
        accounts = list(pool.map(lambda entry: enter(entry, own, base, self.settings), wanted))
        each = list(pool.map(self._begun, accounts))
        scopes = [scope for begun, _ in each for scope in begun]
        if self.settings.whole_organization:
            for scope in scopes:  # nobody named these: one without any credential is no gap among others
                scope.declared, scope.group = False, ORGANIZATION
        return Plan(scopes, [*found, *(coverage for _, lost in each for coverage in lost)])

    def _wanted(self, base: Session, own: Account) -> tuple[Sequence[str], list[Coverage]]:
        if not self.settings.accounts:
            return [own.id], []
        if not self.settings.whole_organization:
            return self.settings.accounts, []
        if own.session is None:
            return [own.id], [self.failed(ORGANIZATION, _NOT_SIGNED_IN)]
        started, meter = self.clock(), Meter(self.pace())
        members = list_members(base, meter)
        coverage = replace(
            self._organization(members),
            calls=meter.calls,
            pages=members.pages,
            started_at=started,
            finished_at=self.clock(),
        )
        return members.entered(own.id, self.settings.skip_accounts), [coverage]

    def _organization(self, members: Members) -> Coverage:
        """Say of the organization itself whether all of its accounts are among the scopes."""
        problems = members.problems()
        failed = members.refusal is not None and not members.pages
        status = ScopeStatus.FAILED if failed else ScopeStatus.PARTIAL if problems else ScopeStatus.COMPLETE
        reasons = problems + members.remarks(self.settings.skip_accounts)
        return Coverage(self.kind, ORGANIZATION, status, credentials=0, reason="; ".join(reasons) or None)

    def _begun(self, account: Account) -> tuple[Sequence[ScopePull], Sequence[Coverage]]:
        """Give the pulls of an account, or what is said of it where there can be none."""
        if account.session is None:
            why = account.refusal.reason if account.refusal is not None else ""
            return [], self._lost(account, f"could not sign in to the account: {why}")
        try:
            scopes = self.scopes_of(account.id, account.session)
        except RefusedError as error:
            return [], self._lost(account, error.refusal.reason)
        for scope in scopes:
            scope.identity = account.identity
        return scopes, []

    def _lost(self, account: Account, reason: str) -> Sequence[Coverage]:
        return [
            self.failed(scope, reason, cannot_know=cannot_know)
            for scope, cannot_know in self.scopes_lost(account.id)
        ]


_NOT_SIGNED_IN = "could not sign in, so the accounts of the organization are not known"


class AwsSource(AccountSource[Checked], Generic[Checked]):
    """A source with a scope for every account and region.

    A subclass sets `kind`, `Settings` and `service` (as botocore names it), and gives `scope_at`,
    `cannot_know` and `columns`.
    """

    service: ClassVar[str]

    @abstractmethod
    def scope_at(self, place: Place, *, declared: bool) -> ScopePull:
        """Make the pull of one place."""

    @abstractmethod
    def cannot_know(self) -> tuple[str, ...]:
        """Name the columns that this service can never fill, or was told not to be asked about."""

    def scopes_of(self, account: str, session: Session) -> list[ScopePull]:
        """See `AccountSource.scopes_of`: one for each region."""
        found = find_regions(session, self.settings, self.service)
        scopes = [
            self.scope_at(Place(account, region, session), declared=found.declared) for region in found.names
        ]
        if found.note:
            for scope in scopes:
                scope.remark(found.note)
        return scopes

    def scopes_lost(self, account: str) -> Iterable[tuple[str, tuple[str, ...]]]:
        """See `AccountSource.scopes_lost`: one for each region that is declared."""
        return [(f"{account}/{region}", self.cannot_know()) for region in self.settings.regions or ("*",)]
