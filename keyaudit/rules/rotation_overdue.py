"""KA101 rotation-overdue: the value in use is older than its rotation period.

## What it checks

The age of the value in use against `rotation_period` plus `overdue_tolerance` of the requirement that
applies. Exactly at the limit passes; a microsecond later fails.

- The age counts from the creation of the current version. Of several values in use the oldest counts.
- Where that date is not known, the age is an interval. The value is at least as old as the last change of
  anything about the credential, and at most as old as the last rotation that the store recorded, or else as
  the credential itself. Surely over the limit fails, surely within it passes, anything between is unknown.
- An edit of a tag or a description never makes a value young, and a date later than the audit is no date.
- A current version contradicts its credential if it was created more than a day after the last change, or if
  it was superseded, retired, or is refused by its provider. Then the other dates bound the age as well, and
  what a contradicted date alone would let pass is unknown.
- Without any usable date the verdict is unknown, never "not collected".
- Not applicable: no period (see period-undefined), nothing in use, replicas, dynamic secrets, and values that
  are known to be the first and only one and have some date. Those are judged by never-rotated, so that one
  late credential is one finding. A policy that switches never-rotated off drops them from the audit.
- A replica is a credential whose `replica_of` is the id of another one in the inventory, of the same source
  and no copy itself. Any other copy is judged here, and in every other rule: nobody else answers for it. Its
  own creation proves no age, because a copy may hold an older value.

## Why is this bad?

Nobody can list everyone who ever held a copy of a key: laptops, logs, backups, former colleagues, vendors.
Replacing the value is the only step that ends all of those copies at once, and the period you set is the
longest time you accept for a copy that you do not know of. Most frameworks name no number. They make your own
number binding, and an auditor who samples this credential will find the same dates.

## Example

The policy gives production 90 days. A key whose current version was created on 31 December is 121 days old on
1 May: it was due on 31 March and fails. A secret without a version list that was last edited 95 days ago
fails as well, because no value in it can be younger. One that was created a year ago and edited yesterday is
unknown: the edit may have been a rotation, or a new description.

## Remediation

Create the new value, deploy it, watch the old one fall silent, then revoke it inside the grace period.

- AWS Secrets Manager with rotation configured: `aws secretsmanager rotate-secret --secret-id ID`.
- AWS Secrets Manager by hand: `aws secretsmanager put-secret-value --secret-id ID --secret-string
  file://new-value`. It takes over at once, so make sure that the new key already works at its provider.
- Google Secret Manager: `gcloud secrets versions add ID --data-file=-`, then move consumers that pin a
  version.
- Vault KV: `vault kv patch PATH FIELD=-` reads the value from standard input. Database static roles: `vault
  write -f database/rotate-role/NAME`.
- AWS IAM access keys: `aws iam create-access-key --user-name USER`, deploy, check `aws iam
  get-access-key-last-used`, then set the old key to Inactive and delete it later.
- OpenAI: create a second key for the same project or service account, deploy it, delete the first one.
- Anthropic: keys are created in the Console; the Admin API can then set the old key inactive, which can be
  undone.

## References

- AWS, Rotate Secrets Manager secrets:
  https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets.html
- NIST SP 800-57 part 1 rev. 5, section 5.3: https://csrc.nist.gov/pubs/sp/800/57/pt1/r5/final
- OWASP Secrets Management Cheat Sheet:
  https://cheatsheetseries.owasp.org/cheatsheets/Secrets_Management_Cheat_Sheet.html
- PCI DSS 4.0.1, 3.7.4, 8.3.9, 8.6.3; SOC 2 CC6.1; ISO/IEC 27001:2022 A.5.17, A.8.24
- HIPAA 45 CFR 164.308(a)(5)(ii)(D); CIS AWS 2.12; CIS GCP 1.8, 1.11, 1.16
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyaudit import facts
from keyaudit.model import Basis, Check, Rule, Severity


def check(_settings: Mapping[str, Any]) -> Check:
    """Ask every value with a period, but leave a first value of known age to never-rotated."""
    limit = facts.rotation_period + facts.overdue_tolerance
    first = facts.single_value.fill_null(value=False) & (facts.age_basis != "none")
    return Check(
        applies=facts.rotates & ~facts.rotation_period.is_null() & ~first,
        fails=facts.exceeds(facts.age_min, facts.age_max, limit),
    )


RULE = Rule(
    id="KA101",
    name="rotation-overdue",
    severity=Severity.HIGH,
    basis=Basis.POLICY,
    message="value is {age} old; {schedule} allows {rotation_period}",
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
