"""KA112 rolled-back: the value in use is older than one that it replaced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyaudit import facts
from keyaudit.model import Basis, Check, Rule, Severity


def check(_settings: Mapping[str, Any]) -> Check:
    """Ask what is in use; a copy follows its primary."""
    return Check(applies=facts.in_use & ~facts.is_replica, fails=facts.rolled_back)


RULE = Rule(
    id="KA112",
    name="rolled-back",
    severity=Severity.MEDIUM,
    basis=Basis.POLICY,
    message="value in use is from {value_created_at}, one that it replaced from {newest_replaced_at}",
    doc=__doc__,
    check=check,
    needs=("versions.created_at",),
    evidence=("value_created_at", "newest_replaced_at"),
    fixes={
        "aws-secrets-manager": "aws secretsmanager rotate-secret --secret-id {id} --region {region}",
    },
)
