"""KA104 rotation-stalled: a new version has been waiting to take over for too long.

## What it checks

Whether a version has been pending for longer than `after`. Pending means created, or announced by a label,
and not yet the value in use. The oldest pending version counts. Exactly `after` passes.

- Nothing pending passes.
- A pending version without a creation date is unknown, unless another one is surely late: a failed AWS
  rotation can leave a reserved id that holds no value and has no date. So is one whose date lies after the
  audit, and a credential whose versions are not known.
- Not applicable: versions were not collected; replicas, which follow their primary.

## Why is this bad?

A rotation that stops in the middle is worse than one that never ran. The dashboard says that rotation is on,
the last attempt looks recent, and the value in use grows old behind it. In AWS Secrets Manager a pending
label that is left on another version also blocks every rotation after it. Depending on the step that failed,
a live key may exist at the provider that nobody has recorded.

## Example

A Lambda created a new key, stored it as AWSPENDING and could not reach the database to test it. Three days
later AWSPENDING still sits on that version and AWSCURRENT on the old one.

## Remediation

Find out which step failed, settle the key at the provider, then clear the way and rotate again.

- AWS Secrets Manager: read the rotation function's log. If the pending key works, finish the rotation. If it
  does not, delete it at its provider and take the label away with `aws secretsmanager
  update-secret-version-stage --secret-id ID --version-stage AWSPENDING --remove-from-version-id VERSION`.
  Then `aws secretsmanager rotate-secret --secret-id ID`.
- Google Secret Manager and Vault KV know no pending state. Where a label or custom metadata marks one, take
  the mark away once the rotation is finished or undone.
- Any provider: list its keys and delete one that no store version belongs to.

## References

- AWS, Troubleshoot rotation:
  https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot_rotation.html
- AWS, Rotation by Lambda function:
  https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda.html
- SOC 2 CC5.3; ISO/IEC 27001:2022 A.5.36; PCI DSS 4.0.1, 8.6.3
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw

from keyaudit import facts
from keyaudit.model import Basis, Check, Param, Rule, Severity


def check(settings: Mapping[str, Any]) -> Check:
    """Compare the oldest pending version with the limit; one from the future has no age."""
    waited = nw.when(facts.pending_for >= 0).then(facts.pending_for)
    undated = nw.when(~facts.pending_undated).then(nw.lit(value=False))
    late = (waited > settings["after"]) | undated
    return Check(applies=~facts.is_replica, fails=facts.has_pending & late)


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
        "aws-secrets-manager": (
            "aws secretsmanager update-secret-version-stage --secret-id {id} --region {region} "
            "--version-stage AWSPENDING --remove-from-version-id {version}"
        ),
    },
)
