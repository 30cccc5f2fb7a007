"""KA801 policy-not-reviewed: the governing policy is past its review date."""

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
