"""What "stricter" means, for columns (`requirements`) and for one credential (`explain`) alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from keyaudit.match import Match
from keyaudit.model import Control, Framework, FrameworkDemand, Number, Policy, Schedule

_NOT_ABOUT_CREDENTIALS = frozenset({"policy_review", "manual"})
_NOTHING = FrameworkDemand()


def demand_of(policy: Policy, framework: Framework) -> FrameworkDemand:
    """Give what the policy adds to a framework; nothing if it does not mention it."""
    return policy.frameworks.get(framework.id, _NOTHING)


def numbers(policy: Policy, framework: Framework, fact: str) -> list[tuple[Control, Number, int]]:
    """List a framework's own numbers for one fact that bind anybody.

    Guidance and what the organisation defines bind nobody; neither does a control that the
    policy declares not applicable.
    """
    exempt = demand_of(policy, framework).not_applicable
    return [
        (control, number, number.value)
        for control in framework.controls
        if control.id not in exempt
        for number in control.numbers
        if number.fact == fact and number.binds and number.value is not None
    ]


def compared(number: Number) -> bool:
    """Say whether a number binds credentials, and not the policy's review or what people look at."""
    return number.binds and number.fact not in _NOT_ABOUT_CREDENTIALS


def review_interval(policy: Policy, frameworks: Sequence[Framework]) -> tuple[int, str] | None:
    """Give the shortest interval at which the frameworks' texts want the policy reviewed, and whose it is."""
    stated = [
        (value, f"{framework.id} {control.id}")
        for framework in frameworks
        for control, _, value in numbers(policy, framework, "policy_review")
    ]
    return min(stated, key=lambda interval: interval[0], default=None)


def lowered(period: int, levels: Sequence[int], steps: int) -> int:
    """Move a period some risk levels down.

    It stands on the shortest level that is not shorter than itself, or above all of them. The
    shortest level is the last step, and a period that is shorter already stays as it is.
    """
    if not levels or not steps:
        return period
    above = next((place for place, level in enumerate(levels) if level >= period), len(levels))
    return min(period, levels[max(above - steps, 0)])


def tolerance(schedules: Sequence[Schedule]) -> int:
    """Give the tolerance where any of several schedules may apply: late by one of them is late."""
    known = [
        (item.rotation_period, item.overdue_tolerance)
        for item in schedules
        if item.rotation_period is not None
    ]
    if not known:
        return 0
    return min(period + tolerated for period, tolerated in known) - min(period for period, _ in known)


@dataclass(frozen=True, slots=True)
class Demand:
    """One period that a framework asks for. `until` is the period with its tolerance.

    `number` tells a number of the framework's own text, for credentials that surely match
    `applies_to` and the scope, from the schedule at `place` of the policy's list for it.
    """

    period: int
    until: int
    name: str
    clause: str
    number: bool
    place: int
    applies_to: Match | None


def demands(policy: Policy, framework: Framework) -> list[Demand]:
    """List the periods that a framework asks for, strictest first."""
    found = [
        Demand(
            period=schedule.rotation_period,
            until=schedule.rotation_period + schedule.overdue_tolerance,
            name=schedule.name,
            clause=f"{framework.id} schedule",
            number=False,
            place=place,
            applies_to=None,
        )
        for place, schedule in enumerate(demand_of(policy, framework).schedules)
        if schedule.rotation_period is not None
    ]
    for control, _, value in numbers(policy, framework, "rotation_period"):
        clause = f"{framework.id} {control.id}"
        found.append(Demand(value, value, clause, clause, True, len(found), control.applies_to))
    return sorted(found, key=lambda demand: (demand.period, demand.until))
