"""KA402 never-used: it has never been used since it was created."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw

from keyaudit import facts
from keyaudit.model import Basis, Check, Param, Rule, Severity


def check(settings: Mapping[str, Any]) -> Check:
    """A last use disproves it; a credential that is young enough passes either way."""
    never = nw.when(facts.last_used_at.is_null()).then(facts.never_used).otherwise(nw.lit(value=False))
    age = facts.as_of - facts.created_at
    waited = nw.when(age >= 0).then(age > settings["after"])
    return Check(applies=facts.in_use & ~facts.is_replica, fails=never & waited)


RULE = Rule(
    id="KA402",
    name="never-used",
    severity=Severity.MEDIUM,
    basis=Basis.POLICY,
    message="never used since it was created {created_at}",
    doc=__doc__,
    check=check,
    params={"after": Param("duration", "how long after its creation a credential must have been used")},
    needs=("never_used", "created_at"),
    evidence=("created_at", "never_used"),
)
