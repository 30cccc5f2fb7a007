"""What every format of a plan says in the same words. Names in it are as stores have them: escape them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from keyaudit import times
from keyaudit.formats.wording import plural
from keyaudit.model import Coverage, ScopeStatus

if TYPE_CHECKING:
    from keyaudit.model import Report
    from keyaudit.planning.model import Plan, Planned, Rotation, Terms
    from keyaudit.planning.windows import Window

AGE_NOT_KNOWN = "age not known"
MAY_BE_OVERDUE = "age not known well enough: it may be overdue already"
NO_SCHEDULE = "no schedule applies, so nothing says when it falls due"
PULLED = "pulled"
"""Marks staging that goes earlier than its own due date asks, for the sake of production."""

NO_ORDER = (
    "a saved report has no lineages, no settings of rules and nothing of what stores rotate by themselves: "
    "staging is in no order here, copies of one credential stand apart, and a store may do some of it itself"
)
KINDS = {
    "overdue": "overdue",
    "does-not-fit": "does not fit",
    "by-store": "by its store",
    "planned": "planned",
}


def date(day: int) -> str:
    """Print a day."""
    return times.format_date(day * times.DAY)


def due(rotation: Rotation, as_of: int) -> str:
    """Say when it falls due, or by how much it is overdue: at least, where only that is known."""
    if rotation.overdue:
        late = [as_of - one.due_by for one in rotation.candidates if one.due_by is not None]
        return f"overdue by {'' if rotation.exact else 'at least '}{times.describe_duration(max(late))}"
    return f"due {'' if rotation.exact else 'no earlier than '}{times.format_instant(rotation.due_from)}"


def settled(window: Window) -> tuple[str, ...]:
    """Say why a day stood from the outset."""
    rotation = window.rotation
    if not rotation.overdue:
        assert rotation.next_at is not None, "only what a store rotates is settled otherwise"
        return (f"by its store on {times.format_instant(rotation.next_at)}",)
    said = ["now"]
    if window.after:
        said.append(f"staging goes no earlier for it: {_called(window.after[0].rotation)} follows")
    return (*said, *_own(rotation))


def why(window: Window, wish: int, terms: Terms) -> tuple[str, ...]:
    """Say why a rotation lies on the day that was found for it; `wish` is where it would best have lain."""
    rotation, day = window.rotation, window.day
    assert day is not None, "it was placed"
    if day != wish:
        said = f"moved {'earlier' if day < wish else 'later'}: {date(wish)} has no room"
    elif window.why == PULLED:
        said = f"goes before production: {_called(window.after[0].rotation)}"
    elif day > window.wish:
        said = _waits(window, terms)
    else:
        left = rotation.due_from - day * times.DAY
        ahead = terms.ahead_of(rotation.period)
        asked = f"{times.describe_duration(ahead)} before it falls due"
        said = asked if left >= ahead else f"less than {asked}: as early as may be"
        said = (
            "the last whole day before it falls due"
            if day == window.last > terms.today and left < ahead
            else said
        )
    return (said, *_own(rotation))


def _waits(window: Window, terms: Terms) -> str:
    apart = times.describe_duration(terms.apart or 0)
    goes = [one for one in window.before if one.day is not None and one.day + terms.gap == window.day]
    if goes and goes[0].day is not None:
        return f"{apart} after {_called(goes[0].rotation)}, which goes on {date(goes[0].day)}"
    staging = window.waits_for
    if staging is None or staging.made_at is None:
        return "as early as its neighbours leave it"
    return f"{apart} after {_called(staging)} got its value on {times.format_date(staging.made_at)}"


def _own(rotation: Rotation) -> Iterator[str]:
    if rotation.next_at is not None:
        when = times.format_instant(rotation.next_at)
        yield f"its store would rotate it on {when}, after it falls due"
    waivers = sorted({one.waiver for one in rotation.candidates if one.waiver is not None})
    if waivers and rotation.overdue:
        yield f"waived by {', '.join(waivers)}"
    if rotation.theirs:
        yield "a customer's own: remind them"


def too_close(window: Window, terms: Terms) -> str | None:
    """Say what does not fit where a day lies closer than `apart` to a relative's; None where none does."""
    day, gap = window.day, terms.gap
    assert day is not None, "it was placed"
    apart = times.describe_duration(terms.apart or 0)
    late = "and no day before it falls due keeps both"
    for one in window.before:
        if one.day is not None and day < one.day + gap:
            other = _called(one.rotation)
            return f"does not fit: {other} goes first, on {date(one.day)}, {apart} before it, {late}"
    for one in window.after:
        if one.day is not None and day > one.day - gap:
            return (
                f"does not fit: {_called(one.rotation)} follows on {date(one.day)}, {apart} after it, {late}"
            )
    staging = window.waits_for
    if day < window.first and staging is not None and staging.made_at is not None:
        made = times.format_date(staging.made_at)
        return f"does not fit: {_called(staging)} got its value on {made}, {apart} must pass, {late}"
    return None


def full(terms: Terms) -> str:
    """Say that no day before the due date has room."""
    return f"does not fit: every day before it falls due has {plural(terms.per_day or 0, 'rotation')} already"


def _called(rotation: Rotation) -> str:
    return rotation.first.name


def headline(plan: Plan) -> str:
    """Say how much is in the plan."""
    until = times.format_date(plan.terms.until)
    if not plan.planned:
        return f"nothing falls due until {until}"
    counts = {kind: plan.count(kind) for kind in KINDS}
    said = ", ".join(f"{counts[kind]:,} {KINDS[kind]}" for kind in KINDS if counts[kind])
    return f"{plural(len(plan.planned), 'rotation')} until {until}: {said}"


def terms(plan: Plan) -> str:
    """Say what the plan keeps to."""
    asked = plan.terms
    ahead = "7 d or a quarter of the period" if asked.ahead is None else times.describe_duration(asked.ahead)
    most = "any number a day" if asked.per_day is None else f"at most {asked.per_day:,} a day"
    order = "staging in no order"
    if asked.apart is not None:
        order = f"staging and production {times.describe_duration(asked.apart)} apart"
    return f"{ahead} before the due date, {most}, {order}; days are UTC"


def rest(plan: Plan) -> str:
    """Say what is not in the plan, and why."""
    return (
        f"{plural(plan.later, 'credential')} due later, {plan.without:,} with no due date "
        "(dynamic secrets, replicas, what is not in use)"
    )


def holes(report: Report) -> list[Coverage]:
    """Give the scopes that may hold what should be in the plan."""
    return [scope for scope in report.coverage if scope.status is not ScopeStatus.COMPLETE]


def whole(report: Report) -> bool:
    """Say whether everything was seen that was asked for, and there was something."""
    return report.inventory.credentials > 0 and not holes(report)


def commands(planned: Planned) -> list[str]:
    """Give what to run: one command where keyaudit.yaml has the rotation, else one for each copy."""
    if planned.kind == "by-store" or planned.rotation.theirs:
        return []
    if (one := planned.rotation.command) is not None:
        return [one]
    each = (candidate.command for candidate in planned.rotation.candidates)
    return list(dict.fromkeys(command for command in each if command is not None))
