"""KA301 unowned: nobody is named as its owner.

## What it checks

Whether `owner` names somebody, after the policy's classification has filled blanks. An empty or blank owner
fails. A missing owner is the finding itself, so it is never unknown.

Not applicable: nothing in use, replicas, which belong to the owner of their primary (see rotation-overdue),
and sources that do not say.

## Why is this bad?

Nobody rotates what belongs to nobody. An owner is who answers when the key leaks at night, who knows what
breaks when it is revoked, and whose departure is a reason to replace it.

## Example

A secret called `legacy/ftp` carries no owner tag, and the policy does not give it one.

## Remediation

Ask the people who may read it. If nobody claims it, treat it as unused: disable it, wait, delete it.

- AWS Secrets Manager: `aws secretsmanager tag-resource --secret-id ID --tags Key=owner,Value=OWNER`.
- AWS IAM: `aws iam tag-user --user-name USER --tags Key=owner,Value=OWNER`.
- Google Secret Manager: `gcloud secrets update ID --update-labels=owner=OWNER`. Labels are lower case and
  hold no `@`.
- Vault KV: `vault kv metadata patch -custom-metadata=owner=OWNER PATH`.
- For many at once: a `classify` entry of the policy that matches their names or scope.

## References

- OWASP Non-Human Identities Top 10, NHI1: https://owasp.org/www-project-non-human-identities-top-10/
- PCI DSS 4.0.1, 3.6.1, 7.2.5.1; ISO/IEC 27001:2022 A.5.9, A.5.16; SOC 2 CC2.1, CC6.1; NIST SP 800-53 AC-2
"""

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
        "aws-secrets-manager": (
            "aws secretsmanager tag-resource --secret-id {id} --region {region} --tags "
            'Key=owner,Value="$OWNER"'
        ),
        "aws-kms": (
            'aws kms tag-resource --key-id {id} --region {region} --tags TagKey=owner,TagValue="$OWNER"'
        ),
        "aws-ssm": (
            "aws ssm add-tags-to-resource --resource-type Parameter --resource-id {name} "
            '--region {region} --tags Key=owner,Value="$OWNER"'
        ),
        "gcp-secret-manager": 'gcloud secrets update {secret} --update-labels=owner="$OWNER"',
        "vault": 'vault kv metadata patch -custom-metadata=owner="$OWNER" {id}',
    },
)
