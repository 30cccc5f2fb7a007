"""AWS Secrets Manager: every account that was named, every region, one client for each pair.

A pull costs one call for 100 secrets and, at depth `versions`, one more for each secret that
changed since the last pull.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path

from keyaudit.columns import CREDENTIALS
from keyaudit.inventory.rows import Credential
from keyaudit.model import Coverage, ScopeStatus
from keyaudit.sources.aws.accounts import Account, Session, enter, own_account, sign_in
from keyaudit.sources.aws.copies import share_use
from keyaudit.sources.aws.meter import Meter
from keyaudit.sources.aws.regions import find_regions
from keyaudit.sources.aws.secret_rows import SOURCE, Place
from keyaudit.sources.aws.secret_scope import ScopeOutcome, ScopePull, cannot_know
from keyaudit.sources.aws.settings import AwsSecretsManagerSettings
from keyaudit.sources.aws.version_cache import VersionCache
from keyaudit.sources.protocol import Clock, Progress, Pulled, ScopeProgress

TAGGED = ("reach", "consumers", "exposure", "user_owned")
"""Columns that only a keyaudit: tag fills, collected if any secret has that tag."""

COLUMNS = frozenset(CREDENTIALS) - {*TAGGED, "expires_at", "compromised_at"}
VERSION_COLUMNS = frozenset(
    f"versions.{name}" for name in ("id", "state", "created_at", "superseded_at", "last_used_at", "stages")
) | {"versions"}

_LOOK_UP = 0.2
"""Seconds after which a waiting thread notices an interrupt."""


@dataclass(frozen=True, slots=True)
class _Scope:
    """A place to ask. An undeclared region may well have nothing in it."""

    place: Place
    session: Session
    declared: bool
    note: str | None


class AwsSecretsManager:
    """The source that `kind: aws-secrets-manager` configures. See `protocol.Source`."""

    def __init__(self, settings: AwsSecretsManagerSettings, *, clock: Clock, cache_dir: Path | None) -> None:
        """Take checked settings; `cache_dir` is used where they say `cache: true`."""
        self._settings = settings
        self._clock = clock
        chosen = settings.cache
        self._cache_dir = chosen if isinstance(chosen, Path) else cache_dir if chosen else None
        self._stop = threading.Event()

    @property
    def name(self) -> str:
        """See `Source.name`."""
        return self._settings.name

    def pull(self, progress: Progress) -> Pulled:
        """See `Source.pull`. An interrupt stops every thread before it goes on its way."""
        self._stop.clear()
        base = sign_in(self._settings)
        with ThreadPoolExecutor(self._settings.concurrency, "keyaudit-scopes") as pool:
            try:
                accounts = self._accounts(base, pool)
                scopes, lost = self._scopes(accounts, pool)
                reporter = _Reporter(progress, len(scopes) + len(lost))
                for coverage in lost:
                    reporter.finished(coverage, None)
                outcomes = self._ask(scopes, reporter, pool)
            except BaseException:
                self._stop.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return self._gather(outcomes, lost)

    def _accounts(self, base: Session, pool: ThreadPoolExecutor) -> list[Account]:
        own = own_account(base)
        if not self._settings.accounts:
            return [own]
        return list(pool.map(lambda entry: enter(entry, own, base, self._settings), self._settings.accounts))

    def _scopes(
        self, accounts: Sequence[Account], pool: ThreadPoolExecutor
    ) -> tuple[list[_Scope], list[Coverage]]:
        entered = [(account.id, account.session) for account in accounts if account.session is not None]
        regions = pool.map(lambda pair: find_regions(pair[1], self._settings), entered)
        scopes = [
            _Scope(Place(account, region), session, found.declared, found.note)
            for (account, session), found in zip(entered, regions, strict=True)
            for region in found.names
        ]
        return scopes, [coverage for account in accounts for coverage in self._lost(account)]

    def _lost(self, account: Account) -> list[Coverage]:
        """Give a failed scope for each region of an account that could not be entered."""
        if account.refusal is None:
            return []
        now = self._clock()
        return [
            Coverage(
                source=SOURCE,
                scope=f"{account.id}/{region}",
                status=ScopeStatus.FAILED,
                started_at=now,
                finished_at=now,
                reason=f"could not sign in to the account: {account.refusal.reason}",
                cannot_know=cannot_know(self._settings),
            )
            for region in self._settings.regions or ("*",)
        ]

    def _ask(
        self, scopes: Sequence[_Scope], reporter: _Reporter, pool: ThreadPoolExecutor
    ) -> list[ScopeOutcome]:
        futures = [pool.submit(self._pull_scope, scope, reporter) for scope in scopes]
        pending = set(futures)
        while pending:
            # Once polars is loaded, a signal restarts a wait instead of ending it: look up now and then.
            done, pending = wait(pending, timeout=_LOOK_UP, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()  # a fault of ours ends the pull at once
        outcomes = [future.result() for future in futures]
        pairs = zip(scopes, outcomes, strict=True)
        return [_judge_empty(scope, outcome, outcomes) for scope, outcome in pairs]

    def _pull_scope(self, scope: _Scope, reporter: _Reporter) -> ScopeOutcome:
        place = scope.place
        cache = VersionCache(
            self._cache_file(place), now=self._clock(), version_use=self._settings.version_use
        )
        pull = ScopePull(place, self._settings, cache, self._stop)
        outcome = pull.run(
            lambda: scope.session.client("secretsmanager", place.region),
            self._clock,
            lambda credentials, meter: reporter.moved(place.scope, credentials, meter),
        )
        if scope.note:
            reason = "; ".join(filter(None, (outcome.coverage.reason, scope.note)))
            outcome = replace(outcome, coverage=replace(outcome.coverage, reason=reason))
        reporter.finished(outcome.coverage, pull.meter)
        return outcome

    def _cache_file(self, place: Place) -> Path | None:
        if self._cache_dir is None or self._settings.depth == "list":
            return None
        return self._cache_dir / SOURCE / place.account / f"{place.region}.json"

    def _gather(self, outcomes: Sequence[ScopeOutcome], lost: Sequence[Coverage]) -> Pulled:
        replicated = {arn for outcome in outcomes for arn in outcome.replicated}
        rows = share_use([row for outcome in outcomes for row in outcome.rows], replicated)
        rows.sort(key=lambda row: (row.scope, row.id))
        coverage = sorted([*lost, *(outcome.coverage for outcome in outcomes)], key=lambda each: each.scope)
        return Pulled(rows, tuple(coverage), _columns(rows, self._settings))


def _judge_empty(scope: _Scope, outcome: ScopeOutcome, outcomes: Sequence[ScopeOutcome]) -> ScopeOutcome:
    """Call an empty region that nobody declared complete, if its account has something elsewhere."""
    account = f"{scope.place.account}/"
    if scope.declared or outcome.coverage.status is not ScopeStatus.EMPTY:
        return outcome
    if not any(other.rows for other in outcomes if other.coverage.scope.startswith(account)):
        return outcome
    return replace(outcome, coverage=replace(outcome.coverage, status=ScopeStatus.COMPLETE))


def _columns(rows: Sequence[Credential], settings: AwsSecretsManagerSettings) -> frozenset[str]:
    columns = COLUMNS | {name for name in TAGGED if any(getattr(row, name) is not None for row in rows)}
    if settings.depth == "list":
        return columns
    return columns | (
        VERSION_COLUMNS if settings.version_use else VERSION_COLUMNS - {"versions.last_used_at"}
    )


class _Reporter:
    """Passes progress on, from whichever thread, one report at a time."""

    def __init__(self, progress: Progress, scopes: int) -> None:
        self._progress = progress
        self._scopes = scopes
        self._done = 0
        self._lock = threading.Lock()

    def moved(self, scope: str, credentials: int, meter: Meter) -> None:
        """Report a page."""
        with self._lock:
            self._report(scope, credentials, meter, None)

    def finished(self, coverage: Coverage, meter: Meter | None) -> None:
        """Report what came of a scope, which cost nothing if it was never asked."""
        with self._lock:
            self._done += 1
            self._report(coverage.scope, coverage.credentials or 0, meter, coverage)

    def _report(self, scope: str, credentials: int, meter: Meter | None, coverage: Coverage | None) -> None:
        calls, throttled = (meter.calls, meter.throttled) if meter else (0, 0)
        self._progress(
            ScopeProgress(SOURCE, scope, credentials, calls, throttled, self._done, self._scopes, coverage)
        )
