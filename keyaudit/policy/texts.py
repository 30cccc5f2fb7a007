"""What the numbers of a framework's own text ask by themselves, for the controls that state them.

A key that is late by the policy's 30 days has broken the policy, and every control that makes
the policy binding. It has not broken a control whose text says 90.
"""

from __future__ import annotations

from collections.abc import Sequence

import narwhals as nw

from keyaudit.model import Control, Framework, Policy
from keyaudit.policy.requirements import Requirement, first, limits, surely_matches
from keyaudit.policy.strictness import compared, demand_of, numbers

_NO_GRACE = nw.lit(None, dtype=nw.Int64)


def texts(policy: Policy, frameworks: Sequence[Framework]) -> tuple[Requirement, ...]:
    """List one requirement for each framework with numbers of its own; outside them it is the policy's."""
    stating = {framework.id: _stating(policy, framework) for framework in frameworks}
    return tuple(
        _text(policy, framework, stating[framework.id]) for framework in frameworks if stating[framework.id]
    )


def _stating(policy: Policy, framework: Framework) -> list[Control]:
    exempt = demand_of(policy, framework).not_applicable
    return [
        control
        for control in framework.controls
        if control.id not in exempt and any(map(compared, control.numbers))
    ]


def _text(policy: Policy, framework: Framework, stating: Sequence[Control]) -> Requirement:
    scope = demand_of(policy, framework).scope
    stated = sorted(numbers(policy, framework, "rotation_period"), key=lambda found: found[2])
    conditions = {
        f"{framework.id} text#{place}": surely_matches(control.applies_to, scope)
        for place, (control, _, _) in enumerate(stated)
    }
    aged = [control for control, _, _ in numbers(policy, framework, "old-key-active.max_age")]
    by_age = [surely_matches(control.applies_to, scope) for control in aged]
    inside = [nw.col(name) for name in conditions]
    clauses = [nw.lit(f"{framework.id} {control.id}") for control, _, _ in stated]
    periods = [nw.lit(value, dtype=nw.Int64) for _, _, value in stated]
    none = [nw.lit(0, dtype=nw.Int64)] * len(stated)
    return Requirement(
        key=f"{framework.id} text",
        frameworks=(),
        conditions=conditions,
        columns={
            "rotation_period": first(inside, periods, nw.col("rotation_period@0")),
            # A text that limits the age of every working key says nothing of a grace period.
            "grace_period": first(by_age, [_NO_GRACE] * len(by_age), nw.col("grace_period@0")),
            "overdue_tolerance": first(inside, none, nw.col("overdue_tolerance@0")),
            "schedule": first(inside, clauses, nw.col("schedule@0")),
            "clause": first(inside, clauses, nw.lit(None, dtype=nw.String)),
            "requirement_basis": first(inside, [nw.lit("framework")] * len(stated), nw.lit("policy")),
            "automatic": nw.col("automatic@0"),
        },
        settings=limits(policy, framework, only_stricter=False),
        controls=frozenset((framework.id, control.id) for control in stating),
        rules=frozenset(name for control in stating for name in control.rules),
    )
