"""One listing of a whole organisation is evidence about each project in it: so it says of each."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from keyaudit.model import Coverage
from keyaudit.sources.pulling.outcome import ScopeOutcome


def by_project(outcome: ScopeOutcome) -> list[Coverage]:
    """Give the coverage of the place that was asked, and of every scope whose credentials it listed.

    The calls belong to the place alone; what it could not see, none of its scopes can call seen.
    """
    asked = outcome.coverage
    credentials = Counter(row.scope for row in outcome.rows)
    if asked.scope in credentials and len(credentials) == 1:
        return [asked]
    versions = Counter(dict.fromkeys(credentials, 0))
    for row in outcome.rows:
        versions[row.scope] += len(row.versions or ())
    counted = asked.versions is not None

    def of(scope: str) -> Coverage:
        return replace(
            asked,
            scope=scope,
            credentials=credentials[scope],
            versions=versions[scope] if counted else None,
        )

    parts = [
        replace(
            of(scope),
            calls=None,
            pages=None,
            reason="; ".join(filter(None, (f"listed with {asked.scope}", asked.reason))),
        )
        for scope in sorted(credentials)
        if scope != asked.scope
    ]
    return [of(asked.scope), *parts]
