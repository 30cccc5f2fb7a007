"""KA109 expired-in-use: it is past its expiry and can still be used.

## What it checks

Whether `expires_at` lies before the audit while a value of the credential can still be used. The very instant
of the audit passes.

- A credential counts as in use if it has a current version, or if its versions are not known.
- An empty `expires_at` means that it does not expire: not applicable. So is a credential with nothing in use,
  and a source that has no expiry dates.

## Why is this bad?

Somebody decided that this credential should end, and it did not. Either the expiry is a note that nothing
enforces, so nobody is protected by it, or the consumers are about to fail. For a certificate it is an outage;
for a contractor's key it is access that was meant to be over.

## Example

A partner's API key was to expire on 31 March. On 1 May its store still serves it as the current version.

## Remediation

Ask whether it is still needed. If not, revoke it. If so, replace it by one with a new end; do not just move
the date.

- Google Secret Manager deletes a secret at its expiry by itself; `gcloud secrets update ID
  --expire-time=TIME` sets it.
- AWS IAM service-specific credentials: `aws iam update-service-specific-credential --user-name USER
  --service-specific-credential-id CREDENTIAL --status Inactive`.
- Certificates: renew and deploy; AWS Certificate Manager renews what it issued and what is in use.
- Vault leases: `vault lease revoke LEASE`.

## References

- OWASP Non-Human Identities Top 10, NHI7: https://owasp.org/www-project-non-human-identities-top-10/
- PCI DSS 4.0.1, 3.7.4, 4.2.1; SOC 2 CC6.1, CC6.2; ISO/IEC 27001:2022 A.5.16; NIST SP 800-53 AC-2(3); CIS AWS
  2.17
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyaudit import facts
from keyaudit.model import Basis, Check, Rule, Severity


def check(_settings: Mapping[str, Any]) -> Check:
    """Ask the credentials that expire at all."""
    return Check(
        applies=facts.in_use & ~facts.expires_at.is_null(),
        fails=facts.expires_at < facts.as_of,
    )


RULE = Rule(
    id="KA109",
    name="expired-in-use",
    severity=Severity.HIGH,
    basis=Basis.POLICY,
    message="expired {expires_at} and can still be used",
    doc=__doc__,
    check=check,
    needs=("expires_at",),
    evidence=("expires_at",),
)
