"""What gRPC's status codes, Google's error details and google-auth's exceptions mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from keyaudit.sources.gcp.packages import library
from keyaudit.sources.pulling.refusals import Kind, RefusedError, clean

_KINDS: dict[str, Kind] = {
    "PERMISSION_DENIED": Kind.DENIED,
    "UNAUTHENTICATED": Kind.EXPIRED,
    "RESOURCE_EXHAUSTED": Kind.THROTTLED,
    "UNAVAILABLE": Kind.UNREACHABLE,
    "DEADLINE_EXCEEDED": Kind.UNREACHABLE,
    "INTERNAL": Kind.SERVER,
    "UNKNOWN": Kind.SERVER,
    "DATA_LOSS": Kind.SERVER,
    "ABORTED": Kind.SERVER,
    "NOT_FOUND": Kind.GONE,
}

_DETAILS = "grpc-status-details-bin"
_NOT_A_MESSAGE = "Exception deserializing response!"
_TOO_LARGE = "Received message larger than max"
_EXPIRED = "the credentials are not valid, or expired"


class NotEnabledError(RefusedError):
    """An API is off in the project that a call was charged to: see `consumers`, its names if known.

    That is the project asked about only if it is among them: with a quota project of its own, the
    caller meets the same refusal about every project.
    """

    def __init__(self, service: str, consumers: frozenset[str]) -> None:
        """`service` must come from `clean`."""
        super().__init__(Kind.NOT_ENABLED, service, saying="the API is not enabled")
        self.consumers = consumers


@dataclass(frozen=True)
class _Details:
    """What an error says about itself besides its code."""

    reason: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    hold: float | None = None


def explain(error: Any, *, paging: bool) -> RefusedError:
    """Say what a `grpc.RpcError` means; `paging` if the request had a page token."""
    code = error.code().name
    if code == "INTERNAL" and error.details() == _NOT_A_MESSAGE:
        return RefusedError(Kind.UNREADABLE)
    if code == "RESOURCE_EXHAUSTED" and _TOO_LARGE in (error.details() or ""):
        return RefusedError(Kind.OTHER, saying="the answer was far too large")
    details = _details(error)
    if details.reason == "SERVICE_DISABLED":
        return _not_enabled(details.metadata)
    named = f"{code}, {details.reason}" if details.reason else code
    if code == "INVALID_ARGUMENT" and paging:
        return RefusedError(Kind.REPEATED, named)
    kind = _KINDS.get(code, Kind.OTHER)
    if kind is Kind.UNREACHABLE and details.hold is not None:
        kind = Kind.THROTTLED  # somebody answered, and said when to come back
    hold = details.hold if kind is Kind.THROTTLED else None
    return RefusedError(kind, named, saying=_EXPIRED if kind is Kind.EXPIRED else None, hold=hold)


def unsigned(error: Exception) -> RefusedError:
    """Say what an exception of google-auth means, met while a token was fetched."""
    later = isinstance(error, library("google.auth.exceptions").TransportError)
    if later or getattr(error, "retryable", False):
        return RefusedError(Kind.UNREACHABLE, type(error).__name__)
    return RefusedError(Kind.EXPIRED, type(error).__name__, saying="no usable credentials")


def _details(error: Any) -> _Details:
    """Read ErrorInfo and RetryInfo; what cannot be read says nothing."""
    raw = next((value for key, value in error.trailing_metadata() or () if key == _DETAILS), None)
    if raw is None:
        return _Details()
    infos = library("google.rpc.error_details_pb2")
    found, wait = infos.ErrorInfo(), infos.RetryInfo()
    reason, hold = None, None
    try:
        for each in library("google.rpc.status_pb2").Status.FromString(raw).details:
            if each.Unpack(found):
                reason = clean(found.reason)
            elif each.Unpack(wait):
                hold = max(0.0, wait.retry_delay.seconds + wait.retry_delay.nanos / 1e9)
    except library("google.protobuf.message").DecodeError:
        return _Details()
    return _Details(reason, dict(found.metadata), hold)


def _not_enabled(metadata: Mapping[str, str]) -> NotEnabledError:
    named = {metadata.get("consumer", "").removeprefix("projects/"), metadata.get("containerInfo", "")}
    return NotEnabledError(clean(metadata.get("service", "SERVICE_DISABLED")), frozenset(named - {""}))
