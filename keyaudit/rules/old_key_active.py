"""KA201 old-key-active: a replaced key still authenticates after its grace period."""

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
        fails=facts.exceeds(facts.old_active_min, facts.old_active_max, facts.grace_period),
    )


RULE = Rule(
    id="KA201",
    name="old-key-active",
    severity=Severity.HIGH,
    basis=Basis.POLICY,
    message="a replaced key still authenticates {old_active_min} after it was replaced; {schedule} allows {grace_period}",
    doc=__doc__,
    check=check,
    needs=("versions.authenticates",),
    evidence=("old_active_min", "old_active_max", "grace_period", "schedule"),
    fixes={
        "aws-iam": 'aws iam update-access-key --user-name {name} --access-key-id "$OLD_ACCESS_KEY_ID" --status Inactive',
    },
    per_requirement=True,
)
