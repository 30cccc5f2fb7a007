"""KA106 schedule-too-slow: the configured schedule can leave a longer gap than the rotation period.

## What it checks

The longest gap that the configured schedule can leave between two rotations, against `rotation_period`.
Exactly the period passes. `overdue_tolerance` does not count: it excuses a rotation that came late, not a
plan to be late.

- Understood are `rate(30 days)`, AWS `cron(…)` with `?`, `L`, `W` and `#`, five-field cron, `30d`, and
  Google's `2592000s`. The gap of a cron expression is looked for over years, because months differ.
- A schedule that cannot be understood fails: nobody has shown that it is fast enough.
- Rotation is on and the schedule is not known, or nobody knows if rotation is on: unknown.
- Not applicable: rotation is off, no period, nothing in use, replicas, dynamic secrets.

## Why is this bad?

Every value passes until the schedule lets one grow too old, and then every credential on that schedule fails
in the same week. The configuration shows it today. Scanners that read only the on/off switch, or skip cron
expressions, report such a schedule as compliant.

## Example

The policy allows 90 days. `cron(0 4 1 1/3 ? *)` runs on the first of January, April, July and October. From
July to October that is 92 days, so every value fails for two days each autumn.

## Remediation

Shorten the schedule so that its worst gap plus the time a rotation takes stays below the period. Every 60
days meets 90; every quarter does not.

- AWS Secrets Manager: `aws secretsmanager rotate-secret --secret-id ID --rotation-rules
  AutomaticallyAfterDays=DAYS`. This rotates at once unless `--no-rotate-immediately` is added.
- Google Secret Manager: `gcloud secrets update ID --rotation-period=SECONDSs`.
- Vault database static roles: `vault write database/static-roles/NAME rotation_period=SECONDS` with the
  role's other fields.

## References

- AWS, Schedule expressions:
  https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
- Google, Create rotation schedules in Secret Manager:
  https://cloud.google.com/secret-manager/docs/secret-rotation
- SOC 2 CC5.3; ISO/IEC 27001:2022 A.5.36, A.8.9; PCI DSS 4.0.1, 3.7.4, 8.6.3; CIS GCP 1.11
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyaudit import facts
from keyaudit.model import Basis, Check, Rule, Severity


def check(_settings: Mapping[str, Any]) -> Check:
    """Compare the schedule's longest gap with the period; what cannot be read promises nothing."""
    gap = facts.schedule_interval_max
    return Check(
        applies=facts.rotates & facts.rotation_enabled & ~facts.rotation_period.is_null(),
        fails=facts.schedule_unparsable | (gap > facts.rotation_period),
    )


RULE = Rule(
    id="KA106",
    name="schedule-too-slow",
    severity=Severity.MEDIUM,
    basis=Basis.POLICY,
    message=(
        "{rotation_schedule} can leave {schedule_interval_max} between rotations; {schedule} allows "
        "{rotation_period}"
    ),
    doc=__doc__,
    check=check,
    needs=("rotation_enabled", "rotation_schedule"),
    evidence=("rotation_schedule", "schedule_interval_max", "rotation_period", "schedule"),
    fixes={
        "aws-secrets-manager": (
            "aws secretsmanager rotate-secret --secret-id {id} --region {region} --rotation-rules "
            '"AutomaticallyAfterDays=$DAYS"'
        ),
        "gcp-secret-manager": 'gcloud secrets update {secret} --rotation-period="$PERIOD"',
        "aws-kms-symmetric": (
            'aws kms enable-key-rotation --key-id {id} --region {region} --rotation-period-in-days "$DAYS"'
        ),
    },
    per_requirement=True,
)
