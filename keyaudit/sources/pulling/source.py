"""A source: plan its scopes, pull them at once, gather what they gave.

    class Acme(PullingSource[AcmeSettings]):
        kind = "acme"
        Settings = AcmeSettings

        def plan(self, pool: Executor) -> Plan: ...
        def columns(self, rows: Sequence[Credential]) -> frozenset[str]: ...

`pulling/scope.py` has what a plan is made of.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from keyaudit.errors import MissingExtraError, SourceError
from keyaudit.inventory.rows import Credential
from keyaudit.model import EVERY_SCOPE, Coverage, ScopeStatus
from keyaudit.sources.labels import distrust, say_exempt
from keyaudit.sources.protocol import Clock, Progress, Pulled, ScopeProgress, StoppedError
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.outcome import ScopeOutcome
from keyaudit.sources.pulling.pace import Pace
from keyaudit.sources.pulling.refusals import RefusedError, unexpected
from keyaudit.sources.pulling.scope import ScopePull
from keyaudit.sources.pulling.settings import PullSettings
from keyaudit.sources.pulling.unfinished import Unfinished, resumed

_LOOK_UP = 0.2
"""Seconds after which a waiting thread notices an interrupt."""

Checked = TypeVar("Checked", bound=PullSettings)


@dataclass(frozen=True)
class Plan:
    """The scopes to ask, and the coverage of those that could not even be begun."""

    scopes: Sequence[ScopePull]
    lost: Sequence[Coverage] = ()


class PullingSource(ABC, Generic[Checked]):
    """What a kind of source inherits: settings, clock, and `pull`. See `protocol.Source`.

    A subclass sets `kind` and `Settings` and gives `plan` and `columns`; `finish` where rows of
    different scopes tell of each other, `coverage` where one place that is asked lists several scopes.
    """

    kind: ClassVar[str]
    Settings: ClassVar[type[PullSettings]]

    def __init__(
        self,
        settings: Checked,
        *,
        clock: Clock,
        cache_dir: Path | None,
        environment: Mapping[str, str] | None = None,
        compare_clocks: bool = False,
    ) -> None:
        """Take checked settings; `cache_dir` is used where they say `cache: true`.

        `compare_clocks` holds the clock against the servers' own: only a real one can stand that.
        """
        self.settings = settings
        self.clock = clock
        self._environment = environment or {}
        self._compare_clocks = compare_clocks
        self._identity: set[str] = set()
        chosen = settings.cache
        self.cache_dir = chosen if isinstance(chosen, Path) else cache_dir if chosen else None
        self.stop = threading.Event()

    @property
    def name(self) -> str:
        """See `Source.name`."""
        return self.settings.name

    def key(self, variable: str) -> str:
        """Give the key that an environment variable holds; raises SourceError if it holds none."""
        value = self._environment.get(variable, "").strip()
        self.identified_by(value)
        if not value:
            raise SourceError(
                f"source {self.name}: the environment variable {variable} is not set",
                hint=f"export {variable}, or name another one in keyaudit.yaml",
            )
        return value

    def identified_by(self, text: str) -> None:
        """Say who asks (an account, a principal, a key): nothing of another's pull is ever taken up.

        Only a digest of all that was said leaves this object.
        """
        self._identity.add(text)

    @abstractmethod
    def plan(self, pool: Executor) -> Plan:
        """Find the scopes; raises SourceError if there is nothing to sign in with."""

    @abstractmethod
    def columns(self, rows: Sequence[Credential]) -> frozenset[str]:
        """Name what was asked for, in the spelling of `columns.NAMES`."""

    def finish(self, outcomes: Sequence[ScopeOutcome]) -> list[Credential]:
        """Give the rows of all scopes together."""
        return [row for outcome in outcomes for row in outcome.rows]

    def coverage(self, outcomes: Sequence[ScopeOutcome]) -> list[Coverage]:
        """Give the coverage of all scopes; overridden where asking one place lists several scopes."""
        return [outcome.coverage for outcome in outcomes]

    def pace(self, per_second: float | None = None) -> Pace:
        """Make a token bucket that ends with this pull; scopes that share a quota share one."""
        return Pace(per_second or self.settings.requests_per_second, self.stop)

    def failed(self, scope: str, reason: str, *, cannot_know: tuple[str, ...] = ()) -> Coverage:
        """Give the coverage of a scope that could not be begun."""
        now = self.clock()
        return Coverage(
            source=self.kind,
            scope=scope,
            status=ScopeStatus.FAILED,
            credentials=0,
            started_at=now,
            finished_at=now,
            reason=reason,
            cannot_know=cannot_know,
        )

    def pull(self, progress: Progress) -> Pulled:
        """See `Source.pull`. An interrupt stops every thread, for good, before it goes on its way."""
        plan, outcomes = self._listed(progress)
        outcomes = _judge_empty(plan.scopes, outcomes)
        rows = sorted(self.finish(outcomes), key=lambda row: (row.scope, row.id))
        distrust(rows, trusted=self.settings.trust_labels)
        every = [*plan.lost, *say_exempt(self.coverage(outcomes), rows)]
        if not every:
            nothing = self.failed(EVERY_SCOPE, "nothing was found that could be listed")
            every = [replace(nothing, status=ScopeStatus.EMPTY)]
        return Pulled(rows, tuple(sorted(every, key=lambda each: each.scope)), self.columns(rows))

    def _listed(self, progress: Progress) -> tuple[Plan, list[ScopeOutcome]]:
        with ThreadPoolExecutor(self.settings.concurrency, "keyaudit-scopes") as pool:
            try:
                plan = self._distinct(self._planned(pool))
                unfinished = self._unfinished()
                reporter = _Reporter(self.kind, progress, len(plan.scopes) + len(plan.lost))
                for coverage in plan.lost:
                    reporter.finished(coverage, None)
                outcomes = self._ask(plan.scopes, reporter, pool, unfinished)
            except BaseException:
                self.stop.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        unfinished.close()
        return plan, outcomes

    def _planned(self, pool: Executor) -> Plan:
        """Plan; what goes wrong while scopes are looked for leaves nothing but its own gap."""
        try:
            return self.plan(pool)
        except (StoppedError, MissingExtraError, SourceError):
            raise
        except RefusedError as error:
            return Plan([], [self.failed(EVERY_SCOPE, error.refusal.reason)])
        except Exception as error:  # noqa: BLE001 - what one server can provoke must not end every audit
            return Plan([], [self.failed(EVERY_SCOPE, unexpected(error).reason)])

    def _unfinished(self) -> Unfinished:
        """Open what an interrupted pull left; only now is it known who asks."""
        identity = "\0".join(sorted(self._identity))
        return Unfinished(self.cache_dir, self.settings.model_dump_json(), identity, now=self.clock())

    def _distinct(self, plan: Plan) -> Plan:
        """Let no scope answer for another of its name: all but the first are lost."""
        first: dict[str, ScopePull] = {}
        for scope in plan.scopes:
            first.setdefault(scope.scope, scope)
        doubled = [scope for scope in plan.scopes if first[scope.scope] is not scope]
        lost = [self.failed(scope.scope, "another place of this pull has the same name") for scope in doubled]
        return Plan(list(first.values()), [*plan.lost, *lost])

    def _ask(
        self, scopes: Sequence[ScopePull], reporter: _Reporter, pool: Executor, unfinished: Unfinished
    ) -> list[ScopeOutcome]:
        futures = [pool.submit(self._run, scope, reporter, unfinished) for scope in scopes]
        pending = set(futures)
        while pending:
            # Once polars is loaded, a signal restarts a wait instead of ending it: look up now and then.
            done, pending = wait(pending, timeout=_LOOK_UP, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()  # a fault of ours ends the pull at once
            if pending and self.stop.is_set():
                raise StoppedError
        return [future.result() for future in futures]

    def _run(self, scope: ScopePull, reporter: _Reporter, unfinished: Unfinished) -> ScopeOutcome:
        known = unfinished.recall(scope.scope)
        if known is not None:
            outcome = resumed(known)
        else:
            answers = scope.answers = unfinished.answers(scope.scope)
            scope.compares_clocks = self._compare_clocks
            try:
                outcome = scope.run(
                    self.clock, lambda credentials, meter: reporter.moved(scope.scope, credentials, meter)
                )
            except BaseException:
                answers.save()
                raise
            unfinished.keep(outcome)
        reporter.finished(outcome.coverage, scope.meter)
        return outcome


def _judge_empty(scopes: Sequence[ScopePull], outcomes: Sequence[ScopeOutcome]) -> list[ScopeOutcome]:
    """Call an empty scope that nobody declared complete, if its group has something elsewhere."""
    lively = {scope.group for scope, outcome in zip(scopes, outcomes, strict=True) if outcome.rows}

    def judged(scope: ScopePull, outcome: ScopeOutcome) -> ScopeOutcome:
        empty = outcome.coverage.status is ScopeStatus.EMPTY
        if not empty or scope.declared or scope.group is None or scope.group not in lively:
            return outcome
        return replace(outcome, coverage=replace(outcome.coverage, status=ScopeStatus.COMPLETE))

    return [judged(scope, outcome) for scope, outcome in zip(scopes, outcomes, strict=True)]


class _Reporter:
    """Passes progress on, from whichever thread, one report at a time."""

    def __init__(self, kind: str, progress: Progress, scopes: int) -> None:
        self._kind = kind
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
            ScopeProgress(
                self._kind, scope, credentials, calls, throttled, self._done, self._scopes, coverage
            )
        )
