"""KA401 unused: it has not been used for longer than the limit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw

from keyaudit import facts
from keyaudit.model import Basis, Check, Param, Rule, Severity


def check(settings: Mapping[str, Any]) -> Check:
    """Compare the interval; a last use in the future is no date, and never-used has its own rule."""
    low = nw.when(facts.unused_min >= 0).then(facts.unused_min)
    high = nw.when(facts.unused_max >= 0).then(facts.unused_max)
    never = facts.never_used.fill_null(value=False) & facts.last_used_at.is_null()
    return Check(
        applies=facts.in_use & ~facts.is_replica & ~never,
        fails=facts.exceeds(low, high, settings["after"]),
    )


RULE = Rule(
    id="KA401",
    name="unused",
    severity=Severity.MEDIUM,
    basis=Basis.POLICY,
    message="not used for {unused_min}",
    doc=__doc__,
    check=check,
    params={"after": Param("duration", "how long a credential may go without being used")},
    needs=("last_used_at",),
    evidence=("last_used_at", "unused_min"),
)
