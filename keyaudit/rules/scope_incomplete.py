"""KA901 scope-incomplete: a scope could not be read completely."""

from __future__ import annotations

from keyaudit.model import Basis, Rule

RULE = Rule(
    id="KA901",
    name="scope-incomplete",
    severity=None,
    basis=Basis.POLICY,
    message="{source} {scope} is {status}: {reason}",
    doc=__doc__,
    evidence=("source", "scope", "status", "reason"),
    subject="scope",
)
