"""One scope: what was listed, what was missed, and the coverage that says so.

    class Topics(ScopePull):
        source = "acme"

        def collect(self) -> None:
            for page in walk(self._ask):
                for entry in page.entries:
                    self.add(row(entry))
                self.page(unreadable=page.unreadable)

What `collect` lets go as RefusedError breaks the list off; what it leaves out it says by `miss`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

from keyaudit.errors import MissingExtraError, SourceError
from keyaudit.inventory.rows import Credential
from keyaudit.model import Coverage, ScopeStatus
from keyaudit.sources.protocol import Clock, StoppedError
from keyaudit.sources.pulling.each import Each
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.outcome import ScopeOutcome
from keyaudit.sources.pulling.refusals import Kind, Refusal, RefusedError, unexpected
from keyaudit.sources.pulling.unfinished import Answers
from keyaudit.times import MINUTE, describe_duration

TOLERATED = 5 * MINUTE
"""By how much clocks may differ."""

Ticker = Callable[[int, Meter], None]
"""Told how many credentials there are so far, after every page."""


class ScopePull(ABC):
    """Lists one scope: made, run once, and dropped. A source overrides `collect`.

    `group` names what a scope belongs to (an account, a project): where nobody declared the scope
    by name and its group has credentials elsewhere, an empty one is complete. `cannot_know` goes
    into the coverage as it is.
    """

    source: ClassVar[str]
    most: ClassVar[int] = 5_000_000
    """Credentials in one scope: ten times what the largest of these services allows."""

    def __init__(
        self,
        scope: str,
        meter: Meter,
        *,
        cannot_know: tuple[str, ...] = (),
        group: str | None = None,
        declared: bool = True,
    ) -> None:
        """Nothing is asked before `run`."""
        self.scope = scope
        self.meter = meter
        self.group = group
        self.declared = declared
        self.rows: dict[str, Credential] = {}
        self.replicated: set[str] = set()
        self.answers = Answers()
        self.identity: str | None = None
        self.whole = False
        self.compares_clocks = False
        self._cannot_know = cannot_know
        self._pages = 0
        self._unreadable = 0
        self._repeated = 0
        self._looked_into = False
        self._missed: list[str] = []
        self._remarks: list[str] = []
        self._refusal: Refusal | None = None
        self._tick: Ticker | None = None

    @abstractmethod
    def collect(self) -> None:
        """List everything by `add`, `page`, `miss` and `remark`; a RefusedError may just be let go."""

    def closed(self) -> None:  # noqa: B027 - most scopes have nothing to put away
        """Put away what outlives the scope (a cache, a channel); called however `collect` ended."""

    def asked_as(self) -> str | None:
        """Say as whom the scope was asked: a name, and nothing that one could sign in with."""
        return self.identity

    def add(self, row: Credential) -> bool:
        """Take a credential; False, and noted, if this scope listed its id before.

        Raises RefusedError for a list that does not seem to end.
        """
        if row.id in self.rows:
            self._repeated += 1
            return False
        if len(self.rows) >= self.most:
            raise RefusedError(Kind.REPEATED, saying=f"more than {self.most:,} credentials")
        self.rows[row.id] = row
        return True

    def page(self, *, unreadable: int = 0) -> None:
        """Count a page of the list, and the entries on it that could not be read."""
        self._pages += 1
        self._unreadable += unreadable
        self.moved()

    def moved(self) -> None:
        """Report how far the scope has come, where a page takes long."""
        if self._tick is not None:
            self._tick(len(self.rows), self.meter)

    def settle(self, asked: Each[Any, Any]) -> None:
        """Take over what became of items that were asked for one by one."""
        self.miss(*asked.reasons())
        for note in asked.remarks():
            self.remark(note)

    def miss(self, *reasons: str) -> None:
        """Say what was not seen although it is there: the scope is then partial."""
        self._missed += reasons

    def remark(self, note: str) -> None:
        """Say something about how the scope was listed that takes nothing from its completeness."""
        self._remarks.append(note)

    def nothing_left_to_list(self, note: str) -> None:
        """Say that what could hold credentials was there and holds none: complete, then, not empty."""
        self._looked_into = True
        self.remark(note)

    def run(self, clock: Clock, tick: Ticker) -> ScopeOutcome:
        """List the scope. Refusals and faults of ours end up in its coverage; raises StoppedError."""
        self._tick = tick
        started = clock()
        try:
            self.collect()
            self.whole = True
        except RefusedError as error:
            self._refusal = error.refusal
        except (StoppedError, MissingExtraError, SourceError):
            raise
        except Exception as error:  # noqa: BLE001 - what one server can provoke must not end every audit
            self._refusal = unexpected(error)
        finally:
            self.closed()
        if self.answers.recalled:
            self.remark(f"{self.answers.recalled:,} answers are those of a pull that was interrupted")
        if self.compares_clocks:
            self._compare(clock())
        coverage = self._coverage(started, clock())
        return ScopeOutcome(coverage, list(self.rows.values()), frozenset(self.replicated))

    def _compare(self, now: int) -> None:
        """Ages are counted from this machine's clock: one that is off makes keys younger or older."""
        there = self.meter.server_time()
        if there is not None and abs(now - there) > TOLERATED:
            how = "ahead of" if now > there else "behind"
            by = describe_duration(abs(now - there) // MINUTE * MINUTE)
            self.miss(f"this machine's clock is {by} {how} the server's, so ages would be wrong")

    def _coverage(self, started: int, finished: int) -> Coverage:
        problems = self._problems()
        counted = "versions" not in self._cannot_know
        return Coverage(
            source=self.source,
            scope=self.scope,
            status=self._status(problems),
            credentials=len(self.rows),
            versions=sum(len(row.versions or ()) for row in self.rows.values()) if counted else None,
            calls=self.meter.calls,
            pages=self._pages,
            started_at=started,
            finished_at=finished,
            reason="; ".join(problems + self._remarks) or None,
            cannot_know=self._cannot_know,
            identity=self.asked_as(),
        )

    def _problems(self) -> list[str]:
        problems = []
        if self._refusal is not None:
            pages = f"{self._pages:,} page{'' if self._pages == 1 else 's'}"
            where = f"the list broke off after {pages}: " if self._pages else ""
            problems.append(where + self._refusal.reason)
        if self._unreadable:
            problems.append(f"{self._unreadable:,} entries could not be read")
        if self._repeated:
            problems.append(f"{self._repeated:,} entries were listed twice, so others may have been left out")
        return problems + self._missed

    def _status(self, problems: list[str]) -> ScopeStatus:
        if self._refusal is not None and not self._pages:
            return ScopeStatus.FAILED
        if problems:
            return ScopeStatus.PARTIAL
        return ScopeStatus.COMPLETE if self.rows or self._looked_into else ScopeStatus.EMPTY
