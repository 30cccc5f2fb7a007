"""KA112 rolled-back: the value in use is older than one that it replaced.

## What it checks

Whether the value in use was created before one that it replaced. The same instant passes.

- Compared are the creation of the (oldest) current version and the newest creation among versions that are
  superseded, or disabled or destroyed after they had been superseded. Versions that never were in use do not
  count.
- The creation of the current or of a replaced version is not known: unknown. So are versions that are not
  known.
- Not applicable: creation dates were not collected, nothing in use, replicas.

## Why is this bad?

A rotation was undone. That may have been right at three in the morning, but the value in use now is the old
one: its age counts from its own creation, its next rotation is nearer than the schedule says, and the newer
key probably still works at the provider although nobody uses it.

## Example

AWSCURRENT was moved back to a version from January after the one from April caused errors.

## Remediation

Find out why the new value failed, then rotate forward to a fresh one and revoke the abandoned one at its
provider.

- AWS Secrets Manager: `aws secretsmanager rotate-secret --secret-id ID`, once the cause is mended.
- Google Secret Manager: `gcloud secrets versions add ID --data-file=-`, then point the alias or the pin at
  it.
- Vault KV: `vault kv rollback` writes the old data as a new version, so a rollback there does not show here.

## References

- AWS, Roll back a secret to a previous version:
  https://docs.aws.amazon.com/secretsmanager/latest/userguide/roll-back-secret.html
- SOC 2 CC8.1 (changes are authorised and tested)
"""

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
