"""KA503 copy-left-behind: one copy of a credential was rotated and this one was not.

## What it checks

Whether the value of this copy is older than the newest value of its lineage by more than `grace_period`,
while that newest value has been out for more than `grace_period`. Exactly the grace period passes, on both
counts.

- Where the provider lists the key too and it works, its date alone is when the newest value was made: a store
  that was written later holds at most that one. So a rotation at the provider leaves behind each store that
  was not written since, and copying an old key to a second store leaves nobody behind.
- Copies of one value are written one after the other, so values created within one grace period of each other
  are taken as one rotation.
- The age of this copy is an interval where its date is not known, as in rotation-overdue; unknown if it
  cannot be told. Unknown too if no copy has a date, or if one without a date may hold the newest value: it
  may be as new as the last change of that copy.
- Not applicable: no lineage, no grace period, nothing in use, replicas (their store keeps them in step),
  dynamic secrets.

## Why is this bad?

The old key was to be revoked after the grace period. Either it was, and whoever reads this copy is broken, or
it was not, and the rotation has not ended anything. A copy in a second store is the usual reason why revoking
a key causes an outage.

## Example

`openai-main` is kept in AWS Secrets Manager and in Vault. The one in AWS was rotated three weeks ago, the one
in Vault is from last year.

## Remediation

Bring the copy up to date, then revoke the old key. Better: keep one copy, and let the others be synchronised
by a tool.

- AWS Secrets Manager: `aws secretsmanager put-secret-value --secret-id ID --secret-string file://new-value`,
  or replicas instead of copies: `aws secretsmanager replicate-secret-to-regions`.
- Google Secret Manager: `gcloud secrets versions add ID --data-file=-`.
- Vault KV: `vault kv patch PATH FIELD=-`.

## References

- AWS, Replicate secrets across Regions:
  https://docs.aws.amazon.com/secretsmanager/latest/userguide/replicate-secrets.html
- SOC 2 CC6.1; ISO/IEC 27001:2022 A.5.17
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw

from keyaudit import facts
from keyaudit.model import Basis, Check, Rule, Severity


def check(_settings: Mapping[str, Any]) -> Check:
    """Compare with the newest copy; copies written within one grace period are one rotation."""
    newest, grace = facts.as_of - facts.lineage_newest_at, facts.grace_period
    behind = facts.exceeds(facts.age_min - newest, facts.age_max - newest, grace)
    # A copy without a date may hold a value that has been out for just over the grace period.
    latest = facts.as_of - facts.lineage_newest_by
    ahead = nw.when(latest > grace).then(latest).otherwise(grace)
    perhaps = (latest < newest) & (facts.age_max - ahead > grace).fill_null(value=True)
    unclear = nw.when(~perhaps.fill_null(value=False)).then(nw.lit(value=False))
    return Check(
        applies=facts.rotates & ~facts.lineage.is_null() & ~grace.is_null(),
        fails=(behind & (newest > grace)) | unclear,
    )


RULE = Rule(
    id="KA503",
    name="copy-left-behind",
    severity=Severity.MEDIUM,
    basis=Basis.POLICY,
    message="value in use is from {value_created_at}; another copy of {lineage} got one {lineage_newest_at}",
    doc=__doc__,
    check=check,
    needs=("lineage",),
    evidence=(
        "lineage",
        "value_created_at",
        "age_basis",
        "lineage_newest_at",
        "lineage_newest_by",
        "grace_period",
    ),
    fixes={
        "aws-secrets-manager": "aws secretsmanager rotate-secret --secret-id {id} --region {region}",
        "gcp-secret-manager": "gcloud secrets versions add {secret} --data-file=-",
    },
    per_requirement=True,
)
