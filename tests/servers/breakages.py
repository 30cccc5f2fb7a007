"""What breaks alike whoever the provider is; a dialect's table names them for its own tests."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Callable, Mapping
from typing import Any

from servers.fault_proxy import Breakage

OWN_TOKEN = "proxy-"
"""Begins the page tokens that the proxy makes up; a dialect takes them off before forwarding."""


def answers(status: int, body: bytes | str, headers: Mapping[str, str] | None = None) -> Breakage:
    """Answer instead of the server; a fault's own headers go along."""
    content = body.encode() if isinstance(body, str) else body

    def answer(proxy, handler, asked, fault):
        handler.answer(status, {**(headers or {}), **fault.headers}, content)

    return answer


def page(change: Callable[[Any, int], None]) -> Breakage:
    """Change the server's JSON answer; `change` gets it and how often this fault was considered."""

    def answer(proxy, handler, body, fault):
        status, headers, whole = proxy.forward(handler, body)
        found = json.loads(whole)
        change(found, fault.seen)
        handler.answer(status, headers, json.dumps(found).encode())

    return answer


def reset(proxy, handler, body, fault):
    """Break the connection without an answer."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()


def answer_lost(proxy, handler, body, fault):
    """Let the server act, then break the connection before its answer."""
    proxy.forward(handler, body)
    reset(proxy, handler, body, fault)


def silent(proxy, handler, body, fault):
    """Say nothing for `fault.seconds`, then hang up."""
    time.sleep(fault.seconds)
    handler.close_connection = True


def truncated(proxy, handler, body, fault):
    """Announce the whole answer and send half of it."""
    status, _, whole = proxy.forward(handler, body)
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(whole)))
    handler.end_headers()
    handler.wfile.write(whole[: len(whole) // 2])
    handler.close_connection = True


def slow(proxy, handler, body, fault):
    """Answer rightly after `fault.seconds`."""
    time.sleep(fault.seconds)
    handler.answer(*proxy.forward(handler, body))


def endless(proxy, handler, body, fault):
    """Send a body without an end, for a gigabyte at most; with the status that the fault's headers name."""
    handler.send_response(int(fault.headers.get("status", "200")))
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.close_connection = True
    part = b" " * 2**20
    for _ in range(1024):
        handler.wfile.write(part)


ANYWHERE: Mapping[str, Breakage] = {
    "bad-json": answers(200, "<html>Please log in to the airport's network</html>"),
    "no-list": answers(200, "{}"),
    "reset": reset,
    "answer-lost": answer_lost,
    "silent": silent,
    "truncated": truncated,
    "slow": slow,
    "endless": endless,
}
