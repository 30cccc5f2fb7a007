"""Vault's protocol for the fault proxy: what a request asks for, how errors look, how lists break."""

from __future__ import annotations

import json
import time
from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote, urlsplit

from servers.breakages import ANYWHERE, answers, page
from servers.fault_proxy import Asked, Breakage
from servers.vault import Request, namespace_of
from servers.vault_operations import operation


def error(status: int, *errors: str) -> Breakage:
    return answers(status, json.dumps({"errors": errors}), {"Content-Type": "application/json"})


def _again(found: dict, count: int) -> None:
    found["data"]["keys"] *= 2


def _odd_names(found: dict, count: int) -> None:
    found["data"]["keys"] += ["..", "../../data/app/", "a//b", "/", "", "\x1b[31m", "a/../data"]


def _bad_row(found: dict, count: int) -> None:
    found["data"]["versions"] = "many"


def _bad_time(found: dict, count: int) -> None:
    found["data"]["created_time"] = "CANARY-yesterday"


class VaultApi:
    """`scope` of what is asked is the mount, `key` the capability and path that a policy must have."""

    def __init__(self) -> None:
        self._first: bytes | None = None

        def same_page(proxy, handler, body, fault):
            if self._first is None:
                self._first = proxy.forward(handler, body)[2]
            handler.answer(200, {"Content-Type": "application/json"}, self._first)

        self.breakages = {
            **ANYWHERE,
            "denied": error(403, "1 error occurred:\n\t* permission denied\n\n"),
            "expired": error(403, "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"),
            "throttled": error(429, "rate limit quota exceeded"),
            "server-error": error(500, "1 error occurred:\n\t* CANARY-internal error\n\n"),
            "behind": error(412, "required index state not present"),
            "sealed": error(503, "Vault is sealed"),
            "unknown-verb": error(405),
            "gone": error(404),
            "wrong-shape": answers(200, json.dumps({"data": {"keys": "many"}})),
            "duplicate-page": page(_again),
            "odd-names": page(_odd_names),
            "bad-row": page(_bad_row),
            "bad-time": page(_bad_time),
            "repeated-token": same_page,
        }

    def asked(self, handler: BaseHTTPRequestHandler, body: bytes) -> Asked:
        namespace = namespace_of(handler.headers)
        path = unquote(urlsplit(handler.path).path).removeprefix("/v1/")
        mount, _, rest = path.partition("/")
        needs = Request(handler.command, path, namespace, {}).needs
        return Asked(
            "vault", operation(handler.command, rest), mount, " ".join(needs), body, time.monotonic()
        )

    def forwarded(self, path: str, body: bytes) -> tuple[str, bytes]:
        return path, body
