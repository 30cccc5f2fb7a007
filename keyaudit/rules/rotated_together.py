"""KA501 rotated-together: production and its staging counterpart were rotated at almost the same time.

## What it checks

Whether the value in use in production and the one of its staging counterpart were created less than `apart`
from each other, in whichever order. Exactly `apart` passes.

- The counterpart is the credential whose name is the same with the environment's own word exchanged, or the
  same name in another scope. Environments are production or prod, and staging, stage or stg.
- A staging value that is newer by `apart` or more is the next round, which production has yet to follow:
  passes.
- One of the two creation dates is not known: unknown.
- Not applicable: not production, no counterpart, never rotated (setting both up on one day is no rotation),
  flagged compromised (an emergency does not wait), replicas, nothing in use.

This is good practice. It never makes a control an exception, and no framework asks for it in these words.

## Why is this bad?

Staging is where a rotation shows what it breaks: a client that caches the old key, a job that runs once a
week, a missing permission. That takes days. If production follows at once, or goes first, staging has tested
nothing.

## Example

`staging/openai` and `prod/openai` were both rotated on Sunday night by the same script.

## Remediation

Move one of the two schedules. Rotate staging first, wait for a full cycle of its slowest consumer, then
production.

- AWS Secrets Manager: different `--rotation-rules` for the two secrets.
- Google Secret Manager: `gcloud secrets update ID --next-rotation-time=TIME`.

## References

- PCI DSS 4.0.1, 6.5.1 and SOC 2 CC8.1 (changes are tested before production): the nearest hooks, not
  requirements
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyaudit import facts
from keyaudit.model import Basis, Check, Param, Rule, Severity


def check(settings: Mapping[str, Any]) -> Check:
    """Ask production credentials that were ever rotated; an emergency does not wait for staging."""
    apart, lead = settings["apart"], facts.staging_lead
    first = facts.single_value.fill_null(value=False)
    return Check(
        applies=facts.rotates & facts.has_staging & ~first & facts.compromised_at.is_null(),
        fails=(lead < apart) & (lead > -apart),
    )


RULE = Rule(
    id="KA501",
    name="rotated-together",
    severity=Severity.LOW,
    basis=Basis.PRACTICE,
    message="staging got its value {staging_lead} production",
    doc=__doc__,
    check=check,
    params={"apart": Param("duration", "how long staging runs on its new value before production follows")},
    needs=("versions.created_at",),
    evidence=("value_created_at", "staging_value_created_at", "staging_lead"),
)
