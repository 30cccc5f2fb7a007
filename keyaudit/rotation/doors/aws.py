"""What the parties of AWS share: who signs, where, and what a refusal means.

    profile: rotation               # of ~/.aws/config; without it the usual chain of credentials
    region: eu-west-1               # without it the profile's
    role: arn:aws:iam::111122223333:role/keyaudit-rotate      # is assumed, if it is given
    external_id: acme-rotate        # what that role asks for
    endpoint_url: http://127.0.0.1:5000                       # emulators only

Whoever audits never signs with this: its policy denies what these parties do (`aws_grants`).
"""

from __future__ import annotations

import importlib
import logging
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from keyaudit import __version__
from keyaudit.errors import MissingExtraError, RotationError
from keyaudit.sources.aws.botocore import api_models
from keyaudit.sources.aws.refusals import promised, refusing
from keyaudit.sources.pulling.refusals import RefusedError
from keyaudit.sources.pulling.settings import Endpoint
from keyaudit.times import SECOND

_REGION = r"^[a-z]{2,4}(-[a-z]{2,12}){1,3}-\d{1,2}$"
_ROLE = r"^arn:aws[a-z-]*:iam::\d{12}:role/[A-Za-z0-9_+=,.@/-]{1,576}$"
_READS = 5
"""Attempts of a call that changes nothing. What changes something is asked for once: run again."""
_ANYWHERE = "us-east-1"
"""For what is one for all regions, where none is named."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Region = Annotated[str, Field(pattern=_REGION)]


class AwsAccess(BaseModel):
    """Settings of who signs. No setting holds a key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    profile: str | None = None
    region: Region | None = None
    role: Annotated[str, Field(pattern=_ROLE)] | None = None
    external_id: Annotated[str, Field(min_length=2, max_length=1224)] | None = None
    endpoint_url: Endpoint | None = None


class Aws:
    """Makes clients, one at a time, as botocore's sessions require; asks nobody before the first call."""

    def __init__(self, access: AwsAccess, timeout: int) -> None:
        """`timeout` in microseconds, for one answer."""
        self._access, self._timeout = access, timeout / SECOND
        self._lock = threading.Lock()
        self._session: Any = None
        self._made: dict[tuple[str, str, bool], Any] = {}

    def reading(self, service: str, region: str | None = None) -> Any:
        """Give the client for what changes nothing: it asks again where that helps."""
        return self._client(service, region, changing=False)

    def changing(self, service: str, region: str | None = None) -> Any:
        """Give the client for what changes something: it asks once."""
        return self._client(service, region, changing=True)

    def probing(self, service: str, access_key_id: str, secret_access_key: str) -> Any:
        """Make a client that signs with a key that was given, and with nothing else."""
        with self._lock:
            return self._make(
                service,
                None,
                attempts=_READS,
                aws_access_key_id=access_key_id,
                aws_secret_access_key=secret_access_key,
            )

    def _client(self, service: str, region: str | None, *, changing: bool) -> Any:
        wanted = (service, region or "", changing)
        with self._lock:
            if wanted not in self._made:
                self._made[wanted] = self._make(service, region, attempts=1 if changing else _READS)
            return self._made[wanted]

    def _make(self, service: str, region: str | None, *, attempts: int, **signing: str) -> Any:
        access = self._access
        # At DEBUG, which a function's own settings may ask for, it writes down whole requests and answers.
        logging.getLogger("botocore").setLevel(logging.WARNING)
        try:
            session = self._signed_in()
            config = botocore("config").Config(
                retries={"mode": "standard", "total_max_attempts": attempts},
                connect_timeout=min(10.0, self._timeout),
                read_timeout=self._timeout,
                user_agent_extra=f"keyaudit/{__version__}",
            )
            return session.create_client(
                service,
                region_name=region or access.region or session.get_config_variable("region") or _ANYWHERE,
                endpoint_url=access.endpoint_url,
                config=config,
                **signing,
            )
        except (botocore("exceptions").BotoCoreError, ValueError, OSError) as error:
            why = type(error).__name__
        raise RotationError(
            f"the AWS configuration cannot be used ({why})", hint="aws configure list-profiles"
        )

    def _signed_in(self) -> Any:
        if self._session is None:
            session = _session(self._access)
            if self._access.role is not None:
                # A session that made a client keeps whom it signed as: so the role has one of its own.
                _enter(session, _session(self._access), self._access, self._access.role)
            self._session = session
        return self._session


def _session(access: AwsAccess) -> Any:
    session = botocore("session").Session(profile=access.profile)
    session.register_component("data_loader", api_models())
    return session


def _enter(session: Any, own: Any, access: AwsAccess, role: str) -> None:
    """Have a session sign as a role, which another one assumes, and renew that by itself."""
    region = access.region or own.get_config_variable("region") or _ANYWHERE
    sts = own.create_client("sts", region_name=region, endpoint_url=access.endpoint_url)
    more = {"ExternalId": access.external_id} if access.external_id else {}

    def assume() -> dict[str, str]:
        answer = sts.assume_role(RoleArn=role, RoleSessionName="keyaudit-rotate", **more)
        given = answer["Credentials"]
        return {
            "access_key": given["AccessKeyId"],
            "secret_key": given["SecretAccessKey"],
            "token": given["SessionToken"],
            "expiry_time": given["Expiration"].isoformat(),
        }

    credentials = botocore("credentials").DeferredRefreshableCredentials(assume, "keyaudit-assume-role")
    resolver = botocore("credentials").CredentialResolver([_Given(credentials)])
    session.register_component("credential_provider", resolver)


class _Given:
    """A credential provider, in botocore's sense, that has its answer already."""

    METHOD = "keyaudit-assume-role"
    CANONICAL_NAME = None

    def __init__(self, credentials: Any) -> None:
        self._credentials = credentials

    def load(self) -> Any:
        return self._credentials


def botocore(module: str) -> Any:
    """Import `botocore.MODULE`; raises MissingExtraError. Untyped, so everything from it is Any."""
    try:
        return importlib.import_module(f"botocore.{module}")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != "botocore":
            raise
    raise MissingExtraError("aws", "rotating AWS credentials")


def call(
    action: str,
    operation: Callable[..., Any],
    expected: Mapping[str, Callable[[], Exception]] | None = None,
    **asked: Any,
) -> Mapping[str, Any]:
    """Ask, and give the answer; `action` is the call as IAM names it.

    `expected` has the exception to raise for an error's code. Anything else is a RotationError,
    which says the code and never the server's words; what botocore raised is not chained to it.
    """
    failure: Exception | None = None
    try:
        with refusing():
            try:
                answer: Mapping[str, Any] = operation(**asked)
            except botocore("exceptions").ClientError as error:
                code = error.response.get("Error", {}).get("Code")
                if code not in (expected or {}):
                    raise
                failure = (expected or {})[code]()
            else:
                promised(answer, "ResponseMetadata")
                return answer
    except RefusedError as error:
        failure = RotationError(
            f"{action}: {error.refusal.reason}", hint="nothing is lost: run it again when that is mended"
        )
    assert failure is not None  # it was answered otherwise
    raise failure


def field(action: str, answer: Mapping[str, Any], name: str) -> Any:
    """Give a field that an answer always has; raises RotationError for a body that was none."""
    if name not in answer:
        raise RotationError(f"{action}: the answer could not be read")
    return answer[name]


def instant(when: datetime | None) -> int | None:
    """Give what botocore made of a time in microseconds, UTC."""
    return None if when is None else (when.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)
