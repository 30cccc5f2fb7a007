"""KA302 unclassified: its environment or class is not known, so the strictest schedule was applied.

## What it checks

Whether environment and class are both known, after the policy's classification has filled blanks. One missing
fails. A missing classification is the finding itself, so it is never unknown.

Not applicable: nothing in use, replicas (see rotation-overdue), and sources that do not say both.

## Why is this bad?

The schedule, the grace period and the controls of every framework depend on what a credential is and where.
keyaudit does not guess: an unknown environment or class may match any schedule, so the strictest of them is
applied, and controls about one class count the credential as not tested. That is safe, and it is noise until
somebody says what it is.

## Example

A secret is called `openai-key-2` and has no tags. The policy's tier 1 schedule of 30 days applies to it,
because it may be production.

## Remediation

Say it where the credential lives, or in the policy for many at once.

- AWS Secrets Manager: `aws secretsmanager tag-resource --secret-id ID --tags
  Key=environment,Value=ENVIRONMENT Key=keyaudit:class,Value=CLASS`.
- Vault KV: `vault kv metadata patch -custom-metadata=environment=ENVIRONMENT PATH`.
- Policy: `classify: [{match: {name: "staging/*"}, set: {environment: staging, class: api-key}}]`. What the
  store says wins.

Classes: api-key, service-password, user-password, oauth-client-secret, ssh-key, encryption-key, signing-key,
certificate, dynamic-secret.

## References

- SOC 2 CC2.1; ISO/IEC 27001:2022 A.5.9 (inventory of assets)
"""

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
        "aws-secrets-manager": (
            "aws secretsmanager tag-resource --secret-id {id} --region {region} --tags "
            'Key=environment,Value="$ENVIRONMENT" Key=keyaudit:class,Value="$CLASS"'
        ),
        "aws-kms": (
            "aws kms tag-resource --key-id {id} --region {region} --tags "
            'TagKey=environment,TagValue="$ENVIRONMENT"'
        ),
        "aws-ssm": (
            "aws ssm add-tags-to-resource --resource-type Parameter --resource-id {name} "
            '--region {region} --tags Key=environment,Value="$ENVIRONMENT" Key=keyaudit:class,Value="$CLASS"'
        ),
        "vault": (
            'vault kv metadata patch -custom-metadata=environment="$ENVIRONMENT" '
            '-custom-metadata=class="$CLASS" {id}'
        ),
    },
)
