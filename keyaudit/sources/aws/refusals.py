"""What AWS's refusals mean, in words that are safe to print.

A server's own message is never repeated: messages about signatures quote the request, and all
of it is text from outside. Only an error's code is kept, if it looks like one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from keyaudit.sources.aws.botocore import botocore


class Kind(StrEnum):
    """Why something could not be read."""

    DENIED = "denied"
    EXPIRED = "expired"
    CREDENTIALS = "credentials"
    CLOCK = "clock"
    THROTTLED = "throttled"
    SERVER = "server"
    UNREACHABLE = "unreachable"
    UNREADABLE = "unreadable"
    REPEATED = "repeated"
    GONE = "gone"
    OTHER = "other"


FATAL = frozenset({Kind.EXPIRED, Kind.CREDENTIALS, Kind.CLOCK})
"""Nothing asked after these will be answered either."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refusal: its kind, and a sentence fragment such as `denied (AccessDeniedException)`."""

    kind: Kind
    reason: str


class UnreadableAnswerError(Exception):
    """An answer with status 200 that is not what the API promises."""


class RepeatedTokenError(Exception):
    """A page token came back a second time; following it would never end."""


_KINDS: dict[str, Kind] = {
    "AccessDenied": Kind.DENIED,
    "AccessDeniedException": Kind.DENIED,
    "UnauthorizedOperation": Kind.DENIED,
    "OptInRequired": Kind.CREDENTIALS,
    "ExpiredToken": Kind.EXPIRED,
    "ExpiredTokenException": Kind.EXPIRED,
    "UnrecognizedClientException": Kind.CREDENTIALS,
    "InvalidClientTokenId": Kind.CREDENTIALS,
    "InvalidAccessKeyId": Kind.CREDENTIALS,
    "MissingAuthenticationToken": Kind.CREDENTIALS,
    "MissingAuthenticationTokenException": Kind.CREDENTIALS,
    "IncompleteSignature": Kind.CREDENTIALS,
    "InvalidSignatureException": Kind.CLOCK,
    "SignatureDoesNotMatch": Kind.CLOCK,
    "RequestTimeTooSkewed": Kind.CLOCK,
    "RequestExpired": Kind.CLOCK,
    "InternalServiceError": Kind.SERVER,
    "InternalFailure": Kind.SERVER,
    "ServiceUnavailable": Kind.SERVER,
    "ResourceNotFoundException": Kind.GONE,
    "InvalidNextTokenException": Kind.REPEATED,
}

THROTTLES = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "SlowDown",
        "PriorRequestNotComplete",
    }
)
"""Codes that mean "later"; 429 and 503 with Retry-After count as well."""

_SAYING: dict[Kind, str] = {
    Kind.DENIED: "denied",
    Kind.EXPIRED: "the credentials expired",
    Kind.CREDENTIALS: "the region is not enabled for this account, or the credentials are not valid in it",
    Kind.CLOCK: "the signature was refused: a wrong secret key, or this machine's clock is off",
    Kind.THROTTLED: "throttled to the last attempt",
    Kind.SERVER: "the service failed",
    Kind.UNREACHABLE: "no answer",
    Kind.UNREADABLE: "the answer could not be read",
    Kind.REPEATED: "a page token was refused or came twice, so the list could not be finished",
    Kind.GONE: "deleted meanwhile",
    Kind.OTHER: "refused",
}


def expected() -> tuple[type[Exception], ...]:
    """Give the exception classes that a call may end in; any other is a fault of ours."""
    return (
        botocore("exceptions").ClientError,
        botocore("exceptions").BotoCoreError,
        botocore("parsers").ResponseParserError,
        UnreadableAnswerError,
        RepeatedTokenError,
    )


def promised(answer: Mapping[str, Any], field: str) -> Any:
    """Give a field that the API always has; raises UnreadableAnswerError without it.

    botocore takes a body that is no JSON at all for an empty answer.
    """
    if field not in answer:
        raise UnreadableAnswerError
    return answer[field]


def explain(error: BaseException) -> Refusal:
    """Say what an expected exception means."""
    exceptions = botocore("exceptions")
    if isinstance(error, RepeatedTokenError):
        return _refusal(Kind.REPEATED, None)
    if isinstance(error, (UnreadableAnswerError, botocore("parsers").ResponseParserError)):
        return _refusal(Kind.UNREADABLE, None)
    if isinstance(error, exceptions.ClientError):
        return _from_answer(error)
    if isinstance(error, (exceptions.ReadTimeoutError, exceptions.ConnectTimeoutError)):
        return _refusal(Kind.UNREACHABLE, "timed out")
    if isinstance(error, exceptions.SSLError):
        return _refusal(Kind.UNREACHABLE, "TLS failed")
    if isinstance(error, exceptions.EndpointConnectionError):
        return _refusal(Kind.UNREACHABLE, "no connection")
    if isinstance(error, (exceptions.HTTPClientError, exceptions.IncompleteReadError)):
        return _refusal(Kind.UNREACHABLE, "the connection broke")
    no_credentials = (
        exceptions.NoCredentialsError,
        exceptions.CredentialRetrievalError,
        exceptions.TokenRetrievalError,
        exceptions.SSOError,
    )
    if isinstance(error, no_credentials):
        return Refusal(Kind.EXPIRED, f"no usable credentials ({type(error).__name__})")
    return _refusal(Kind.OTHER, type(error).__name__)


def _from_answer(error: Any) -> Refusal:
    code = _clean(error.response.get("Error", {}).get("Code"))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0
    kind = _KINDS.get(code)
    if kind is None and (code in THROTTLES or status == 429):
        kind = Kind.THROTTLED
    if kind is None:
        kind = Kind.SERVER if status >= 500 else Kind.DENIED if status == 403 else Kind.OTHER
    return _refusal(kind, code if not code.isdigit() else f"HTTP {code}")


def _clean(code: object) -> str:
    text = str(code)
    return text if re.fullmatch(r"[A-Za-z0-9._-]{1,64}", text) else "an unnamed error"


def _refusal(kind: Kind, detail: str | None) -> Refusal:
    return Refusal(kind, f"{_SAYING[kind]} ({detail})" if detail else _SAYING[kind])
