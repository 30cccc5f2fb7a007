"""What stands before every operation of an AWS server of ours: who asked, who may, what was planned to go wrong.

    server.deny("PutSecretValue")                                   # until `allow`
    server.plan(Fault("reset", "PutSecretValue", times=1))          # cut before it acts
    server.plan(Fault("lost", "PutSecretValue", after=1, times=1))  # acted, and the answer never sent
    server.calls                                                    # [Call("PutSecretValue", "AKIA…"), …]

`Fault` is the proxy's, and means the same. A client that tries again by itself does so here too:
whoever wants to see a crash gives it one attempt.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import NamedTuple

from servers.aws_dialect import asked as read_request
from servers.breakages import reset
from servers.fault_proxy import Asked, Fault
from servers.loopback import Loopback

Answer = tuple[int, bytes]
CUT_BEFORE, CUT_AFTER = "reset", "lost"


class Refused(Exception):
    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


class Call(NamedTuple):
    operation: str
    key: str
    """The access key id that signed, whether or not it was honoured."""


class AwsServer(Loopback):
    """`faults` says how this protocol spells an error that was planned; `admit` who may come in at all."""

    faults: Mapping[str, tuple[int, str]]
    content_type: str

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.lock = threading.RLock()
        self._denied: set[str] = set()
        self._planned: list[Fault] = []
        super().__init__()

    def deny(self, *operations: str) -> None:
        """Refuse these operations to everyone, as a policy would, until they are allowed."""
        with self.lock:
            self._denied |= set(operations)

    def allow(self, *operations: str) -> None:
        """Take back `deny`; all of it without arguments."""
        with self.lock:
            self._denied -= set(operations) or set(self._denied)

    def plan(self, *faults: Fault) -> None:
        """Break what comes from now on: "reset", "lost", or an error of `faults`; nothing without arguments."""
        unheard = {fault.kind for fault in faults} - {CUT_BEFORE, CUT_AFTER, *self.faults}
        assert not unheard, f"no such fault here: {unheard}"
        with self.lock:
            self._planned = list(faults)

    def called(self, operation: str) -> int:
        """Say how often an operation was asked for, answered or not."""
        with self.lock:
            return sum(call.operation == operation for call in self.calls)

    def admit(self, handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        """Refuse who is not known; everyone is welcome unless a server says otherwise."""

    def act(self, asked: Asked) -> Answer:
        raise NotImplementedError

    def spell(self, error: Refused) -> Answer:
        raise NotImplementedError

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("content-length") or 0))
        asked = read_request(handler, body)
        fault = self._choose(asked)
        if fault is not None and fault.kind == CUT_BEFORE:
            return reset(None, handler, body, fault)
        try:
            if fault is not None and fault.kind != CUT_AFTER:
                raise Refused(*self.faults[fault.kind])
            self.admit(handler, asked)
            if asked.operation in self._denied:
                raise Refused(*self.faults["denied"])
            answer = self.act(asked)
        except Refused as error:
            answer = self.spell(error)
        if fault is not None and fault.kind == CUT_AFTER:
            return reset(None, handler, body, fault)
        return self._say(handler, *answer)

    def _choose(self, asked: Asked) -> Fault | None:
        with self.lock:
            self.calls.append(Call(asked.operation, asked.key))
            return next((fault for fault in self._planned if fault.strikes(asked)), None)

    def _say(self, handler: BaseHTTPRequestHandler, status: int, body: bytes) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", self.content_type)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                server.serve(self)

            def log_message(self, *_):
                pass

        return Handler
