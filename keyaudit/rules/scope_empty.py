"""KA902 scope-empty: a declared scope had nothing in it.

## What it checks

Whether a scope that was declared had any credential in it. Nothing there comes out as unknown: either it is
true, or the audit looked in the wrong place.

The audit is incomplete and ends with exit code 3, unless there are findings as well.

## Why is this bad?

A mistyped account, a wrong profile, a filter that matches nothing and a store that moved all give the same
answer: no credentials, hence no findings. That answer must not read as a pass.

## Example

`keyaudit.yaml` declares two regions. One of them answers with an empty list.

## Remediation

If the scope really is empty, take it out of the configuration, so that its being empty is a decision.
Otherwise look at the account, the region and the identity that the audit used.

## References

- ISO/IEC 27001:2022 9.1, A.5.9; SOC 2 CC2.1
"""

from __future__ import annotations

from keyaudit.model import Basis, Rule

RULE = Rule(
    id="KA902",
    name="scope-empty",
    severity=None,
    basis=Basis.POLICY,
    message="{source} {scope} was asked for and had nothing in it",
    doc=__doc__,
    evidence=("source", "scope", "status", "reason"),
    subject="scope",
)
