"""KA203 old-key-in-use: a replaced key was used after its grace period.

## What it checks

How long after it was replaced a key was last used, against `grace_period`. The longest such time of all
replaced keys counts, whatever became of them since. Exactly the grace period passes.

- Last used before it was replaced passes, and so does a credential of which nothing was ever replaced.
- A replaced key whose last use is not known: unknown. Not known when it was replaced: judged between the
  creation of the value in use and the last change of the credential.
- Some stores report days, not times: the use then counts from the start of the day, which never makes it
  later.
- Not known what class it is, and an old key was used after its grace period: unknown. It may be an encryption
  key. This holds too where classes were not collected: say what it is.
- Not applicable: use was not collected or the store cannot know it, no grace period, replicas, and encryption
  and signing keys, which are used to decrypt and verify for years.

## Why is this bad?

Something was missed when the new key was rolled out. It will break when the old key is revoked, and until
then it is the reason why the old key cannot be revoked. If nobody can say what it is, it may not be yours.

## Example

A key was replaced on 1 April with a grace period of two days. The store shows that the old version was read
on 20 April.

## Remediation

Find the consumer before you revoke.

- AWS Secrets Manager: CloudTrail shows who called GetSecretValue with the old version id or AWSPREVIOUS.
- AWS IAM: `aws iam get-access-key-last-used --access-key-id KEY` names service and region; CloudTrail names
  the caller.
- Google Secret Manager: Data Access audit logs, where they are switched on, name the caller and the version.
- OpenAI and Anthropic: usage by API key, by day.

Deploy the new key there, watch the old one for a quiet period, then revoke it.

## References

- AWS, Update access keys:
  https://docs.aws.amazon.com/IAM/latest/UserGuide/id-credentials-access-keys-update.html
- AWS, Log Secrets Manager events with CloudTrail:
  https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieve-ct-entries.html
- SOC 2 CC6.2 (access is removed when it is no longer needed)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyaudit import facts
from keyaudit.model import Basis, Check, Rule, Severity


def check(_settings: Mapping[str, Any]) -> Check:
    """Ask everything but encryption and signing keys, whose old versions must keep working."""
    a_key = facts.is_key.fill_null(value=False)
    return Check(
        applies=~facts.is_replica & ~a_key & ~facts.grace_period.is_null(),
        fails=facts.exceeds(facts.old_used_min, facts.old_used_max, facts.grace_period) & ~facts.is_key,
    )


RULE = Rule(
    id="KA203",
    name="old-key-in-use",
    severity=Severity.MEDIUM,
    basis=Basis.POLICY,
    message=(
        "a replaced key was used {old_used_min} after its successor took over; {schedule} allows "
        "{grace_period}"
    ),
    doc=__doc__,
    check=check,
    needs=("versions.last_used_at",),
    evidence=("class", "old_used_min", "old_used_max", "grace_period", "schedule"),
    per_requirement=True,
)
