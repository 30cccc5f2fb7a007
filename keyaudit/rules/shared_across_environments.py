"""KA502 shared-across-environments: one credential serves more than one environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyaudit import facts
from keyaudit.model import Basis, Check, Rule, Severity


def check(_settings: Mapping[str, Any]) -> Check:
    """Count the environments of a lineage; an unclassified copy may hide a second one."""
    return Check(
        applies=facts.in_use & ~facts.is_replica & ~facts.lineage.is_null(),
        fails=facts.lineage_environments > 1,
    )


RULE = Rule(
    id="KA502",
    name="shared-across-environments",
    severity=Severity.HIGH,
    basis=Basis.POLICY,
    message="lineage {lineage} is in {lineage_environments} environments",
    doc=__doc__,
    check=check,
    needs=("lineage", "environment"),
    evidence=("lineage", "environment", "lineage_environments"),
)
