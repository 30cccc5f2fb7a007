"""KA302 unclassified: its environment or class is not known, so the strictest schedule was applied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyaudit import facts
from keyaudit.model import Basis, Check, Rule, Severity


def check(_settings: Mapping[str, Any]) -> Check:
    """Ask everything in use, after the policy's own classification."""
    return Check(
        applies=facts.in_use & ~facts.is_replica,
        fails=facts.environment.is_null() | facts.cls.is_null(),
    )


RULE = Rule(
    id="KA302",
    name="unclassified",
    severity=Severity.MEDIUM,
    basis=Basis.POLICY,
    message="environment {environment}, class {class}: the strictest schedule that may apply was used",
    doc=__doc__,
    check=check,
    needs=("environment", "class"),
    evidence=("environment", "class"),
    fixes={
        "aws-secrets-manager": 'aws secretsmanager tag-resource --secret-id {id} --region {region} --tags Key=environment,Value="$ENVIRONMENT" Key=keyaudit:class,Value="$CLASS"',
        "vault": 'vault kv metadata patch -custom-metadata=environment="$ENVIRONMENT" -custom-metadata=class="$CLASS" {id}',
    },
)
