"""KA905 waiver-invalid: a waiver has no reason, no end, no approver, or approves itself."""

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
