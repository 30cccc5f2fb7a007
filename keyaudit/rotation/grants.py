"""The least that each provider must grant to whoever runs some rotations: what their parties declare.

A party that asks nobody, or asks with the new key itself, needs nothing granted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from keyaudit.rotation.doors import api_key_grants, aws_grants, google_grants, vault_grants
from keyaudit.rotation.doors.aws import AwsAccess
from keyaudit.rotation.party import Means
from keyaudit.rotation.settings import RotationSettings, open_undemanding

PROVIDERS = ("aws", "gcp", "vault", *api_key_grants.PROVIDERS)
"""Everybody who grants something."""

_Party = tuple[Any, Any]
"""A party's settings, and itself."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What one provider must grant; `what` says what the text is, for a heading."""

    provider: str
    what: str
    text: str


class _AnyKey(Mapping[str, str]):
    """An environment in which every key is set: parties are opened for what they declare, and ask nobody."""

    def __getitem__(self, name: str) -> str:
        return "unused"

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def grants(rotations: Sequence[RotationSettings], *, kms_key: str | None = None) -> list[Grant]:
    """Give what each provider must grant for all of these; `kms_key` as `aws_grants.least_privilege` says."""
    means = Means(clock=lambda: 0, environment=_AnyKey())
    parties = [party for rotation in rotations for party in open_undemanding(rotation, means)]
    found = [*_aws(parties, kms_key), *_google(parties), *_vault(parties)]
    for provider in api_key_grants.PROVIDERS:
        own = [(settings, party) for settings, party in parties if _asks(settings) == provider]
        if own:
            text = api_key_grants.least_privilege(provider, own)
            found.append(Grant(provider, "which key, and what it is used for", text))
    return found


def _asks(settings: Any) -> str | None:
    return api_key_grants.provider_of(settings)


def _aws(parties: Sequence[_Party], kms_key: str | None) -> Iterator[Grant]:
    declared = [party for _, party in parties]
    own = [settings for settings, _ in parties if isinstance(settings, AwsAccess)]
    if not own or set(aws_grants.actions(declared)) <= aws_grants.NEEDS_NO_GRANT:
        return
    text = aws_grants.least_privilege(
        declared,
        secrets={_secret(each) for each in own if hasattr(each, "secret")},
        users={user for each in own if hasattr(each, "user") for user in _users(each)},
        kms_key=kms_key,
    )
    yield Grant("aws", "a policy of IAM", text)


def _secret(settings: Any) -> str:
    """Name a secret by its ARN, which ends in six characters that nobody knows before it is there."""
    if settings.secret.startswith("arn:"):
        return str(settings.secret)
    partition, account = _place(settings)
    return (
        f"arn:{partition}:secretsmanager:{settings.region or '*'}:{account}:secret:{settings.secret}-??????"
    )


def _users(settings: Any) -> Iterator[str]:
    """Name a user by its ARN, whatever its path is."""
    partition, account = _place(settings)
    yield f"arn:{partition}:iam::{account}:user/{settings.user}"
    yield f"arn:{partition}:iam::{account}:user/*/{settings.user}"


def _place(settings: AwsAccess) -> tuple[str, str]:
    """Give partition and account; the account is that of the role, or whichever the policy is attached in."""
    if settings.role is not None:
        return settings.role.split(":")[1], settings.role.split(":")[4]
    region = settings.region or ""
    partition = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
    return next((name for start, name in partition.items() if region.startswith(start)), "aws"), "*"


def _google(parties: Sequence[_Party]) -> Iterator[Grant]:
    declared = [party for _, party in parties]
    if google_grants.permissions(declared):
        yield Grant("gcp", "a custom role", google_grants.least_privilege(declared))


def _vault(parties: Sequence[_Party]) -> Iterator[Grant]:
    """Give one policy a server and namespace, each under a comment."""
    servers: dict[tuple[str, str], list[object]] = {}
    for settings, party in parties:
        if settings.kind.startswith("vault-"):
            servers.setdefault((settings.address, settings.namespace or ""), []).append(party)
    texts = [
        f"# {address}{f', in namespace {namespace}' if namespace else ''}\n"
        + vault_grants.least_privilege(declared)
        for (address, namespace), declared in sorted(servers.items())
    ]
    if texts:
        yield Grant("vault", "a policy of Vault or OpenBao", "\n".join(texts))
