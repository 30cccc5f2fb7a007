"""KA903 waiver-expired: the last day of a waiver has passed.

## What it checks

Whether the last UTC day of a waiver has ended. The whole of that day still counts: a waiver until 30
September ends in the instant in which 1 October begins. An expired waiver waives nothing, so what it covered
has failed again.

## Why is this bad?

An exception was accepted for a time. The time is over and nobody has decided what comes next. Left in the
file, it looks like an approval that does not exist.

## Example

A waiver until 30 April is in the policy of an audit as of 1 May.

## Remediation

Mend what it covered and delete it. If that is not possible yet, have it approved again with a new end, by
somebody who did not ask for it.

## References

- PCI DSS 4.0.1, Appendix C; ISO/IEC 27001:2022 6.1.3, A.5.36; SOC 2 CC3.2; NIST SP 800-53 CA-5
"""

from __future__ import annotations

from keyaudit.model import Basis, Rule, Severity

RULE = Rule(
    id="KA903",
    name="waiver-expired",
    severity=Severity.MEDIUM,
    basis=Basis.POLICY,
    message="waiver {id} ended on {until}",
    doc=__doc__,
    evidence=("id", "until"),
    subject="waiver",
)
