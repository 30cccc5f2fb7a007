"""Accounts: who signs in, and as whom in each account that was named.

One botocore session an account. A session that assumes a role renews it by itself, because a
cold pull of a large account outlives any session token.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import Any

from keyaudit import __version__
from keyaudit.errors import SourceError
from keyaudit.sources.aws.allowed import guard
from keyaudit.sources.aws.botocore import api_models, botocore
from keyaudit.sources.aws.bounded import bounded
from keyaudit.sources.aws.refusals import promised, refusing
from keyaudit.sources.aws.settings import AccountSettings, account_of
from keyaudit.sources.pulling.refusals import Refusal, RefusedError
from keyaudit.times import SECOND

SESSION_NAME = "keyaudit"
SESSION_SECONDS = 3600
"""What every role allows, also when one role assumes another."""

_ARN = re.compile(r"arn:[!-~]{1,2044}", re.ASCII)

UNKNOWN_ACCOUNT = "unknown-account"
"""Stands for the account id in a scope whose credentials could not even say whose they are."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account, and a session in it or the refusal that kept us out.

    `identity` is the ARN as which the session asks: the caller's own, or that of the role it took on.
    """

    id: str
    session: Session | None
    refusal: Refusal | None = None
    identity: str | None = None


class Session:
    """A guarded botocore session. Clients are made one at a time, as botocore sessions require."""

    def __init__(self, settings: AccountSettings, credentials: Any = None) -> None:
        """Sign in as the profile says, or with `credentials`; the profile's region counts either way."""
        self._settings = settings
        self._lock = threading.Lock()
        self.raw: Any = botocore("session").Session(profile=settings.profile)
        guard(self.raw.get_component("event_emitter"))
        self.raw.register_component("data_loader", api_models())
        if credentials is not None:
            resolver = botocore("credentials").CredentialResolver([_Given(credentials)])
            self.raw.register_component("credential_provider", resolver)

    def client(self, service: str, region: str) -> Any:
        """Make a client with explicit limits: retries, time, size; raises botocore's own errors."""
        settings = self._settings
        config = botocore("config").Config(
            retries={"mode": "standard", "total_max_attempts": settings.attempts},
            connect_timeout=min(10.0, settings.timeout / SECOND),
            read_timeout=settings.timeout / SECOND,
            max_pool_connections=settings.calls_per_scope + 1,
            user_agent_extra=f"keyaudit/{__version__}",
        )
        with self._lock:
            client = self.raw.create_client(
                service, region_name=region, endpoint_url=settings.endpoint_url, config=config
            )
        return bounded(client)

    def home_region(self) -> str:
        """Give the region to ask for identity: the configured one, else a declared one, else the oldest."""
        return str(self.raw.get_config_variable("region") or self._settings.declared_region or "us-east-1")


class _Given:
    """A credential provider, in botocore's sense, that has its answer already."""

    METHOD = "keyaudit-assume-role"
    CANONICAL_NAME = None

    def __init__(self, credentials: Any) -> None:
        self._credentials = credentials

    def load(self) -> Any:
        return self._credentials


def sign_in(settings: AccountSettings) -> Session:
    """Open the caller's own session; raises SourceError when there is nothing to sign in with."""
    exceptions = botocore("exceptions")
    try:
        session = Session(settings)
        credentials = session.raw.get_credentials()
    except exceptions.ProfileNotFound:
        raise SourceError(
            f"source {settings.name}: no AWS profile named {settings.profile!r}",
            hint="aws configure list-profiles",
        ) from None
    except (exceptions.BotoCoreError, ValueError, OSError) as error:
        raise SourceError(
            f"source {settings.name}: the AWS configuration cannot be used ({type(error).__name__})"
        ) from None
    if credentials is None:
        raise SourceError(
            f"source {settings.name}: no AWS credentials found",
            hint="set `profile:` in keyaudit.yaml, or AWS_PROFILE, or run `aws sso login`",
        )
    return session


def own_account(session: Session) -> Account:
    """Ask whose credentials these are."""
    try:
        with refusing():
            answer = session.client("sts", session.home_region()).get_caller_identity()
        arn = answer.get("Arn")
        identity = arn if isinstance(arn, str) and _ARN.fullmatch(arn) else None
        return Account(str(promised(answer, "Account")), session, identity=identity)
    except RefusedError as error:
        return Account(UNKNOWN_ACCOUNT, None, error.refusal)


def enter(entry: str, own: Account, base: Session, settings: AccountSettings) -> Account:
    """Get into one entry of `accounts`: our own account as we are, any other by assuming its role."""
    account = account_of(entry)
    if entry == own.id:
        return own
    partition = base.raw.get_partition_for_region(base.home_region())
    role = entry if entry.startswith("arn:") else f"arn:{partition}:iam::{account}:role/{settings.role}"
    try:
        with refusing():
            sts = base.client("sts", base.home_region())
            credentials = botocore("credentials").DeferredRefreshableCredentials(
                refresh_using=lambda: _assume(sts, role, settings.external_id), method=_Given.METHOD
            )
            credentials.get_frozen_credentials()
        return Account(account, Session(settings, credentials), identity=role)
    except RefusedError as error:
        return Account(account, None, error.refusal)


def _assume(sts: Any, role: str, external_id: str | None) -> dict[str, str]:
    extra = {"ExternalId": external_id} if external_id else {}
    answer = sts.assume_role(
        RoleArn=role, RoleSessionName=SESSION_NAME, DurationSeconds=SESSION_SECONDS, **extra
    )
    given = promised(answer, "Credentials")
    return {
        "access_key": given["AccessKeyId"],
        "secret_key": given["SecretAccessKey"],
        "token": given["SessionToken"],
        "expiry_time": given["Expiration"].isoformat(),
    }
