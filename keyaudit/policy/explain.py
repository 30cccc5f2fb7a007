"""What a policy and frameworks ask of one credential, in order, and why everything else does not.

The same as `classify` and `requirements` do in columns, for one credential and in words; a test
holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from keyaudit import match
from keyaudit.match import AllOf, Match
from keyaudit.model import Framework, Policy, Schedule
from keyaudit.policy import waivers
from keyaudit.policy.strictness import Demand, compared, demand_of, demands, lowered, numbers, tolerance
from keyaudit.times import format_duration

APPLIES, MAY_APPLY, DOES_NOT_APPLY, NOT_REACHED = "applies", "may apply", "does not apply", "not reached"
Tests = tuple[tuple[str, bool | None], ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One clause that was looked at: what it says, what came of it, and each of its tests."""

    name: str
    says: str
    outcome: str
    tests: Tests


@dataclass(frozen=True, slots=True)
class Required:
    """What is required in the end: the facts of `facts.REQUIREMENT` for one credential."""

    rotation_period: int | None
    grace_period: int | None
    overdue_tolerance: int
    schedule: str | None
    clause: str | None
    requirement_basis: str
    automatic: bool


@dataclass(frozen=True, slots=True)
class FrameworkExplanation:
    """What one framework adds. `in_scope` is None where the scope cannot be judged: then it adds nothing."""

    id: str
    in_scope: bool | None
    scope: Tests
    steps: tuple[Step, ...]
    required: Required


@dataclass(frozen=True, slots=True)
class Explanation:
    """The whole way from what the store said to what is required. `row` is the classified credential."""

    row: Mapping[str, Any]
    classifications: tuple[Step, ...]
    schedules: tuple[Step, ...]
    risk: tuple[Step, ...]
    required: Required
    frameworks: tuple[FrameworkExplanation, ...]
    waivers: tuple[Step, ...]


def explain(
    policy: Policy, frameworks: Sequence[Framework], row: Mapping[str, Any], as_of: int | None = None
) -> Explanation:
    """Explain one credential; `row` has the inventory's flat columns as the store gave them.

    With `as_of` (microseconds since the epoch) waivers say whether they are in force then.
    """
    full, classifications = _classified(policy, row)
    chosen = _candidates(policy.schedules, full)
    held = [match.judge(factor.match, full) is True for factor in policy.risk]
    required = _required(policy, chosen, sum(held))
    return Explanation(
        row=full,
        classifications=classifications,
        schedules=_schedule_steps(policy.schedules, full),
        risk=tuple(
            Step(
                factor.name,
                "one risk level shorter",
                _outcome(factor.match, full),
                _tests(factor.match, full),
            )
            for factor in policy.risk
        ),
        required=required,
        frameworks=tuple(_framework(policy, framework, full, required) for framework in frameworks),
        waivers=tuple(
            Step(item.id, waivers.describe(item, as_of), _outcome(item.match, full), _tests(item.match, full))
            for item in policy.waivers
        ),
    )


def _outcome(wanted: Match, row: Mapping[str, Any]) -> str:
    return {True: APPLIES, None: MAY_APPLY, False: DOES_NOT_APPLY}[match.judge(wanted, row)]


def _tests(wanted: Match, row: Mapping[str, Any]) -> Tests:
    return tuple(match.trace(wanted, row))


def _classified(policy: Policy, row: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[Step, ...]]:
    full, steps = dict(row), []
    for place, item in enumerate(policy.classify, start=1):
        outcome = _outcome(item.match, row)
        said = []
        for name, value in item.set.items():
            if row.get(name) is not None:
                said.append(f"{name}: the store says {row[name]}")
            elif outcome == APPLIES and full.get(name) is not None:
                said.append(f"{name}: an earlier classification says {full[name]}")
            else:
                said.append(f"sets {name} to {value}")
                if outcome == APPLIES:
                    full[name] = value
        steps.append(Step(f"classification {place}", "; ".join(said), outcome, _tests(item.match, row)))
    return full, tuple(steps)


def _candidates(schedules: Sequence[Schedule], row: Mapping[str, Any]) -> list[int]:
    """List the places of the schedules that may apply, up to the first that surely does."""
    places = []
    for place, schedule in enumerate(schedules):
        answer = match.judge(schedule.match, row)
        if answer is not False:
            places.append(place)
        if answer is True:
            break
    return places


def _schedule_steps(schedules: Sequence[Schedule], row: Mapping[str, Any]) -> tuple[Step, ...]:
    steps, decided = [], False
    for schedule in schedules:
        outcome = NOT_REACHED if decided else _outcome(schedule.match, row)
        steps.append(Step(schedule.name, _says(schedule), outcome, _tests(schedule.match, row)))
        decided = decided or outcome == APPLIES
    return tuple(steps)


def _says(schedule: Schedule) -> str:
    named = {
        "rotation period": schedule.rotation_period,
        "grace": schedule.grace_period,
        "tolerance": schedule.overdue_tolerance or None,
    }
    said = [f"{name} {format_duration(value)}" for name, value in named.items() if value is not None]
    return ", ".join([*said, *(["automatic"] if schedule.automatic else [])])


def _required(policy: Policy, places: Sequence[int], steps: int) -> Required:
    chosen = [policy.schedules[place] for place in places]
    timed = [schedule for schedule in chosen if schedule.rotation_period is not None]
    shortest = min(timed, key=lambda schedule: schedule.rotation_period or 0, default=None)
    period = shortest.rotation_period if shortest else None
    return Required(
        rotation_period=None if period is None else lowered(period, policy.risk_levels, steps),
        grace_period=_least(schedule.grace_period for schedule in chosen),
        overdue_tolerance=tolerance(chosen),
        schedule=shortest.name if shortest else None,
        clause=None,
        requirement_basis="policy",
        automatic=any(schedule.automatic for schedule in chosen),
    )


def _least(values: Any) -> int | None:
    return min((value for value in values if value is not None), default=None)


def _framework(
    policy: Policy, framework: Framework, row: Mapping[str, Any], own: Required
) -> FrameworkExplanation:
    extra = demand_of(policy, framework)
    scope = extra.scope or AllOf(())
    in_scope = match.judge(scope, row)
    schedules = extra.schedules if in_scope else ()
    places = _candidates(schedules, row)
    asked = [
        demand
        for demand in demands(policy, framework)
        if (_applies(demand, scope, row) if demand.number else demand.place in places)
    ]
    chosen = [schedules[place] for place in places]
    required = _stricter(own, framework, asked, chosen)
    steps = _schedule_steps(schedules, row) + _number_steps(policy, framework, scope, row, required)
    return FrameworkExplanation(framework.id, in_scope, _tests(scope, row), steps, required)


def _applies(demand: Demand, scope: Match, row: Mapping[str, Any]) -> bool:
    return match.judge(AllOf((demand.applies_to or AllOf(()), scope)), row) is True


def _number_steps(
    policy: Policy, framework: Framework, scope: Match, row: Mapping[str, Any], required: Required
) -> tuple[Step, ...]:
    facts = {n.fact for control in framework.controls for n in control.numbers if compared(n)}
    steps = []
    for fact in sorted(facts):
        stated = [
            (control, number, value, AllOf((scope, control.applies_to or AllOf(()))))
            for control, number, value in numbers(policy, framework, fact)
        ]
        alone = _least(value for *_, value, wanted in stated if match.judge(wanted, row) is True)
        for control, number, value, wanted in stated:
            outcome = _outcome(wanted, row)
            says = f"{fact.replace('_', ' ')} {format_duration(value)} ({number.kind}: {number.what})"
            if outcome == APPLIES and alone is not None:
                says += f"; this control is judged by {_alone(alone, _asked(policy, fact, required))}"
            steps.append(Step(f"{framework.id} {control.id}", says, outcome, _tests(wanted, row)))
    return tuple(steps)


def _asked(policy: Policy, fact: str, required: Required) -> int | None:
    """Give what is asked of the credential otherwise, where a framework's text has a number too."""
    rule, _, param = fact.partition(".")
    if not param:
        return required.rotation_period
    return policy.settings[rule].params[param] if rule in policy.settings else None


def _alone(stated: int, asked: int | None) -> str:
    """Say that a control whose text states a number is judged by that number alone; see `texts`."""
    stricter = (
        "" if asked is None or asked >= stated else f", not by the policy's stricter {format_duration(asked)}"
    )
    return f"{format_duration(stated)} alone{stricter}"


def _stricter(
    own: Required, framework: Framework, asked: Sequence[Demand], chosen: Sequence[Schedule]
) -> Required:
    """Give the stricter of the policy's requirement and a framework's; see `requirements`."""
    until = None if own.rotation_period is None else own.rotation_period + own.overdue_tolerance
    deciding = next((d for d in asked if _tighter(d, own.rotation_period, until)), None)
    period = _least([own.rotation_period, *(demand.period for demand in asked)])
    end = _least([until, *(demand.until for demand in asked)])
    grace = _least(schedule.grace_period for schedule in chosen)
    only_grace = grace is not None and (own.grace_period is None or grace < own.grace_period)
    clause = f"{framework.id} schedule (grace)" if only_grace else None
    return Required(
        rotation_period=period,
        grace_period=_least([own.grace_period, grace]),
        overdue_tolerance=end - period if end is not None and period is not None else 0,
        schedule=deciding.name if deciding else own.schedule,
        clause=deciding.clause if deciding else clause,
        requirement_basis="framework" if deciding and deciding.number else "policy",
        automatic=own.automatic or any(schedule.automatic for schedule in chosen),
    )


def _tighter(demand: Demand, period: int | None, until: int | None) -> bool:
    return period is None or until is None or demand.period < period or demand.until < until
