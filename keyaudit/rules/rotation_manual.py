"""KA107 rotation-manual: the policy wants automatic rotation and it is off.

## What it checks

Whether rotation is on, for credentials whose schedule in the policy says `automatic: true`.

- Off fails. On passes. A credential that a service manages (`managed_by`) passes: the service rotates it.
- On, but only as a reminder, is unknown. Whether a program or a person acts on a notification cannot be seen
  in the store's metadata.
- Whether rotation is on is not known: unknown.
- Not applicable: the schedule does not ask for automatic rotation, nothing in use, replicas, dynamic secrets,
  or the source did not say anything about rotation.

## Why is this bad?

A period of weeks that is kept by hand is kept until the first holiday. A policy that promises automation and
a store without it will drift apart, and each late rotation is then an exception that the policy made for
itself.

## Example

The policy asks for automatic rotation of tier 1 production. One of its secrets in AWS Secrets Manager has
never had a rotation function: it fails, however young its value is today.

## Remediation

Turn rotation on, or change the policy's schedule to what is really done.

- AWS Secrets Manager: `aws secretsmanager rotate-secret --secret-id ID --rotation-lambda-arn ARN
  --rotation-rules AutomaticallyAfterDays=DAYS`. Database secrets of RDS, Aurora, Redshift and DocumentDB can
  be managed by the service.
- Google Secret Manager sends notifications only. Managed rotation, where the secret's type offers it, is
  automatic.
- Vault: database and cloud engines with static roles rotate by themselves; KV does not.
- Provider keys: a job that creates, deploys, verifies and revokes, run often enough to meet the period.

## References

- AWS, Rotate Secrets Manager secrets:
  https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets.html
- Vault, Database secrets engine: https://developer.hashicorp.com/vault/docs/secrets/databases
- SOC 2 CC5.3; ISO/IEC 27001:2022 A.5.36, A.8.9
"""

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
        "aws-secrets-manager": (
            "aws secretsmanager rotate-secret --secret-id {id} --region {region} "
            '--rotation-lambda-arn "$ROTATION_LAMBDA_ARN" --rotation-rules '
            '"AutomaticallyAfterDays=$DAYS"'
        ),
        "aws-kms-symmetric": (
            'aws kms enable-key-rotation --key-id {id} --region {region} --rotation-period-in-days "$DAYS"'
        ),
    },
    per_requirement=True,
)
