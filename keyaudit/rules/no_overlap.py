"""KA204 no-overlap: a key was revoked before its successor took over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyaudit import facts
from keyaudit.model import Basis, Check, Rule, Severity


def check(_settings: Mapping[str, Any]) -> Check:
    """Ask what was ever replaced; after a compromise the old key goes first, and rightly."""
    return Check(
        applies=facts.has_superseded & ~facts.is_replica & facts.compromised_at.is_null(),
        fails=facts.had_gap,
    )


RULE = Rule(
    id="KA204",
    name="no-overlap",
    severity=Severity.LOW,
    basis=Basis.PRACTICE,
    message="a key was revoked before its successor took over",
    doc=__doc__,
    check=check,
    needs=("versions.superseded_at", "versions.retired_at"),
    evidence=("had_gap",),
)
