"""KA108 compromise-not-rotated: a compromised value was not replaced and revoked inside the emergency limit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw

from keyaudit import facts
from keyaudit.model import Basis, Check, Param, Rule, Severity


def check(settings: Mapping[str, Any]) -> Check:
    """Fail while an exposed value can be used past the limit, and for a replacement that came late."""
    within, flagged = settings["within"], facts.compromised_at
    over = nw.when(flagged <= facts.as_of).then(facts.as_of > flagged + within)
    late = (facts.replaced_after > within).fill_null(value=False) & (nw.lit(0) < within)
    return Check(applies=~flagged.is_null(), fails=(facts.exposed & over) | late)


RULE = Rule(
    id="KA108",
    name="compromise-not-rotated",
    severity=Severity.CRITICAL,
    basis=Basis.POLICY,
    message="compromised {compromised_at}, and not replaced and revoked inside the emergency limit",
    doc=__doc__,
    check=check,
    params={"within": Param("duration", "how long a compromised value may stay usable; 0s means at once")},
    needs=("compromised_at",),
    evidence=("compromised_at", "exposed", "replaced_after"),
    fixes={
        "aws-secrets-manager": "aws secretsmanager rotate-secret --secret-id {id} --region {region}",
        "gcp-secret-manager": "gcloud secrets versions add {id} --data-file=-",
        "aws-iam": 'aws iam update-access-key --user-name {name} --access-key-id "$ACCESS_KEY_ID" --status Inactive',
    },
)
