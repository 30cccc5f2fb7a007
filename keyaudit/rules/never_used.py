"""KA402 never-used: it has never been used since it was created.

## What it checks

Whether a credential that is known never to have been used was created longer than `after` ago. Exactly
`after` passes.

- `never_used` is true only where the source can know it; a document that records a last use as well is
  refused. A recorded last use passes.
- Not known whether it was ever used: passes while it is younger than `after`, unknown from then on. Not known
  when it was created, or created after the audit: unknown.
- Not applicable: nothing in use, replicas (see rotation-overdue), and sources that cannot tell.

## Why is this bad?

It was made for something that did not happen, or made twice. Nobody depends on it, so it can go today; but
somebody has a copy, in a terminal, a ticket, a chat.

## Example

An access key was created for a migration a year ago, and the provider shows no use of it.

## Remediation

Revoke it at its provider. Nothing can break. If somebody is about to need it, let them create a new one then.

- AWS IAM: `aws iam delete-access-key --user-name USER --access-key-id KEY`.
- AWS Secrets Manager: `aws secretsmanager delete-secret --secret-id ID`, after the key is revoked where it is
  honoured.
- Google service accounts: `gcloud iam service-accounts keys delete KEY --iam-account=ACCOUNT`.

## References

- AWS, Find unused credentials:
  https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_finding-unused.html
- PCI DSS 4.0.1, 7.2.5.1, 8.2.6; CIS AWS 2.11; SOC 2 CC6.1; ISO/IEC 27001:2022 A.5.16
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw

from keyaudit import facts
from keyaudit.model import Basis, Check, Param, Rule, Severity


def check(settings: Mapping[str, Any]) -> Check:
    """A last use disproves it; a credential that is young enough passes either way."""
    never = nw.when(facts.last_used_at.is_null()).then(facts.never_used).otherwise(nw.lit(value=False))
    age = facts.as_of - facts.created_at
    waited = nw.when(age >= 0).then(age > settings["after"])
    return Check(applies=facts.in_use & ~facts.is_replica, fails=never & waited)


RULE = Rule(
    id="KA402",
    name="never-used",
    severity=Severity.MEDIUM,
    basis=Basis.POLICY,
    message="never used since it was created {created_at}",
    doc=__doc__,
    check=check,
    params={"after": Param("duration", "how long after its creation a credential must have been used")},
    needs=("never_used", "created_at"),
    evidence=("created_at", "never_used"),
)
