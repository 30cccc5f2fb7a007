"""The least that IAM must grant to whoever rotates: what each party declares, on what it is about.

Whoever audits has another policy, which denies all of this but the lists.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

NEEDS_NO_GRANT = frozenset({"sts:GetCallerIdentity"})
"""What needs no permission: the key that is tried signs it."""
_ANY_KEY = frozenset({"iam:GetAccessKeyLastUsed"})
"""Asked with a key's id: only `*` covers a key whose user is not known before."""


def actions(parties: Iterable[object]) -> tuple[str, ...]:
    """Give what parties declare to ask of AWS, in order, each once."""
    found: set[str] = set()
    for party in parties:
        calls = getattr(party, "calls", {})
        every = calls.values() if isinstance(calls, Mapping) else (calls,)
        found.update(action for each in every for action in each)
    return tuple(
        sorted(action for action in found if action.split(":")[0] in {"iam", "secretsmanager", "sts"})
    )


def least_privilege(
    parties: Iterable[object],
    *,
    secrets: Iterable[str] = (),
    users: Iterable[str] = (),
    kms_key: str | None = None,
) -> str:
    """Give the policy of the identity that rotates, as JSON.

    `secrets` and `users` are ARNs, `kms_key` the ARN of the customer's key that encrypts the secrets,
    if one does: without it, AWS's own key needs no grant.
    """
    needed = [action for action in actions(parties) if action not in NEEDS_NO_GRANT]
    groups = (
        ("RotateSecrets", "secretsmanager:", sorted(secrets)),
        ("RotateAccessKeys", "iam:", sorted(users)),
    )
    statements: list[dict[str, Any]] = []
    for name, prefix, resources in groups:
        own = [action for action in needed if action.startswith(prefix) and action not in _ANY_KEY]
        if own:
            statements.append(_allow(name, own, resources))
    if anywhere := sorted(_ANY_KEY & set(needed)):
        statements.append(_allow("SeeLastUse", anywhere, ["*"]))
    if kms_key is not None:
        through = _allow("EncryptSecrets", ["kms:Decrypt", "kms:GenerateDataKey"], [kms_key])
        through["Condition"] = {"StringLike": {"kms:ViaService": "secretsmanager.*.amazonaws.com"}}
        statements.append(through)
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2)


def _allow(name: str, needed: list[str], resources: list[str]) -> dict[str, Any]:
    return {"Sid": name, "Effect": "Allow", "Action": needed, "Resource": resources}
