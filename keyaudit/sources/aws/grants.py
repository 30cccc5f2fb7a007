"""The least that an IAM policy must grant for a pull, and the denial that keeps values out of reach.

One table a kind: what it asks for, and what of its service must stay out of reach.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from keyaudit.sources.aws.settings import AccountSettings, account_of
from keyaudit.sources.pulling.settings import PullSettings

REGION_BY_REGION = ("account:ListRegions",)
"""For every kind that is not among `GLOBAL`. sts:GetCallerIdentity needs no grant."""

GLOBAL = frozenset({"aws-iam"})
"""Kinds that are asked once an account, not once a region."""

LISTS: dict[str, tuple[str, ...]] = {
    "aws-iam": (
        "iam:GenerateCredentialReport",
        "iam:GetAccessKeyLastUsed",
        "iam:GetAccountSummary",
        "iam:GetCredentialReport",
        "iam:ListAccessKeys",
        "iam:ListServiceSpecificCredentials",
        "iam:ListUsers",
    ),
    "aws-kms": (
        "kms:DescribeKey",
        "kms:GetKeyRotationStatus",
        "kms:ListAliases",
        "kms:ListKeyRotations",
        "kms:ListKeys",
    ),
    "aws-secrets-manager": ("secretsmanager:ListSecretVersionIds", "secretsmanager:ListSecrets"),
    "aws-ssm": ("ssm:DescribeParameters",),
}
"""ListSecrets cannot be narrowed to some secrets. A credential report is a list that IAM writes first."""

MORE: dict[str, dict[str, tuple[str, ...]]] = {
    "aws-iam": {"tags": ("iam:ListUserTags",)},
    "aws-kms": {"last_use": ("kms:GetKeyLastUsage",), "tags": ("kms:ListResourceTags",)},
    "aws-ssm": {"tags": ("ssm:ListTagsForResource",)},
}
"""What a setting of a kind asks for besides, by its name, where it is true."""

BY_DEFAULT = frozenset({("aws-kms", "tags")})
"""Settings of `MORE` that are true unless an entry says otherwise."""

NEVER: dict[str, tuple[str, ...]] = {
    "aws-iam": (
        "iam:Accept*",
        "iam:Acquire*",
        "iam:Add*",
        "iam:Associate*",
        "iam:Attach*",
        "iam:Change*",
        "iam:Create*",
        "iam:Deactivate*",
        "iam:Delete*",
        "iam:Detach*",
        "iam:Disable*",
        "iam:Enable*",
        "iam:PassRole",
        "iam:Put*",
        "iam:Reject*",
        "iam:Remove*",
        "iam:Reset*",
        "iam:Resync*",
        "iam:Send*",
        "iam:Set*",
        "iam:Tag*",
        "iam:Untag*",
        "iam:Update*",
        "iam:Upload*",
    ),
    "aws-kms": (
        "kms:Cancel*",
        "kms:Connect*",
        "kms:Create*",
        "kms:Decapsulate",
        "kms:Decrypt",
        "kms:Delete*",
        "kms:Derive*",
        "kms:Disable*",
        "kms:Disconnect*",
        "kms:Enable*",
        "kms:Encapsulate",
        "kms:Encrypt",
        "kms:Generate*",
        "kms:GetParametersForImport",
        "kms:Import*",
        "kms:Put*",
        "kms:ReEncrypt*",
        "kms:Replicate*",
        "kms:Retire*",
        "kms:Revoke*",
        "kms:Rotate*",
        "kms:Schedule*",
        "kms:Sign",
        "kms:Synchronize*",
        "kms:Tag*",
        "kms:Untag*",
        "kms:Update*",
        "kms:Verify*",
    ),
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
    "aws-ssm": (
        "kms:Decrypt",
        "ssm:AddTagsToResource",
        "ssm:DeleteParameter",
        "ssm:DeleteParameters",
        "ssm:DeleteResourcePolicy",
        "ssm:GetParameter",
        "ssm:GetParameterHistory",
        "ssm:GetParameters",
        "ssm:GetParametersByPath",
        "ssm:LabelParameterVersion",
        "ssm:PutParameter",
        "ssm:PutResourcePolicy",
        "ssm:RemoveTagsFromResource",
        "ssm:UnlabelParameterVersion",
    ),
}
"""Values, and every change."""


def least_privilege(wanted: Mapping[str, Sequence[PullSettings]]) -> str:
    """Give the IAM policy of the identity that pulls, as JSON, for kinds of AWS and their settings.

    With settings that name accounts, it also may assume the role in each of them; the same
    policy without that statement belongs to those roles.
    """
    given = [settings for each in wanted.values() for settings in each]
    never = sorted({action for kind in wanted for action in NEVER[kind]})
    statements: list[dict[str, Any]] = [
        {"Sid": "ListOnly", "Effect": "Allow", "Action": _lists(wanted), "Resource": "*"},
        {"Sid": "NeverValuesNorChanges", "Effect": "Deny", "Action": never, "Resource": "*"},
    ]
    roles = sorted({role for settings in given for role in _roles(settings)})
    if roles:
        enter = {"Sid": "EnterAccounts", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": roles}
        statements.insert(1, enter)
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2)


def _lists(wanted: Mapping[str, Sequence[PullSettings]]) -> list[str]:
    lists = {action for kind in wanted for action in LISTS[kind]}
    if set(wanted) - GLOBAL:
        lists.update(REGION_BY_REGION)
    given = [settings for each in wanted.values() for settings in each]
    if any(isinstance(settings, AccountSettings) and settings.whole_organization for settings in given):
        lists.add("organizations:ListAccounts")
    for kind, entries in wanted.items():
        for name, actions in MORE.get(kind, {}).items():
            told = [getattr(settings, name) for settings in entries]
            if any(told or [(kind, name) in BY_DEFAULT]):
                lists.update(actions)
    return sorted(lists)


def _roles(settings: PullSettings) -> list[str]:
    if not isinstance(settings, AccountSettings):
        return []
    if settings.whole_organization:
        return [f"arn:aws:iam::*:role/{settings.role}"]
    return [
        entry if entry.startswith("arn:") else f"arn:aws:iam::{account_of(entry)}:role/{settings.role}"
        for entry in settings.accounts
    ]
