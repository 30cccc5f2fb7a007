"""What every call to Google passes. Imports gRPC, so it is imported only where a channel is opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import grpc  # type: ignore[import-untyped]

from keyaudit.sources.gcp.allowed import refuse_others, refuse_streams
from keyaudit.sources.gcp.refusals import explain
from keyaudit.sources.pulling.retrying import persistently
from keyaudit.times import SECOND

if TYPE_CHECKING:
    from keyaudit.sources.gcp.caller import Caller, Headers
    from keyaudit.sources.gcp.settings import GcpSettings
    from keyaudit.sources.pulling.meter import Meter


class _Call(NamedTuple):
    """What gRPC names `ClientCallDetails`."""

    method: str
    timeout: float
    metadata: Headers
    credentials: None = None
    wait_for_ready: bool | None = False
    compression: None = None


class Door(
    grpc.UnaryUnaryClientInterceptor,  # type: ignore[misc]
    grpc.UnaryStreamClientInterceptor,  # type: ignore[misc]
    grpc.StreamUnaryClientInterceptor,  # type: ignore[misc]
    grpc.StreamStreamClientInterceptor,  # type: ignore[misc]
):
    """Refuses what is not on the list; signs, paces, counts, and asks again.

    A refused call has not reached the channel behind it, so nothing was sent.
    """

    def __init__(self, caller: Caller, settings: GcpSettings, meter: Meter) -> None:
        """Count what passes on `meter`."""
        self._caller = caller
        self._attempts = settings.attempts
        self._timeout = settings.timeout / SECOND
        self._meter = meter

    def intercept_unary_unary(self, go_on: Callable[..., Any], call: Any, request: Any) -> Any:
        """Let one call through; raises RefusedError, StoppedError, OperationRefusedError."""
        refuse_others(call.method)

        def once() -> Any:
            signed = (*(call.metadata or ()), *self._caller.headers(call.method, self._timeout))
            answer = go_on(_Call(call.method, self._timeout, signed), request)
            try:
                answer.result()
            except grpc.RpcError as error:
                raise explain(error, paging=bool(getattr(request, "page_token", ""))) from None
            self._meter.heard(_date(answer))
            return answer

        return persistently(once, self._meter, self._attempts)

    def intercept_unary_stream(self, *call: Any) -> NoReturn:
        """Refuse."""
        raise refuse_streams(call[1].method)

    intercept_stream_unary = intercept_unary_stream
    intercept_stream_stream = intercept_unary_stream


def _date(answer: Any) -> str | None:
    """Give the time at the server, if whatever stands before it says so, as HTTP/2 has it."""
    metadata = (*(answer.initial_metadata() or ()), *(answer.trailing_metadata() or ()))
    return next((value for name, value in metadata if name == "date"), None)
