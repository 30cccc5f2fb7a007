"""From candidates to rotations: what falls due when, what is one act, and what nobody can say.

Copies of one lineage in one environment are one rotation: a provider's key and the secrets that hold it
change together, and fall due with the first of them. A copy whose environment nobody filled in (a
provider's own row, mostly) goes with the others if those are of one environment.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from keyaudit.planning.model import Candidate, Rotation, Terms, Unplanned
from keyaudit.planning.wording import AGE_NOT_KNOWN, MAY_BE_OVERDUE, NO_SCHEDULE

Key = tuple[str | None, str | None, tuple[str, str, str] | None]


@dataclass(frozen=True, slots=True)
class Sorted:
    """What can be planned, whenever it falls due, what cannot, and how many do not rotate."""

    rotations: tuple[Rotation, ...]
    unplanned: tuple[Unplanned, ...]
    without: int


def sort(candidates: Iterable[Candidate], terms: Terms) -> Sorted:
    """Group what has a due date, in the order of the due dates, and set aside what has none."""
    dated, unplanned, without = list[Candidate](), list[Unplanned](), 0
    for candidate in candidates:
        if candidate.rotation_period is None and not candidate.unscheduled:
            without += 1
        elif (why := _unplannable(candidate, terms.as_of)) is not None:
            unplanned.append(Unplanned(candidate, why))
        else:
            dated.append(candidate)
    groups: dict[Key, list[Candidate]] = {}
    only = _only_environments(dated)
    for candidate in dated:
        groups.setdefault(_key(candidate, only), []).append(candidate)
    rotations = sorted(
        (_rotation(members, terms.as_of) for members in groups.values()),
        key=lambda one: (one.due_from, one.first.key),
    )
    return Sorted(tuple(rotations), tuple(sorted(unplanned, key=lambda one: one.candidate.key)), without)


def _unplannable(candidate: Candidate, as_of: int) -> str | None:
    if candidate.rotation_period is None:
        return NO_SCHEDULE
    if _overdue(candidate, as_of):
        return None
    if candidate.due_from is None:
        return AGE_NOT_KNOWN
    return MAY_BE_OVERDUE if candidate.due_from < as_of else None


def _overdue(candidate: Candidate, as_of: int) -> bool:
    """Say whether the value is surely past its due date, as KA101 compares: exactly due is not."""
    return candidate.due_by is not None and candidate.due_by < as_of


def _only_environments(candidates: Iterable[Candidate]) -> dict[str, str | None]:
    """Give each lineage the one environment that its copies are said to be in; None for several."""
    found: dict[str, str | None] = {}
    for one in candidates:
        if one.lineage is not None and one.environment is not None:
            same = found.setdefault(one.lineage, one.environment) == one.environment
            found[one.lineage] = one.environment if same else None
    return found


def _key(candidate: Candidate, only: dict[str, str | None]) -> Key:
    lineage = candidate.lineage
    if lineage is None:
        return None, None, candidate.key
    return lineage, candidate.environment or only.get(lineage), None


def _rotation(members: Iterable[Candidate], as_of: int) -> Rotation:
    """Make one of copies, the one that is due first before the others."""

    def due(one: Candidate) -> int:
        known = one.due_by if one.due_from is None else one.due_from
        assert known is not None, "what has neither was set aside"
        return known

    ordered = sorted(members, key=lambda one: (due(one), one.key))
    period = ordered[0].rotation_period
    assert period is not None, "what has none was set aside"
    overdue = any(_overdue(one, as_of) for one in ordered)
    return Rotation(tuple(ordered), due(ordered[0]), period, overdue)
