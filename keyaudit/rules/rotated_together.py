"""KA501 rotated-together: production and its staging counterpart were rotated at almost the same time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyaudit import facts
from keyaudit.model import Basis, Check, Param, Rule, Severity


def check(settings: Mapping[str, Any]) -> Check:
    """Ask production credentials that were ever rotated; an emergency does not wait for staging."""
    apart, lead = settings["apart"], facts.staging_lead
    first = facts.single_value.fill_null(value=False)
    return Check(
        applies=facts.rotates & facts.has_staging & ~first & facts.compromised_at.is_null(),
        fails=(lead < apart) & (lead > -apart),
    )


RULE = Rule(
    id="KA501",
    name="rotated-together",
    severity=Severity.LOW,
    basis=Basis.PRACTICE,
    message="staging had its value {staging_lead} before production",
    doc=__doc__,
    check=check,
    params={"apart": Param("duration", "how long staging runs on its new value before production follows")},
    needs=("versions.created_at",),
    evidence=("value_created_at", "staging_value_created_at", "staging_lead"),
)
