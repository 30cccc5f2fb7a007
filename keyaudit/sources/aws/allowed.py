"""The only operations that ever leave for AWS; any other is refused before a byte is sent.

Spelled as botocore's events spell them: service id, then operation.
"""

from __future__ import annotations

from typing import Any

from keyaudit.sources.protocol import OperationRefusedError

LISTING = frozenset(
    {
        "secrets-manager.ListSecrets",
        "secrets-manager.ListSecretVersionIds",
        "iam.GenerateCredentialReport",
        "iam.GetAccessKeyLastUsed",
        "iam.GetAccountSummary",
        "iam.GetCredentialReport",
        "iam.ListAccessKeys",
        "iam.ListServiceSpecificCredentials",
        "iam.ListUserTags",
        "iam.ListUsers",
        "kms.DescribeKey",
        "kms.GetKeyLastUsage",
        "kms.GetKeyRotationStatus",
        "kms.ListAliases",
        "kms.ListKeyRotations",
        "kms.ListKeys",
        "kms.ListResourceTags",
        "ssm.DescribeParameters",
        "ssm.ListTagsForResource",
        "organizations.ListAccounts",
        "account.ListRegions",
        "sts.GetCallerIdentity",
        "sts.AssumeRole",
    }
)
"""What keyaudit itself asks for."""

SIGNING_IN = frozenset(
    {
        "sts.AssumeRoleWithWebIdentity",
        "sso.GetRoleCredentials",
        "sso-oidc.CreateToken",
        "signin.CreateOAuth2Token",
    }
)
"""What botocore asks for on its own to get the caller's credentials (profiles with SSO, EKS, login)."""

ALLOWED = LISTING | SIGNING_IN


def refuse_others(event_name: str, **_: Any) -> None:
    """Raise OperationRefusedError unless the operation of a `before-*` event is on the list."""
    service_and_operation = event_name.split(".", 1)[1]
    if service_and_operation not in ALLOWED:
        raise OperationRefusedError(f"{service_and_operation} is not on the read-only list; nothing was sent")


def guard(events: Any) -> None:
    """Hook the refusal onto botocore's events, ahead of every other handler.

    `before-call` comes before a request is signed, `before-send` before each attempt of it goes
    to the socket, so that even a request built by hand is stopped.
    """
    events.register_first("before-call", refuse_others)
    events.register_first("before-send", refuse_others)
