"""Stands between an AWS client and an emulator, keeps a log of what was asked, and breaks things to order.

    with FaultProxy(upstream) as proxy:
        proxy.plan(Fault("throttled", "ListSecrets", region="us-east-1", times=3))

Faults of a plan are tried in order; the first that fits a request decides. `after` lets that
many fitting requests pass first, `times` is how often it strikes (None: always).
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from servers.loopback import Loopback

OWN_TOKEN = "proxy-"
"""Begins the page tokens that this server makes up; they are taken off before forwarding."""

LEAKY_MESSAGE = "The Canonical String should have been 'host:x\\nx-amz-security-token:CANARY-SESSION-TOKEN'"


@dataclass
class Fault:
    kind: str
    operation: str = "ListSecrets"
    region: str | None = None
    account: str | None = None
    after: int = 0
    times: int | None = None
    seconds: float = 0.2
    headers: dict[str, str] = field(default_factory=dict)
    seen: int = 0

    def strikes(self, asked: Asked) -> bool:
        if asked.operation != self.operation or self.region not in {None, asked.region}:
            return False
        self.seen += 1
        if self.seen <= self.after:
            return False
        return self.times is None or self.seen <= self.after + self.times


@dataclass(frozen=True)
class Asked:
    service: str
    operation: str
    region: str
    key: str
    body: bytes
    at: float


class FaultProxy(Loopback):
    def __init__(self, upstream: str, mend: Callable[[Asked, bytes], bytes] | None = None) -> None:
        """`mend` puts an answer right where the emulator is known to be wrong."""
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

    def asked(self, operation: str, region: str | None = None) -> list[Asked]:
        return [each for each in self.log if each.operation == operation and region in {None, each.region}]

    def choose(self, asked: Asked) -> Fault | None:
        with self._lock:
            self.log.append(asked)
            return next((fault for fault in self._faults if fault.strikes(asked)), None)

    def forward(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, dict[str, str], bytes]:
        headers = {name: value for name, value in handler.headers.items() if name.lower() != "content-length"}
        connection = http.client.HTTPConnection(self._upstream, timeout=30)
        try:
            connection.request(handler.command, handler.path, _without_own_token(body), headers)
            answer = connection.getresponse()
            kept = {name: value for name, value in answer.getheaders() if name.lower() == "content-type"}
            whole = answer.read()
            return (
                answer.status,
                kept,
                self._mend(_asked(handler, body), whole) if answer.status == 200 else whole,
            )
        finally:
            connection.close()

    def handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                fault = proxy.choose(_asked(self, body))
                if fault is None:
                    return self.answer(*proxy.forward(self, body))
                return BREAKAGES[fault.kind](proxy, self, body, fault)

            def do_GET(self):
                self.do_POST()

            def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        return Handler


def _asked(handler: BaseHTTPRequestHandler, body: bytes) -> Asked:
    target = handler.headers.get("x-amz-target")
    operation = (
        target.split(".")[-1] if target else (parse_qs(body.decode()).get("Action") or [handler.path])[0]
    )
    scope = re.search(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/", handler.headers.get("authorization", ""))
    key, region, service = scope.groups() if scope else ("", "", "")
    operation = {"/listRegions": "ListRegions"}.get(operation, operation)
    return Asked(service, operation, region, key, body, time.monotonic())


def _without_own_token(body: bytes) -> bytes:
    if OWN_TOKEN.encode() not in body:
        return body
    asked = json.loads(body)
    if str(asked.get("NextToken", "")).startswith(OWN_TOKEN):
        del asked["NextToken"]
    return json.dumps(asked).encode()


Breakage = Callable[..., None]


def _error(status: int, code: str, message: str = "no") -> Breakage:
    def answer(proxy, handler, body, fault):
        error = json.dumps({"__type": code, "message": message}).encode()
        handler.answer(status, {"Content-Type": "application/x-amz-json-1.1", **fault.headers}, error)

    return answer


def _says(text: str) -> Breakage:
    return lambda proxy, handler, body, fault: handler.answer(200, fault.headers, text.encode())


def _regions(proxy, handler, body, fault):
    enabled = [
        {"RegionName": name, "RegionOptStatus": "ENABLED"} for name in fault.headers["regions"].split(",")
    ]
    handler.answer(200, {}, json.dumps({"Regions": enabled}).encode())


def _reset(proxy, handler, body, fault):
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()


def _silent(proxy, handler, body, fault):
    time.sleep(fault.seconds)
    handler.close_connection = True


def _truncated(proxy, handler, body, fault):
    status, _, whole = proxy.forward(handler, body)
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(whole)))
    handler.end_headers()
    handler.wfile.write(whole[: len(whole) // 2])
    handler.close_connection = True


def _slow(proxy, handler, body, fault):
    time.sleep(fault.seconds)
    handler.answer(*proxy.forward(handler, body))


def _page(change: Callable[[dict, int], None]) -> Breakage:
    def answer(proxy, handler, body, fault):
        status, headers, whole = proxy.forward(handler, body)
        page = json.loads(whole)
        change(page, fault.seen)
        handler.answer(status, headers, json.dumps(page).encode())

    return answer


def _listed_again(page: dict, count: int) -> None:
    page["NextToken"] = f"{OWN_TOKEN}{count}"


def _empty(page: dict, count: int) -> None:
    page.clear()
    page.update({"SecretList": [], "NextToken": f"{OWN_TOKEN}{count}"})


def _same_token(page: dict, count: int) -> None:
    page.clear()
    page.update({"SecretList": [], "NextToken": f"{OWN_TOKEN}same"})


def _bad_row(page: dict, count: int) -> None:
    page["SecretList"][0]["Name"] = {"not": "a name"}


def _bad_time(page: dict, count: int) -> None:
    page["SecretList"][0]["LastChangedDate"] = 9e99


BREAKAGES: dict[str, Breakage] = {
    "denied": _error(400, "AccessDeniedException"),
    "throttled": _error(400, "ThrottlingException"),
    "too-many": _error(429, "Unheard"),
    "server-error": _error(500, "InternalServiceError"),
    "expired": _error(400, "ExpiredTokenException"),
    "region-disabled": _error(400, "UnrecognizedClientException"),
    "bad-signature": _error(403, "InvalidSignatureException", LEAKY_MESSAGE),
    "gone": _error(400, "ResourceNotFoundException"),
    "token-refused": _error(400, "InvalidNextTokenException"),
    "hostile-code": _error(400, "\x1b[31m<script>alert(1)</script>"),
    "bad-json": _says("<html>Please log in to the airport's network</html>"),
    "no-list": _says("{}"),
    "wrong-shape": _says('{"SecretList": "many"}'),
    "regions": _regions,
    "reset": _reset,
    "silent": _silent,
    "truncated": _truncated,
    "slow": _slow,
    "empty-page": _page(_empty),
    "repeated-token": _page(_same_token),
    "duplicate-page": _page(_listed_again),
    "bad-row": _page(_bad_row),
    "bad-time": _page(_bad_time),
}
