"""One value of the rotation ledger: when it was replaced, how early or late, how long it stayed usable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from keyaudit.facts.promotions import Period
from keyaudit.model import Grace, LedgerEntry, LedgerResult, Recorded

_LATE = (LedgerResult.LATE, LedgerResult.OVERDUE)
_WORDS = ("store", "inventory", "audit-log", "record")
"""Whose word a date may be, the best first: a store's own, and what those who are audited wrote down last."""
_SWITCHED_OFF = ("disabled", "destroyed")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """What was required of a credential in one part of a period, in microseconds; None for nothing."""

    first: int
    last: int
    rotation_period: int | None
    overdue_tolerance: int
    grace_period: int | None

    @property
    def limit(self) -> int | None:
        """How old a value may be before it counts as late."""
        return None if self.rotation_period is None else self.rotation_period + self.overdue_tolerance


def asked_of(row: Row, period: Period) -> tuple[Asked, ...]:
    """Give what was required of a credential in each part of the period."""
    return tuple(
        Asked(
            first,
            last,
            row[f"rotation_period~{j}"],
            row[f"overdue_tolerance~{j}"] or 0,
            row[f"grace_period~{j}"],
        )
        for j, (first, last) in enumerate(period.parts)
    )


def entry(
    value: Row,
    successor: Row | None,
    recorded: Recorded | None,
    asked: Sequence[Asked],
    *,
    is_key: bool | None,
) -> LedgerEntry:
    """Make one entry. `is_key` says whether it must still decrypt or verify; None is not known."""
    result, due = LedgerResult(value["result"]), value["due_at"]
    start, end = _replaced(value, asked)
    early = _early(due, start, end, asked[-1].last)
    out_max = _out(asked, value["oldest_at"], value["since_earliest"], value["at_most"])
    out_min = 0
    if value["certain"]:
        out_min = _out(asked, value["made_at"], value["since"], value["surely"])
    overlap = _overlap(value, start, end, asked[-1].last)
    return LedgerEntry(
        version=value["version"],
        created_at=value["made_at"],
        due_at=due,
        replaced_from=start,
        replaced_to=end,
        replaced_by=successor["version"] if successor is not None and start is not None else None,
        result=result,
        early_min=early[0],
        early_max=early[1],
        out_min=out_min,
        out_max=max(out_min, out_max),
        overlap_min=overlap[0],
        overlap_max=overlap[1],
        grace=_grace(overlap, start, asked, is_key),
        basis=_basis(value, successor if start is not None else None),
        recorded=recorded if start is not None else None,
    )


def _basis(value: Row, successor: Row | None) -> str:
    """Say on whose word it rests: where no end is said, on whoever says when the next one was made too."""
    said = [value["basis"] or "store"]
    if successor is not None and value["ended_at"] is None:
        said.append(successor["basis"] or "store")
    return max(said, key=_WORDS.index)


def _replaced(value: Row, asked: Sequence[Asked]) -> tuple[int | None, int | None]:
    """Bound when a value was replaced, inside the period."""
    first, last = asked[0].first, asked[-1].last
    surely, at_most = value["surely"], value["at_most"]
    if surely is not None and surely > last:
        return None, None
    latest = at_most if at_most <= last else None
    earliest = surely if surely is not None else value["made_at"]
    return max(first, earliest if earliest is not None else first), latest


def _early(due: int | None, start: int | None, end: int | None, last: int) -> tuple[int | None, int | None]:
    """Bound the time from the replacement to the due date; what goes on counts once it is due."""
    if due is None:
        return None, None
    if start is None:
        return (due - last, due - last) if due <= last else (None, None)
    return due - (last if end is None else end), due - start


def _out(asked: Sequence[Asked], made: int | None, since: int | None, until: int) -> int:
    """Add up how long a value was in use in the period beyond its limit, with what each part allowed.

    A value of no date may have been beyond it all the time.
    """
    total, ended = 0, None
    for part in asked:
        if part.limit is None:
            continue
        starts = max(part.first, part.first if since is None else since)
        starts = starts if made is None else max(starts, made + part.limit)
        ends = min(until, part.last)
        if ends > starts:
            # Where it was beyond both, the microsecond between two parts is out as well.
            total += ends - starts + (ended == starts - 1)
            ended = ends
    return total


def _overlap(value: Row, start: int | None, end: int | None, last: int) -> tuple[int | None, int | None]:
    """Bound how long a replaced value stayed usable, which counts to the end of the period.

    Switched off before it was replaced is not at all.
    """
    if start is None:
        return None, None
    gone, replaced_by = value["retired_at"], last if end is None else end
    if gone is not None:
        return max(0, min(gone, last) - replaced_by), max(0, gone - start)
    off = value["authenticates"] is False or value["state"] in _SWITCHED_OFF
    if value["authenticates"] and not off:
        return max(0, last - replaced_by), None
    seen, unseen = value["usable_at"], value["unusable_by"]
    least = 0 if seen is None else max(0, min(seen, last) - replaced_by)
    return least, None if unseen is None else max(least, unseen - start)


def _grace(
    overlap: tuple[int | None, int | None],
    start: int | None,
    asked: Sequence[Asked],
    is_key: bool | None,  # noqa: FBT001 - three-valued
) -> Grace:
    """Compare the overlap with the grace of the part in which the value was replaced."""
    if start is None or is_key:
        return Grace.NOT_ASKED
    allowed = next(part.grace_period for part in asked if start <= part.last or part is asked[-1])
    if allowed is None:
        return Grace.NOT_ASKED
    least, most = overlap
    if most is not None and most <= allowed:
        return Grace.KEPT
    if least is not None and least > allowed and is_key is False:
        return Grace.BROKEN
    return Grace.UNKNOWN
