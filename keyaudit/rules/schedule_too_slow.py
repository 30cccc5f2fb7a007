"""KA106 schedule-too-slow: the configured schedule can leave a longer gap than the rotation period."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyaudit import facts
from keyaudit.model import Basis, Check, Rule, Severity


def check(_settings: Mapping[str, Any]) -> Check:
    """Compare the schedule's longest gap with the period; what cannot be read promises nothing."""
    gap = facts.schedule_interval_max
    return Check(
        applies=facts.rotates & facts.rotation_enabled & ~facts.rotation_period.is_null(),
        fails=facts.schedule_unparsable | (gap > facts.rotation_period),
    )


RULE = Rule(
    id="KA106",
    name="schedule-too-slow",
    severity=Severity.MEDIUM,
    basis=Basis.POLICY,
    message="{rotation_schedule} can leave {schedule_interval_max} between rotations; {schedule} allows {rotation_period}",
    doc=__doc__,
    check=check,
    needs=("rotation_enabled", "rotation_schedule"),
    evidence=("rotation_schedule", "schedule_interval_max", "rotation_period", "schedule"),
    fixes={
        "aws-secrets-manager": 'aws secretsmanager rotate-secret --secret-id {id} --region {region} --rotation-rules "AutomaticallyAfterDays=$DAYS"',
        "gcp-secret-manager": 'gcloud secrets update {id} --rotation-period="$PERIOD"',
    },
    per_requirement=True,
)
