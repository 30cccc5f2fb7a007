"""The least that an IAM policy must grant for a pull, and the denial that keeps values out of reach."""

from __future__ import annotations

from typing import Any

from keyaudit.sources.aws.settings import AwsSecretsManagerSettings, account_of

LISTS = ("account:ListRegions", "secretsmanager:ListSecretVersionIds", "secretsmanager:ListSecrets")
"""sts:GetCallerIdentity needs no grant; ListSecrets cannot be narrowed to some secrets."""

NEVER = (
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
)
"""Values, and every change."""


def least_privilege(settings: AwsSecretsManagerSettings | None = None) -> dict[str, Any]:
    """Give the IAM policy of the identity that pulls, as a document to print.

    With `settings` that name accounts, it also may assume the role in each of them; the same
    policy without that statement belongs to those roles.
    """
    statements: list[dict[str, Any]] = [
        {"Sid": "ListOnly", "Effect": "Allow", "Action": list(LISTS), "Resource": "*"},
        {"Sid": "NeverValuesNorChanges", "Effect": "Deny", "Action": list(NEVER), "Resource": "*"},
    ]
    if settings is not None and settings.accounts:
        roles = [
            entry if entry.startswith("arn:") else f"arn:aws:iam::{account_of(entry)}:role/{settings.role}"
            for entry in settings.accounts
        ]
        statements.insert(
            1, {"Sid": "EnterAccounts", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": roles}
        )
    return {"Version": "2012-10-17", "Statement": statements}
