"""KA904 waiver-unused: a waiver covers nothing that failed."""

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
