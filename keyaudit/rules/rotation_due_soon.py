"""KA103 rotation-due-soon: the value in use falls due inside the warning window.

## What it checks

Whether the value in use falls due within `within` of the audit. The due date is its creation plus the
rotation period. Due in exactly `within` passes; a microsecond sooner fails.

- Only values that are surely not overdue are asked: age at most the period plus the tolerance. What is
  overdue, or may be, is the business of rotation-overdue and never-rotated.
- A value past its due date that the tolerance still excuses fails here: its time is running out.
- Without the date of the current version the age is an interval, as in rotation-overdue. If it reaches over
  the start of the window, the verdict is unknown.
- Not applicable: no period, nothing in use, replicas, dynamic secrets.

This is good practice and severity info. It never makes a control an exception.

## Why is this bad?

It is not: it is the last quiet moment. A rotation that is planned has a second key, a rollout and somebody
awake. A rotation on the last day competes with whatever else happens that day, and most overdue findings were
due-soon findings that nobody read.

## Example

With a period of 90 days and a window of 14, a key created 80 days ago is listed. It is due in ten days.

## Remediation

Plan the rotation now. Where the store rotates by itself, look at the date of its next rotation: it must lie
before the due date, otherwise the schedule is too slow. The commands are those of rotation-overdue.

## References

- OWASP Secrets Management Cheat Sheet:
  https://cheatsheetseries.owasp.org/cheatsheets/Secrets_Management_Cheat_Sheet.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyaudit import facts
from keyaudit.model import Basis, Check, Param, Rule, Severity


def check(settings: Mapping[str, Any]) -> Check:
    """Ask values that are surely not overdue; the others are the business of rotation-overdue."""
    limit = facts.rotation_period + facts.overdue_tolerance
    on_time = (facts.age_max <= limit).fill_null(value=False)
    return Check(
        applies=facts.rotates & on_time,
        fails=facts.exceeds(facts.age_min, facts.age_max, facts.rotation_period - settings["within"]),
    )


RULE = Rule(
    id="KA103",
    name="rotation-due-soon",
    severity=Severity.INFO,
    basis=Basis.PRACTICE,
    message="value is {age} old of the {rotation_period} that {schedule} allows",
    doc=__doc__,
    check=check,
    params={"within": Param("duration", "how long before the due date a credential is announced")},
    evidence=("value_created_at", "age_basis", "rotation_period", "schedule", "due_at"),
    fixes={
        "aws-secrets-manager": "aws secretsmanager rotate-secret --secret-id {id} --region {region}",
        "gcp-secret-manager": "gcloud secrets versions add {secret} --data-file=-",
        "aws-iam": "aws iam create-access-key --user-name {name}",
        "aws-kms-symmetric": "aws kms rotate-key-on-demand --key-id {id} --region {region}",
        "vault-transit": "vault write -f {id}/rotate",
    },
    per_requirement=True,
)
