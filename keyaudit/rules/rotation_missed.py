"""KA105 rotation-missed: a rotation that the store announced did not happen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw

from keyaudit import facts
from keyaudit.model import Basis, Check, Rule, Severity


def check(_settings: Mapping[str, Any]) -> Check:
    """Look at the store's own next date, and behind it where that date is only a reminder."""
    announced = (
        nw.when(facts.rotation_by.is_null())
        .then(facts.source == "gcp-secret-manager")
        .otherwise(facts.rotation_by == "reminder")
    )
    since_reminder = facts.as_of - facts.rotation_next_at + facts.schedule_interval_max
    unanswered = (since_reminder > 0) & facts.exceeds(facts.age_min, facts.age_max, since_reminder)
    return Check(
        applies=facts.rotates & facts.rotation_enabled,
        fails=(facts.rotation_next_at < facts.as_of) | (announced & unanswered),
    )


RULE = Rule(
    id="KA105",
    name="rotation-missed",
    severity=Severity.HIGH,
    basis=Basis.POLICY,
    message="the scheduled rotation did not happen: next one set for {rotation_next_at}, value in use from {value_created_at}",
    doc=__doc__,
    check=check,
    needs=("rotation_enabled", "rotation_next_at"),
    evidence=("rotation_next_at", "rotation_schedule", "value_created_at", "age_basis"),
    fixes={
        "aws-secrets-manager": "aws secretsmanager rotate-secret --secret-id {id} --region {region}",
        "gcp-secret-manager": "gcloud secrets versions add {id} --data-file=-",
    },
)
