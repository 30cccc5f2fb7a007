"""KA107 rotation-manual: the policy wants automatic rotation and it is off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw

from keyaudit import facts
from keyaudit.model import Basis, Check, Rule, Severity


def check(_settings: Mapping[str, Any]) -> Check:
    """A service that manages the credential rotates it; a mere reminder proves neither."""
    reminded = (facts.rotation_by == "reminder").fill_null(value=False)
    on = nw.when(~(facts.rotation_enabled & reminded)).then(facts.rotation_enabled)
    return Check(applies=facts.rotates & facts.automatic, fails=facts.managed_by.is_null() & ~on)


RULE = Rule(
    id="KA107",
    name="rotation-manual",
    severity=Severity.MEDIUM,
    basis=Basis.POLICY,
    message="{schedule} wants automatic rotation; it is off",
    doc=__doc__,
    check=check,
    needs=("rotation_enabled",),
    evidence=("rotation_enabled", "schedule"),
    fixes={
        "aws-secrets-manager": 'aws secretsmanager rotate-secret --secret-id {id} --region {region} --rotation-lambda-arn "$ROTATION_LAMBDA_ARN" --rotation-rules "AutomaticallyAfterDays=$DAYS"',
    },
    per_requirement=True,
)
