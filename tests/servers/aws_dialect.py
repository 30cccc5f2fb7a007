"""AWS's protocols for the fault proxy: what a request asks for, how errors look, how lists break."""

from __future__ import annotations

import json
import re
import time
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs

from servers.breakages import ANYWHERE, OWN_TOKEN, answers, page
from servers.fault_proxy import Asked, Breakage

LEAKY_MESSAGE = "The Canonical String should have been 'host:x\\nx-amz-security-token:CANARY-SESSION-TOKEN'"


def asked(handler: BaseHTTPRequestHandler, body: bytes) -> Asked:
    """Read service, operation and region: from the target header, the form or the path, and the signature."""
    target = handler.headers.get("x-amz-target")
    operation = (
        target.split(".")[-1] if target else (parse_qs(body.decode()).get("Action") or [handler.path])[0]
    )
    scope = re.search(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/", handler.headers.get("authorization", ""))
    key, region, service = scope.groups() if scope else ("", "", "")
    operation = {"/listRegions": "ListRegions"}.get(operation, operation)
    return Asked(service, operation, region, key, body, time.monotonic())


def json_error(status: int, code: str, message: str = "no") -> Breakage:
    """Give an error as the JSON protocols spell it."""
    body = json.dumps({"__type": code, "message": message})
    return answers(status, body, {"Content-Type": "application/x-amz-json-1.1"})


ERRORS: dict[str, Breakage] = {
    "denied": json_error(400, "AccessDeniedException"),
    "throttled": json_error(400, "ThrottlingException"),
    "too-many": json_error(429, "Unheard"),
    "server-error": json_error(500, "InternalServiceError"),
    "expired": json_error(400, "ExpiredTokenException"),
    "region-disabled": json_error(400, "UnrecognizedClientException"),
    "bad-signature": json_error(403, "InvalidSignatureException", LEAKY_MESSAGE),
    "gone": json_error(400, "ResourceNotFoundException"),
    "token-refused": json_error(400, "InvalidNextTokenException"),
    "hostile-code": json_error(400, "\x1b[31m<script>alert(1)</script>"),
}


def regions(proxy, handler, body, fault):
    """Answer ListRegions with the regions that the fault's headers name."""
    enabled = [
        {"RegionName": name, "RegionOptStatus": "ENABLED"} for name in fault.headers["regions"].split(",")
    ]
    handler.answer(200, {}, json.dumps({"Regions": enabled}).encode())


class AwsJson:
    """A JSON service whose pages hold `entries` and go on by `token`; `name` and `time` are fields of an entry."""

    def __init__(
        self, entries: str, *, token: str = "NextToken", name: str = "Name", time: str = "LastChangedDate"
    ) -> None:
        self._token = token

        def listed_again(found: dict, count: int) -> None:
            found[token] = f"{OWN_TOKEN}{count}"

        def empty(found: dict, count: int) -> None:
            found.clear()
            found.update({entries: [], token: f"{OWN_TOKEN}{count}"})

        def same_token(found: dict, count: int) -> None:
            found.clear()
            found.update({entries: [], token: f"{OWN_TOKEN}same"})

        def bad_row(found: dict, count: int) -> None:
            found[entries][0][name] = {"not": "a name"}

        def bad_time(found: dict, count: int) -> None:
            found[entries][0][time] = 9e99

        self.breakages = {
            **ANYWHERE,
            **ERRORS,
            "regions": regions,
            "no-regions": answers(200, '{"Regions": []}'),
            "nameless-region": answers(200, '{"Regions": [{"RegionOptStatus": "ENABLED"}]}'),
            "wrong-shape": answers(200, json.dumps({entries: "many"})),
            "empty-page": page(empty),
            "repeated-token": page(same_token),
            "duplicate-page": page(listed_again),
            "bad-row": page(bad_row),
            "bad-time": page(bad_time),
        }

    def asked(self, handler: BaseHTTPRequestHandler, body: bytes) -> Asked:
        return asked(handler, body)

    def forwarded(self, path: str, body: bytes) -> tuple[str, bytes]:
        if OWN_TOKEN.encode() not in body:
            return path, body
        found = json.loads(body)
        if str(found.get(self._token, "")).startswith(OWN_TOKEN):
            del found[self._token]
        return path, json.dumps(found).encode()
