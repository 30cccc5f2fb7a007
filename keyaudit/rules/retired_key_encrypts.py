"""KA205 retired-key-encrypts: a replaced encryption or signing key may still encrypt or sign."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyaudit import facts
from keyaudit.model import Basis, Check, Rule, Severity


def check(_settings: Mapping[str, Any]) -> Check:
    """Ask keys only; credentials of unknown class are judged by old-key-active."""
    return Check(applies=facts.is_key.fill_null(value=False) & ~facts.is_replica, fails=facts.old_encrypts)


RULE = Rule(
    id="KA205",
    name="retired-key-encrypts",
    severity=Severity.HIGH,
    basis=Basis.POLICY,
    message="a replaced key may still encrypt or sign",
    doc=__doc__,
    check=check,
    needs=("class", "versions.authenticates"),
    evidence=("class", "old_encrypts"),
)
