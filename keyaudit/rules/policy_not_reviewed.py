"""KA801 policy-not-reviewed: the governing policy is past its review date.

## What it checks

Whether `reviewed_on` of the governing policy lies more than `review_every` before the audit. Exactly that
long passes. The day of the review counts from its first UTC instant. Where the text of a framework that was
asked for states a shorter interval (PCI DSS 12.1.2 and 12.3.1: 12 months), that one counts, and the finding
names it.

- A review after the instant of the audit has not taken place, and fails.
- A policy that was never reviewed fails. One that does not say how often it must be reviewed is unknown.
- Who approved it is evidence and no verdict: `approval` says whether that was somebody else than the `owner`.
- The policy that keyaudit ships is nobody's policy yet and fails: adopt it, change it, and put a date on it.

## Why is this bad?

Frameworks that leave the numbers to you ask that somebody decided them, for reasons that still hold. An audit
against a policy that nobody has looked at for years proves that a number is met, not that it is the right
one.

## Example

The policy was reviewed on 1 July of last year and must be reviewed every 365 days. From 2 July on the finding
is there.

## Remediation

Review it: who owns it, whether the periods still fit the risks, which waivers are still true. Have it
approved by somebody who does not own it, and set `reviewed_on` and `approved_by`. Keep the record of the
meeting; keyaudit cannot see it.

## References

- PCI DSS 4.0.1, 12.1.2, 12.3.1; SOC 2 CC5.3; ISO/IEC 27001:2022 A.5.1; HIPAA 45 CFR 164.316(b)(2)(iii)
"""

from __future__ import annotations

from keyaudit.model import Basis, Rule, Severity

RULE = Rule(
    id="KA801",
    name="policy-not-reviewed",
    severity=Severity.MEDIUM,
    basis=Basis.POLICY,
    message="policy {name} was last reviewed {reviewed_on}; it must be reviewed every {review_every}",
    doc=__doc__,
    evidence=("name", "reviewed_on", "review_every"),
    subject="policy",
)
