"""KA102 never-rotated: the only value that ever existed is older than its rotation period.

## What it checks

The same age and the same limit as rotation-overdue, for credentials that are known to have had one value
only. Exactly at the limit passes, so a credential that is younger than its period is fine although it was
never rotated.

- One value is known where the version list holds exactly one version that is or was in use, the store
  recorded no rotation, and that version is not more than a day younger than its credential. A younger one
  means that the store has forgotten an earlier version.
- A pending version does not count: it has replaced nothing yet.
- The verdict is unknown when the only version has no date of its own and the credential's dates leave the age
  on both sides of the limit.
- Not applicable: the history was not collected or is not known (rotation-overdue then judges the age alone),
  the only version has no date at all, no period, nothing in use, replicas (see rotation-overdue), dynamic
  secrets.

## Why is this bad?

A key that is late was rotated before: somebody knows how, and it worked. A key that was never rotated is
often one where nobody knows who uses it, and the day on which it must be replaced in a hurry is the day on
which that is found out.

## Example

A database password was stored in 2023 and its store lists that one version. With a period of 90 days it
fails. A key created last week has one version too, and passes.

## Remediation

Rotate it once under supervision before it is put on a schedule. Find every consumer first: the store's access
log, or the provider's usage by key. Then replace the value with both keys alive, as rotation-overdue says.

- AWS Secrets Manager, from then on by itself: `aws secretsmanager rotate-secret --secret-id ID
  --rotation-lambda-arn ARN --rotation-rules AutomaticallyAfterDays=DAYS`. This also rotates at once.
- Google Secret Manager: `gcloud secrets versions add ID --data-file=-`.
- Vault: prefer a database or cloud engine that issues credentials; `vault kv patch PATH FIELD=-` for the
  rest.
- AWS IAM: `aws iam create-access-key --user-name USER`; a user can hold two keys at a time.

## References

- AWS, Rotate Secrets Manager secrets:
  https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets.html
- AWS, Update access keys:
  https://docs.aws.amazon.com/IAM/latest/UserGuide/id-credentials-access-keys-update.html
- PCI DSS 4.0.1, 3.7.4, 8.6.3; SOC 2 CC5.3, CC6.1; ISO/IEC 27001:2022 A.5.17
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyaudit import facts
from keyaudit.model import Basis, Check, Rule, Severity


def check(_settings: Mapping[str, Any]) -> Check:
    """Ask the credentials that are known to have had one value, if anything dates it."""
    limit = facts.rotation_period + facts.overdue_tolerance
    first = facts.single_value.fill_null(value=False) & (facts.age_basis != "none")
    return Check(
        applies=facts.rotates & ~facts.rotation_period.is_null() & first,
        fails=facts.exceeds(facts.age_min, facts.age_max, limit),
    )


RULE = Rule(
    id="KA102",
    name="never-rotated",
    severity=Severity.HIGH,
    basis=Basis.POLICY,
    message="the only value there ever was is {age} old; {schedule} allows {rotation_period}",
    doc=__doc__,
    check=check,
    evidence=(
        "value_created_at",
        "age_basis",
        "created_at",
        "last_changed_at",
        "last_rotated_at",
        "rotation_period",
        "schedule",
        "due_at",
    ),
    fixes={
        "aws-secrets-manager": "aws secretsmanager rotate-secret --secret-id {id} --region {region}",
        "gcp-secret-manager": "gcloud secrets versions add {secret} --data-file=-",
        "aws-iam": "aws iam create-access-key --user-name {name}",
        "aws-kms-symmetric": "aws kms rotate-key-on-demand --key-id {id} --region {region}",
        "vault-transit": "vault write -f {id}/rotate",
    },
    per_requirement=True,
)
