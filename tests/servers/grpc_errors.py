"""How Google's services refuse over gRPC: a status, a message, and details that a program can read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2

LEAKY = "Permission denied for bearer CANARY-access-token on resource (or it may not exist)."
"""A message of the server's must not be repeated anywhere."""


@dataclass
class Refused(Exception):
    """What a handler raises: `reason` and `metadata` of an ErrorInfo, `hold` seconds of a RetryInfo."""

    code: str
    reason: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    hold: float | None = None


def abort(context: Any, refused: Refused, more: Mapping[str, str]) -> None:
    """End a call; `more` is a fault's own metadata, with `hold` for the seconds of a RetryInfo."""
    code = grpc.StatusCode[refused.code]
    metadata = {**refused.metadata, **more}
    hold = metadata.pop("hold", refused.hold)
    status = status_pb2.Status(code=code.value[0], message=LEAKY)
    if refused.reason is not None:
        info = error_details_pb2.ErrorInfo(reason=refused.reason, domain="googleapis.com", metadata=metadata)
        status.details.add().Pack(info)
    if hold is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromNanoseconds(int(float(hold) * 1e9))
        status.details.add().Pack(retry)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, LEAKY)


ERRORS: dict[str, Refused] = {
    "denied": Refused("PERMISSION_DENIED", "IAM_PERMISSION_DENIED"),
    "throttled": Refused("RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED"),
    "server-error": Refused("INTERNAL"),
    "unavailable": Refused("UNAVAILABLE"),
    "unknown": Refused("UNKNOWN"),
    "expired": Refused("UNAUTHENTICATED", "ACCESS_TOKEN_EXPIRED"),
    "gone": Refused("NOT_FOUND"),
    "token-refused": Refused("INVALID_ARGUMENT"),
    "not-enabled": Refused("PERMISSION_DENIED", "SERVICE_DISABLED", {"service": "any.googleapis.com"}),
    "hostile-code": Refused("PERMISSION_DENIED", "\x1b[31m<script>alert(1)</script>"),
}
"""A fault's `headers` become metadata of the ErrorInfo, such as `consumer: projects/acme-prod`."""

AFTERWARDS: dict[str, Refused] = {
    "answer-lost": Refused("UNAVAILABLE"),
    "answer-late": Refused("DEADLINE_EXCEEDED"),
}
"""The server acted, waited for the fault's `seconds`, and what the client hears is this."""
