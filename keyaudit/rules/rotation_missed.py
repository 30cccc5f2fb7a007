"""KA105 rotation-missed: a rotation that the store announced did not happen.

## What it checks

Whether the store has broken its own announcement, for credentials whose rotation is on.

- The date of the next rotation lies before the audit: fails. The very instant of the audit passes.
- Rotation is only a reminder (`rotation.by` is `reminder`; Google Secret Manager unless the document says
  otherwise): such a store moves the date on by itself, whether anybody rotated or not. The last reminder went
  out one schedule interval before the next date, or on that date if it has passed (a reminder that comes once
  leaves it there, and an inventory may be older than the audit). If the value in use is older, fails. A value
  created in the very instant of the reminder passes.
- The age of the value is an interval where its date is not known, as in rotation-overdue. If the reminder
  falls inside it, the verdict is unknown. It is unknown too if the next date, the interval of a reminder, or
  whether rotation is on at all, is not known.
- Not applicable: rotation is off (see rotation-manual), nothing in use, replicas, dynamic secrets, or the
  store was not asked for these dates.

When a reminder schedule was set up is not recorded anywhere. A schedule newer than the value can therefore
fail until the first rotation after it.

## Why is this bad?

A schedule is a promise that somebody else keeps: a function, a service, whoever reads the notification. When
the date passes and nothing happens, the mechanism is broken, and it is broken for every credential that
depends on it. The age of this one may still be within its period, so no other check would notice for weeks.

## Example

Secret Manager shows a rotation period of 90 days and a next rotation in 60 days. So a notification was sent
30 days ago. The newest enabled version is 200 days old: nobody acted on it.

## Remediation

Repair the mechanism first, then rotate.

- AWS Secrets Manager: look for failed runs in the rotation function's log and in CloudTrail (RotationFailed),
  then `aws secretsmanager rotate-secret --secret-id ID`. For a managed secret, look at the owning service.
- Google Secret Manager: check that the topic of the secret has a subscriber that acts, then `gcloud secrets
  versions add ID --data-file=-`. After a rotation ahead of time, move the date as well: `gcloud secrets
  update ID --next-rotation-time=TIME`.
- Vault database static roles: a role whose rotation keeps failing shows in the server log; `vault write -f
  database/rotate-role/NAME` rotates it now.

## References

- AWS, Troubleshoot rotation:
  https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot_rotation.html
- Google, Create rotation schedules in Secret Manager:
  https://cloud.google.com/secret-manager/docs/secret-rotation
- Vault, Database secrets engine: https://developer.hashicorp.com/vault/docs/secrets/databases
- SOC 2 CC5.3; ISO/IEC 27001:2022 A.5.36; PCI DSS 4.0.1, 3.7.4, 8.6.3; CIS GCP 1.11
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw

from keyaudit import facts
from keyaudit.model import Basis, Check, Rule, Severity


def check(_settings: Mapping[str, Any]) -> Check:
    """Look at the store's own next date, and behind it where that date is only a reminder."""
    announced = (
        nw.when(facts.rotation_by.is_null())
        .then(facts.source == "gcp-secret-manager")
        .otherwise(facts.rotation_by == "reminder")
    )
    due = facts.rotation_next_at < facts.as_of
    since_next = facts.as_of - facts.rotation_next_at
    since_reminder = nw.when(due).then(since_next).otherwise(since_next + facts.schedule_interval_max)
    unanswered = (since_reminder > 0) & facts.exceeds(facts.age_min, facts.age_max, since_reminder)
    return Check(
        applies=facts.rotates & facts.rotation_enabled,
        fails=nw.when(announced).then(unanswered).otherwise(due),
    )


RULE = Rule(
    id="KA105",
    name="rotation-missed",
    severity=Severity.HIGH,
    basis=Basis.POLICY,
    message=(
        "the scheduled rotation did not happen: next one set for {rotation_next_at}, value in use "
        "from {value_created_at}"
    ),
    doc=__doc__,
    check=check,
    needs=("rotation_enabled", "rotation_next_at"),
    evidence=("rotation_next_at", "rotation_schedule", "value_created_at", "age_basis"),
    fixes={
        "aws-secrets-manager": "aws secretsmanager rotate-secret --secret-id {id} --region {region}",
        "gcp-secret-manager": "gcloud secrets versions add {secret} --data-file=-",
    },
)
