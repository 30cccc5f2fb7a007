"""Stands between a client and a server, keeps a log of what was asked, and breaks things to order.

    with FaultProxy(upstream, AwsJson("SecretList")) as proxy:
        proxy.plan(Fault("throttled", "ListSecrets", scope="us-east-1", times=3))

A `Dialect` says what a request asks for and how this provider breaks; `breakages` has what breaks
alike everywhere.

Faults of a plan are tried in order; the first that fits a request decides. `after` lets that
many fitting requests pass first, `times` is how often it strikes (None: always).
"""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Protocol
from urllib.parse import urlsplit

from servers.loopback import Loopback


@dataclass
class Fault:
    kind: str
    operation: str
    scope: str | None = None
    after: int = 0
    times: int | None = None
    seconds: float = 0.2
    headers: dict[str, str] = field(default_factory=dict)
    seen: int = 0

    def strikes(self, asked: Asked) -> bool:
        if asked.operation != self.operation or self.scope not in {None, asked.scope}:
            return False
        self.seen += 1
        if self.seen <= self.after:
            return False
        return self.times is None or self.seen <= self.after + self.times


@dataclass(frozen=True)
class Asked:
    """One request: what it asks for, of which scope (a region, a project), and when it came."""

    service: str
    operation: str
    scope: str
    key: str
    body: bytes
    at: float


Breakage = Callable[["FaultProxy", BaseHTTPRequestHandler, bytes, Fault], None]


class Dialect(Protocol):
    """How one provider's protocol is read and broken."""

    breakages: Mapping[str, Breakage]

    def asked(self, handler: BaseHTTPRequestHandler, body: bytes) -> Asked:
        """Say what a request asks for."""
        ...

    def forwarded(self, path: str, body: bytes) -> tuple[str, bytes]:
        """Take off the page tokens that this proxy made up (`breakages.OWN_TOKEN`)."""
        ...


class FaultProxy(Loopback):
    def __init__(
        self, upstream: str, dialect: Dialect, mend: Callable[[Asked, bytes], bytes] | None = None
    ) -> None:
        """`mend` puts an answer right where the emulator is known to be wrong."""
        self._dialect = dialect
        self._mend = mend or (lambda _, body: body)
        self._upstream = urlsplit(upstream).netloc
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self.log: list[Asked] = []
        super().__init__()

    def plan(self, *faults: Fault) -> None:
        with self._lock:
            self._faults = list(faults)
            self.log.clear()

    def asked(self, operation: str, scope: str | None = None) -> list[Asked]:
        return [each for each in self.log if each.operation == operation and scope in {None, each.scope}]

    def choose(self, asked: Asked) -> Fault | None:
        with self._lock:
            self.log.append(asked)
            return next((fault for fault in self._faults if fault.strikes(asked)), None)

    def forward(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, dict[str, str], bytes]:
        headers = {name: value for name, value in handler.headers.items() if name.lower() != "content-length"}
        connection = http.client.HTTPConnection(self._upstream, timeout=30)
        try:
            path, sent = self._dialect.forwarded(handler.path, body)
            connection.request(handler.command, path, sent, headers)
            answer = connection.getresponse()
            kept = {name: value for name, value in answer.getheaders() if name.lower() == "content-type"}
            whole = answer.read()
            return (
                answer.status,
                kept,
                self._mend(self._dialect.asked(handler, body), whole) if answer.status == 200 else whole,
            )
        finally:
            connection.close()

    def handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                fault = proxy.choose(proxy._dialect.asked(self, body))
                if fault is None:
                    return self.answer(*proxy.forward(self, body))
                return proxy._dialect.breakages[fault.kind](proxy, self, body, fault)

            do_GET = do_LIST = do_SCAN = do_PUT = do_PATCH = do_DELETE = do_POST

            def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        return Handler
