"""KA906 time-in-future: a timestamp lies later than the audit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyaudit import facts
from keyaudit.model import Basis, Check, Rule, Severity


def check(_settings: Mapping[str, Any]) -> Check:
    """Ask everything: a time from the future means a wrong clock, or a wrong document."""
    return Check(applies=facts.in_use | ~facts.in_use, fails=facts.time_in_future)


RULE = Rule(
    id="KA906",
    name="time-in-future",
    severity=Severity.MEDIUM,
    basis=Basis.POLICY,
    message="{latest_instant} is later than the audit of {as_of}",
    doc=__doc__,
    check=check,
    evidence=("latest_instant", "as_of"),
)
