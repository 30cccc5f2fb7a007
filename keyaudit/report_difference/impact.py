"""How many findings would come, go and change, counted by what a policy's author thinks in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from keyaudit.report_difference.changes import Change, Kind, ReportDifference
from keyaudit.report_difference.sides import place_of


@dataclass(frozen=True, slots=True)
class Impact:
    """Counts of one rule, environment or schedule; `by` says which of the three `name` is.

    `credentials` counts those that a finding would appear on, change on or leave.
    """

    by: str
    name: str | None
    appeared: int
    changed: int
    gone: int
    credentials: int


def impact(found: ReportDifference) -> tuple[Impact, ...]:
    """Count by rule, by environment and by the schedule that governs now; most first."""
    schedules = {place_of(row): row.schedule for row in found.new.population}
    groups: dict[str, Callable[[Change], str | None]] = {
        "rule": lambda change: f"{change.finding.rule} {change.finding.name}",
        "environment": lambda change: (
            credential.environment if (credential := change.finding.credential) else None
        ),
        "schedule": lambda change: (
            schedules.get(place_of(credential)) if (credential := change.finding.credential) else None
        ),
    }
    return tuple(count for by, name in groups.items() for count in _counts(found, by, name))


def _counts(found: ReportDifference, by: str, name: Callable[[Change], str | None]) -> list[Impact]:
    kinds: dict[str | None, Counter[Kind]] = {}
    touched: dict[str | None, set[tuple[str, str, str]]] = {}
    for change in found.changes:
        if by != "rule" and change.finding.credential is None:
            continue
        kinds.setdefault(name(change), Counter())[change.kind] += 1
        if change.finding.credential is not None:
            touched.setdefault(name(change), set()).add(place_of(change.finding.credential))
    counted = [
        Impact(
            by=by,
            name=key,
            appeared=counts[Kind.APPEARED],
            changed=counts[Kind.CHANGED],
            gone=counts[Kind.FIXED] + counts[Kind.ENDED] + counts[Kind.NOT_SEEN],
            credentials=len(touched.get(key, ())),
        )
        for key, counts in kinds.items()
    ]
    return sorted(counted, key=lambda item: (-item.appeared - item.changed - item.gone, item.name or ""))
