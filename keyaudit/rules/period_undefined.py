"""KA110 period-undefined: no schedule says how often it must be rotated.

## What it checks

Whether any schedule of the policy, or any number of the framework itself, gives the credential a rotation
period.

- A credential whose environment or class is not known may match any schedule. It gets the strictest of those
  it may match, so it has a period and passes here; unclassified says what is missing.
- Not applicable: nothing in use, replicas, dynamic secrets.

## Why is this bad?

Without a period nothing about its age can be wrong, so every other rule falls silent. Frameworks that leave
the number to you ask first of all that you have one: this is a gap in the policy, found in the credential.

## Example

The policy has schedules for production, staging and development. A secret with the environment `shared`
matches none.

## Remediation

Add a schedule to the policy, or classify the credential. A last schedule with an empty match catches whatever
the others leave. If it truly need not be rotated, write that down as a waiver with an end.

## References

- PCI DSS 4.0.1, 3.7.4, 8.6.3, 12.3.1; SOC 2 CC5.3; ISO/IEC 27001:2022 A.5.1, A.5.17, A.8.24
- HIPAA 45 CFR 164.308(a)(5)(ii)(D), 164.316(a); NIST SP 800-53 IA-5, SC-12
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyaudit import facts
from keyaudit.model import Basis, Check, Rule, Severity


def check(_settings: Mapping[str, Any]) -> Check:
    """Ask everything that rotates."""
    return Check(applies=facts.rotates, fails=facts.rotation_period.is_null())


RULE = Rule(
    id="KA110",
    name="period-undefined",
    severity=Severity.MEDIUM,
    basis=Basis.POLICY,
    message="no schedule applies to environment {environment}, class {class}, tier {tier}",
    doc=__doc__,
    check=check,
    evidence=("environment", "class", "tier"),
    per_requirement=True,
)
