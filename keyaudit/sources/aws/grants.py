"""The least that an IAM policy must grant for a pull, and the denial that keeps values out of reach.

One table a kind: what it asks for, and what of its service must stay out of reach.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from keyaudit.sources.aws.settings import AwsSettings, account_of
from keyaudit.sources.pulling.settings import PullSettings

EVERYWHERE = ("account:ListRegions",)
"""sts:GetCallerIdentity needs no grant."""

LISTS: dict[str, tuple[str, ...]] = {
    "aws-secrets-manager": ("secretsmanager:ListSecretVersionIds", "secretsmanager:ListSecrets"),
}
"""ListSecrets cannot be narrowed to some secrets."""

NEVER: dict[str, tuple[str, ...]] = {
    "aws-secrets-manager": (
        "kms:Decrypt",
        "secretsmanager:AssociateCrossAccountReplica",
        "secretsmanager:BatchGetSecretValue",
        "secretsmanager:CancelRotateSecret",
        "secretsmanager:CreateSecret",
        "secretsmanager:DeleteResourcePolicy",
        "secretsmanager:DeleteSecret",
        "secretsmanager:DisassociateCrossAccountReplica",
        "secretsmanager:GetRandomPassword",
        "secretsmanager:GetSecretValue",
        "secretsmanager:PutResourcePolicy",
        "secretsmanager:PutSecretValue",
        "secretsmanager:RemoveRegionsFromReplication",
        "secretsmanager:ReplicateSecretToRegions",
        "secretsmanager:RestoreSecret",
        "secretsmanager:RotateSecret",
        "secretsmanager:StopReplicationToReplica",
        "secretsmanager:TagResource",
        "secretsmanager:UntagResource",
        "secretsmanager:UpdateSecret",
        "secretsmanager:UpdateSecretVersionStage",
    ),
}
"""Values, and every change."""


def least_privilege(wanted: Mapping[str, Sequence[PullSettings]]) -> str:
    """Give the IAM policy of the identity that pulls, as JSON, for kinds of AWS and their settings.

    With settings that name accounts, it also may assume the role in each of them; the same
    policy without that statement belongs to those roles.
    """
    lists = sorted({*EVERYWHERE, *(action for kind in wanted for action in LISTS[kind])})
    never = sorted({action for kind in wanted for action in NEVER[kind]})
    statements: list[dict[str, Any]] = [
        {"Sid": "ListOnly", "Effect": "Allow", "Action": lists, "Resource": "*"},
        {"Sid": "NeverValuesNorChanges", "Effect": "Deny", "Action": never, "Resource": "*"},
    ]
    roles = sorted({role for each in wanted.values() for settings in each for role in _roles(settings)})
    if roles:
        enter = {"Sid": "EnterAccounts", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": roles}
        statements.insert(1, enter)
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2)


def _roles(settings: PullSettings) -> list[str]:
    if not isinstance(settings, AwsSettings):
        return []
    return [
        entry if entry.startswith("arn:") else f"arn:aws:iam::{account_of(entry)}:role/{settings.role}"
        for entry in settings.accounts
    ]
