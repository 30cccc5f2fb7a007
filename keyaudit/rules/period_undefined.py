"""KA110 period-undefined: no schedule says how often it must be rotated."""

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
