"""What of one credential, and of what is required of it, is not the same in two reports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from keyaudit.model import PopulationRow, VersionBar, VersionState
from keyaudit.report_difference.changes import Shift
from keyaudit.report_difference.sides import LIMITS, Place, Side
from keyaudit.report_document.kinds import DURATION, Refused
from keyaudit.times import format_duration, format_instant

CLASSIFIED = frozenset({"class", "environment", "tier", "owner"})
"""Facts that a policy may fill in, so that either it or the store may have changed them."""
REQUIRED = frozenset(
    {
        "schedule",
        "rotation_period",
        "grace_period",
        "overdue_tolerance",
        "due_at",
        "clause",
        "requirement_basis",
    }
)
AGEING = frozenset(
    {
        "age_min",
        "age_max",
        "pending_for",
        "old_active_min",
        "old_active_max",
        "old_active_age_min",
        "old_active_age_max",
        "old_enabled_min",
        "old_enabled_max",
        "unused_min",
        "unused_max",
        "overdue_by",
    }
)
"""Evidence that grows as time passes: the instant from which it counts is what must stay the same."""
_OF_THE_AUDIT = frozenset({"as_of", "id", "name", "status", "source", "scope", "reason"})

_FIELDS: Mapping[str, Callable[[PopulationRow], Any]] = {
    "class": lambda row: row.cls,
    "provider": lambda row: row.provider,
    "environment": lambda row: row.environment,
    "tier": lambda row: row.tier,
    "owner": lambda row: row.owner,
    "age_basis": lambda row: row.age_basis,
}


def facts(old: Side, new: Side, place: Place) -> tuple[Shift, ...]:
    """List the facts of a credential in both reports that differ, and that neither clock nor limits make."""
    one, other = old.rows[place], new.rows[place]
    found = [Shift(name, _text(of(one)), _text(of(other))) for name, of in _FIELDS.items()]
    found += _born(one, old.report.as_of, other, new.report.as_of)
    found.append(Shift("versions", _bars(one.versions), _bars(other.versions)))
    found += _evidence(old, new, place, {shift.fact for shift in found})
    return tuple(shift for shift in found if shift.old != shift.new)


def required(old: Side, new: Side, place: Place, rule: str) -> tuple[Shift, ...]:
    """List what is required of a credential in both reports and differs, its rule's own limits included."""
    one, other = old.rows[place], new.rows[place]
    found = [
        Shift("schedule", one.schedule, other.schedule),
        Shift("rotation_period", _long(one.rotation_period), _long(other.rotation_period)),
        Shift("overdue_tolerance", _long(tolerance(old, one)), _long(tolerance(new, other))),
        Shift("grace_period", _long(one.grace_period), _long(other.grace_period)),
    ]
    one_limits, other_limits = old.limits.get(rule, {}), new.limits.get(rule, {})
    found += [
        Shift(name, one_limits[name], other_limits[name])
        for name in sorted(one_limits.keys() & other_limits.keys())
    ]
    return tuple(shift for shift in found if shift.old != shift.new)


def tolerance(side: Side, row: PopulationRow) -> int:
    """Give the days past due before lateness counts, by the schedule's name; microseconds."""
    return side.tolerances.get(row.schedule or "", 0)


def began(value: Any, as_of: int) -> int | None:
    """Turn an age as a report prints it into the instant from which it counts; None if it is no age."""
    try:
        return as_of - int(DURATION.read(value))
    except Refused:
        return None


def _born(one: PopulationRow, then: int, other: PopulationRow, now: int) -> Iterator[Shift]:
    """Compare when the value in use was created: an age says it, whenever it was looked at."""
    ends = ("value_created_at",) * 2
    if one.age_min != one.age_max or other.age_min != other.age_max:
        ends = ("value_created_at, latest", "value_created_at, earliest")
    yield Shift(ends[0], _instant(then, one.age_min), _instant(now, other.age_min))
    if ends[1] != ends[0]:
        yield Shift(ends[1], _instant(then, one.age_max), _instant(now, other.age_max))


def _instant(as_of: int, age: int | None) -> str | None:
    return None if age is None else format_instant(as_of - age)


def _evidence(old: Side, new: Side, place: Place, known: set[str]) -> Iterator[Shift]:
    one, other = old.evidence(place), new.evidence(place)
    apart = known | REQUIRED | LIMITS | _OF_THE_AUDIT
    for fact in one:
        if fact in other and fact not in apart:
            then, now = (_counted(fact, e[fact], s.report.as_of) for e, s in ((one, old), (other, new)))
            yield Shift(fact, then, now)


def _counted(fact: str, value: Any, as_of: int) -> str | None:
    since = began(value, as_of) if fact in AGEING else None
    return _text(value) if since is None else f"since {format_instant(since)}"


def _bars(bars: tuple[VersionBar, ...]) -> str | None:
    return ", ".join(f"{bar.id} {bar.state}{_works(bar)}" for bar in bars) or None


def _works(bar: VersionBar) -> str:
    if bar.usable is None or bar.state is VersionState.CURRENT:
        return ""
    return " (works)" if bar.usable else " (does not work)"


def in_use(row: PopulationRow) -> bool:
    """Say whether a value can be in use: a current one is listed, or versions were not collected."""
    return not row.versions or any(bar.state is VersionState.CURRENT for bar in row.versions)


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


def _long(duration: int | None) -> str | None:
    return None if duration is None else format_duration(duration)
