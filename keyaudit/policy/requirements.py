"""What is required of each credential: period, grace and tolerance, and who decided.

The policy's first schedule that matches counts. Where a schedule may match because environment
or class is not known, it is a candidate as well, and the strictest of the candidates up to the
first sure match applies: the shortest period, the shortest grace, the earliest end of tolerance.
Each risk factor that surely holds moves the period one level down. A framework then asks more
where its schedules in the policy, or a number of its own text, are stricter; period and grace
separately, and only inside its scope. `explain` says the same of one credential in words.

All values are known beforehand: the conditions are worked out once, as boolean columns, and every
other column is a flat choice between constants by them, in order of strictness.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw

from keyaudit import match
from keyaudit.match import Match
from keyaudit.model import Framework, Policy, Schedule
from keyaudit.policy.strictness import demand_of, demands, lowered, numbers

_NO_TEXT = nw.lit(None, dtype=nw.String)
_NO_NUMBER = nw.lit(None, dtype=nw.Int64)
_NO = nw.lit(value=False)


@dataclass(frozen=True)
class Requirement:
    """One distinct requirement and the frameworks that share it; the first is the policy's own.

    `columns` holds the expressions of `facts.REQUIREMENT`. They build on `conditions`, which go
    into the frame before them, and those of a framework on the policy's, which stay in the frame
    as `rotation_period@0` and so on (see `add`). `settings` holds rule parameters that a
    framework's own numbers make stricter, by rule name. One with `controls` is for those alone
    and judges only their `rules` (see `texts`).
    """

    key: str
    frameworks: tuple[str, ...]
    conditions: Mapping[str, nw.Expr]
    columns: Mapping[str, nw.Expr]
    settings: Mapping[str, Mapping[str, Any]]
    controls: frozenset[tuple[str, str]] = frozenset()
    rules: frozenset[str] | None = None


def requirements(
    policy: Policy, frameworks: Sequence[Framework], apart: frozenset[str] = frozenset()
) -> tuple[Requirement, ...]:
    """List the distinct requirements; frameworks that add nothing share the policy's.

    Those in `apart` have one of their own in any case: by another policy they added something.
    """
    own = adding(policy, frameworks) | apart
    plain = tuple(framework.id for framework in frameworks if framework.id not in own)
    return (
        _by_policy(policy, plain),
        *(
            _by_framework(policy, framework, limits(policy, framework))
            for framework in frameworks
            if framework.id in own
        ),
    )


def adding(policy: Policy, frameworks: Sequence[Framework]) -> frozenset[str]:
    """Give the ids of frameworks that ask more than the policy itself, in their text or by its schedules."""
    return frozenset(
        framework.id
        for framework in frameworks
        if limits(policy, framework) or demands(policy, framework) or demand_of(policy, framework).schedules
    )


def _by_policy(policy: Policy, frameworks: tuple[str, ...]) -> Requirement:
    chosen = _Candidates("schedule", policy.schedules, None)
    steps = nw.lit(0)
    for factor in policy.risk:
        steps = steps + nw.when(match.expression(factor.match)).then(nw.lit(1)).otherwise(nw.lit(0))
    columns = {
        "rotation_period": _shortened(chosen, policy),
        "grace_period": chosen.least(_grace),
        "overdue_tolerance": chosen.tolerance(),
        "schedule": chosen.strictest(_period, lambda schedule: nw.lit(schedule.name), _NO_TEXT),
        "clause": _NO_TEXT,
        "requirement_basis": nw.lit("policy"),
        "automatic": chosen.automatic(),
    }
    return Requirement("policy", frameworks, {**chosen.expressions, "risk#": steps}, columns, {})


class _Candidates:
    """The schedules that apply: one for most credentials, several where it is not known which."""

    def __init__(self, name: str, schedules: Sequence[Schedule], scope: Match | None) -> None:
        self._schedules = schedules
        hits = [match.expression(schedule.match) for schedule in schedules]
        if scope is not None:
            inside = match.expression(scope).fill_null(value=False)
            hits = [hit & inside for hit in hits]
        first_sure = nw.lit(len(hits))
        for place in reversed(range(len(hits))):
            first_sure = nw.when(hits[place]).then(nw.lit(place)).otherwise(first_sure)
        self.expressions = {
            f"{name}#{place}": (first_sure == place) | (hit.is_null() & (first_sure > place))
            if match.may_be_open(schedules[place].match)
            else first_sure == place
            for place, hit in enumerate(hits)
        }
        self.conditions = [nw.col(column) for column in self.expressions]

    def strictest(
        self, key: Callable[[Schedule], int | None], value: Callable[[Schedule], nw.Expr], otherwise: nw.Expr
    ) -> nw.Expr:
        """Choose the value of the candidate with the least key; the first of several counts."""
        keyed = [
            (k, place) for place, schedule in enumerate(self._schedules) if (k := key(schedule)) is not None
        ]
        chosen = otherwise
        for _, place in sorted(keyed, reverse=True):
            chosen = nw.when(self.conditions[place]).then(value(self._schedules[place])).otherwise(chosen)
        return chosen

    def least(self, key: Callable[[Schedule], int | None]) -> nw.Expr:
        """Give the least of a number among the candidates; null if none has one."""
        return self.strictest(key, lambda schedule: nw.lit(key(schedule), dtype=nw.Int64), _NO_NUMBER)

    def tolerance(self) -> nw.Expr:
        """See `strictness.tolerance`; never null."""
        if not any(schedule.overdue_tolerance for schedule in self._schedules):
            return nw.lit(0, dtype=nw.Int64)
        return (self.least(_until) - self.least(_period)).fill_null(0)

    def automatic(self) -> nw.Expr:
        """Say whether any candidate wants rotation to be automatic."""
        wanted = _NO
        for schedule, condition in zip(self._schedules, self.conditions, strict=True):
            wanted = wanted | condition if schedule.automatic else wanted
        return wanted


def _period(schedule: Schedule) -> int | None:
    return schedule.rotation_period


def _grace(schedule: Schedule) -> int | None:
    return schedule.grace_period


def _until(schedule: Schedule) -> int | None:
    return None if schedule.rotation_period is None else schedule.rotation_period + schedule.overdue_tolerance


def _shortened(chosen: _Candidates, policy: Policy) -> nw.Expr:
    """Give the period of the strictest candidate, moved down a level for each risk factor that holds."""
    most = min(len(policy.risk), len(policy.risk_levels))
    if not most:
        return chosen.least(_period)

    def after(taken: int) -> nw.Expr:
        def shorter(schedule: Schedule) -> int | None:
            period = schedule.rotation_period
            return None if period is None else lowered(period, policy.risk_levels, taken)

        return chosen.least(shorter)

    period = after(most)
    for taken in reversed(range(most)):
        period = nw.when(nw.col("risk#") == taken).then(after(taken)).otherwise(period)
    return period


def _by_framework(policy: Policy, framework: Framework, settings: Mapping[str, Any]) -> Requirement:
    extra, asked = demand_of(policy, framework), demands(policy, framework)
    chosen = _Candidates(f"{framework.id} schedule", extra.schedules, extra.scope)
    surely = {
        f"{framework.id} number#{demand.place}": surely_matches(demand.applies_to, extra.scope)
        for demand in asked
        if demand.number
    }
    inside = [
        nw.col(f"{framework.id} number#{demand.place}") if demand.number else chosen.conditions[demand.place]
        for demand in asked
    ]
    own, own_grace = nw.col("rotation_period@0"), nw.col("grace_period@0")
    period = nw.min_horizontal(
        own, first(inside, [nw.lit(d.period, dtype=nw.Int64) for d in asked], _NO_NUMBER)
    )
    tighter = [
        here & (own.is_null() | (own > demand.period)) for demand, here in zip(asked, inside, strict=True)
    ]
    overdue_tolerance = nw.lit(0, dtype=nw.Int64)
    if any(schedule.overdue_tolerance for schedule in (*policy.schedules, *extra.schedules)):
        own_until = own + nw.col("overdue_tolerance@0")
        ends = [
            nw.when(here).then(nw.lit(d.until, dtype=nw.Int64)) for d, here in zip(asked, inside, strict=True)
        ]
        overdue_tolerance = (nw.min_horizontal(own_until, *ends) - period).fill_null(0)
        tighter = [
            condition | (here & (own_until > demand.until))
            for demand, here, condition in zip(asked, inside, tighter, strict=True)
        ]
    grace = chosen.least(_grace)
    tighter_grace = ~grace.is_null() & (own_grace.is_null() | (own_grace > grace))
    only_grace = nw.when(tighter_grace).then(nw.lit(f"{framework.id} schedule (grace)")).otherwise(_NO_TEXT)
    bases = [nw.lit("framework" if demand.number else "policy") for demand in asked]
    columns = {
        "rotation_period": period,
        "grace_period": nw.min_horizontal(own_grace, grace),
        "overdue_tolerance": overdue_tolerance,
        "schedule": first(tighter, [nw.lit(demand.name) for demand in asked], nw.col("schedule@0")),
        "clause": first(tighter, [nw.lit(demand.clause) for demand in asked], only_grace),
        "requirement_basis": first(tighter, bases, nw.lit("policy")),
        "automatic": nw.col("automatic@0") | chosen.automatic(),
    }
    return Requirement(framework.id, (framework.id,), {**chosen.expressions, **surely}, columns, settings)


def first(conditions: Sequence[nw.Expr], values: Sequence[nw.Expr], otherwise: nw.Expr) -> nw.Expr:
    """Choose the value of the first condition that holds."""
    chosen = otherwise
    for condition, value in reversed(list(zip(conditions, values, strict=True))):
        chosen = nw.when(condition).then(value).otherwise(chosen)
    return chosen


def surely_matches(*matches: Match | None) -> nw.Expr:
    """Say whether a credential surely matches all that are given."""
    return match.expression(match.AllOf(tuple(one for one in matches if one is not None))).fill_null(
        value=False
    )


def limits(policy: Policy, framework: Framework, *, only_stricter: bool = True) -> dict[str, dict[str, Any]]:
    """Give rule parameters that the framework's text limits, where its control surely applies."""
    found: dict[str, dict[str, Any]] = {}
    facts = {
        number.fact for control in framework.controls for number in control.numbers if "." in number.fact
    }
    for fact in sorted(facts):
        rule, _, param = fact.partition(".")
        own = policy.settings[rule].params[param] if rule in policy.settings else 0
        limiting = [
            (value, control)
            for control, _, value in numbers(policy, framework, fact)
            if value < own or not only_stricter
        ]
        if limiting:
            ordered = sorted(limiting, key=lambda pair: pair[0])
            scope = demand_of(policy, framework).scope
            conditions = [surely_matches(control.applies_to, scope) for _, control in ordered]
            limits = [nw.lit(value, dtype=nw.Int64) for value, _ in ordered]
            found.setdefault(rule, {})[param] = first(conditions, limits, nw.lit(own, dtype=nw.Int64))
    return found
