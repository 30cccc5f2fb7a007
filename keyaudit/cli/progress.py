"""How far a live listing has come, on stderr: one moving line for a person, a line a scope for a log."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from keyaudit.cli.outputs import tell

if TYPE_CHECKING:
    from keyaudit.sources import ScopeProgress


class Progress:
    """Told after every page; see `sources.Progress`."""

    def __init__(self) -> None:
        """Draw a moving line only where a person sees it."""
        self._moving = sys.stderr.isatty()
        self._seen: dict[tuple[str, str], tuple[int, int, int]] = {}

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wipe the moving line, also when the listing was broken off."""
        if self._moving:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()

    def __call__(self, report: ScopeProgress) -> None:
        """Say how far a scope has come."""
        self._seen[report.source, report.scope] = (report.credentials, report.calls, report.throttled)
        if report.coverage is not None:
            self._finished(report)
        if self._moving:
            credentials, calls, throttled = (sum(counts) for counts in zip(*self._seen.values(), strict=True))
            slowed = f", {throttled:,} throttled" if throttled else ""
            line = f"scope {report.done:,} of {report.scopes:,}: {credentials:,} credentials, {calls:,} calls"
            sys.stderr.write(f"\r\x1b[2K{line}{slowed}")
            sys.stderr.flush()

    def _finished(self, report: ScopeProgress) -> None:
        """Leave a line for what did not go well; for a log, one for every scope."""
        coverage = report.coverage
        assert coverage is not None
        well = coverage.status in {"complete", "empty"}
        if self._moving and well:
            return
        if self._moving:
            sys.stderr.write("\r\x1b[2K")
        reason = f": {coverage.reason}" if coverage.reason else ""
        tell(
            f"{report.source} {report.scope}: {coverage.status}, {report.credentials:,} credentials, "
            f"{report.calls:,} calls{reason}"
        )
