"""How far live listings have come, on stderr.

A person sees a few moving lines, one a source; a log gets a line a scope and a sign of life now
and then; with `--log-format json` every line is an object:

    source-started    name, source
    scope-progress    name, source, scope, credentials, calls, throttled, done, scopes
    scope-finished    the same, and status, pages, reason
    source-finished   name, source, status, credentials, calls, throttled, scopes, reason
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Self

from keyaudit.cli.outputs import log

if TYPE_CHECKING:
    from keyaudit.model import Coverage
    from keyaudit.sources import Progress as Report
    from keyaudit.sources import ScopeProgress

REDRAWN = 0.1
"""Seconds that a moving line stands at least."""
SIGN_OF_LIFE = 30.0
"""Seconds of silence, of a source, after which a log hears of it."""
A_SECOND = 1.0
"""Machines hear of a scope that often at most, and of its end."""
MOST_LINES = 8
NARROWEST = 20

_WELL = frozenset({"complete", "empty"})


@dataclass
class Standing:
    """How far one source has come: the sums over its scopes."""

    name: str
    kind: str
    done: int = 0
    scopes: int = 0
    credentials: int = 0
    calls: int = 0
    throttled: int = 0
    running: bool = True
    spoken: float = 0.0
    seen: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    heard: dict[str, float] = field(default_factory=dict)
    incomplete: int = 0

    def take(self, report: ScopeProgress) -> None:
        """Add what a report says that the one before of the same scope did not."""
        now = (report.credentials, report.calls, report.throttled)
        before = self.seen.get(report.scope, (0, 0, 0))
        self.seen[report.scope] = now
        self.credentials += now[0] - before[0]
        self.calls += now[1] - before[1]
        self.throttled += now[2] - before[2]
        self.done, self.scopes = report.done, report.scopes
        if report.coverage is not None and report.coverage.status not in _WELL:
            self.incomplete += 1

    def __str__(self) -> str:
        """Say it in a line."""
        return f"{self.name}: {counted(self.done, self.scopes, self.credentials, self.calls, self.throttled)}"


def counted(done: int, scopes: int, credentials: int, calls: int, throttled: int) -> str:
    """Say the numbers of a listing."""
    slowed = f", {throttled:,} throttled" if throttled else ""
    return f"{done:,} of {scopes:,} scopes, {credentials:,} credentials, {calls:,} calls{slowed}"


class Progress:
    """Told by all sources that are listed at the same time, from any thread."""

    def __init__(self, sources: Sequence[tuple[str, str]], *, among: bool = False) -> None:
        """Begin with the name and kind of every source; `among` if one that fails fails not alone.

        Lines move only where a person sees them.
        """
        self._log = log()
        self._among = among or len(sources) > 1
        self._lock = threading.Lock()
        self._over = False
        self._standings = {name: Standing(name, kind) for name, kind in sources}
        self._block = None if self._log.as_json or not _moves() else Block()

    def __enter__(self) -> Self:
        """Begin."""
        for each in self._standings.values():
            self._log.say(None, "source-started", name=each.name, source=each.kind)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """See `end`."""
        self.end()

    def end(self) -> None:
        """Wipe the moving lines for good, also when the listing was broken off."""
        with self._lock:
            if self._block is not None:
                self._block.wipe()
            self._over = True

    def of(self, name: str) -> Report:
        """Give what one source is to be told to call after every page; see `sources.Progress`."""
        standing = self._standings[name]

        def told(report: ScopeProgress) -> None:
            with self._lock:
                if self._over:
                    return
                standing.take(report)
                if report.coverage is None:
                    self._moved(standing, report)
                else:
                    self._scope_finished(standing, report, report.coverage)
                self._draw()

        return told

    def finished(self, name: str, failure: str | None = None) -> None:
        """Say that a source is done, or why it could not begin."""
        with self._lock:
            each = self._standings[name]
            each.running = False
            status = "failed" if failure else "incomplete" if each.incomplete else "complete"
            self._say(
                (failure or f"{each}, done") if self._among else None,
                "source-finished",
                name=each.name,
                source=each.kind,
                status=status,
                credentials=each.credentials,
                calls=each.calls,
                throttled=each.throttled,
                scopes=each.scopes,
                reason=failure,
            )
            self._draw()

    def _moved(self, standing: Standing, report: ScopeProgress) -> None:
        now = time.monotonic()
        if self._log.as_json:
            if now - standing.heard.get(report.scope, float("-inf")) >= A_SECOND:
                standing.heard[report.scope] = now
                self._log.say(None, "scope-progress", **_fields(standing, report))
        elif self._block is None:
            standing.spoken = standing.spoken or now
            if now - standing.spoken >= SIGN_OF_LIFE:
                standing.spoken = now
                self._log.say(f"{standing} so far")

    def _scope_finished(self, standing: Standing, report: ScopeProgress, coverage: Coverage) -> None:
        """Leave a line for what did not go well; for a log, one for every scope."""
        if self._block is not None and coverage.status in _WELL:
            return
        standing.spoken = time.monotonic()
        reason = f": {coverage.reason}" if coverage.reason else ""
        self._say(
            f"{report.source} {report.scope}: {coverage.status}, {report.credentials:,} credentials, "
            f"{report.calls:,} calls{reason}",
            "scope-finished",
            **_fields(standing, report),
            status=str(coverage.status),
            pages=coverage.pages,
            reason=coverage.reason,
        )

    def _say(self, message: str | None, event: str, **fields: object) -> None:
        """Say something that stays, above the lines that move; machines need no sentence."""
        if self._block is not None:
            self._block.wipe()
        self._log.say(None if self._log.as_json else message, event, **fields)

    def _draw(self) -> None:
        if self._block is not None:
            self._block.draw(list(self._standings.values()))


def _fields(standing: Standing, report: ScopeProgress) -> dict[str, object]:
    return {
        "name": standing.name,
        "source": report.source,
        "scope": report.scope,
        "credentials": report.credentials,
        "calls": report.calls,
        "throttled": report.throttled,
        "done": report.done,
        "scopes": report.scopes,
    }


def _moves() -> bool:
    """Say whether lines may move: a person looks, at something that can."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


class Block:
    """A few lines that are written over and over: no colours, and never wider than the window."""

    def __init__(self) -> None:
        """Draw nothing yet."""
        self._lines = 0
        self._drawn = float("-inf")

    def wipe(self) -> None:
        """Take the lines away."""
        if self._lines:
            up = f"\x1b[{self._lines - 1}A" if self._lines > 1 else ""
            sys.stderr.write(f"\r{up}\x1b[J")
            sys.stderr.flush()
        self._lines, self._drawn = 0, float("-inf")

    def draw(self, standings: Sequence[Standing]) -> None:
        """Draw how far each running source has come, and all of them together."""
        now = time.monotonic()
        if now - self._drawn < REDRAWN:
            return
        lines = [_fitted(line) for line in _lines(standings)]
        self.wipe()
        sys.stderr.write("\n".join(lines))
        sys.stderr.flush()
        self._lines, self._drawn = len(lines), now


def _lines(standings: Sequence[Standing]) -> list[str]:
    running = [each for each in standings if each.running]
    lines = [str(each) for each in running[:MOST_LINES]]
    if len(running) > MOST_LINES:
        lines.append(f"and {len(running) - MOST_LINES:,} more sources")
    if len(standings) > 1:
        sums = (
            sum(getattr(each, name) for each in standings)
            for name in ("done", "scopes", "credentials", "calls", "throttled")
        )
        lines.append(f"all {len(standings):,} sources: {counted(*sums)}")
    return lines


def _fitted(line: str) -> str:
    """Cut a line to the window: one that wraps could not be wiped."""
    import shutil

    from rich.cells import cell_len, set_cell_size

    from keyaudit.formats.visible import visible

    width = max(shutil.get_terminal_size((80, 24)).columns - 1, NARROWEST)
    shown = visible(line)
    return shown if cell_len(shown) <= width else set_cell_size(shown, width - 1) + "…"
