"""KA905 waiver-invalid: a waiver has no reason, no end, no requester or approver, or approves itself.

## What it checks

Whether a waiver has a reason, a last day, whoever asked for it and whoever approved it, and whether these two
are different people. Dates must be days between 1970-01-01 and 9999-12-30, and the first must not lie after
the last. An invalid waiver waives nothing.

- Names are compared as they look: case, spaces, width and characters that do not show make nobody a second
  person. Two spellings of one person's name still do: keyaudit has no directory.
- A reason or a name that shows nothing, or says only `n/a`, `none`, `tbd`, `-` or the like, is missing.

## Why is this bad?

A waiver turns a failure into an accepted risk, and somebody must have accepted it: a second person, for a
reason, for a time. A file that says "ignore this" is not an approval, and an auditor will not take it for
one.

## Example

A waiver has `requested_by` and `approved_by` set to the same address.

## Remediation

Write down the reason, the compensating control and who asks, set `until`, and let somebody approve it who did
not ask for it.

## References

- PCI DSS 4.0.1, Appendix C; ISO/IEC 27001:2022 6.1.3, A.5.36; SOC 2 CC3.2; HIPAA 45 CFR 164.316(b)(1)
"""

from __future__ import annotations

from keyaudit.model import Basis, Rule, Severity

RULE = Rule(
    id="KA905",
    name="waiver-invalid",
    severity=Severity.HIGH,
    basis=Basis.POLICY,
    message="waiver {id} waives nothing: {problem}",
    doc=__doc__,
    evidence=("id", "problem"),
    subject="waiver",
)
