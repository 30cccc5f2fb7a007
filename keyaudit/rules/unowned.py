"""KA301 unowned: nobody is named as its owner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyaudit import facts
from keyaudit.model import Basis, Check, Rule, Severity


def check(_settings: Mapping[str, Any]) -> Check:
    """Ask everything in use; a copy belongs to whoever owns its primary."""
    nobody = facts.owner.is_null() | ~facts.owner.str.contains(r"\S")
    return Check(applies=facts.in_use & ~facts.is_replica, fails=nobody)


RULE = Rule(
    id="KA301",
    name="unowned",
    severity=Severity.MEDIUM,
    basis=Basis.POLICY,
    message="nobody is named as its owner",
    doc=__doc__,
    check=check,
    needs=("owner",),
    evidence=("owner",),
    fixes={
        "aws-secrets-manager": 'aws secretsmanager tag-resource --secret-id {id} --region {region} --tags Key=owner,Value="$OWNER"',
        "gcp-secret-manager": 'gcloud secrets update {id} --update-labels=owner="$OWNER"',
        "vault": 'vault kv metadata patch -custom-metadata=owner="$OWNER" {id}',
    },
)
