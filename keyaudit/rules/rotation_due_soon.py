"""KA103 rotation-due-soon: the value in use falls due inside the warning window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyaudit import facts
from keyaudit.model import Basis, Check, Param, Rule, Severity


def check(settings: Mapping[str, Any]) -> Check:
    """Ask values that are surely not overdue; the others are the business of rotation-overdue."""
    limit = facts.rotation_period + facts.overdue_tolerance
    on_time = (facts.age_max <= limit).fill_null(value=False)
    return Check(
        applies=facts.rotates & on_time,
        fails=facts.exceeds(facts.age_min, facts.age_max, facts.rotation_period - settings["within"]),
    )


RULE = Rule(
    id="KA103",
    name="rotation-due-soon",
    severity=Severity.INFO,
    basis=Basis.PRACTICE,
    message="value is {age} old of the {rotation_period} that {schedule} allows",
    doc=__doc__,
    check=check,
    params={"within": Param("duration", "how long before the due date a credential is announced")},
    evidence=("value_created_at", "age_basis", "rotation_period", "schedule", "due_at"),
    fixes={
        "aws-secrets-manager": "aws secretsmanager rotate-secret --secret-id {id} --region {region}",
        "gcp-secret-manager": "gcloud secrets versions add {id} --data-file=-",
        "aws-iam": "aws iam create-access-key --user-name {name}",
    },
    per_requirement=True,
)
