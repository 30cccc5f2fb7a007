"""A provider of models that honours keys: OpenAI's and Anthropic's paths, streams, and refusals to order.

`live` holds the keys that work. `fail(status, …)` answers the next requests of a key, or of all,
with an error of the provider's shape.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from servers.loopback import Loopback

_CODES = {401: "invalid_api_key", 403: "forbidden", 429: "rate_limit_exceeded"}
_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}


@dataclass
class Failure:
    status: int
    code: str | None = None
    message: str = "no"
    key: str | None = None
    times: int | None = None


@dataclass
class Heard:
    key: str
    path: str
    body: dict[str, Any] = field(default_factory=dict)


class ModelProvider(Loopback):
    def __init__(self, *live: str) -> None:
        self.live = set(live)
        self.heard: list[Heard] = []
        self._failures: list[Failure] = []
        self._lock = threading.Lock()
        super().__init__()

    def fail(self, status: int, **how: Any) -> None:
        self._failures.append(Failure(status, **how))

    def keys_heard(self) -> list[str]:
        return [each.key for each in self.heard]

    def judge(self, key: str) -> Failure | None:
        with self._lock:
            for failure in self._failures:
                if failure.key not in {None, key} or failure.times == 0:
                    continue
                if failure.times is not None:
                    failure.times -= 1
                return failure
        if key not in self.live:
            return Failure(401, message=f"Incorrect API key provided: {key[:3]}…{key[-4:]}.")
        return None

    def handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
                key = (self.headers.get("authorization") or "").removeprefix("Bearer ") or self.headers[
                    "x-api-key"
                ]
                path = self.path.partition("?")[0]
                provider.heard.append(Heard(key, path, body))
                failure = provider.judge(key)
                if failure is not None:
                    return self.say(failure.status, refusal(failure, anthropic="messages" in path))
                if body.get("stream"):
                    return self.stream(path)
                return self.say(200, ANSWERS[path])

            do_GET = do_POST

            def say(self, status: int, answer: dict[str, Any]) -> None:
                raw = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def stream(self, path: str) -> None:
                events = STREAMS[path]
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Content-Length", str(len(events)))
                self.end_headers()
                self.wfile.write(events)

            def log_message(self, *_):
                pass

        return Handler


def refusal(failure: Failure, *, anthropic: bool) -> dict[str, Any]:
    if anthropic:
        kind = failure.code or _TYPES.get(failure.status, "api_error")
        return {"type": "error", "error": {"type": kind, "message": failure.message}, "request_id": "req_1"}
    code = failure.code or _CODES.get(failure.status)
    return {
        "error": {"message": failure.message, "type": "invalid_request_error", "param": None, "code": code}
    }


def _chunk(text: str | None) -> str:
    choice = {
        "index": 0,
        "delta": {"content": text} if text else {},
        "finish_reason": None if text else "stop",
    }
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return f"data: {json.dumps(chunk)}\n\n"


def _event(kind: str, **fields: Any) -> str:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n"


_MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "hello"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 1},
}
ANSWERS: dict[str, dict[str, Any]] = {
    "/v1/models": {
        "object": "list",
        "data": [{"id": "m", "object": "model", "created": 1, "owned_by": "us"}],
        "has_more": False,
    },
    "/v1/chat/completions": {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}
        ],
    },
    "/v1/messages": _MESSAGE,
}
STREAMS: dict[str, bytes] = {
    "/v1/chat/completions": (
        _chunk("hel") + 'data: {"error": {"message": "broke off", "code": "server_error"}}\n\n' + _chunk(None)
    ).encode(),
    "/v1/messages": (
        _event("message_start", message={**_MESSAGE, "content": [], "stop_reason": None})
        + _event("content_block_start", index=0, content_block={"type": "text", "text": ""})
        + _event("content_block_delta", index=0, delta={"type": "text_delta", "text": "hello"})
        + _event("content_block_stop", index=0)
        + _event(
            "message_delta",
            delta={"stop_reason": "end_turn", "stop_sequence": None},
            usage={"output_tokens": 1},
        )
        + _event("message_stop")
    ).encode(),
}
