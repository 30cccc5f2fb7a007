"""KA904 waiver-unused: a waiver covers nothing that failed.

## What it checks

Whether a waiver that is in force covers at least one failure of this audit. One that has not begun, has ended
or is not valid is judged by its own rule.

## Why is this bad?

What it was for has been mended, deleted or renamed. Until it ends it will cover, without anybody looking,
whatever matches it next.

## Example

A waiver names a secret by its id. The secret was rotated last week, so there is nothing to waive.

## Remediation

Delete it. If it was meant to match and does not, correct the match; `keyaudit policy explain` shows why it
does not.

## References

- SOC 2 CC3.2; ISO/IEC 27001:2022 6.1.3
"""

from __future__ import annotations

from keyaudit.model import Basis, Rule, Severity

RULE = Rule(
    id="KA904",
    name="waiver-unused",
    severity=Severity.LOW,
    basis=Basis.POLICY,
    message="waiver {id} covers nothing that failed",
    doc=__doc__,
    evidence=("id", "until"),
    subject="waiver",
)
