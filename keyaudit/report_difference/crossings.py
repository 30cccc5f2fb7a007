"""When a verdict turned by the clock alone: the instant at which an age passed its limit."""

from __future__ import annotations

from collections.abc import Mapping

from keyaudit.model import Finding
from keyaudit.report_difference.changes import Cause, Reason, Shift
from keyaudit.report_difference.shifts import AGEING, began, tolerance
from keyaudit.report_difference.sides import Place, Side
from keyaudit.report_document.kinds import DURATION, Refused
from keyaudit.times import DAY, format_instant, parse_instant

TIMELESS = frozenset({"KA106", "KA107", "KA110", "KA301", "KA302", "KA502", "KA601"})
"""Rules that look at no age and no date: time alone never turns them."""

OF_PERIOD = frozenset({"KA111", "KA701", "KA702"})
"""Rules that ask what happened in a period: when the audit was made does not turn them."""

DUE = frozenset({"KA101", "KA102", "KA103"})
"""Rules about the due date, which every credential of a report has."""
SOON = "KA103"

SINCE: Mapping[str, tuple[tuple[str, str | None], ...]] = {
    "KA104": (("pending_for", "after"),),
    "KA105": (("rotation_next_at", None),),
    "KA109": (("expires_at", None),),
    "KA201": (("old_active_min", "grace_period"), ("old_active_age_min", "max_age")),
    "KA202": (("old_enabled_min", "grace_period"),),
    "KA401": (("last_used_at", "after"),),
    "KA402": (("created_at", "after"),),
}
"""Rule → the fact from which it counts and the limit in the same evidence."""


def clock(old: Side, new: Side) -> Shift:
    """Give the two instants."""
    return Shift("as_of", format_instant(old.report.as_of), format_instant(new.report.as_of))


def by_due_date(old: Side, new: Side, place: Place, finding: Finding, *, same_policy: bool) -> Reason | None:
    """Say that a due date lay between the two audits, if the older one had that date already.

    How long before it a warning comes, only warnings say: under another policy, both sides must have one.
    """
    one, other = old.rows[place], new.rows[place]
    if finding.rule not in DUE or one.due_at is None or one.due_at != other.due_at:
        return None
    limits = {one.due_at + tolerance(old, one), one.due_at + tolerance(new, other)}
    if finding.rule == SOON:
        within = [s.limits.get(SOON, {}).get("within") for s in (old, new)]
        if None in within and not same_policy:
            return None
        said = {_length(text) for text in within if text is not None}
        limits |= {one.due_at - length for length in said if length is not None} if len(said) == 1 else set()
    elif len(limits) > 1:
        return None
    crossed = [instant for instant in sorted(limits) if _between(old, instant, new)]
    if not crossed:
        return None
    due = format_instant(one.due_at)
    return Reason(Cause.CLOCK, _sentence(old, new, crossed[0]), (clock(old, new), Shift("due_at", due, due)))


def also(old: Side, new: Side, place: Place, finding: Finding) -> Reason | None:
    """Say that time had a part in what another due date decided: one of the two dates was passed."""
    one, other = old.rows[place].due_at, new.rows[place].due_at
    if finding.rule not in DUE or finding.rule == SOON or one == other:
        return None
    dues = ((new, other, "its limit now"), (old, one, "its former limit, too,"))
    for side, due, called in dues:
        limit = None if due is None else due + tolerance(side, side.rows[place])
        if limit is not None and _between(old, limit, new):
            shift = Shift("due_at", *(None if day is None else format_instant(day) for day in (one, other)))
            because = f"{called} was passed between the two audits: {format_instant(limit)}"
            return Reason(Cause.CLOCK, because, (clock(old, new), shift))
    return None


def by_evidence(old: Side, new: Side, finding: Finding, *, of: Side) -> Reason | None:
    """Say that a limit in the evidence of a finding was reached between the two audits."""
    if finding.rule == "KA903":
        until = finding.evidence.get("until")
        ends = None if until is None else parse_instant(f"{until}T00:00:00Z") + DAY
        return _crossing(old, new, ends, "until", str(until))
    for fact, limit in SINCE.get(finding.rule, ()):
        value = finding.evidence.get(fact)
        start = began(value, of.report.as_of) if fact in AGEING else _instant(value)
        length = 0 if limit is None else _length(finding.evidence.get(limit))
        if start is not None and length is not None:
            reason = _crossing(old, new, start + length, fact, format_instant(start))
            if reason is not None:
                return reason
    return None


def _crossing(old: Side, new: Side, instant: int | None, fact: str, value: str) -> Reason | None:
    if instant is None or not _between(old, instant, new):
        return None
    return Reason(Cause.CLOCK, _sentence(old, new, instant), (clock(old, new), Shift(fact, value, value)))


def _sentence(old: Side, new: Side, instant: int) -> str:
    """A limit holds through its instant: what reached it at the earlier audit had not passed it."""
    way = "passed" if old.report.as_of < new.report.as_of else "not yet passed"
    return f"its limit, {format_instant(instant)}, was {way} between the two audits"


def _between(old: Side, instant: int, new: Side) -> bool:
    first, last = sorted((old.report.as_of, new.report.as_of))
    return first <= instant < last


def _length(value: object) -> int | None:
    try:
        return int(DURATION.read(value))
    except Refused:
        return None


def _instant(value: object) -> int | None:
    try:
        return parse_instant(str(value))
    except ValueError:
        return None
