"""KA902 scope-empty: a declared scope had nothing in it."""

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
