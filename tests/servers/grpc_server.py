"""A gRPC server on 127.0.0.1 that answers as Google's services do, and breaks to order.

    IAM = Service("google.iam.admin.v1.IAM", {"ListServiceAccounts": iam.ListServiceAccountsRequest})
    with GrpcServer({IAM: {"ListServiceAccounts": lambda request: iam.ListServiceAccountsResponse()}}) as server:
        server.plan(Fault("throttled", "ListServiceAccounts", scope="projects/acme-prod", times=3))

No generated servers are needed: requests are read with the client library's own message classes,
and a handler returns them or raises `Refused`. A method that no handler answers is UNIMPLEMENTED,
and still stands in the log.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from concurrent import futures
from dataclasses import dataclass
from typing import Any, Self

import grpc

from servers.fault_proxy import Fault
from servers.grpc_errors import AFTERWARDS, ERRORS, Refused, abort

OWN_TOKEN = "server-"
"""Begins the page tokens that faults make up; taken off before a handler sees the request."""

Handler = Callable[[Any], Any]
_PARENT = re.compile(rb"(?:projects|organizations|folders)/[a-zA-Z0-9:._-]+")


@dataclass(frozen=True)
class Asked:
    """One request as it arrived; `scope` is the project, folder or organisation that it names."""

    method: str
    operation: str
    scope: str
    metadata: dict[str, str]
    body: bytes
    at: float


@dataclass(frozen=True)
class Method:
    """How a method's request is read (a class of proto-plus or of protobuf), and who answers it."""

    request: Any
    answer: Handler


class GrpcServer:
    """`methods` maps full method names (`/package.Service/Method`) to what answers them."""

    def __init__(self, methods: Mapping[str, Method]) -> None:
        self._methods = methods
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._denied: frozenset[str] = frozenset()
        self._stopped = threading.Event()
        self.log: list[Asked] = []
        self.date: str | None = None
        """Stands before every answer, as Google's front ends have it."""
        self._server = grpc.server(
            futures.ThreadPoolExecutor(16),
            handlers=(_Everything(self._handle),),
            options=[("grpc.max_send_message_length", -1), ("grpc.so_reuseport", 0)],
        )
        self.port = self._server.add_insecure_port("127.0.0.1:0")

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._server.stop(None).wait()

    def plan(self, *faults: Fault) -> None:
        with self._lock:
            self._faults = list(faults)
            self.log.clear()

    def deny(self, *operations: str) -> None:
        """Refuse these operations, and only these, as if whoever asks had no permission."""
        self._denied = frozenset(operations)

    @property
    def calls(self) -> list[str]:
        """The operations that were asked for, in order."""
        return [each.operation for each in self.log]

    def asked(self, operation: str, scope: str | None = None) -> list[Asked]:
        return [each for each in self.log if each.operation == operation and scope in {None, each.scope}]

    def _choose(self, asked: Asked) -> Fault | None:
        with self._lock:
            self.log.append(asked)
            return next((fault for fault in self._faults if fault.strikes(asked)), None)

    def _handle(self, method: str, metadata: Any, body: bytes, context: Any) -> bytes:
        named = _PARENT.search(body)
        scope = named[0].decode() if named else ""
        operation = method.rsplit("/", 1)[1]
        fault = self._choose(Asked(method, operation, scope, dict(metadata), body, time.monotonic()))
        if self.date is not None:
            context.send_initial_metadata((("date", self.date),))
        if operation in self._denied:
            abort(context, ERRORS["denied"], {})
        if method not in self._methods:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "no such method")
        if fault is not None and fault.kind in ERRORS:
            abort(context, ERRORS[fault.kind], fault.headers)
        if fault is not None and fault.kind in {"slow", "silent"}:
            self._stopped.wait(fault.seconds)
        if fault is not None and fault.kind == "bad-message":
            return b"<html>Please log in to the airport's network</html>"
        return self._answer(self._methods[method], body, context, fault)

    def _answer(self, method: Method, body: bytes, context: Any, fault: Fault | None) -> bytes:
        kind = method.request
        request = kind.deserialize(body) if hasattr(kind, "deserialize") else kind.FromString(body)
        if getattr(request, "page_token", "").startswith(OWN_TOKEN):
            request.page_token = ""
        try:
            answer = method.answer(request)
        except Refused as refused:
            abort(context, refused, {})
        if fault is not None and fault.kind in AFTERWARDS:
            self._stopped.wait(fault.seconds)
            abort(context, AFTERWARDS[fault.kind], fault.headers)
        message = type(answer).pb(answer) if hasattr(type(answer), "pb") else answer
        if fault is not None and fault.kind in PAGES:
            PAGES[fault.kind](message, fault.seen)
        return message.SerializeToString()


class _Everything(grpc.GenericRpcHandler):
    """Takes every method as bytes, so that what was not expected is seen too."""

    def __init__(self, handle: Callable[[str, Any, bytes, Any], bytes]) -> None:
        self._handle = handle

    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(
            lambda body, context: self._handle(details.method, details.invocation_metadata, body, context)
        )


def _listed_again(answer: Any, count: int) -> None:
    answer.next_page_token = f"{OWN_TOKEN}{count}"


def _empty(answer: Any, count: int) -> None:
    answer.Clear()
    answer.next_page_token = f"{OWN_TOKEN}{count}"


def _same_token(answer: Any, count: int) -> None:
    answer.Clear()
    answer.next_page_token = f"{OWN_TOKEN}same"


PAGES: dict[str, Callable[[Any, int], None]] = {
    "duplicate-page": _listed_again,
    "empty-page": _empty,
    "repeated-token": _same_token,
}
"""Changes a page: `answer` is the protobuf message, `count` how often this fault was considered."""
