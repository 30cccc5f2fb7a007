"""KA202 old-version-enabled: a store still serves a replaced version after its grace period."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw

from keyaudit import facts
from keyaudit.model import Basis, Check, Param, Rule, Severity


def check(settings: Mapping[str, Any]) -> Check:
    """Ask the stores that the policy names, and never encryption or signing keys."""
    sources = list(settings["sources"])
    named = facts.source.is_in(sources) if sources else nw.lit(value=False)
    a_key = facts.is_key.fill_null(value=False)
    return Check(
        applies=named & ~facts.is_replica & ~a_key & ~facts.grace_period.is_null(),
        fails=facts.exceeds(facts.old_enabled_min, facts.old_enabled_max, facts.grace_period),
    )


RULE = Rule(
    id="KA202",
    name="old-version-enabled",
    severity=Severity.MEDIUM,
    basis=Basis.POLICY,
    message="a replaced version can still be read {old_enabled_min} after it was replaced; {schedule} allows {grace_period}",
    doc=__doc__,
    check=check,
    params={"sources": Param("names", "the stores in which replaced versions must be retired")},
    needs=("versions",),
    evidence=("old_enabled_min", "old_enabled_max", "grace_period", "schedule"),
    fixes={
        "gcp-secret-manager": 'gcloud secrets versions disable "$OLD_VERSION" --secret={id}',
        "vault": 'vault kv delete -versions="$OLD_VERSION" {id}',
    },
    per_requirement=True,
)
