"""KA903 waiver-expired: the last day of a waiver has passed."""

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
