"""KA203 old-key-in-use: a replaced key was used after its grace period."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyaudit import facts
from keyaudit.model import Basis, Check, Rule, Severity


def check(_settings: Mapping[str, Any]) -> Check:
    """Ask everything but encryption and signing keys, whose old versions must keep working."""
    a_key = facts.is_key.fill_null(value=False)
    return Check(
        applies=~facts.is_replica & ~a_key & ~facts.grace_period.is_null(),
        fails=facts.exceeds(facts.old_used_min, facts.old_used_max, facts.grace_period),
    )


RULE = Rule(
    id="KA203",
    name="old-key-in-use",
    severity=Severity.MEDIUM,
    basis=Basis.POLICY,
    message="a replaced key was used {old_used_min} after its successor took over; {schedule} allows {grace_period}",
    doc=__doc__,
    check=check,
    needs=("versions.last_used_at",),
    evidence=("old_used_min", "old_used_max", "grace_period", "schedule"),
    per_requirement=True,
)
