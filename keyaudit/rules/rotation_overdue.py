"""KA101 rotation-overdue: the value in use is older than its rotation period."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyaudit import facts
from keyaudit.model import Basis, Check, Rule, Severity


def check(_settings: Mapping[str, Any]) -> Check:
    """Ask every value with a period, but leave a first value of known age to never-rotated."""
    limit = facts.rotation_period + facts.overdue_tolerance
    first = facts.single_value.fill_null(value=False) & (facts.age_basis != "none")
    return Check(
        applies=facts.rotates & ~facts.rotation_period.is_null() & ~first,
        fails=facts.exceeds(facts.age_min, facts.age_max, limit),
    )


RULE = Rule(
    id="KA101",
    name="rotation-overdue",
    severity=Severity.HIGH,
    basis=Basis.POLICY,
    message="value is {age} old; {schedule} allows {rotation_period}",
    doc=__doc__,
    check=check,
    evidence=(
        "value_created_at",
        "age_basis",
        "created_at",
        "last_changed_at",
        "last_rotated_at",
        "rotation_period",
        "schedule",
        "due_at",
    ),
    fixes={
        "aws-secrets-manager": "aws secretsmanager rotate-secret --secret-id {id} --region {region}",
        "gcp-secret-manager": "gcloud secrets versions add {id} --data-file=-",
        "aws-iam": "aws iam create-access-key --user-name {name}",
    },
    per_requirement=True,
)
