"""KA503 copy-left-behind: one copy of a credential was rotated and this one was not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyaudit import facts
from keyaudit.model import Basis, Check, Rule, Severity


def check(_settings: Mapping[str, Any]) -> Check:
    """Compare with the newest copy; copies written within one grace period are one rotation."""
    newest, grace = facts.as_of - facts.lineage_newest_at, facts.grace_period
    behind = facts.exceeds(facts.age_min - newest, facts.age_max - newest, grace)
    return Check(
        applies=facts.rotates & ~facts.lineage.is_null() & ~grace.is_null(),
        fails=behind & (newest > grace),
    )


RULE = Rule(
    id="KA503",
    name="copy-left-behind",
    severity=Severity.MEDIUM,
    basis=Basis.POLICY,
    message="value in use is from {value_created_at}; another copy of {lineage} got one {lineage_newest_at}",
    doc=__doc__,
    check=check,
    needs=("lineage",),
    evidence=("lineage", "value_created_at", "age_basis", "lineage_newest_at", "grace_period"),
    fixes={
        "aws-secrets-manager": "aws secretsmanager rotate-secret --secret-id {id} --region {region}",
        "gcp-secret-manager": "gcloud secrets versions add {id} --data-file=-",
    },
    per_requirement=True,
)
