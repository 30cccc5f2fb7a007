"""What botocore's exceptions and AWS's error codes mean."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from keyaudit.sources.aws.botocore import botocore
from keyaudit.sources.pulling.refusals import Kind, RefusedError, clean

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
    "InternalServerError": Kind.SERVER,
    "InternalFailure": Kind.SERVER,
    "ServiceUnavailable": Kind.SERVER,
    "ResourceNotFoundException": Kind.GONE,
    "InvalidResourceId": Kind.GONE,
    "NoSuchEntity": Kind.GONE,
    "NotFoundException": Kind.GONE,
    "InvalidMarkerException": Kind.REPEATED,
    "InvalidNextTokenException": Kind.REPEATED,
    "InvalidNextToken": Kind.REPEATED,
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

_NOT_HERE = "the region is not enabled for this account, or the credentials are not valid in it"


@contextmanager
def refusing() -> Iterator[None]:
    """Turn what botocore raises into RefusedError; any other exception is a fault of ours."""
    expected = (
        botocore("exceptions").ClientError,
        botocore("exceptions").BotoCoreError,
        botocore("parsers").ResponseParserError,
    )
    try:
        yield
    except expected as error:
        raise explain(error) from None
    except (LookupError, ValueError, TypeError, AttributeError, RecursionError) as error:
        if not _stumbled(error):
            raise
        raise RefusedError(Kind.UNREADABLE) from None


def _stumbled(error: BaseException) -> bool:
    """Say whether botocore's parser failed: it lets through whatever a strange answer sets off."""
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_globals.get("__name__") == "botocore.parsers" for frame, _ in frames)


def promised(answer: Mapping[str, Any], field: str) -> Any:
    """Give a field that the API always has; raises RefusedError without it.

    botocore takes a body that is no JSON at all for an empty answer.
    """
    if field not in answer:
        raise RefusedError(Kind.UNREADABLE)
    return answer[field]


def explain(error: BaseException) -> RefusedError:
    """Say what an exception of botocore means."""
    exceptions = botocore("exceptions")
    if isinstance(error, botocore("parsers").ResponseParserError):
        return RefusedError(Kind.UNREADABLE)
    if isinstance(error, exceptions.ClientError):
        return _from_answer(error)
    if isinstance(error, (exceptions.ReadTimeoutError, exceptions.ConnectTimeoutError)):
        return RefusedError(Kind.UNREACHABLE, "timed out")
    if isinstance(error, exceptions.SSLError):
        return RefusedError(Kind.UNREACHABLE, "TLS failed")
    if isinstance(error, exceptions.EndpointConnectionError):
        return RefusedError(Kind.UNREACHABLE, "no connection")
    if isinstance(error, (exceptions.HTTPClientError, exceptions.IncompleteReadError)):
        return RefusedError(Kind.UNREACHABLE, "the connection broke")
    no_credentials = (
        exceptions.NoCredentialsError,
        exceptions.CredentialRetrievalError,
        exceptions.TokenRetrievalError,
        exceptions.SSOError,
    )
    if isinstance(error, no_credentials):
        return RefusedError(Kind.EXPIRED, type(error).__name__, saying="no usable credentials")
    return RefusedError(Kind.OTHER, type(error).__name__)


def _from_answer(error: Any) -> RefusedError:
    code = clean(error.response.get("Error", {}).get("Code"))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0
    kind = _KINDS.get(code)
    if kind is None and (code in THROTTLES or status == 429):
        kind = Kind.THROTTLED
    if kind is None:
        kind = Kind.SERVER if status >= 500 else Kind.DENIED if status == 403 else Kind.OTHER
    detail = code if not code.isdigit() else f"HTTP {code}"
    return RefusedError(kind, detail, saying=_NOT_HERE if kind is Kind.CREDENTIALS else None)
