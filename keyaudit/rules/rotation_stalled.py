"""KA104 rotation-stalled: a new version has been waiting to take over for too long."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw

from keyaudit import facts
from keyaudit.model import Basis, Check, Param, Rule, Severity


def check(settings: Mapping[str, Any]) -> Check:
    """Compare the oldest pending version with the limit; one from the future has no age."""
    waited = nw.when(facts.pending_for >= 0).then(facts.pending_for)
    return Check(applies=~facts.is_replica, fails=facts.has_pending & (waited > settings["after"]))


RULE = Rule(
    id="KA104",
    name="rotation-stalled",
    severity=Severity.HIGH,
    basis=Basis.POLICY,
    message="a new version has been pending for {pending_for}",
    doc=__doc__,
    check=check,
    params={"after": Param("duration", "how long a new version may stay pending")},
    needs=("versions",),
    evidence=("has_pending", "pending_for"),
    fixes={
        "aws-secrets-manager": 'aws secretsmanager update-secret-version-stage --secret-id {id} --region {region} --version-stage AWSPENDING --remove-from-version-id "$PENDING_VERSION_ID"',
    },
)
