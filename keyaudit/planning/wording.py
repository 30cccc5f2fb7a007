"""What every format of a plan says in the same words. Names in it are as stores have them: escape them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keyaudit import times
from keyaudit.formats.wording import plural
from keyaudit.model import Coverage, ScopeStatus

if TYPE_CHECKING:
    from keyaudit.model import Report
    from keyaudit.planning.model import Plan, Planned, Rotation

AGE_NOT_KNOWN = "age not known"
MAY_BE_OVERDUE = "age not known well enough: it may be overdue already"
NO_SCHEDULE = "no schedule applies, so nothing says when it falls due"

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
