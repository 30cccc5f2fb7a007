"""KA401 unused: it has not been used for longer than the limit.

## What it checks

How long ago the credential was last used, against `after`. Exactly `after` passes.

- Where the last use is not known, a credential created within `after` passes, because it cannot have been
  idle for longer. An older one is unknown. A last use after the audit is no date.
- Known never to have been used: not applicable here, see never-used.
- Not applicable: nothing in use, replicas (see rotation-overdue; a copy may wait for a disaster), and
  stores that cannot know, such as Google Secret Manager.

Some stores count by region: a secret that is read only through its replica looks unused at its primary.

## Why is this bad?

A key that nobody uses is all risk. Nobody notices when it is misused, because nobody watches it, and nobody
misses it when it is gone. Unused access is the easiest finding to close and the most common one to find.

## Example

With a limit of 90 days, an access key that was last used 91 days ago fails.

## Remediation

Switch it off in a way that can be undone, wait for one cycle of whatever runs rarely (month end, year end),
then delete.

- AWS IAM: `aws iam update-access-key --user-name USER --access-key-id KEY --status Inactive`, later `aws iam
  delete-access-key`.
- AWS Secrets Manager: revoke the key at its provider first, then `aws secretsmanager delete-secret
  --secret-id ID`, which keeps it restorable for the recovery window.
- Google service accounts: `gcloud iam service-accounts keys disable KEY --iam-account=ACCOUNT`.
- OpenAI and Anthropic: deactivate where the console offers it, otherwise delete.

## References

- AWS, Find unused credentials:
  https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_finding-unused.html
- OWASP Non-Human Identities Top 10, NHI1: https://owasp.org/www-project-non-human-identities-top-10/
- PCI DSS 4.0.1, 7.2.5.1, 8.2.6; CIS AWS 2.11; SOC 2 CC6.1, CC6.2; ISO/IEC 27001:2022 A.5.18
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw

from keyaudit import facts
from keyaudit.model import Basis, Check, Param, Rule, Severity


def check(settings: Mapping[str, Any]) -> Check:
    """Compare the interval; a last use in the future is no date, and never-used has its own rule."""
    low = nw.when(facts.unused_min >= 0).then(facts.unused_min)
    high = nw.when(facts.unused_max >= 0).then(facts.unused_max)
    never = facts.never_used.fill_null(value=False) & facts.last_used_at.is_null()
    return Check(
        applies=facts.in_use & ~facts.is_replica & ~never,
        fails=facts.exceeds(low, high, settings["after"]),
    )


RULE = Rule(
    id="KA401",
    name="unused",
    severity=Severity.MEDIUM,
    basis=Basis.POLICY,
    message="not used for {unused_min}",
    doc=__doc__,
    check=check,
    params={"after": Param("duration", "how long a credential may go without being used")},
    needs=("last_used_at",),
    evidence=("last_used_at",),
)
