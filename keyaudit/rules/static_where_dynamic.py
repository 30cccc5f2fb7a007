"""KA601 static-where-dynamic: a long-lived key where the platform can issue short-lived ones.

## What it checks

Whether a credential that one of the platforms in `providers` honours is a long-lived key: class api-key,
service-password, oauth-client-secret or ssh-key. A dynamic-secret passes.

- Of unknown class: unknown.
- Not applicable: another platform or an unknown one, any other class (certificates, encryption and signing
  keys and people's passwords have no short-lived kind that replaces them), nothing in use, replicas.

This is good practice. It never makes a control an exception.

## Why is this bad?

The best rotation is the one that nobody has to do. Where a platform issues credentials that end after minutes
or hours, a key that lies around for months is a choice: it can be copied, it must be rotated, and it must be
audited.

## Example

A deployment job holds an AWS access key. The same job could sign in with its own identity and receive
credentials for an hour.

## Remediation

- AWS: roles for workloads on AWS, IAM Roles Anywhere or OIDC federation for others, for example from GitHub
  Actions.
- Google Cloud: attached service accounts, Workload Identity Federation for everything outside.
- Azure: managed identities and federated credentials.
- Databases and SSH: Vault's database engine, signed SSH certificates.
- GitHub: a GitHub App's installation tokens instead of personal access tokens.

## References

- AWS, Security best practices in IAM: https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html
- Google, Workload Identity Federation: https://cloud.google.com/iam/docs/workload-identity-federation
- Vault, Database secrets engine: https://developer.hashicorp.com/vault/docs/secrets/databases
- OWASP Non-Human Identities Top 10, NHI4 and NHI7: https://owasp.org/www-project-non-human-identities-top-10/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw

from keyaudit import facts
from keyaudit.model import Basis, Check, Param, Rule, Severity

_STATIC = ("api-key", "service-password", "oauth-client-secret", "ssh-key")


def check(settings: Mapping[str, Any]) -> Check:
    """Ask what the named providers honour; certificates, users and keys have no such choice."""
    providers = list(settings["providers"])
    named = facts.provider.is_in(providers).fill_null(value=False) if providers else nw.lit(value=False)
    return Check(
        applies=facts.in_use & ~facts.is_replica & named & facts.cls.is_in((*_STATIC, "dynamic-secret")),
        fails=facts.cls.is_in(_STATIC),
    )


RULE = Rule(
    id="KA601",
    name="static-where-dynamic",
    severity=Severity.LOW,
    basis=Basis.PRACTICE,
    message="a long-lived {class} where {provider} can issue short-lived credentials",
    doc=__doc__,
    check=check,
    params={"providers": Param("names", "the platforms that issue short-lived credentials")},
    needs=("provider", "class"),
    evidence=("provider", "class"),
)
