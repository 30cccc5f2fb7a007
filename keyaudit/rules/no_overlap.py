"""KA204 no-overlap: a key was revoked before its successor took over.

## What it checks

Whether a replaced key was revoked before its successor took over: `retired_at` earlier than `superseded_at`.
The same instant passes.

- Keys that are only superseded were never revoked and pass.
- A disabled or destroyed key without one of the two dates: unknown. So are versions that are not known.
- Not applicable: nothing was ever replaced, replicas, credentials flagged compromised (there the old key goes
  first, and rightly), and sources that do not record these dates.

This is good practice. It never makes a control an exception.

## Why is this bad?

Between the two moments no key worked. If nothing broke, nobody was using the credential; if something did,
people learned that rotating is dangerous, and the next rotation will be late.

## Example

A key was deleted at its provider at 10:00. The new version was stored and promoted at 10:20.

## Remediation

Nothing to mend after the fact. Change the procedure: create, deploy, verify, then revoke. Where a provider
allows one key only, rotate a pair of users in turn, or plan the gap and say so.

- AWS IAM allows two access keys a user, Google ten keys a service account, Azure two keys a resource.
- AWS Secrets Manager has the alternating-users strategy for databases.

## References

- AWS, Rotation strategies: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotation-strategy.html
- OWASP Secrets Management Cheat Sheet:
  https://cheatsheetseries.owasp.org/cheatsheets/Secrets_Management_Cheat_Sheet.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyaudit import facts
from keyaudit.model import Basis, Check, Rule, Severity


def check(_settings: Mapping[str, Any]) -> Check:
    """Ask what was ever replaced; after a compromise the old key goes first, and rightly."""
    return Check(
        applies=facts.has_superseded & ~facts.is_replica & facts.compromised_at.is_null(),
        fails=facts.had_gap,
    )


RULE = Rule(
    id="KA204",
    name="no-overlap",
    severity=Severity.LOW,
    basis=Basis.PRACTICE,
    message="a key was revoked before its successor took over",
    doc=__doc__,
    check=check,
    needs=("versions.superseded_at", "versions.retired_at"),
    evidence=("had_gap",),
)
