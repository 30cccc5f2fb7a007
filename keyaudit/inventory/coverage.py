"""One scope described twice becomes one row of coverage, which claims no more than both do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import reduce

import polars as pl

from keyaudit.inventory.collected import columns_by_scope
from keyaudit.model import Collection, Coverage, ScopeStatus

_TWICE = "described by more than one inventory, each with other credentials or none"


def merge_coverage(
    rows: Iterable[Coverage], frame: pl.LazyFrame, collections: Sequence[Collection]
) -> tuple[Coverage, ...]:
    """Merge the coverage of several inventories, in the order in which scopes first appear.

    `frame` has all their credentials. What one of them says cannot be known is known after all
    if another one carries it for the same scope.
    """
    scopes: dict[tuple[str, str], list[Coverage]] = {}
    for row in rows:
        scopes.setdefault((row.source, row.scope), []).append(row)
    merged = [reduce(_both, described) for described in scopes.values()]
    if not any(row.cannot_know for row in merged):
        return tuple(merged)
    carried = columns_by_scope(collections, frame)
    return tuple(_without_known(row, carried.get((row.source, row.scope), frozenset())) for row in merged)


def _without_known(row: Coverage, carried: frozenset[str]) -> Coverage:
    return replace(row, cannot_know=tuple(name for name in row.cannot_know if name not in carried))


def _both(first: Coverage, second: Coverage) -> Coverage:
    reasons = [first.reason, second.reason]
    status = _status(first, second)
    if status is ScopeStatus.PARTIAL and ScopeStatus.PARTIAL not in {first.status, second.status}:
        reasons.append(_TWICE)
    return Coverage(
        source=first.source,
        scope=first.scope,
        status=status,
        credentials=_sum(first.credentials, second.credentials),
        versions=_sum(first.versions, second.versions),
        calls=_sum(first.calls, second.calls),
        pages=_sum(first.pages, second.pages),
        started_at=min(_known(first.started_at, second.started_at), default=None),
        finished_at=max(_known(first.finished_at, second.finished_at), default=None),
        reason="; ".join(dict.fromkeys(filter(None, reasons))) or None,
        cannot_know=tuple(name for name in first.cannot_know if name in second.cannot_know),
        identity=first.identity if first.identity == second.identity else None,
    )


def _status(first: Coverage, second: Coverage) -> ScopeStatus:
    """Two claims to be whole contradict each other when one lists what the other does not.

    What looks like one scope may be two places of one name, and one of them may have been empty.
    """
    statuses = {first.status, second.status}
    if statuses <= {ScopeStatus.COMPLETE, ScopeStatus.EMPTY}:
        if _holds_nothing(first) and _holds_nothing(second):
            return ScopeStatus.EMPTY if ScopeStatus.EMPTY in statuses else ScopeStatus.COMPLETE
        return ScopeStatus.PARTIAL
    return ScopeStatus.FAILED if statuses == {ScopeStatus.FAILED} else ScopeStatus.PARTIAL


def _holds_nothing(scope: Coverage) -> bool:
    return scope.status is ScopeStatus.EMPTY or scope.credentials == 0


def _sum(first: int | None, second: int | None) -> int | None:
    return None if first is None or second is None else first + second


def _known(*moments: int | None) -> Sequence[int]:
    return [moment for moment in moments if moment is not None]
