"""KA109 expired-in-use: it is past its expiry and can still be used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyaudit import facts
from keyaudit.model import Basis, Check, Rule, Severity


def check(_settings: Mapping[str, Any]) -> Check:
    """Ask the credentials that expire at all."""
    return Check(
        applies=facts.in_use & ~facts.expires_at.is_null(),
        fails=facts.expires_at < facts.as_of,
    )


RULE = Rule(
    id="KA109",
    name="expired-in-use",
    severity=Severity.HIGH,
    basis=Basis.POLICY,
    message="expired {expires_at} and can still be used",
    doc=__doc__,
    check=check,
    needs=("expires_at",),
    evidence=("expires_at",),
)
