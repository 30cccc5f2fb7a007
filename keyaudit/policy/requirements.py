"""What is required of each credential: period, grace and tolerance, and who decided.

The policy's first schedule that matches counts. Where a schedule may match because environment
or class is not known, it is a candidate, and the strictest of the candidates up to the first
sure match applies. Risk factors shorten the period by one level each. A framework then asks
more where its schedules in the policy, or a number of its own text, are stricter; period and
grace separately.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw

from keyaudit import match
from keyaudit.match import Match
from keyaudit.model import Control, Framework, FrameworkDemand, Number, Policy, Schedule

ENFORCED = frozenset({"required", "alternative"})
_NOTHING = FrameworkDemand()


@dataclass(frozen=True)
class Requirement:
    """One distinct requirement and the frameworks that share it; the first is the policy's own.

    `columns` holds the expressions of `facts.REQUIREMENT`, `settings` rule parameters that a
    framework's own numbers make stricter, by rule name, as expressions.
    """

    key: str
    frameworks: tuple[str, ...]
    columns: Mapping[str, nw.Expr]
    settings: Mapping[str, Mapping[str, Any]]


def requirements(policy: Policy, frameworks: Sequence[Framework]) -> tuple[Requirement, ...]:
    """List the distinct requirements; frameworks that add nothing share the policy's."""
    own = _policy_columns(policy)
    plain = tuple(f.id for f in frameworks if not _adds(policy, f))
    found = [Requirement("policy", plain, own, {})]
    for framework in frameworks:
        if framework.id not in plain:
            columns, settings = _framework_columns(policy, framework, own), _settings(policy, framework)
            found.append(Requirement(framework.id, (framework.id,), columns, settings))
    return tuple(found)


def numbers(policy: Policy, framework: Framework, fact: str) -> list[tuple[Control, Number]]:
    """List a framework's enforced numbers for one fact, without those the policy declares not applicable."""
    demand = policy.frameworks.get(framework.id, _NOTHING)
    return [
        (control, number)
        for control in framework.controls
        if control.id not in demand.not_applicable
        for number in control.numbers
        if number.fact == fact and number.kind in ENFORCED and number.value is not None
    ]


def _adds(policy: Policy, framework: Framework) -> bool:
    demand = policy.frameworks.get(framework.id, _NOTHING)
    facts = {number.fact for control in framework.controls for number in control.numbers}
    return bool(demand.schedules) or any(numbers(policy, framework, fact) for fact in facts)


def _policy_columns(policy: Policy) -> dict[str, nw.Expr]:
    chosen = _Chosen(policy.schedules)
    period = _shortened(chosen.least("rotation_period"), policy)
    return {
        "rotation_period": period,
        "grace_period": chosen.least("grace_period"),
        "overdue_tolerance": nw.coalesce(chosen.least("overdue_tolerance"), nw.lit(0, dtype=nw.Int64)),
        "schedule": chosen.name(),
        "clause": nw.lit(None, dtype=nw.String),
        "requirement_basis": nw.lit("policy"),
        "automatic": chosen.automatic(),
    }


class _Chosen:
    """The schedules that apply: maybe several, where it is not known which one does."""

    def __init__(self, schedules: Sequence[Schedule], within: Match | None = None) -> None:
        self._schedules = schedules
        self._candidates = []
        open_still = nw.lit(value=True)
        for schedule in schedules:
            hit = match.expression(schedule.match)
            if within is not None:
                hit = hit & match.expression(within).fill_null(value=False)
            possible = hit.fill_null(value=True)
            self._candidates.append(possible & open_still)
            open_still = open_still & ~hit.fill_null(value=False)

    def least(self, field: str) -> nw.Expr:
        """Give the strictest value among the candidates; null if none has one."""
        values = [
            nw.when(candidate).then(nw.lit(getattr(schedule, field), dtype=nw.Int64))
            for schedule, candidate in zip(self._schedules, self._candidates, strict=True)
            if getattr(schedule, field) is not None
        ]
        if not values:
            return nw.lit(None, dtype=nw.Int64)
        return nw.min_horizontal(*values) if len(values) > 1 else values[0]

    def name(self) -> nw.Expr:
        """Name the candidate with the shortest period; the first of several."""
        ordered = sorted(
            zip(self._schedules, self._candidates, strict=True), key=lambda pair: pair[0].rotation_period or 0
        )
        chosen: nw.Expr = nw.lit(None, dtype=nw.String)
        for schedule, candidate in reversed(ordered):
            chosen = nw.when(candidate).then(nw.lit(schedule.name)).otherwise(chosen)
        return chosen

    def automatic(self) -> nw.Expr:
        """Say whether any candidate wants rotation to be automatic."""
        wanted: nw.Expr = nw.lit(value=False)
        for schedule, candidate in zip(self._schedules, self._candidates, strict=True):
            if schedule.automatic:
                wanted = wanted | candidate
        return wanted


def _shortened(period: nw.Expr, policy: Policy) -> nw.Expr:
    """Move a period one risk level down for each factor that holds, never below the lowest level."""
    levels = policy.risk_levels
    if not levels or not policy.risk:
        return period
    hits = [match.expression(factor.match).fill_null(value=False) for factor in policy.risk]
    steps = nw.lit(0)
    for hit in hits:
        steps = steps + nw.when(hit).then(nw.lit(1)).otherwise(nw.lit(0))
    shortened = period
    for count in range(1, len(hits) + 1):
        shortened = nw.when(steps == count).then(_lowered(period, levels, count)).otherwise(shortened)
    return shortened


def _lowered(period: nw.Expr, levels: Sequence[int], steps: int) -> nw.Expr:
    """Give the level that lies `steps` below the one a period belongs to."""
    lowered: nw.Expr = nw.lit(levels[max(len(levels) - 1 - steps, 0)], dtype=nw.Int64)
    for position in range(len(levels) - 1, -1, -1):
        target = nw.lit(levels[max(position - steps, 0)], dtype=nw.Int64)
        lowered = nw.when(period <= levels[position]).then(target).otherwise(lowered)
    return nw.min_horizontal(period, nw.when(~period.is_null()).then(lowered))


def _framework_columns(policy: Policy, framework: Framework, own: Mapping[str, nw.Expr]) -> dict[str, nw.Expr]:
    demand = policy.frameworks.get(framework.id, _NOTHING)
    chosen = _Chosen(demand.schedules, demand.scope)
    period, clause, by_text = own["rotation_period"], own["clause"], nw.lit(value=False)
    grace, schedule = own["grace_period"], own["schedule"]
    if demand.schedules:
        asked, window = chosen.least("rotation_period"), chosen.least("grace_period")
        stricter = _stricter(asked, period)
        tighter = _stricter(window, grace)
        clause = nw.when(stricter | tighter).then(nw.lit(f"{framework.id} schedule")).otherwise(clause)
        schedule = nw.when(stricter | tighter).then(chosen.name()).otherwise(schedule)
        period, grace = nw.min_horizontal(asked, period), nw.min_horizontal(window, grace)
    for control, number in numbers(policy, framework, "rotation_period"):
        inside = _applies(control, demand)
        value = nw.when(inside).then(nw.lit(number.value, dtype=nw.Int64))
        stricter = _stricter(value, period)
        clause = nw.when(stricter).then(nw.lit(f"{framework.id} {control.id}")).otherwise(clause)
        by_text = nw.when(stricter).then(nw.lit(value=True)).otherwise(by_text)
        schedule = nw.when(stricter).then(nw.lit(f"{framework.id} {control.id}")).otherwise(schedule)
        period = nw.min_horizontal(value, period)
    return {
        "rotation_period": period,
        "grace_period": grace,
        "overdue_tolerance": nw.when(by_text).then(nw.lit(0, dtype=nw.Int64)).otherwise(own["overdue_tolerance"]),
        "schedule": schedule,
        "clause": clause,
        "requirement_basis": nw.when(by_text).then(nw.lit("framework")).otherwise(nw.lit("policy")),
        "automatic": own["automatic"] | chosen.automatic(),
    }


def _stricter(value: nw.Expr, than: nw.Expr) -> nw.Expr:
    return (value < than).fill_null(value=False) | (~value.is_null() & than.is_null())


def _applies(control: Control, demand: FrameworkDemand) -> nw.Expr:
    parts = [part for part in (control.applies_to, demand.scope) if part is not None]
    inside: nw.Expr = nw.lit(value=True)
    for part in parts:
        inside = inside & match.expression(part).fill_null(value=False)
    return inside


def _settings(policy: Policy, framework: Framework) -> dict[str, dict[str, Any]]:
    """Give rule parameters that the framework's text limits, where its control applies and is stricter."""
    demand = policy.frameworks.get(framework.id, _NOTHING)
    found: dict[str, dict[str, Any]] = {}
    facts = {number.fact for control in framework.controls for number in control.numbers if "." in number.fact}
    for fact in sorted(facts):
        rule, _, param = fact.partition(".")
        value: Any = policy.settings[rule].params[param]
        for control, number in numbers(policy, framework, fact):
            limit = nw.lit(number.value, dtype=nw.Int64)
            current = value if isinstance(value, nw.Expr) else nw.lit(value, dtype=nw.Int64)
            value = nw.when(_applies(control, demand) & (limit < current)).then(limit).otherwise(current)
            found.setdefault(rule, {})[param] = value
    return found
