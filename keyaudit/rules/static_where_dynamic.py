"""KA601 static-where-dynamic: a long-lived key where the platform can issue short-lived ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw

from keyaudit import facts
from keyaudit.model import Basis, Check, Param, Rule, Severity

_STATIC = ("api-key", "service-password", "oauth-client-secret", "ssh-key")


def check(settings: Mapping[str, Any]) -> Check:
    """Ask what the named providers honour; certificates, users and keys have no such choice."""
    providers = list(settings["providers"])
    named = facts.provider.is_in(providers).fill_null(value=False) if providers else nw.lit(value=False)
    return Check(
        applies=facts.in_use & ~facts.is_replica & named & facts.cls.is_in((*_STATIC, "dynamic-secret")),
        fails=facts.cls.is_in(_STATIC),
    )


RULE = Rule(
    id="KA601",
    name="static-where-dynamic",
    severity=Severity.LOW,
    basis=Basis.PRACTICE,
    message="a long-lived {class} where {provider} can issue short-lived credentials",
    doc=__doc__,
    check=check,
    params={"providers": Param("names", "the platforms that issue short-lived credentials")},
    needs=("provider", "class"),
    evidence=("provider", "class"),
)
