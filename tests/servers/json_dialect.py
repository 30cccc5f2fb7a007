"""JSON over HTTP for the fault proxy: lists by the last id, and errors as AI providers word them."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qsl, urlencode, urlsplit

from servers.breakages import ANYWHERE, OWN_TOKEN, Breakage, answers, page
from servers.fault_proxy import Asked

LEAKY_MESSAGE = "Incorrect API key provided: sk-admin-CANARY-1234567890. Find yours at https://example.com"


def error(status: int, code: str) -> Breakage:
    """Give an error that both OpenAI's and Anthropic's clients would recognise, with a talkative message."""
    detail = {"message": LEAKY_MESSAGE, "type": code, "param": None, "code": code}
    return answers(status, json.dumps({"type": "error", "error": detail}))


def listed_again(found: dict, count: int) -> None:
    found.update(has_more=True, last_id=f"{OWN_TOKEN}{count}")


def empty(found: dict, count: int) -> None:
    found.update(data=[], has_more=True, first_id=None, last_id=f"{OWN_TOKEN}{count}")


def same_token(found: dict, count: int) -> None:
    found.update(data=[], has_more=True, first_id=None, last_id=f"{OWN_TOKEN}same")


def nowhere(found: dict, count: int) -> None:
    found.update(data=[], has_more=True, first_id=None, last_id=None)


def bad_row(found: dict, count: int) -> None:
    found["data"][0]["id"] = {"not": "an id"}


def bad_time(found: dict, count: int) -> None:
    found["data"][0]["created_at"] = 9e99


BREAKAGES: dict[str, Breakage] = {
    **ANYWHERE,
    "denied": error(403, "permission_error"),
    "throttled": error(429, "rate_limit_error"),
    "server-error": error(500, "api_error"),
    "expired": error(401, "authentication_error"),
    "overloaded": error(529, "overloaded_error"),
    "hostile-code": error(403, "\x1b[31m<script>alert(1)</script>"),
    "gone": error(404, "not_found_error"),
    "redirect": answers(302, "", {"Location": "https://login.example.com/?key=CANARY"}),
    "wrong-shape": answers(200, json.dumps({"data": "many", "has_more": False})),
    "no-end": answers(200, json.dumps({"data": []})),
    "empty-page": page(empty),
    "repeated-token": page(same_token),
    "nowhere-to-go-on": page(nowhere),
    "duplicate-page": page(listed_again),
    "bad-row": page(bad_row),
    "bad-time": page(bad_time),
}


class JsonApi:
    """Names a request by its path, with what `scoped` finds in it (one group) taken out as the scope."""

    breakages = BREAKAGES

    def __init__(self, scoped: Sequence[tuple[str, str]] = ()) -> None:
        """`scoped` has regular expressions of paths, and how such a path is written as an operation."""
        self._scoped = [(re.compile(pattern), template) for pattern, template in scoped]

    def asked(self, handler: BaseHTTPRequestHandler, body: bytes) -> Asked:
        path, scope = urlsplit(handler.path).path, ""
        for pattern, template in self._scoped:
            if match := pattern.fullmatch(path):
                path, scope = template, match[1]
        host = handler.headers.get("host", "")
        return Asked(host, f"{handler.command} {path}", scope, "", body, time.monotonic())

    def forwarded(self, path: str, body: bytes) -> tuple[str, bytes]:
        url = urlsplit(path)
        kept = [(name, value) for name, value in parse_qsl(url.query) if not value.startswith(OWN_TOKEN)]
        return f"{url.path}?{urlencode(kept)}" if kept else url.path, body
