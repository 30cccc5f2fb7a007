"""KA901 scope-incomplete: a scope could not be read completely.

## What it checks

Whether every scope that was asked for could be read to its end. A scope is one account and region, one
project, one mount. `partial` and `failed` come out as unknown, never as pass or fail: what was not seen
cannot be judged.

The audit is incomplete and ends with exit code 3, unless there are findings as well. Controls about the
credentials of that scope are not evaluated.

## Why is this bad?

A denied call and an account full of good credentials look alike in a list of findings: both are empty. An
auditor asks for the completeness of the population before anything else, and an audit that passes because it
could not look is worse than none.

## Example

The role of the audit may not list secrets in `eu-central-1`. Everything else was read. The report says so on
its first page.

## Remediation

Read the reason beside the scope.

- Access denied: grant the listing permission, never the reading of values. For AWS that is
  `secretsmanager:ListSecrets` and `secretsmanager:ListSecretVersionIds`.
- Throttled: run again, or with fewer requests a second.
- Expired credentials: sign in again. Region not enabled, account closed: take it out of the configuration, in
  writing.

## References

- AWS, Permissions reference for Secrets Manager:
  https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
- ISO/IEC 27001:2022 9.1, A.5.9; SOC 2 CC2.1
"""

from __future__ import annotations

from keyaudit.model import Basis, Rule

RULE = Rule(
    id="KA901",
    name="scope-incomplete",
    severity=None,
    basis=Basis.POLICY,
    message="{source} {scope} is {status}: {reason}",
    doc=__doc__,
    evidence=("source", "scope", "status", "reason"),
    subject="scope",
)
